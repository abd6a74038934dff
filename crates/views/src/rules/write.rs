//! Writes rules as a file in one canonical form: every key, in the order of the form, numbers in their shortest
//! spelling, lists of choices in order. Two files of the same meaning have the same canonical form.

use std::fmt::{self, Write};

use super::condition::{Bounds, Condition, Count, Segment, Value};
use super::form::{Form, Number, Order};
use super::number::Unit;

/// The text so far.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) text: String,
}

impl Writer {
    fn line(&mut self, line: fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        _ = writeln!(self.text, "{line}");
    }
}

impl Form for Writer {
    fn section(&mut self, path: &'static str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.line(format_args!("[{path}]"));
    }

    fn number<T: Number>(&mut self, key: &'static str, value: &mut T, unit: Unit) {
        self.line(format_args!("{key} = {}", unit.write((*value).into())));
    }

    fn list<T: Number>(&mut self, key: &'static str, values: &mut [T], unit: Unit, _order: Order) {
        let numbers = values.iter().map(|value| unit.write((*value).into()));
        self.line(format_args!("{key} = {}", list(numbers)));
    }

    fn ordered(&mut self, _keys: &[(&'static str, i64)], _order: Order) {}

    fn segments(&mut self, segments: &mut Vec<Segment>) {
        if segments.is_empty() {
            // Before all sections, since it belongs to none of them.
            self.text.insert_str(0, "segments = []\n\n");
        }
        for segment in segments {
            let when = condition(&segment.when);
            self.line(format_args!("\n[[segments]]\nname = \"{}\"\nwhen = {when}", segment.name));
        }
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

fn condition(when: &Condition) -> String {
    format!("{{ {when} }}")
}

/// As a rules file says it in canonical form: the one key of its table, and the value.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, value) = match self {
            Self::All(parts) => ("all", list(parts.iter().map(condition))),
            Self::Any(parts) => ("any", list(parts.iter().map(condition))),
            Self::Not(part) => ("not", condition(part)),
            Self::Count(counted) => ("count", count(counted)),
            Self::OneOf(axis, names) => (axis.name(), list(names.iter().map(|name| format!("{name:?}")))),
            Self::Between(attribute, range) => (attribute.name(), table(bounds(range))),
            Self::OpenContract(flag) => ("open_contract", flag.to_string()),
        };
        write!(f, "{key} = {value}")
    }
}

fn count(count: &Count) -> String {
    let mut parts = vec![format!("events = {}", list(count.events.iter().map(|kind| format!("{:?}", kind.name()))))];
    if !count.filter.is_empty() {
        let field = |(name, values): &(String, Vec<Value>)| format!("{name} = {}", list(values.iter().map(value)));
        parts.push(format!("where = {}", table(count.filter.iter().map(field).collect())));
    }
    parts.extend(count.days.map(|days| format!("days = {days}")));
    parts.extend(bounds(&count.bounds));
    table(parts)
}

fn bounds(bounds: &Bounds) -> Vec<String> {
    let key = |name, value: Option<i64>| value.map(|value| format!("{name} = {value}"));
    [key("min", bounds.min), key("max", bounds.max)].into_iter().flatten().collect()
}

fn value(value: &Value) -> String {
    match value {
        // Only names, codes, dates and ids get here: nothing that would need escaping.
        Value::Text(text) => format!("{text:?}"),
        Value::Whole(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
    }
}

fn table(parts: Vec<String>) -> String {
    format!("{{ {} }}", parts.join(", "))
}
