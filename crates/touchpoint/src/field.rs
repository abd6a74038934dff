//! The types that a field of an event can have: how each is read, described, and packed.

use std::borrow::Cow;

use crate::compact::{Reader, pack_code, pack_int};
use crate::{Code, CustomerId, Date, EventId, Scalar, Timestamp};

/// What a field looks like: for documentation, for the protobuf form, and for filters in rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A code of 1–40 characters.
    Code,
    /// A UUID.
    Uuid,
    /// One of these names; the type's name comes first. Last, what each name means: empty where it speaks for itself.
    Enum(&'static str, &'static [&'static str], &'static [&'static str]),
    /// A whole number within these bounds.
    Int(i64, i64),
    /// A whole number of fen (0.01 CNY), at least 0.
    Fen,
    /// A position of the log, at least 1.
    Position,
    /// A calendar date in Asia/Shanghai.
    Date,
    /// `true` or `false`.
    Flag,
    /// An instant; in the envelope only.
    Time,
    /// A text of 1 to so many characters; in the envelope only.
    Text(usize),
}

/// One field of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldSpec {
    /// The name in `data`.
    pub name: &'static str,
    /// What it means, a line each.
    pub doc: &'static [&'static str],
    /// What it looks like.
    pub shape: Shape,
    /// It must be there.
    pub required: bool,
}

/// A type that a JSON value can be read as.
pub(crate) trait FromScalar<'a>: Sized {
    const SHAPE: Shape;
    const REQUIRED: bool = true;
    /// An error may say what was there instead.
    const QUOTABLE: bool = true;

    /// The value, or nothing if it does not fit the shape.
    fn read(scalar: &Scalar<'a>) -> Option<Self>;
}

/// A type that a field of an event can have.
pub(crate) trait FieldType<'a>: FromScalar<'a> {
    fn pack(&self, out: &mut Vec<u8>);
    fn unpack(input: &mut Reader<'a>) -> Option<Self>;
    fn scalar(&self) -> Scalar<'_>;
}

/// Reads a value, or says what was expected instead.
#[inline]
pub(crate) fn read_field<'a, T: FromScalar<'a>>(scalar: &Scalar<'a>) -> Result<T, String> {
    T::read(scalar).ok_or_else(|| misfit(scalar, T::SHAPE, T::REQUIRED, T::QUOTABLE))
}

#[cold]
fn misfit(scalar: &Scalar<'_>, shape: Shape, is_required: bool, is_quotable: bool) -> String {
    match scalar {
        Scalar::Null if is_required => format!("is required: expected {}", describe(shape)),
        _ if !is_quotable => format!("expected {}", describe(shape)),
        scalar => format!("expected {}, got {scalar}", describe(shape)),
    }
}

/// A shape in words.
pub fn describe(shape: Shape) -> String {
    match shape {
        Shape::Code => "a code of 1 to 40 characters of A-Z a-z 0-9 . _ : -".to_owned(),
        Shape::Uuid => "a UUID".to_owned(),
        Shape::Enum(_, names, _) => format!("one of {}", names.join(", ")),
        Shape::Int(low, high) => format!("a whole number from {low} to {high}"),
        Shape::Fen => "a whole number of fen, 0 or more".to_owned(),
        Shape::Position => "a position of the log, 1 or more".to_owned(),
        Shape::Date => "a date such as 2025-04-01".to_owned(),
        Shape::Flag => "true or false".to_owned(),
        Shape::Time => "an RFC 3339 time with at most 6 decimals, such as 2025-03-31T17:30:00.123456Z".to_owned(),
        Shape::Text(most) => format!("a text of 1 to {most} characters"),
    }
}

impl<'a, T: FromScalar<'a>> FromScalar<'a> for Option<T> {
    const SHAPE: Shape = T::SHAPE;
    const REQUIRED: bool = false;
    const QUOTABLE: bool = T::QUOTABLE;

    fn read(scalar: &Scalar<'a>) -> Option<Self> {
        match scalar {
            Scalar::Null => Some(None),
            scalar => T::read(scalar).map(Some),
        }
    }
}

impl<'a, T: FieldType<'a>> FieldType<'a> for Option<T> {
    fn pack(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.is_some()));
        if let Some(value) = self {
            value.pack(out);
        }
    }

    fn unpack(input: &mut Reader<'a>) -> Option<Self> {
        match input.byte()? {
            0 => Some(None),
            1 => T::unpack(input).map(Some),
            _ => None,
        }
    }

    fn scalar(&self) -> Scalar<'_> {
        self.as_ref().map_or(Scalar::Null, T::scalar)
    }
}

impl<'a> FromScalar<'a> for Code<'a> {
    const SHAPE: Shape = Shape::Code;

    fn read(scalar: &Scalar<'a>) -> Option<Self> {
        match scalar {
            Scalar::Text(text) => Code::new(text.clone()),
            _ => None,
        }
    }
}

impl<'a> FieldType<'a> for Code<'a> {
    fn pack(&self, out: &mut Vec<u8>) {
        pack_code(self, out);
    }

    fn unpack(input: &mut Reader<'a>) -> Option<Self> {
        input.code()
    }

    fn scalar(&self) -> Scalar<'_> {
        Scalar::Text(Cow::Borrowed(self.as_str()))
    }
}

macro_rules! uuid_field {
    ($name:ident) => {
        impl<'a> FromScalar<'a> for $name {
            const SHAPE: Shape = Shape::Uuid;

            fn read(scalar: &Scalar<'a>) -> Option<Self> {
                match scalar {
                    Scalar::Text(text) => text.parse().ok(),
                    _ => None,
                }
            }
        }

        impl<'a> FieldType<'a> for $name {
            fn pack(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.as_u128().to_be_bytes());
            }

            fn unpack(input: &mut Reader<'a>) -> Option<Self> {
                input.uuid().map(Self::from_u128)
            }

            fn scalar(&self) -> Scalar<'_> {
                Scalar::Text(Cow::Owned(self.to_string()))
            }
        }
    };
}

uuid_field!(CustomerId);
uuid_field!(EventId);

impl<'a> FromScalar<'a> for Date {
    const SHAPE: Shape = Shape::Date;

    fn read(scalar: &Scalar<'a>) -> Option<Self> {
        match scalar {
            Scalar::Text(text) => text.parse().ok(),
            _ => None,
        }
    }
}

impl<'a> FieldType<'a> for Date {
    fn pack(&self, out: &mut Vec<u8>) {
        pack_int(i64::from(self.days()), out);
    }

    fn unpack(input: &mut Reader<'a>) -> Option<Self> {
        input.int().and_then(|days| Date::from_days(i32::try_from(days).ok()?))
    }

    fn scalar(&self) -> Scalar<'_> {
        Scalar::Text(Cow::Owned(self.to_string()))
    }
}

impl<'a> FromScalar<'a> for bool {
    const SHAPE: Shape = Shape::Flag;

    fn read(scalar: &Scalar<'a>) -> Option<Self> {
        match scalar {
            Scalar::Bool(value) => Some(*value),
            _ => None,
        }
    }
}

impl<'a> FieldType<'a> for bool {
    fn pack(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn unpack(input: &mut Reader<'a>) -> Option<Self> {
        match input.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn scalar(&self) -> Scalar<'_> {
        Scalar::Bool(*self)
    }
}

impl<'a> FromScalar<'a> for Timestamp {
    const SHAPE: Shape = Shape::Time;

    fn read(scalar: &Scalar<'a>) -> Option<Self> {
        match scalar {
            Scalar::Text(text) => text.parse().ok(),
            _ => None,
        }
    }
}
