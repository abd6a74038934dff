//! Touchpoints between their three forms: the message, the JSON of the log, and the event of the domain.
//!
//! One conversion for all event types, led by the catalogue and the descriptors. Only the shape is translated; whether
//! the event is valid is for [`Event::decode`] to say, and [`violations`] words that for who sent the message.

use prost_reflect::{DynamicMessage, Kind as FieldKind, Value};
use serde::ser::{Serialize, SerializeMap, Serializer};
use touchpoint::{Code, Event, Scalar, Shape, Timestamp, Touchpoint, Violation, Violations};

use crate::schema::{EventSchema, SCHEMA};
use crate::{names, v1};

/// Attributes of the envelope: the name in the JSON, and the field of the message.
const ATTRIBUTES: [(&str, &str); 11] = [
    ("subject", "customer_id"),
    ("time", "occurred_at"),
    ("companyid", "company_id"),
    ("projectid", "project_id"),
    ("actorid", "actor_id"),
    ("correlationid", "correlation_id"),
    ("causationid", "causation_id"),
    ("firstrecordedat", "first_recorded_at"),
    ("type", "event"),
    ("dataschema", "event"),
    ("data", "event"),
];

/// What an instant is in the message; the JSON of the log has it as a text.
const INSTANT: &str = "a Timestamp of whole microseconds of the years 1 to 9999";

/// The JSON that goes into the log. What is unset or UNSPECIFIED is absent there, so that it is reported as missing.
pub fn to_json(touchpoint: &v1::Touchpoint) -> Vec<u8> {
    let event = touchpoint.event.as_ref().and_then(Body::of);
    // A map with text keys and scalar values cannot fail to be written to memory.
    serde_json::to_vec(&Json { touchpoint, event }).unwrap_or_default()
}

/// The message for an event, with its newest version.
pub fn from_event(event: &Event<'_>) -> v1::Touchpoint {
    let code = |code: &Option<Code<'_>>| code.as_ref().map(ToString::to_string);
    v1::Touchpoint {
        id: event.id.to_string(),
        source: event.source.to_string(),
        customer_id: event.customer.to_string(),
        occurred_at: Some(names::timestamp(event.occurred_at)),
        channel: names::channel(event.channel).into(),
        company_id: code(&event.company),
        project_id: code(&event.project),
        actor_id: code(&event.actor),
        correlation_id: code(&event.correlation),
        causation_id: code(&event.causation),
        first_recorded_at: event.first_recorded_at.map(names::timestamp),
        pii: None,
        event: event_member(&event.body),
    }
}

/// The broken rules of a message, with the paths of the message below `prefix`, for example `touchpoint`.
pub fn violations(prefix: &str, sent: &v1::Touchpoint, broken: &Violations) -> Vec<Violation> {
    let member = sent.event.as_ref().and_then(Body::of).map(|body| body.schema.member.name().to_owned());
    let mut list = Vec::new();
    for violation in &broken.list {
        let path = path(member.as_deref(), &violation.field);
        let field = [prefix, &path].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".");
        if member.is_none() && path == "event" {
            // The JSON lacks type, dataschema and data; the message lacks one thing.
            list.retain(|earlier: &Violation| earlier.field != field);
            list.push(Violation { field, message: "is required: set one event of the oneof".to_owned() });
        } else {
            let message = violation.message.replace(&touchpoint::describe(Shape::Time), INSTANT);
            list.push(Violation { field, message });
        }
    }
    list
}

/// `data.score` as `survey_answered.score`.
fn path(member: Option<&str>, json: &str) -> String {
    match (member, json.strip_prefix("data.")) {
        (Some(member), Some(field)) => format!("{member}.{field}"),
        _ => ATTRIBUTES.iter().find(|(name, _)| *name == json).map_or(json, |(_, field)| field).to_owned(),
    }
}

/// The event of a message, with its descriptors.
struct Body {
    schema: &'static EventSchema,
    message: DynamicMessage,
}

