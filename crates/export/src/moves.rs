//! Customers who move under other rules: a row for each change.

use std::borrow::Cow;

use api::v1;

use crate::column::{Cell, Column, Type};
use crate::error::Error;
use crate::field::Rows;
use crate::writer::Writer;

/// A customer who moves in a view.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    /// The view's name.
    pub view: &'static str,
    /// The customer.
    pub customer: v1::MovedCustomer,
}

/// A row for each change of each customer.
#[derive(Debug)]
pub struct Moves {
    columns: Vec<Column>,
}

impl Default for Moves {
    fn default() -> Self {
        let column = |name, kind, doc| Column { name, kind, doc: Cow::Borrowed(doc) };
        let columns = vec![
            column("view", Type::Word, "The view that says so."),
            column("customer_id", Type::Text, "The customer's UUID."),
            column("kind", Type::Word, "What the row says: axis, segment, rules, condition, figure or reason."),
            column("name", Type::Word, "Of which: the axis, the rule segment, the figure, the reason's code."),
            column(
                "from",
                Type::Word,
                "Under the served rules: of an axis the value; of a segment member; of rules defined, where they have \
                 the segment; of a condition the name or flag found.",
            ),
            column("to", Type::Word, "The same under the candidate rules."),
            column(
                "before",
                Type::Long,
                "Under the served rules: the number of a figure or reason, or that a condition found.",
            ),
            column("after", Type::Long, "The same under the candidate rules."),
            column("condition", Type::Word, "Of a condition: as a rules file says it."),
            column("negated", Type::Flag, "Of a condition: it stands within an odd number of not."),
            column(
                "holds_before",
                Type::Flag,
                "Of a condition: it holds under the served rules. Null: it does not decide there, or is not asked.",
            ),
            column("holds_after", Type::Flag, "The same under the candidate rules."),
        ];
        Self { columns }
    }
}

/// What a member of a rule segment is called.
const MEMBER: &str = "member";
/// What is said of a rule segment that the rules have.
const DEFINED: &str = "defined";

/// What a row says; under the served rules, and under the candidate ones.
#[derive(Default)]
struct Row<'c> {
    kind: &'static str,
    name: &'c str,
    words: [&'c str; 2],
    numbers: [Option<i64>; 2],
    condition: &'c str,
    negated: Option<bool>,
    holds: [Option<bool>; 2],
}

impl Rows for Moves {
    type Item = Moved;

    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn write(&self, item: &Moved, writer: &mut Writer) -> Result<(), Error> {
        rows(&item.customer).into_iter().try_for_each(|row| {
            let Row { kind, name, words: [from, to], numbers, condition, negated, holds } = row;
            let [view, customer, kind, name, from, to, condition] =
                [item.view, &item.customer.customer_id, kind, name, from, to, condition].map(Cell::text);
            let [before, after] = numbers.map(|number| Cell::some(number, Cell::Int));
            let [negated, was, is] = [negated, holds[0], holds[1]].map(|flag| Cell::some(flag, Cell::Flag));
            writer.write(&[view, customer, kind, name, from, to, before, after, condition, negated, was, is])
        })
    }
}

/// All rows of a customer.
fn rows(it: &v1::MovedCustomer) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    rows.extend(it.moves.iter().map(|it| Row {
        kind: "axis",
        name: &it.axis,
        words: [&it.from, &it.to],
        ..Row::default()
    }));
    let segment = |name, words| Row { kind: "segment", name, words, ..Row::default() };
    rows.extend(it.segments_lost.iter().map(|name| segment(name, [MEMBER, ""])));
    rows.extend(it.segments_gained.iter().map(|name| segment(name, ["", MEMBER])));
    it.segment_changes.iter().for_each(|change| explain(change, &mut rows));
    rows.extend(it.figures.iter().map(|it| Row {
        kind: "figure",
        name: &it.name,
        numbers: [it.before, it.after],
        ..Row::default()
    }));
    rows.extend(it.reasons.iter().map(|it| Row {
        kind: "reason",
        name: &it.code,
        numbers: [it.before_millionths, it.after_millionths],
        ..Row::default()
    }));
    rows
}

/// Why a rule segment is gained or lost: that only one of the rules has it, and a row for each condition that decides
/// under either rules.
fn explain<'c>(change: &'c v1::SegmentChange, rows: &mut Vec<Row<'c>>) {
    let name = &change.name;
    let sides = [&change.before, &change.after];
    if change.before.is_some() != change.after.is_some() {
        let words = sides.map(|side| if side.is_some() { DEFINED } else { "" });
        rows.push(Row { kind: "rules", name, words, ..Row::default() });
    }
    let first = rows.len();
    for (side, decision) in sides.into_iter().enumerate() {
        for it in decision.iter().flat_map(|decision| &decision.conditions) {
            let said = |row: &Row<'_>| row.condition == it.condition && row.negated == Some(it.negated);
            let place = rows.iter().skip(first).position(said).map_or(rows.len(), |place| first + place);
            if place == rows.len() {
                let (condition, negated) = (&*it.condition, Some(it.negated));
                rows.push(Row { kind: "condition", name, condition, negated, ..Row::default() });
            }
            let row = &mut rows[place];
            (row.words[side], row.numbers[side]) = found(it);
            row.holds[side] = Some(it.holds);
        }
    }
}

/// What a condition found: a word, or a number.
fn found(it: &v1::DecidingCondition) -> (&str, Option<i64>) {
    use v1::deciding_condition::Found;
    match &it.found {
        Some(Found::Number(number)) => ("", Some(*number)),
        Some(Found::Value(value)) => (value, None),
        Some(Found::Flag(true)) => ("true", None),
        Some(Found::Flag(false)) => ("false", None),
        None => ("", None),
    }
}
