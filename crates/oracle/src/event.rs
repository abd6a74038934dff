//! The bodies of one customer, read into the plainest form: names as text, numbers as numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use touchpoint::{Scalar, Timestamp};

use crate::numbers::Numbers;

/// One message of the log, for one customer.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where it stands in the log.
    pub position: u64,
    /// When the log took it.
    pub recorded_at: Timestamp,
    /// The event as CloudEvents JSON.
    pub body: Vec<u8>,
}

/// An event behind a figure: when it happened, in microseconds, and its id. Lists of them are in this order.
pub type Evidence = (i64, u128);

/// These events as evidence: the oldest first, each once.
pub(crate) fn evidence<'a>(events: impl IntoIterator<Item = &'a Event>) -> Vec<Evidence> {
    let mut all: Vec<Evidence> = events.into_iter().map(Event::order).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The value of a field of `data`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Int(i64),
    Flag(bool),
}

/// A readable event.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) position: u64,
    /// The event id as a 128-bit value.
    pub(crate) id: u128,
    /// The event type.
    pub(crate) kind: &'static str,
    /// `occurred_at`, in microseconds.
    pub(crate) at: i64,
    pub(crate) recorded_at: i64,
    /// What known_at is compared with: "with firstrecordedat where it is present, else with recorded_at".
    pub(crate) learned_at: i64,
    pub(crate) company: Option<String>,
    pub(crate) project: Option<String>,
    pub(crate) data: BTreeMap<&'static str, Value>,
}

impl Event {
    fn read(entry: &Entry, event: &touchpoint::Event<'_>) -> Self {
        let mut data = BTreeMap::new();
        for (field, scalar) in event.body.kind().fields().iter().zip(event.body.scalars()) {
            match scalar {
                Scalar::Text(text) => drop(data.insert(field.name, Value::Text(text.into_owned()))),
                Scalar::Int(value) => drop(data.insert(field.name, Value::Int(value))),
                Scalar::Bool(value) => drop(data.insert(field.name, Value::Flag(value))),
                Scalar::Null | Scalar::Float(_) | Scalar::Composite => {}
            }
        }
        Self {
            position: entry.position,
            id: event.id.as_u128(),
            kind: event.body.kind().name(),
            at: event.occurred_at.micros(),
            recorded_at: entry.recorded_at.micros(),
            learned_at: event.first_recorded_at.unwrap_or(entry.recorded_at).micros(),
            company: event.company.as_ref().map(|code| code.as_str().to_owned()),
            project: event.project.as_ref().map(|code| code.as_str().to_owned()),
            data,
        }
    }

    /// A field that is a code, a name, a date or a UUID.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        match self.data.get(field) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A field that is a whole number.
    pub(crate) fn int(&self, field: &str) -> Option<i64> {
        match self.data.get(field) {
            Some(Value::Int(value)) => Some(*value),
            _ => None,
        }
    }

    /// "Events are ordered by (occurred_at, event_id as a 128-bit value)."
    pub(crate) fn order(&self) -> Evidence {
        (self.at, self.id)
    }
}

/// A body that is no event: what is known of it.
#[derive(Debug, Clone)]
pub(crate) struct Parked {
    pub(crate) position: u64,
    pub(crate) recorded_at: i64,
    pub(crate) id: Option<u128>,
}

/// Everything that the log holds of one customer, and the numbers to judge it by.
#[derive(Debug, Clone)]
pub struct History {
    pub(crate) events: Vec<Event>,
    pub(crate) parked: Vec<Parked>,
    /// Later bodies with the id of an earlier one and other content.
    pub conflicts: usize,
    pub(crate) numbers: Arc<Numbers>,
}

impl History {
    /// Reads the entries of one customer, given in any order.
    pub fn read(entries: &[Entry]) -> Self {
        let mut entries: Vec<&Entry> = entries.iter().collect();
        entries.sort_by_key(|entry| entry.position);
        let numbers = Numbers::domain();
        let mut history = Self { events: Vec::new(), parked: Vec::new(), conflicts: 0, numbers };
        let mut kept: Vec<&Entry> = Vec::new();
        for entry in entries {
            let event = match touchpoint::Event::decode(&entry.body) {
                Ok(event) => Event::read(entry, &event),
                Err(violations) => {
                    let id = violations.id.map(touchpoint::EventId::as_u128);
                    history.parked.push(Parked {
                        position: entry.position,
                        recorded_at: entry.recorded_at.micros(),
                        id,
                    });
                    continue;
                }
            };
            // "An event id is unique within its customer. The first position in the log wins."
            match history.events.iter().position(|first| first.id == event.id) {
                None => {
                    history.events.push(event);
                    kept.push(entry);
                }
                // "The same position again" is the same message, and neither duplicate nor conflict.
                Some(first) if touchpoint::same_content(&kept[first].body, &entry.body) => {}
                Some(_) => history.conflicts += 1,
            }
        }
        history
    }

    /// The same events, judged by other numbers than the domain's.
    pub fn by(self, numbers: &Arc<Numbers>) -> Self {
        Self { numbers: Arc::clone(numbers), ..self }
    }
}
