//! The attributes of an envelope, picked out in one pass and then judged one by one.

use std::borrow::Cow;

use crate::catalog::{About, Slots};
use crate::field::{FromScalar, Shape, read_field};
use crate::json::{Json, Malformed};
use crate::keys::{REPEATED, Seen, find};
use crate::spec::{ATTRIBUTE_NAMES, ENVELOPE, MAX_TEXT_CHARS, attribute};
use crate::violation::Unreadable;
use crate::{Event, Kind, MAX_EVENT_BYTES, Scalar, Timestamp, Touchpoint, Violations};

const DATA: usize = attribute("data");

/// The attributes of an envelope before they are judged.
pub(crate) struct Attributes<'a> {
    values: [Scalar<'a>; ENVELOPE.len()],
    data: Data<'a>,
    slots: Slots<'a>,
    seen: Seen,
}

/// What is known of `data`.
#[derive(Default)]
enum Data<'a> {
    /// Absent, or `null`, which means the same.
    #[default]
    Absent,
    /// No object.
    Other,
    /// An object, whose fields are in their slots.
    Read,
    /// An object here, passed over.
    At(Json<'a>),
}

impl<'a> Attributes<'a> {
    pub(crate) fn new() -> Self {
        Self {
            values: [const { Scalar::Null }; ENVELOPE.len()],
            data: Data::Absent,
            slots: Slots::new(),
            seen: Seen::default(),
        }
    }

    pub(crate) fn fill(&mut self, body: &'a [u8]) -> Result<(), Violations> {
        let malformed = |message: String| Violations::one(Unreadable::Malformed, "", message);
        if body.len() > MAX_EVENT_BYTES {
            return Err(malformed(format!("expected at most {MAX_EVENT_BYTES} bytes, got {}", body.len())));
        }
        let text = std::str::from_utf8(body)
            .map_err(|error| malformed(format!("expected UTF-8, which ends at byte {}", error.valid_up_to())))?;
        self.read(&mut Json::new(text)).map_err(|error| malformed(format!("no JSON object: {error}")))
    }

    fn read(&mut self, json: &mut Json<'a>) -> Result<(), Malformed> {
        json.space();
        json.object(&ATTRIBUTE_NAMES, |json, key| {
            let Some(index) = find(&ATTRIBUTE_NAMES, &key) else {
                return json.scalar().map(drop);
            };
            match self.values.get_mut(index) {
                Some(value) => *value = json.scalar()?,
                None => self.data = self.read_data(json)?,
            }
            self.seen.note(index);
            Ok(())
        })?;
        json.end()
    }

