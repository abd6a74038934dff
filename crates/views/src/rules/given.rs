//! What conditions are made of in a file: tables, lists, bounds.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::condition::Bounds;
use super::mistake::Notes;
use super::number::{Unit, quote};

/// A value of the file, and where it stands.
pub(super) type Given<'d> = Spanned<DeValue<'d>>;

/// A number that fits the unit.
pub(super) fn number(given: &Given<'_>, key: &str, unit: Unit, notes: &mut Notes) -> Option<i64> {
    unit.read(given.get_ref()).map_err(|message| notes.add(given.span(), format!("{key}: {message}"))).ok()
}

/// `min` and `max` of a table, at least one of them.
pub(super) fn bounds(table: &DeTable<'_>, whole: Range<usize>, unit: Unit, notes: &mut Notes) -> Option<Bounds> {
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
pub(super) fn values<'d, T: Ord>(
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

/// A table; `what` is one.
pub(super) fn table<'g, 'd>(given: &'g Given<'d>, what: &str, notes: &mut Notes) -> Option<&'g DeTable<'d>> {
    let table = given.get_ref().as_table();
    if table.is_none() {
        notes.add(given.span(), format!("{what}: expected a table, got {}", quote(given.get_ref())));
    }
    table
}

/// Notes the keys of a table that are none of these.
pub(super) fn only(table: &DeTable<'_>, known: &[&str], what: &str, notes: &mut Notes) {
    for key in table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
        notes.unknown(key.span(), &format!("key of {what}"), key.get_ref(), known);
    }
}
