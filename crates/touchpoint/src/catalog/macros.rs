//! The three forms in which the catalogue is written: `codes!` for enumerations, `event!` for an event with its
//! fields and rules, `catalog!` for the list of all. Everything else (decoding, packing, documentation, the protobuf
//! form, filters in rules) follows from them.

/// An enumeration of names. Its packed form is the index from 1, so new names go to the end. A name that does not speak
/// for itself has a doc line, which the catalogue and the protobuf form repeat.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[doc = $meaning:literal])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "the names of the domain speak for themselves")]
        pub enum $name { $($(#[doc = $meaning])* $variant),+ }

        impl $name {
            /// Every value, in the order of the catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// Every name, in the same order.
            pub const NAMES: &'static [&'static str] = &[$($text),+];
            /// The shape of a field with one of these names.
            pub const SHAPE: crate::Shape = crate::Shape::Enum(
                stringify!($name),
                Self::NAMES,
                &[$(concat!($($meaning),*)),+],
            );

            /// The name on the wire.
            pub const fn name(self) -> &'static str {
                Self::NAMES[self as usize]
            }

            /// The value of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl<'a> crate::field::FromScalar<'a> for $name {
            const SHAPE: crate::Shape = Self::SHAPE;

            fn read(scalar: &crate::Scalar<'a>) -> Option<Self> {
                match scalar {
                    crate::Scalar::Text(text) => Self::from_name(text),
                    _ => None,
                }
            }
        }

        impl<'a> crate::field::FieldType<'a> for $name {
            fn pack(&self, out: &mut Vec<u8>) {
                out.push(*self as u8 + 1);
            }

            fn unpack(input: &mut crate::compact::Reader<'a>) -> Option<Self> {
                Self::ALL.get(usize::from(input.byte()?.checked_sub(1)?)).copied()
            }

            fn scalar(&self) -> crate::Scalar<'_> {
                crate::Scalar::Text(std::borrow::Cow::Borrowed(self.name()))
            }
        }
    };
}

/// An event: its fields in the order of their packed form and protobuf numbers (new ones go to the end, optional), and
/// the rules that go beyond one field's shape. A rule names its fields and is asked where all of them could be read, so
/// that one broken field does not hide what is wrong with others.
macro_rules! event {
    (
        $(#[doc = $doc:literal])+
        $name:ident $(<$lt:lifetime>)? {
            $($(#[doc = $fdoc:literal])+ $field:ident: $ty:ty),* $(,)?
        }
        $(rule ($($dep:ident),+) |$about:ident, $broken:ident| $rule:block)*
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name $(<$lt>)? {
            $($(#[doc = $fdoc])+ pub $field: $ty,)*
        }

        impl<'a> super::Payload<'a> for $name $(<$lt>)? {
            const DOC: &'static [&'static str] = &[$($doc),+];
            const FIELDS: &'static [crate::FieldSpec] = &[$(crate::FieldSpec {
                name: stringify!($field),
                doc: &[$($fdoc),+],
                shape: <$ty as crate::field::FromScalar<'a>>::SHAPE,
                required: <$ty as crate::field::FromScalar<'a>>::REQUIRED,
            }),*];

            const NAMES: &'static [&'static str] = &[$(stringify!($field)),*];

            #[allow(unused_variables, unused_mut, reason = "an event may have no fields and no rules")]
            fn read(slots: &super::Slots<'a>, about: &super::About, broken: &mut crate::Violations) -> Option<Self> {
                let mut index = 0..;
                $(let $field = slots.take::<$ty>(index.next()?, broken);)*
                $(if let ($(Some($dep),)+) = ($(&$dep,)+) {
                    let ($about, $broken) = (about, &mut *broken);
                    $rule
                })*
                Some(Self { $($field: $field?),* })
            }

            #[allow(unused_variables, reason = "an event may have no fields")]
            fn pack(&self, out: &mut Vec<u8>) {
                $(crate::field::FieldType::pack(&self.$field, out);)*
            }

            #[allow(unused_variables, reason = "an event may have no fields")]
            fn unpack(input: &mut crate::compact::Reader<'a>) -> Option<Self> {
                Some(Self { $($field: crate::field::FieldType::unpack(input)?),* })
            }

            fn scalars(&self) -> Vec<crate::Scalar<'_>> {
                vec![$(crate::field::FieldType::scalar(&self.$field)),*]
            }
        }
    };
}

/// The list of all events: a tag that is never reused, the newest schema version, the type, the family.
macro_rules! catalog {
    ($($tag:literal version $version:literal $family:ident $name:ident $(<$lt:lifetime>)?;)+) => {
        /// The type of an event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "documented at the event of the same name")]
        pub enum Kind { $($name = $tag),+ }

        impl Kind {
            /// Every event type, in the order of the catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The name, which is `type` on the wire.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }

            /// The type of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $(stringify!($name) => Some(Self::$name),)+ _ => None }
            }

            /// The newest schema version; older ones, from 1, are lifted to it.
            pub const fn version(self) -> u32 {
                match self { $(Self::$name => $version),+ }
            }

            /// The family of the catalogue.
            pub const fn family(self) -> Family {
                match self { $(Self::$name => Family::$family),+ }
            }

            /// What the event says, a line each.
            pub const fn doc(self) -> &'static [&'static str] {
                match self { $(Self::$name => <$name as Payload<'static>>::DOC),+ }
            }

            /// The fields of `data`.
            pub const fn fields(self) -> &'static [FieldSpec] {
                match self { $(Self::$name => <$name as Payload<'static>>::FIELDS),+ }
            }

            /// The names of the fields of `data`.
            pub(crate) const fn names(self) -> &'static [&'static str] {
                match self { $(Self::$name => <$name as Payload<'static>>::NAMES),+ }
            }

            /// The tag of the packed form.
            pub(crate) const fn tag(self) -> u8 {
                self as u8
            }

            pub(crate) const fn from_tag(tag: u8) -> Option<Self> {
                match tag { $($tag => Some(Self::$name),)+ _ => None }
            }
        }

        const _: () = { $(assert!(<$name as Payload<'static>>::FIELDS.len() <= slots::MAX_FIELDS);)+ };

        /// A typed event of the catalogue.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(missing_docs, reason = "documented at the event of the same name")]
        pub enum Touchpoint<'a> { $($name($name $(<$lt>)?)),+ }

        impl<'a> Touchpoint<'a> {
            /// Which event this is.
            pub const fn kind(&self) -> Kind {
                match self { $(Self::$name(_) => Kind::$name),+ }
            }

            /// The values of the fields, in the order of [`Kind::fields`]; absent ones are null.
            pub fn scalars(&self) -> Vec<Scalar<'_>> {
                match self { $(Self::$name(event) => event.scalars()),+ }
            }

            pub(crate) fn pack_fields(&self, out: &mut Vec<u8>) {
                match self { $(Self::$name(event) => event.pack(out)),+ }
            }

            pub(crate) fn unpack_fields(kind: Kind, input: &mut Reader<'a>) -> Option<Self> {
                match kind { $(Kind::$name => Payload::unpack(input).map(Self::$name)),+ }
            }

            fn read(kind: Kind, slots: &Slots<'a>, about: &About, broken: &mut Violations) -> Option<Self> {
                match kind {
                    $(Kind::$name => Payload::read(slots, about, broken).map(Self::$name)),+
                }
            }
        }

        $(impl<'a> From<$name $(<$lt>)?> for Touchpoint<'a> {
            fn from(event: $name $(<$lt>)?) -> Self {
                Self::$name(event)
            }
        })+
    };
}

pub(crate) use {catalog, codes, event};
