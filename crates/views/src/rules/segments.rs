//! Reads the named segments of a rules file.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use touchpoint::{Code, Date, EventId, FieldSpec, Kind, Shape, describe};

use super::condition::{Attribute, Axis, Bounds, Condition, Count, Segment, Value};
use super::mistake::Notes;
use super::number::{Unit, quote};
use super::units;

/// Most named segments: each is evaluated for each customer.
const MAX_SEGMENTS: usize = 100;
/// Most conditions within one another.
const MAX_DEPTH: usize = 16;
/// Most characters of a segment's name.
const MAX_NAME_CHARS: usize = 40;
/// The keys of conditions that are neither an axis nor an attribute.
const KEYWORDS: [&str; 5] = ["all", "any", "not", "count", "open_contract"];

type Given<'d> = Spanned<DeValue<'d>>;

/// The segments in the order of their names, without those that have a mistake.
pub(super) fn read(given: &Given<'_>, notes: &mut Notes) -> Vec<Segment> {
    let Some(list) = given.get_ref().as_array().filter(|list| list.len() <= MAX_SEGMENTS) else {
        notes.add(given.span(), format!("segments: expected a list of at most {MAX_SEGMENTS} segments"));
        return Vec::new();
    };
    let mut names = BTreeSet::new();
    let mut segments = Vec::new();
    for item in list.iter() {
        let Some(table) = table(item, "a segment", notes) else { continue };
        only(table, &["name", "when"], "segment", notes);
        let name = table.get("name").and_then(|given| name(given, notes));
        let when = table.get("when").and_then(|given| condition(given, 1, notes));
        for key in ["name", "when"].into_iter().filter(|key| !table.contains_key(*key)) {
            notes.add(item.span(), format!("a segment needs {key}"));
        }
        let Some(name) = name else { continue };
        if !names.insert(Arc::clone(&name)) {
            let span = table.get("name").map_or(item.span(), Spanned::span);
            notes.add(span, format!("the name {name:?} is given twice"));
            continue;
        }
        segments.extend(when.map(|when| Segment { name, when }));
    }
    segments.sort_by(|one, other| one.name.cmp(&other.name));
    segments
}

fn name(given: &Given<'_>, notes: &mut Notes) -> Option<Arc<str>> {
    let fits = |name: &&str| {
        (1..=MAX_NAME_CHARS).contains(&name.len())
            && name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let name = given.get_ref().as_str().filter(fits);
    if name.is_none() {
        let form = format!("a name of 1 to {MAX_NAME_CHARS} characters of a-z 0-9 _, a letter first");
        notes.add(given.span(), format!("name: expected {form}, got {}", quote(given.get_ref())));
    }
    name.map(Into::into)
}

/// A condition; nothing if it, or one within it, has a mistake.
fn condition(given: &Given<'_>, depth: usize, notes: &mut Notes) -> Option<Condition> {
    if depth > MAX_DEPTH {
        notes.add(given.span(), format!("conditions are nested deeper than {MAX_DEPTH}"));
        return None;
    }
    let table = table(given, "a condition", notes)?;
    let mut entries = table.iter();
    let (Some((key, value)), None) = (entries.next(), entries.next()) else {
        notes.add(given.span(), format!("expected a condition with exactly one key, got {}", table.len()));
        return None;
    };
    let name: &str = key.get_ref();
    match name {
        "all" => conditions(value, depth, notes).map(Condition::All),
        "any" => conditions(value, depth, notes).map(Condition::Any),
        "not" => condition(value, depth + 1, notes).map(|part| Condition::Not(Box::new(part))),
        "count" => count(value, notes).map(Condition::Count),
        "open_contract" => flag(value, notes).map(Condition::OpenContract),
        _ => match (Axis::from_name(name), Attribute::from_name(name)) {
            (Some(axis), _) => one_of(axis, value, notes),
            (_, Some(attribute)) => between(attribute, value, notes),
            _ => {
                let known = [&KEYWORDS[..], Axis::NAMES, Attribute::NAMES].concat();
                notes.unknown(key.span(), "condition", name, &known);
                None
            }
        },
    }
}

fn conditions(given: &Given<'_>, depth: usize, notes: &mut Notes) -> Option<Vec<Condition>> {
    let Some(list) = given.get_ref().as_array().filter(|list| !list.is_empty()) else {
        notes.add(given.span(), "expected a list of at least one condition");
        return None;
    };
    let parts: Vec<_> = list.iter().map(|part| condition(part, depth + 1, notes)).collect();
    parts.into_iter().collect()
}

fn flag(given: &Given<'_>, notes: &mut Notes) -> Option<bool> {
    let flag = given.get_ref().as_bool();
    if flag.is_none() {
        notes.add(given.span(), format!("open_contract: expected true or false, got {}", quote(given.get_ref())));
    }
    flag
}

fn one_of(axis: Axis, given: &Given<'_>, notes: &mut Notes) -> Option<Condition> {
    let names = axis.names();
    let read = |item: &Given<'_>, notes: &mut Notes| match (item.get_ref().as_str(), &names) {
        (Some(name), Some(names)) if names.contains(&name) => Some(name.to_owned()),
        (Some(name), Some(names)) => {
            notes.unknown(item.span(), axis.name(), name, names);
            None
        }
        (Some(name), None) if Code::new(name).is_some() => Some(name.to_owned()),
        _ => {
            let expected = if names.is_some() { "a name".to_owned() } else { describe(Shape::Code) };
            notes.add(item.span(), format!("{}: expected {expected}, got {}", axis.name(), quote(item.get_ref())));
            None
        }
    };
    values(given, axis.name(), notes, read).map(|names| Condition::OneOf(axis, names))
}

