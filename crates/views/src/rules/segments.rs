//! Reads the named segments of a rules file.

use std::collections::BTreeSet;
use std::sync::Arc;

use toml::Spanned;
use touchpoint::{Code, Shape, describe};

use super::condition::{Attribute, Axis, Condition, Segment};
use super::counts::count;
use super::given::{Given, bounds, only, table, values};
use super::mistake::Notes;
use super::number::quote;
use super::units;

/// Most named segments: each is evaluated for each customer.
const MAX_SEGMENTS: usize = 100;
/// Most conditions within one another.
const MAX_DEPTH: usize = 16;
/// Most characters of a segment's name.
const MAX_NAME_CHARS: usize = 40;
/// The keys of conditions that are neither an axis nor an attribute.
const KEYWORDS: [&str; 5] = ["all", "any", "not", "count", "open_contract"];

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
