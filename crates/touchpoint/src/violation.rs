//! What is wrong with an event, all of it at once, each with the path of its field.

use std::fmt;

use crate::EventId;

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The path of the field in the JSON form, for example `data.score`; empty for the event as a whole.
    pub field: String,
    /// What was expected and what was there.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field.as_str() {
            "" => f.write_str(&self.message),
            field => write!(f, "{field}: {}", self.message),
        }
    }
}

/// Why a body is no event that this build can read; a view parks the position under this reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unreadable {
    /// Not JSON, or not an object.
    Malformed,
    /// A `type` that this build does not know: perhaps a newer gateway wrote it.
    UnknownType,
    /// A schema version that this build does not know.
    UnknownVersion,
    /// A known event that breaks its rules.
    Invalid,
}

impl Unreadable {
    /// The reason's code, as shown to operators.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "MALFORMED",
            Self::UnknownType => "UNKNOWN_TYPE",
            Self::UnknownVersion => "UNKNOWN_VERSION",
            Self::Invalid => "INVALID",
        }
    }
}

/// Everything that is wrong with one event. Never empty when it is returned as an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", display(.list))]
pub struct Violations {
    /// The kind of trouble, for parking.
    pub reason: Unreadable,
    /// The event's id where it could be read, so that a later void can name it.
    pub id: Option<EventId>,
    /// The broken rules, in the order of the fields.
    pub list: Vec<Violation>,
}

fn display(list: &[Violation]) -> String {
    list.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl Default for Violations {
    fn default() -> Self {
        Self { reason: Unreadable::Invalid, id: None, list: Vec::new() }
    }
}

impl Violations {
    /// Notes a broken rule of the field at this path.
    pub fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.list.push(Violation { field: field.into(), message: message.into() });
    }

    /// No rule is broken.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// A single violation of this kind.
    pub(crate) fn one(reason: Unreadable, field: &str, message: impl Into<String>) -> Self {
        let mut violations = Self { reason, ..Self::default() };
        violations.add(field, message);
        violations
    }
}
