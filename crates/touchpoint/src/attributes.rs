//! The attributes of an envelope, picked out in one pass and then judged one by one.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::catalog::About;
use crate::field::{FromScalar, Shape, read_field};
use crate::violation::Unreadable;
use crate::{Event, Kind, MAX_EVENT_BYTES, Scalar, Timestamp, Touchpoint, Violations};

/// Most characters of a text attribute: `source`, `type` and the like.
const MAX_TEXT_CHARS: usize = 200;

/// The attributes that we read, in this order; others are left alone.
const ATTRIBUTES: [&str; 15] = [
    "specversion",
    "id",
    "source",
    "type",
    "dataschema",
    "subject",
    "time",
    "channel",
    "companyid",
    "projectid",
    "actorid",
    "correlationid",
    "causationid",
    "pii",
    "firstrecordedat",
];

/// The attributes of an envelope before they are judged.
#[derive(Default)]
pub(crate) struct Attributes<'a> {
    values: [Scalar<'a>; ATTRIBUTES.len()],
    data: Option<&'a RawValue>,
}

impl<'a> Attributes<'a> {
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Violations> {
        let malformed = |message: String| Violations::one(Unreadable::Malformed, "", message);
        if body.len() > MAX_EVENT_BYTES {
            return Err(malformed(format!("expected at most {MAX_EVENT_BYTES} bytes, got {}", body.len())));
        }
        let text = std::str::from_utf8(body)
            .map_err(|error| malformed(format!("expected UTF-8, which ends at byte {}", error.valid_up_to())))?;
        let mut deserializer = serde_json::Deserializer::from_str(text);
        deserializer
            .deserialize_map(EnvelopeVisitor)
            .and_then(|attributes| deserializer.end().map(|()| attributes))
            // The parser names line and column, but never quotes the input.
            .map_err(|error| malformed(format!("expected one JSON object: {error}")))
    }

    pub(crate) fn event(&self, broken: &mut Violations) -> Option<Event<'a>> {
        if self.take::<Text<'a>>(0, broken).is_some_and(|version| version.0 != "1.0") {
            broken.add("specversion", "expected \"1.0\"");
        }
        let id = self.take(1, broken);
        broken.id = id;
        let source = self.take::<Text<'a>>(2, broken);
        let schema = self.schema(broken);
        let customer = self.take(5, broken);
        let occurred_at = self.take::<Timestamp>(6, broken);
        let channel = self.take(7, broken);
        let company = self.take(8, broken);
        let project = self.take(9, broken);
        let actor = self.take(10, broken);
        let correlation = self.take(11, broken);
        let causation = self.take(12, broken);
        let has_pii = self.take::<Option<Personal>>(13, broken).map(|pii| pii.is_some());
        let first_recorded_at = self.take(14, broken);
        let about = About { customer, date: occurred_at.map(Timestamp::shanghai_date) };
        let body = self.body(schema, &about, broken);
        Some(Event {
            id: id?,
            source: source?.0,
            customer: customer?,
            occurred_at: occurred_at?,
            channel: channel?,
            company: company?,
            project: project?,
            actor: actor?,
            correlation: correlation?,
            causation: causation?,
            has_pii: has_pii?,
            first_recorded_at: first_recorded_at?,
            body: body?,
        })
    }

    fn take<T: FromScalar<'a>>(&self, index: usize, broken: &mut Violations) -> Option<T> {
        read_field(&self.values[index]).map_err(|message| broken.add(ATTRIBUTES[index], message)).ok()
    }

    /// The event type and its schema version.
    fn schema(&self, broken: &mut Violations) -> Option<(Kind, u32)> {
        let name = self.take::<Text<'a>>(3, broken);
        let schema = self.take::<Text<'a>>(4, broken);
        let name = name?.0;
        let Some(kind) = Kind::from_name(&name) else {
            broken.reason = Unreadable::UnknownType;
            broken.add("type", format!("expected an event type of the catalogue, got {}", Scalar::Text(name)));
            return None;
        };
        let schema = schema?.0;
        let version = schema.strip_prefix("urn:lifefold:").and_then(|rest| rest.strip_prefix(kind.name()));
        let version = version.and_then(|rest| rest.strip_prefix(':')).filter(|digits| !digits.starts_with(['0', '+']));
        match version.and_then(|digits| digits.parse::<u32>().ok()) {
            Some(version) if version <= kind.version() => Some((kind, version)),
            Some(_) => {
                broken.reason = Unreadable::UnknownVersion;
                broken.add(
                    "dataschema",
                    format!("expected a version of {kind} from 1 to {}, got {schema:?}", kind.version()),
                );
                None
            }
            None => {
                broken.add(
                    "dataschema",
                    format!("expected \"urn:lifefold:{kind}:<version>\", got {}", Scalar::Text(schema)),
                );
                None
            }
        }
    }

    fn body(&self, schema: Option<(Kind, u32)>, about: &About, broken: &mut Violations) -> Option<Touchpoint<'a>> {
        let Some(data) = self.data else {
            broken.add("data", "is required: expected an object");
            return None;
        };
        let (kind, version) = schema?;
        Touchpoint::decode(kind, version, data, about, broken)
    }
}

struct EnvelopeVisitor;

impl<'a> Visitor<'a> for EnvelopeVisitor {
    type Value = Attributes<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event as a JSON object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Attributes<'a>, A::Error> {
        let mut attributes = Attributes::default();
        while let Some(attribute) = map.next_key_seed(AttributeName)? {
            match attribute {
                Attribute::Known(index) => attributes.values[index] = map.next_value()?,
                Attribute::Data => attributes.data = Some(map.next_value()?),
                Attribute::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(attributes)
    }
}

enum Attribute {
    Known(usize),
    Data,
    Other,
}

struct AttributeName;

impl<'a> DeserializeSeed<'a> for AttributeName {
    type Value = Attribute;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Attribute, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for AttributeName {
    type Value = Attribute;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an attribute name")
    }

    fn visit_str<E>(self, key: &str) -> Result<Attribute, E> {
        Ok(match ATTRIBUTES.iter().position(|name| *name == key) {
            Some(index) => Attribute::Known(index),
            None if key == "data" => Attribute::Data,
            None => Attribute::Other,
        })
    }
}

/// A text of the envelope.
struct Text<'a>(Cow<'a, str>);

impl<'a> FromScalar<'a> for Text<'a> {
    const SHAPE: Shape = Shape::Text(MAX_TEXT_CHARS);

    fn read(scalar: &Scalar<'a>) -> Option<Self> {
        match scalar {
            Scalar::Text(text) if (1..=MAX_TEXT_CHARS).contains(&text.chars().count()) => Some(Self(text.clone())),
            _ => None,
        }
    }
}

/// Personal data: that it is there is all that is read of it.
struct Personal;

impl<'a> FromScalar<'a> for Personal {
    const SHAPE: Shape = Shape::Text(MAX_EVENT_BYTES);

    fn read(scalar: &Scalar<'a>) -> Option<Self> {
        matches!(scalar, Scalar::Text(_)).then_some(Self)
    }
}
