//! Reads a rules file over given rules. Reading never stops: a value that does not fit is noted and stays as it was.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::condition::Segment;
use super::form::{Form, Number, Order, walk};
use super::mistake::{Mistake, Notes};
use super::number::{Unit, quote};
use super::{Rules, segments};

/// Most bytes of a rules file.
const MAX_RULES_BYTES: usize = 256 * 1024;
/// The key of the segments.
const SEGMENTS: &str = "segments";

/// Reads a file over these rules: all its mistakes, and the keys that it leaves as they were.
pub(super) fn read_over(rules: &mut Rules, text: &str) -> (Vec<Mistake>, Vec<String>) {
    if text.len() > MAX_RULES_BYTES {
        let message = format!("expected at most {MAX_RULES_BYTES} bytes, got {}", text.len());
        return (vec![Mistake { line: 1, column: 1, message }], Vec::new());
    }
    let (root, syntax) = DeTable::parse_recoverable(text);
    let mut reader = Reader { root: root.get_ref(), section: "", known: BTreeMap::new(), notes: Notes::default() };
    walk(rules, &mut reader);
    reader.note_unknown(root.get_ref(), "");
    let absent = reader.known.iter().filter(|(_, place)| **place == Known::Absent);
    let absent = absent.map(|(path, _)| path.clone()).collect();
    (reader.notes.finish(text, syntax), absent)
}

/// What the form says of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Known {
    /// A section.
    Section,
    /// A key that the file does not give.
    Absent,
    /// A key that it gives, there.
    Given(Range<usize>),
}

struct Reader<'d> {
    root: &'d DeTable<'d>,
    section: &'static str,
    known: BTreeMap<String, Known>,
    notes: Notes,
}

impl<'d> Reader<'d> {
    /// The value of a key of this section; absent too where the section is no table, which is noted elsewhere.
    fn find(&mut self, key: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        let mut table = Some(self.root);
        for part in self.section.split('.').filter(|part| !part.is_empty()) {
            table = table.and_then(|table| table.get(part)?.get_ref().as_table());
        }
        let found = table.and_then(|table| table.get(key));
        let place = found.map_or(Known::Absent, |value| Known::Given(value.span()));
        self.known.insert(join(self.section, key), place);
        found
    }

    fn set<T: Number>(&mut self, key: &str, given: &Spanned<DeValue<'_>>, value: &mut T, unit: Unit) {
        let read = unit.read(given.get_ref());
        match read.and_then(|number| T::try_from(number).map_err(|_| "the number is too large".to_owned())) {
            Ok(number) => *value = number,
            Err(message) => self.notes.add(given.span(), format!("{}: {message}", join(self.section, key))),
        }
    }

    /// Notes what the file has and the form has not.
    fn note_unknown(&mut self, table: &DeTable<'_>, section: &str) {
        for (key, value) in table {
            let path = join(section, key.get_ref());
            match (self.known.get(&path), value.get_ref()) {
                (Some(Known::Section), DeValue::Table(table)) => self.note_unknown(table, &path),
                (Some(Known::Section), other) => {
                    self.notes.add(value.span(), format!("{path}: expected a table, got {}", quote(other)));
                }
                (Some(_), _) => {}
                (None, _) => {
                    let siblings: Vec<_> = self.known.keys().filter_map(|other| child(section, other)).collect();
                    self.notes.unknown(key.span(), "key", key.get_ref(), &siblings);
                }
            }
        }
    }
}

impl Form for Reader<'_> {
    fn section(&mut self, path: &'static str) {
        self.section = path;
        for (end, _) in path.match_indices('.') {
            self.known.insert(path[..end].to_owned(), Known::Section);
        }
        self.known.insert(path.to_owned(), Known::Section);
    }

    fn number<T: Number>(&mut self, key: &'static str, value: &mut T, unit: Unit) {
        if let Some(given) = self.find(key) {
            self.set(key, given, value, unit);
        }
    }

    fn list<T: Number>(&mut self, key: &'static str, values: &mut [T], unit: Unit, order: Order) {
        let Some(given) = self.find(key) else { return };
        let list = given.get_ref().as_array().filter(|list| list.len() == values.len());
        let Some(list) = list else {
            self.notes.add(given.span(), format!("{key}: expected a list of {} numbers", values.len()));
            return;
        };
        for (item, value) in list.iter().zip(values.iter_mut()) {
            self.set(key, item, value, unit);
        }
        let numbers: Vec<i64> = values.iter().map(|value| (*value).into()).collect();
        if let Some(index) = first_unordered(&numbers, order) {
            self.notes.add(list[index].span(), format!("{key}: {}", expected(order, &unit, numbers[index - 1])));
        }
    }

    fn ordered(&mut self, keys: &[(&'static str, i64)], order: Order) {
        let numbers: Vec<i64> = keys.iter().map(|(_, value)| *value).collect();
        let Some(index) = first_unordered(&numbers, order) else { return };
        let (before, after) = (keys[index - 1].0, keys[index].0);
        let place = |key| match self.known.get(&join(self.section, key)) {
            Some(Known::Given(span)) => Some(span.clone()),
            _ => None,
        };
        let word = if order == Order::Rising { "more" } else { "less" };
        let span = place(after).or_else(|| place(before)).unwrap_or(0..0);
        self.notes.add(span, format!("{after}: expected {word} than {before}"));
    }

    fn segments(&mut self, segments: &mut Vec<Segment>) {
        self.section = "";
        if let Some(given) = self.find(SEGMENTS) {
            *segments = segments::read(given, &mut self.notes);
        }
    }
}

/// The first number that does not follow the one before it.
fn first_unordered(numbers: &[i64], order: Order) -> Option<usize> {
    let wrong = |pair: &[i64]| match order {
        Order::Rising => pair[0] >= pair[1],
        Order::Falling => pair[0] <= pair[1],
    };
    numbers.windows(2).position(wrong).map(|index| index + 1)
}

fn expected(order: Order, unit: &Unit, before: i64) -> String {
    let word = if order == Order::Rising { "more" } else { "less" };
    format!("expected {word} than {}, the number before it", unit.write(before))
}

fn join(section: &str, key: &str) -> String {
    if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") }
}

/// The name under this section of a path directly in it.
fn child<'p>(section: &str, path: &'p str) -> Option<&'p str> {
    let name = if section.is_empty() { path } else { path.strip_prefix(section)?.strip_prefix('.')? };
    (!name.contains('.')).then_some(name)
}
