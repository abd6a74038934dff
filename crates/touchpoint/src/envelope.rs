//! The envelope: CloudEvents 1.0, structured JSON.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::attributes::Attributes;
use crate::{Channel, Code, CustomerId, EventId, Position, Timestamp, Touchpoint, Violations};

/// Most bytes of one event: a message of the log has 64 KiB, of which 1 KiB is kept for headers.
pub const MAX_EVENT_BYTES: usize = 63 * 1024;

/// An event as its producer sent it, borrowed from the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// `id`: unique within the customer.
    pub id: EventId,
    /// `source`: the system that it comes from.
    pub source: Cow<'a, str>,
    /// `subject`: whom it is about.
    pub customer: CustomerId,
    /// `time`: when it happened.
    pub occurred_at: Timestamp,
    /// `channel`: how customer and company met.
    pub channel: Channel,
    /// `companyid`: the city company.
    pub company: Option<Code<'a>>,
    /// `projectid`: the project.
    pub project: Option<Code<'a>>,
    /// `actorid`: who recorded it.
    pub actor: Option<Code<'a>>,
    /// `correlationid`: what it belongs to.
    pub correlation: Option<Code<'a>>,
    /// `causationid`: what it follows from.
    pub causation: Option<Code<'a>>,
    /// `pii`: it carries personal data. The text itself is never kept.
    pub has_pii: bool,
    /// `firstrecordedat`: when the source system learned of it; for imported history.
    pub first_recorded_at: Option<Timestamp>,
    /// `type`, `dataschema` and `data`, lifted to the newest version.
    pub body: Touchpoint<'a>,
}

/// An event with what the log gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded<'a> {
    /// Where it stands in the log.
    pub position: Position,
    /// When the log took it.
    pub recorded_at: Timestamp,
    /// The event.
    pub event: Event<'a>,
}

impl<'a> Event<'a> {
    /// Reads an event strictly, reporting every violation at once.
    pub fn decode(body: &'a [u8]) -> Result<Self, Violations> {
        let mut attributes = Attributes::new();
        attributes.fill(body)?;
        let mut broken = Violations::default();
        match attributes.event(&mut broken) {
            Some(event) if broken.is_empty() => Ok(event),
            _ => Err(broken),
        }
    }
}

impl Serialize for Event<'_> {
    /// The form on the wire, with the newest schema version.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kind = self.body.kind();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("specversion", "1.0")?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("source", &self.source)?;
        map.serialize_entry("type", kind.name())?;
        map.serialize_entry("dataschema", &format_args!("urn:lifefold:{}:{}", kind.name(), kind.version()))?;
        map.serialize_entry("subject", &self.customer)?;
        map.serialize_entry("time", &self.occurred_at)?;
        map.serialize_entry("channel", self.channel.name())?;
        let codes = [
            ("companyid", &self.company),
            ("projectid", &self.project),
            ("actorid", &self.actor),
            ("correlationid", &self.correlation),
            ("causationid", &self.causation),
        ];
        for (name, code) in codes.into_iter().filter_map(|(name, code)| Some((name, code.as_ref()?))) {
            map.serialize_entry(name, code.as_str())?;
        }
        if let Some(time) = self.first_recorded_at {
            map.serialize_entry("firstrecordedat", &time)?;
        }
        map.serialize_entry("data", &self.body)?;
        map.end()
    }
}

/// The same content: everything but recorded_at and position, whatever the order of the keys and the white space.
pub fn same_content(one: &[u8], other: &[u8]) -> bool {
    let read = |body| serde_json::from_slice::<serde_json::Value>(body);
    one == other || matches!((read(one), read(other)), (Ok(one), Ok(other)) if one == other)
}
