//! The whole numbers that a field can be, each a newtype with bounds of its own.

use crate::compact::{Reader, pack_uint};
use crate::field::{FieldType, FromScalar, Shape};
use crate::{Position, Scalar};

/// Whole numbers with bounds of their own, each a newtype.
macro_rules! whole_number {
    ($(#[$doc:meta])* $name:ident($inner:ty), $shape:expr, $low:expr, $high:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl<'a> FromScalar<'a> for $name {
            const SHAPE: Shape = $shape;

            fn read(scalar: &Scalar<'a>) -> Option<Self> {
                match scalar {
                    Scalar::Int(value) if ($low..=$high).contains(value) => Some(Self(*value as $inner)),
                    _ => None,
                }
            }
        }

        impl<'a> FieldType<'a> for $name {
            fn pack(&self, out: &mut Vec<u8>) {
                pack_uint(self.0 as u64, out);
            }

            fn unpack(input: &mut Reader<'a>) -> Option<Self> {
                let value = i64::try_from(input.uint()?).ok().filter(|value| ($low..=$high).contains(value))?;
                Some(Self(value as $inner))
            }

            fn scalar(&self) -> Scalar<'_> {
                Scalar::Int(self.0 as i64)
            }
        }
    };
}

whole_number! {
    /// Money: a whole number of fen (0.01 CNY), at least 0.
    Fen(i64), Shape::Fen, 0, i64::MAX
}
whole_number! {
    /// An area in whole 0.01 m².
    Area(u32), Shape::Int(0, u32::MAX as i64), 0, u32::MAX as i64
}
whole_number! {
    /// How many there are: rooms, or defects.
    Count(u32), Shape::Int(0, 10_000), 0, 10_000
}
whole_number! {
    /// Minutes of one visit, at most a day.
    Minutes(u32), Shape::Int(0, 1_440), 0, 1_440
}
whole_number! {
    /// A level of escalation, 1 the lowest.
    Level(u8), Shape::Int(1, 9), 1, 9
}
whole_number! {
    /// A satisfaction of 1 to 5.
    Stars(u8), Shape::Int(1, 5), 1, 5
}
whole_number! {
    /// A survey score; its metric says which part of 0 to 10 is allowed.
    Score(u8), Shape::Int(0, 10), 0, 10
}

impl<'a> FromScalar<'a> for Position {
    const SHAPE: Shape = Shape::Position;

    fn read(scalar: &Scalar<'a>) -> Option<Self> {
        match scalar {
            Scalar::Int(value) if *value >= 1 => Some(Position(*value as u64)),
            _ => None,
        }
    }
}

impl<'a> FieldType<'a> for Position {
    fn pack(&self, out: &mut Vec<u8>) {
        pack_uint(self.0, out);
    }

    fn unpack(input: &mut Reader<'a>) -> Option<Self> {
        input.uint().filter(|value| (1..=i64::MAX as u64).contains(value)).map(Position)
    }

    fn scalar(&self) -> Scalar<'_> {
        i64::try_from(self.0).map_or(Scalar::Null, Scalar::Int)
    }
}
