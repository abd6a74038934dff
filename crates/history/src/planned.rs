//! One event of a history, before it has a place in a log.

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
}

/// What an EventVoided points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VoidTarget {
    /// What its fields say; also of every event that is no void.
    AsWritten,
    /// The event at this index of the same list, by its position: [`arrange`](crate::arrange()) writes the position
    /// into `target_position`, which until then is a placeholder.
    Index(usize),
}

impl Planned {
    /// An event that points at no position.
    pub fn new(event: Event<'static>, recorded_at: Timestamp) -> Self {
        Self { event, recorded_at, target: VoidTarget::AsWritten }
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
        body(&self.event)
    }

    /// The JSON body as an import sends it.
    pub fn import_body(&self) -> Vec<u8> {
        body(&self.imported())
    }
}

/// The JSON body of an event.
pub fn body(event: &Event<'_>) -> Vec<u8> {
    // An event has text keys only, and a Vec takes every byte.
    serde_json::to_vec(event).unwrap_or_else(|error| unreachable!("an event is always writable: {error}"))
}