fn between(attribute: Attribute, given: &Given<'_>, notes: &mut Notes) -> Option<Condition> {
    let table = table(given, attribute.name(), notes)?;
    only(table, &["min", "max"], attribute.name(), notes);
    let bounds = bounds(table, given.span(), units::of(attribute), notes)?;
    Some(Condition::Between(attribute, bounds))
}

fn count(given: &Given<'_>, notes: &mut Notes) -> Option<Count> {
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
        Shape::Enum(_, names) => text(&|name| names.contains(&name)),
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

fn number(given: &Given<'_>, key: &str, unit: Unit, notes: &mut Notes) -> Option<i64> {
    unit.read(given.get_ref()).map_err(|message| notes.add(given.span(), format!("{key}: {message}"))).ok()
}

/// `min` and `max` of a table, at least one of them.
fn bounds(table: &DeTable<'_>, whole: Range<usize>, unit: Unit, notes: &mut Notes) -> Option<Bounds> {
    if !table.contains_key("min") && !table.contains_key("max") {
        notes.add(whole, "expected min or max, since without them it says nothing");
        return None;
    }
    let mut read = |key| match table.get(key) {
        Some(given) => number(given, key, unit, notes).map(Some),
        None => Some(None),
    };
    let (min, max) = (read("min"), read("max"));
    let bounds = Bounds { min: min?, max: max? };
    if let (Some(min), Some(max)) = (bounds.min, bounds.max)
        && min > max
    {
        let span = table.get("max").map_or(whole, Spanned::span);
        notes.add(span, format!("max: expected at least min ({min}), got {max}"));
        return None;
    }
    Some(bounds)
}

/// A value or a list of at least one, in order and each once; nothing if one of them has a mistake.
fn values<'d, T: Ord>(
    given: &Given<'d>,
    key: &str,
    notes: &mut Notes,
    mut read: impl FnMut(&Given<'d>, &mut Notes) -> Option<T>,
) -> Option<Vec<T>> {
    let items: Vec<&Given<'d>> = match given.get_ref() {
        DeValue::Array(list) => list.iter().collect(),
        _ => vec![given],
    };
    if items.is_empty() {
        notes.add(given.span(), format!("{key}: expected at least one"));
        return None;
    }
    let read: Vec<Option<T>> = items.into_iter().map(|item| read(item, notes)).collect();
    let all: Option<BTreeSet<T>> = read.into_iter().collect();
    all.map(|all| all.into_iter().collect())
}

fn table<'g, 'd>(given: &'g Given<'d>, what: &str, notes: &mut Notes) -> Option<&'g DeTable<'d>> {
    let table = given.get_ref().as_table();
    if table.is_none() {
        notes.add(given.span(), format!("{what}: expected a table, got {}", quote(given.get_ref())));
    }
    table
}

/// Notes the keys of a table that are none of these.
fn only(table: &DeTable<'_>, known: &[&str], what: &str, notes: &mut Notes) {
    for key in table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
        notes.unknown(key.span(), &format!("key of {what}"), key.get_ref(), known);
    }
}
