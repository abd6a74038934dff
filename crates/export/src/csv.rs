//! A row as a line of CSV (RFC 4180): what is absent is empty; a list is JSON in one field.

use std::borrow::Cow;

use crate::column::{Cell, Column};
use crate::ndjson;

/// Adds the names of the columns.
pub(crate) fn header(columns: &[Column], out: &mut String) {
    let names: Vec<_> = columns.iter().map(|column| column.name).collect();
    out.push_str(&names.join(","));
    out.push('\n');
}

/// Adds a row.
pub(crate) fn line(columns: &[Column], row: &[Cell<'_>], out: &mut String) {
    for (index, (column, cell)) in columns.iter().zip(row).enumerate() {
        if index > 0 {
            out.push(',');
        }
        match cell {
            Cell::Absent => {}
            Cell::Text(text) => out.push_str(&quoted(text)),
            Cell::Instant(value) => out.push_str(&value.to_string()),
            Cell::Day(value) => out.push_str(&value.to_string()),
            Cell::Int(_) | Cell::Flag(_) => ndjson::value(column, cell, out),
            Cell::List(_) => {
                let mut list = String::new();
                ndjson::value(column, cell, &mut list);
                out.push_str(&quoted(&list));
            }
        }
    }
    out.push('\n');
}

/// A field, in quotation marks where it needs them.
fn quoted(field: &str) -> Cow<'_, str> {
    if field.contains([',', '"', '\n', '\r']) {
        Cow::Owned(format!("\"{}\"", field.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(field)
    }
}