    /// Reads the fields of `data`, or notes where they are, if the event's type stands behind them.
    fn read_data(&mut self, json: &mut Json<'a>) -> Result<Data<'a>, Malformed> {
        if !json.is_object() {
            return Ok(if json.scalar()? == Scalar::Null { Data::Absent } else { Data::Other });
        }
        if let Scalar::Text(name) = &self.values[const { attribute("type") }]
            && let Some(kind) = Kind::from_name(name)
        {
            return self.slots.read(kind.names(), json).map(|()| Data::Read);
        }
        let here = json.clone();
        json.scalar().map(|_| Data::At(here))
    }

    pub(crate) fn event(&mut self, broken: &mut Violations) -> Option<Event<'a>> {
        let version = self.take::<Text<'a>>(const { attribute("specversion") }, broken);
        if version.is_some_and(|version| version.0 != "1.0") {
            broken.add("specversion", "expected \"1.0\"");
        }
        let id = self.take(const { attribute("id") }, broken);
        broken.id = id;
        let source = self.take::<Text<'a>>(const { attribute("source") }, broken);
        let schema = self.schema(broken);
        let customer = self.take(const { attribute("subject") }, broken);
        let occurred_at = self.take::<Timestamp>(const { attribute("time") }, broken);
        let channel = self.take(const { attribute("channel") }, broken);
        let company = self.take(const { attribute("companyid") }, broken);
        let project = self.take(const { attribute("projectid") }, broken);
        let actor = self.take(const { attribute("actorid") }, broken);
        let correlation = self.take(const { attribute("correlationid") }, broken);
        let causation = self.take(const { attribute("causationid") }, broken);
        let pii = self.take::<Option<Personal>>(const { attribute("pii") }, broken);
        let first_recorded_at = self.take(const { attribute("firstrecordedat") }, broken);
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
            has_pii: pii?.is_some(),
            first_recorded_at: first_recorded_at?,
            body: body?,
        })
    }

    fn take<T: FromScalar<'a>>(&self, index: usize, broken: &mut Violations) -> Option<T> {
        let name = ATTRIBUTE_NAMES[index];
        if self.seen.is_repeated(index) {
            broken.add(name, REPEATED);
            return None;
        }
        read_field(&self.values[index]).map_err(|message| broken.add(name, message)).ok()
    }

    /// The event type and the schema version to read `data` by. Where only the version is missing or no version at
    /// all, `data` is judged by the newest one, so that its violations are reported too.
    fn schema(&self, broken: &mut Violations) -> Option<(Kind, u32)> {
        let name = self.take::<Text<'a>>(const { attribute("type") }, broken);
        let schema = self.take::<Text<'a>>(const { attribute("dataschema") }, broken);
        let name = name?.0;
        let Some(kind) = Kind::from_name(&name) else {
            broken.reason = Unreadable::UnknownType;
            broken.add("type", format!("expected an event type of the catalogue, got {}", Scalar::Text(name)));
            return None;
        };
        let Some(Text(schema)) = schema else {
            return Some((kind, kind.version()));
        };
        let Some(digits) = version_digits(kind, &schema) else {
            let got = Scalar::Text(schema);
            broken.add("dataschema", format!("expected \"urn:lifefold:{kind}:<version>\", got {got}"));
            return Some((kind, kind.version()));
        };
        if let Ok(version @ 1..) = digits.parse::<u32>()
            && version <= kind.version()
        {
            return Some((kind, version));
        }
        broken.reason = Unreadable::UnknownVersion;
        let (newest, got) = (kind.version(), Scalar::Text(Cow::Borrowed(digits)));
        broken.add("dataschema", format!("expected a version of {kind} from 1 to {newest}, got {got}"));
        None
    }

    fn body(&mut self, schema: Option<(Kind, u32)>, about: &About, broken: &mut Violations) -> Option<Touchpoint<'a>> {
        let trouble = match std::mem::take(&mut self.data) {
            _ if self.seen.is_repeated(DATA) => REPEATED,
            Data::Absent => "is required: expected an object",
            Data::Other => "expected an object",
            Data::Read => return self.judge(schema?, about, broken),
            Data::At(mut json) => {
                let names = schema?.0.names();
                match self.slots.read(names, &mut json) {
                    Ok(()) => return self.judge(schema?, about, broken),
                    Err(_) => "expected an object",
                }
            }
        };
        broken.add("data", trouble);
        None
    }

    fn judge(&mut self, schema: (Kind, u32), about: &About, broken: &mut Violations) -> Option<Touchpoint<'a>> {
        Touchpoint::decode(schema.0, schema.1, &mut self.slots, about, broken)
    }
}

/// The version's digits in the schema's name; nothing if it is no schema of this event type.
fn version_digits(kind: Kind, schema: &str) -> Option<&str> {
    let version = schema.strip_prefix("urn:lifefold:")?.strip_prefix(kind.name())?.strip_prefix(':')?;
    let is_number = version.bytes().all(|byte| byte.is_ascii_digit()) && !version.is_empty();
    (is_number && !version.starts_with('0')).then_some(version)
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
    const QUOTABLE: bool = false;

    fn read(scalar: &Scalar<'a>) -> Option<Self> {
        matches!(scalar, Scalar::Text(_)).then_some(Self)
    }
}
