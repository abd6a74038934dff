//! One event of a history, before it has a place in a log.

use serde_json::{Value, json};
use touchpoint::{Event, Timestamp};

/// An event, and when the company learned of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The event. Its `first_recorded_at` is given only where the history is about that attribute.
    pub event: Event<'static>,
    /// When the company learned of it; an import carries this as `firstrecordedat`.
    pub recorded_at: Timestamp,
    /// What an EventVoided points at.
    pub target: VoidTarget,
    /// How its body is written.
    pub form: Form,
}

/// What an EventVoided points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VoidTarget {
    /// What its fields say; also of every event that is no void.
    AsWritten,
    /// The event at this index of the same list, by its position: [`arrange`](crate::arrange()) writes the position
    /// into `target_position`, which until then is a placeholder. Where an event comes several times, its first one.
    Index(usize),
    /// The same, but this very copy, even where it is not the first.
    Copy(usize),
}

/// How the body of an event is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// In the present schema version.
    Current,
    /// SurveyAnswered in version 1, which has no metric: only of an answer by CSAT.
    FirstVersion,
    /// In a schema version that nobody knows: unreadable, but for its id.
    UnknownVersion,
    /// Cut off in the middle: not even its id can be read.
    CutOff,
}

impl Form {
    /// No build can read such a body.
    pub const fn is_unreadable(self) -> bool {
        matches!(self, Self::UnknownVersion | Self::CutOff)
    }
}

impl Planned {
    /// An event that points at no position, in the present form.
    pub fn new(event: Event<'static>, recorded_at: Timestamp) -> Self {
        Self { event, recorded_at, target: VoidTarget::AsWritten, form: Form::Current }
    }

    /// The event as an import sends it: with `firstrecordedat`.
    pub fn imported(&self) -> Event<'static> {
        Event {
            first_recorded_at: Some(self.event.first_recorded_at.unwrap_or(self.recorded_at)),
            ..self.event.clone()
        }
    }

    /// The JSON body as a producer sends it at once.
    pub fn body(&self) -> Vec<u8> {
        self.written(&self.event)
    }

    /// The JSON body as an import sends it.
    pub fn import_body(&self) -> Vec<u8> {
        self.written(&self.imported())
    }

    /// The JSON body of this event in the form of this one.
    pub(crate) fn written(&self, event: &Event<'_>) -> Vec<u8> {
        match self.form {
            Form::Current => body(event),
            Form::FirstVersion => in_version(event, 1),
            Form::UnknownVersion => in_version(event, 99),
            Form::CutOff => body(event).split_at(40).0.to_vec(),
        }
    }
}

/// The JSON body of an event.
pub fn body(event: &Event<'_>) -> Vec<u8> {
    // An event has text keys only, and a Vec takes every byte.
    serde_json::to_vec(event).unwrap_or_else(|error| unreachable!("an event is always writable: {error}"))
}

/// The JSON body of an event as if it were of this version; what it measures was not said before version 2.
fn in_version(event: &Event<'_>, version: u32) -> Vec<u8> {
    let mut json: Value = serde_json::to_value(event).unwrap_or_default();
    json["dataschema"] = json!(format!("urn:lifefold:{}:{version}", event.body.kind()));
    if let Some(data) = json["data"].as_object_mut().filter(|_| version == 1) {
        data.remove("metric");
    }
    json.to_string().into_bytes()
}
