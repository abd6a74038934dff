//! Reads the counts of events in the conditions of a rules file.

use toml::de::DeValue;
use touchpoint::{Code, Date, EventId, FieldSpec, Kind, Shape, describe};

use super::condition::{Count, Value};
use super::given::{Given, bounds, number, only, table, values};
use super::mistake::Notes;
use super::number::{Unit, quote};
use super::units;

/// A count; nothing if it has a mistake.
pub(super) fn count(given: &Given<'_>, notes: &mut Notes) -> Option<Count> {
    let table = table(given, "count", notes)?;
    only(table, &["events", "where", "days", "min", "max"], "count", notes);
    let events = match table.get("events") {
        Some(events) => values(events, "events", notes, kind),
        None => {
            notes.add(given.span(), "count needs events");
            None
        }
    };
    let filter = match (table.get("where"), &events) {
        (Some(filter), Some(events)) => self::filter(filter, events, notes),
        _ => Some(Vec::new()),
    };
    let days = match table.get("days") {
        Some(days) => number(days, "days", units::DAYS, notes).map(|days| u32::try_from(days).ok()),
        None => Some(None),
    };
    let bounds = bounds(table, given.span(), units::EVENTS, notes);
    Some(Count { events: events?, filter: filter?, days: days?, bounds: bounds? })
}

fn kind(given: &Given<'_>, notes: &mut Notes) -> Option<Kind> {
    // An erased customer has no view, and a void is no event of the customer: neither is ever counted.
    let counted = |kind: &Kind| !matches!(kind, Kind::CustomerErased | Kind::EventVoided);
    let Some(name) = given.get_ref().as_str() else {
        notes.add(given.span(), format!("events: expected an event type, got {}", quote(given.get_ref())));
        return None;
    };
    let kind = Kind::from_name(name).filter(counted);
    if kind.is_none() {
        let known: Vec<_> = Kind::ALL.iter().filter(|kind| counted(kind)).map(|kind| kind.name()).collect();
        notes.unknown(given.span(), "event type", name, &known);
    }
    kind
}

fn filter(given: &Given<'_>, events: &[Kind], notes: &mut Notes) -> Option<Vec<(String, Vec<Value>)>> {
    let table = table(given, "where", notes)?;
    if table.is_empty() {
        notes.add(given.span(), "where: expected at least one field");
        return None;
    }
    let mut fields = Vec::new();
    let mut right = true;
    for (key, value) in table {
        for kind in events {
            let name: &str = key.get_ref();
            let Some(field) = kind.fields().iter().find(|field| field.name == name) else {
                let known: Vec<_> = kind.fields().iter().map(|field| field.name).collect();
                notes.unknown(key.span(), &format!("field of {kind}"), name, &known);
                right = false;
                continue;
            };
            let read = values(value, name, notes, |item, notes| field_value(field, item, notes));
            right &= read.is_some();
            fields.extend(read.map(|values| (name.to_owned(), values)));
        }
    }
    fields.sort();
    fields.dedup();
    right.then_some(fields)
}

/// A value that fits the field's shape.
fn field_value(field: &FieldSpec, given: &Given<'_>, notes: &mut Notes) -> Option<Value> {
    let value = given.get_ref();
    let text = |fits: &dyn Fn(&str) -> bool| value.as_str().filter(|text| fits(text)).map(|it| Value::Text(it.into()));
    let whole = |low, high| Unit::whole("", low, high).read(value).ok().map(Value::Whole);
    let read = match field.shape {
        Shape::Enum(_, names, _) => text(&|name| names.contains(&name)),
        Shape::Code => text(&|code| Code::new(code).is_some()),
        Shape::Uuid => value.as_str().and_then(|id| id.parse::<EventId>().ok()).map(|id| Value::Text(id.to_string())),
        Shape::Date => date(value).map(|date| Value::Text(date.to_string())),
        Shape::Int(low, high) => whole(low, high),
        Shape::Fen => whole(0, i64::MAX),
        Shape::Position => whole(1, i64::MAX),
        Shape::Flag => value.as_bool().map(Value::Flag),
        // In the envelope only.
        Shape::Time | Shape::Text(_) => None,
    };
    if read.is_none() {
        let message = format!("{}: expected {}, got {}", field.name, describe(field.shape), quote(value));
        notes.add(given.span(), message);
    }
    read
}

/// A date, as text or as TOML has it.
fn date(value: &DeValue<'_>) -> Option<Date> {
    match value {
        DeValue::String(text) => text.parse().ok(),
        DeValue::Datetime(date) => date.to_string().parse().ok(),
        _ => None,
    }
}
