//! A row as a JSON document on a line: what is absent is left out; instants are RFC 3339 in UTC.

use std::fmt::Write as _;

use crate::column::{Cell, Column, Type};

/// Adds a row.
pub(crate) fn line(columns: &[Column], row: &[Cell<'_>], out: &mut String) {
    object(columns, row, out);
    out.push('\n');
}

fn object(columns: &[Column], row: &[Cell<'_>], out: &mut String) {
    let there = columns.iter().zip(row).filter(|(_, cell)| **cell != Cell::Absent);
    joined('{', '}', out, there, |(column, cell), out| {
        // Names of columns are of letters, digits and underscores. Writing to a String cannot fail.
        let _ = write!(out, "\"{}\":", column.name);
        value(column, cell, out);
    });
}

/// A value.
pub(crate) fn value(column: &Column, cell: &Cell<'_>, out: &mut String) {
    let _ = match (cell, &column.kind) {
        (Cell::Text(text), _) => {
            out.push_str(&serde_json::Value::from(text.as_ref()).to_string());
            Ok(())
        }
        (Cell::Int(value), _) => write!(out, "{value}"),
        (Cell::Flag(value), _) => write!(out, "{value}"),
        (Cell::Instant(value), _) => write!(out, "\"{value}\""),
        (Cell::Day(value), _) => write!(out, "\"{value}\""),
        (Cell::List(things), Type::List(columns)) => {
            joined('[', ']', out, things.iter(), |thing, out| object(columns, thing, out));
            Ok(())
        }
        (Cell::List(_) | Cell::Absent, _) => write!(out, "null"),
    };
}

fn joined<T>(
    open: char,
    close: char,
    out: &mut String,
    items: impl Iterator<Item = T>,
    mut write: impl FnMut(T, &mut String),
) {
    out.push(open);
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(close);
}
