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
            column("kind", Type::Word, "What changes: axis, segment, figure or reason."),
            column("name", Type::Word, "Which: the axis, the rule segment, the figure, the reason's code."),
            column("from", Type::Word, "Of an axis or segment: the value under the served rules."),
            column("to", Type::Word, "Of an axis or segment: the value under the candidate rules."),
            column("before", Type::Long, "Of a figure or reason: its number under the served rules."),
            column("after", Type::Long, "Of a figure or reason: its number under the candidate rules."),
        ];
        Self { columns }
    }
}

/// What a member of a rule segment is called.
const MEMBER: &str = "member";

impl Rows for Moves {
    type Item = Moved;

    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn write(&self, item: &Moved, writer: &mut Writer) -> Result<(), Error> {
        let it = &item.customer;
        let mut row = |kind, name, from, to, before, after| {
            let [view, customer, kind, name, from, to] =
                [item.view, &it.customer_id, kind, name, from, to].map(Cell::text);
            let [before, after] = [before, after].map(|number| Cell::some(number, Cell::Int));
            writer.write(&[view, customer, kind, name, from, to, before, after])
        };
        it.moves.iter().try_for_each(|it| row("axis", &it.axis, &it.from, &it.to, None, None))?;
        it.segments_lost.iter().try_for_each(|name| row("segment", name, MEMBER, "", None, None))?;
        it.segments_gained.iter().try_for_each(|name| row("segment", name, "", MEMBER, None, None))?;
        it.figures.iter().try_for_each(|it| row("figure", &it.name, "", "", it.before, it.after))?;
        let mut reasons = it.reasons.iter();
        reasons.try_for_each(|it| row("reason", &it.code, "", "", it.before_millionths, it.after_millionths))
    }
}
