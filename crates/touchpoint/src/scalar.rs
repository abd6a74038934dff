//! One JSON value of a field, read without failing: whether it fits is asked afterwards, so that every field of an
//! event can be judged in one pass.

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};

/// Most characters of a value that are quoted in an error.
const MAX_QUOTED_CHARS: usize = 64;

/// The value of a field. Fields of events are scalars only; an object or array is [`Scalar::Composite`].
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Scalar<'a> {
    /// Absent, or `null`, which means the same.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number of 64 bits.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// A text, borrowed unless it had escapes.
    Text(Cow<'a, str>),
    /// An object or array: never right.
    Composite,
}

impl fmt::Display for Scalar<'_> {
    /// As it is quoted in an error: short, on one line, and only where it looks like a code, a date or a number. Other
    /// texts may be names or other free words, which have no place in errors and logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("nothing"),
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            // 5.0 stays 5.0, and 1e300 is not written out.
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Text(text) if text.len() <= MAX_QUOTED_CHARS && text.bytes().all(is_quotable) => {
                write!(f, "\"{text}\"")
            }
            Self::Text(text) => write!(f, "a text of {} characters", text.chars().count()),
            Self::Composite => f.write_str("an object or array"),
        }
    }
}

fn is_quotable(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-' | b'+' | b'/')
}

impl Serialize for Scalar<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null | Self::Composite => serializer.serialize_none(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}