impl Body {
    fn of(event: &v1::touchpoint::Event) -> Option<Self> {
        let mut bytes = Vec::with_capacity(event.encoded_len());
        event.encode(&mut bytes);
        let mut touchpoint = DynamicMessage::decode(SCHEMA.touchpoint.clone(), bytes.as_slice()).ok()?;
        let (member, value) = touchpoint.take_fields().next()?;
        let Value::Message(message) = value else { return None };
        Some(Self { schema: SCHEMA.by_number(member.number())?, message })
    }
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (spec, field) in self.schema.fields.iter().filter(|(_, field)| self.message.has_field(field)) {
            match &*self.message.get_field(field) {
                Value::String(text) => map.serialize_entry(spec.name, text)?,
                Value::Bool(value) => map.serialize_entry(spec.name, value)?,
                Value::I64(value) => map.serialize_entry(spec.name, value)?,
                Value::U32(value) => map.serialize_entry(spec.name, value)?,
                Value::U64(value) => map.serialize_entry(spec.name, value)?,
                Value::EnumNumber(number) => map.serialize_entry(spec.name, &EnumValue(spec.shape, *number))?,
                // The catalogue has scalars only; anything else would be reported as missing.
                _ => {}
            }
        }
        map.end()
    }
}

/// An enumeration's name; a number that this build does not know stays a number, and is refused as one.
struct EnumValue(Shape, i32);

impl Serialize for EnumValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Shape::Enum(_, names, _) = self.0 else { return serializer.serialize_i32(self.1) };
        let index = usize::try_from(self.1).ok().and_then(|number| number.checked_sub(1));
        match index.and_then(|index| names.get(index)) {
            Some(name) => serializer.serialize_str(name),
            None => serializer.serialize_i32(self.1),
        }
    }
}

/// A whole message.
struct Json<'a> {
    touchpoint: &'a v1::Touchpoint,
    event: Option<Body>,
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let touchpoint = self.touchpoint;
        let required = |text: &'_ String| (!text.is_empty()).then(|| text.clone());
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("specversion", "1.0")?;
        for (name, text) in [
            ("id", &required(&touchpoint.id)),
            ("source", &required(&touchpoint.source)),
            ("subject", &required(&touchpoint.customer_id)),
            ("time", &touchpoint.occurred_at.as_ref().map(time)),
            ("companyid", &touchpoint.company_id),
            ("projectid", &touchpoint.project_id),
            ("actorid", &touchpoint.actor_id),
            ("correlationid", &touchpoint.correlation_id),
            ("causationid", &touchpoint.causation_id),
            ("pii", &touchpoint.pii),
            ("firstrecordedat", &touchpoint.first_recorded_at.as_ref().map(time)),
        ] {
            if let Some(text) = text {
                map.serialize_entry(name, text)?;
            }
        }
        if touchpoint.channel != 0 {
            let shape = touchpoint::Channel::SHAPE;
            map.serialize_entry("channel", &EnumValue(shape, touchpoint.channel))?;
        }
        if let Some(body) = &self.event {
            map.serialize_entry("type", body.schema.kind.name())?;
            map.serialize_entry("dataschema", &body.schema.dataschema)?;
            map.serialize_entry("data", body)?;
        }
        map.end()
    }
}

/// An instant as text; one that the log cannot hold as a text that is refused.
fn time(time: &prost_types::Timestamp) -> String {
    match names::instant(time) {
        Some(instant) => Timestamp::to_string(&instant),
        None => format!("{} s and {} ns since 1970", time.seconds, time.nanos),
    }
}

fn event_member(body: &Touchpoint<'_>) -> Option<v1::touchpoint::Event> {
    let schema = SCHEMA.of(body.kind())?;
    let mut message = DynamicMessage::new(schema.message.clone());
    for ((spec, field), scalar) in schema.fields.iter().zip(body.scalars()) {
        if let Some(value) = value(spec.shape, &field.kind(), scalar) {
            message.set_field(field, value);
        }
    }
    let mut touchpoint = DynamicMessage::new(SCHEMA.touchpoint.clone());
    touchpoint.set_field(&schema.member, Value::Message(message));
    touchpoint.transcode_to::<v1::Touchpoint>().ok()?.event
}

fn value(shape: Shape, kind: &FieldKind, scalar: Scalar<'_>) -> Option<Value> {
    match (scalar, shape, kind) {
        (Scalar::Text(text), Shape::Enum(_, names, _), _) => {
            let index = names.iter().position(|name| *name == text)?;
            i32::try_from(index + 1).ok().map(Value::EnumNumber)
        }
        (Scalar::Text(text), ..) => Some(Value::String(text.into_owned())),
        (Scalar::Bool(value), ..) => Some(Value::Bool(value)),
        (Scalar::Int(value), _, FieldKind::Uint32) => u32::try_from(value).ok().map(Value::U32),
        (Scalar::Int(value), _, FieldKind::Uint64) => u64::try_from(value).ok().map(Value::U64),
        (Scalar::Int(value), ..) => Some(Value::I64(value)),
        _ => None,
    }
}
