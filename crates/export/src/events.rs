//! Every event as a row: the envelope, then a column for each field name of the catalogue.
//!
//! A field that several event types have under one name is one column, since it is of one type wherever it stands; a test
//! holds the catalogue to that. So the whole log is one table in the order of the log, and a new event or field of the
//! catalogue is in it by itself.

use std::borrow::Cow;

use api::{names, v1};
use touchpoint::{ENVELOPE, Event, FieldSpec, Kind, Scalar, Shape};
use v1::recorded_touchpoint::Content;

use crate::column::{Cell, Column, Type};
use crate::error::Error;
use crate::field::Rows;
use crate::writer::Writer;

/// What the log gave: position and time of recording.
const GIVEN: usize = 2;
/// Attributes of the envelope and their columns, in the order of [`envelope`].
const ATTRIBUTES: [(&str, &str); 12] = [
    ("id", "event_id"),
    ("type", "type"),
    ("subject", "customer_id"),
    ("time", "occurred_at"),
    ("channel", "channel"),
    ("companyid", "company_id"),
    ("projectid", "project_id"),
    ("source", "source"),
    ("actorid", "actor_id"),
    ("correlationid", "correlation_id"),
    ("causationid", "causation_id"),
    ("firstrecordedat", "first_recorded_at"),
];
/// Where the fields of `data` begin.
const DATA: usize = GIVEN + ATTRIBUTES.len() + 1;

/// Every event as a row.
#[derive(Debug)]
pub struct Events {
    columns: Vec<Column>,
    /// For each type, in the order of [`Kind::ALL`]: the columns of its fields.
    places: Vec<Vec<usize>>,
}

impl Default for Events {
    fn default() -> Self {
        let mut columns = vec![
            column("position", Type::Long, "Where it stands in the log, from 1."),
            column("recorded_at", Type::Instant, "When the log took it."),
        ];
        columns.extend(ATTRIBUTES.iter().filter_map(|(attribute, name)| {
            let spec = ENVELOPE.iter().find(|spec| spec.name == *attribute)?;
            // There are few sources and types, though any text would do.
            let kind = if matches!(spec.shape, Shape::Text(_)) { Type::Word } else { kind(spec.shape) };
            Some(Column { name, kind, doc: doc(spec).into() })
        }));
        columns.push(column("unreadable", Type::Word, "Why it is no event that this build can read."));
        let places = Kind::ALL.iter().map(|kind| places(*kind, &mut columns)).collect();
        Self { columns, places }
    }
}

fn column(name: &'static str, kind: Type, doc: &'static str) -> Column {
    Column { name, kind, doc: Cow::Borrowed(doc) }
}

/// The columns of a type's fields; those that no type before has had are added.
fn places(kind: Kind, columns: &mut Vec<Column>) -> Vec<usize> {
    kind.fields().iter().map(|spec| place(kind, spec, columns)).collect()
}

fn place(event: Kind, spec: &FieldSpec, columns: &mut Vec<Column>) -> usize {
    let (kind, doc) = (kind(spec.shape), format!("{event}: {}", doc(spec)));
    match (DATA..columns.len()).find(|index| columns[*index].name == spec.name) {
        Some(index) => {
            let column = &mut columns[index];
            column.kind = common(&column.kind, &kind).unwrap_or(Type::Text);
            column.doc = format!("{} {doc}", column.doc).into();
            index
        }
        None => {
            columns.push(Column { name: spec.name, kind, doc: doc.into() });
            columns.len() - 1
        }
    }
}

/// What a field means, in one line.
fn doc(spec: &FieldSpec) -> String {
    spec.doc.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

const fn kind(shape: Shape) -> Type {
    match shape {
        Shape::Code | Shape::Uuid | Shape::Text(_) => Type::Text,
        Shape::Enum(..) => Type::Word,
        Shape::Int(_, high) if high <= i32::MAX as i64 => Type::Int,
        Shape::Int(..) | Shape::Fen | Shape::Position => Type::Long,
        Shape::Date => Type::Day,
        Shape::Flag => Type::Flag,
        Shape::Time => Type::Instant,
    }
}

/// The type that holds the values of both.
fn common(one: &Type, other: &Type) -> Option<Type> {
    match (one, other) {
        (one, other) if one == other => Some(one.clone()),
        (Type::Text, Type::Word) | (Type::Word, Type::Text) => Some(Type::Text),
        (Type::Int, Type::Long) | (Type::Long, Type::Int) => Some(Type::Long),
        _ => None,
    }
}

impl Rows for Events {
    /// With the stored bytes.
    type Item = v1::RecordedTouchpoint;

    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn write(&self, item: &v1::RecordedTouchpoint, writer: &mut Writer) -> Result<(), Error> {
        let mut row = vec![Cell::Absent; self.columns.len()];
        row[0] = Cell::some(i64::try_from(item.position).ok(), Cell::Int);
        row[1] = Cell::some(item.recorded_at.as_ref().and_then(names::instant), Cell::Instant);
        let decoded = Event::decode(&item.cloud_event_json);
        match (&item.content, &decoded) {
            // The log may know what the bytes do not show: that they are in somebody else's timeline.
            (Some(Content::Unreadable(it)), _) => {
                row[GIVEN] = Cell::text(&it.event_id);
                row[DATA - 1] = Cell::text(it.reason().as_str_name().trim_start_matches("UNREADABLE_REASON_"));
            }
            (_, Err(broken)) => {
                row[GIVEN] = Cell::some(broken.id, |id| Cell::Text(id.to_string().into()));
                row[DATA - 1] = Cell::text(broken.reason.code());
            }
            (_, Ok(event)) => self.fill(event, &mut row),
        }
        writer.write(&row)
    }
}

impl Events {
    fn fill<'e>(&self, event: &'e Event<'_>, row: &mut [Cell<'e>]) {
        for (place, cell) in row[GIVEN..].iter_mut().zip(envelope(event)) {
            *place = cell;
        }
        let kind = event.body.kind();
        let Some(index) = Kind::ALL.iter().position(|it| *it == kind) else { return };
        for (place, value) in self.places[index].iter().zip(event.body.scalars()) {
            row[*place] = cell(value, &self.columns[*place].kind);
        }
    }
}

/// The attributes in the order of [`ATTRIBUTES`].
fn envelope<'e>(event: &'e Event<'_>) -> [Cell<'e>; ATTRIBUTES.len()] {
    let code = |code: &'e Option<touchpoint::Code<'_>>| Cell::some(code.as_ref(), |code| Cell::text(code.as_str()));
    [
        Cell::Text(event.id.to_string().into()),
        Cell::text(event.body.kind().name()),
        Cell::Text(event.customer.to_string().into()),
        Cell::Instant(event.occurred_at),
        Cell::text(event.channel.name()),
        code(&event.company),
        code(&event.project),
        Cell::text(&event.source),
        code(&event.actor),
        code(&event.correlation),
        code(&event.causation),
        Cell::some(event.first_recorded_at, Cell::Instant),
    ]
}

fn cell<'e>(value: Scalar<'e>, kind: &Type) -> Cell<'e> {
    match (value, kind) {
        (Scalar::Text(text), Type::Day) => Cell::some(text.parse().ok(), Cell::Day),
        (Scalar::Text(text), _) => Cell::Text(text),
        (Scalar::Int(value), _) => Cell::Int(value),
        (Scalar::Bool(value), _) => Cell::Flag(value),
        (Scalar::Null | Scalar::Float(_) | Scalar::Composite, _) => Cell::Absent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Attributes that are in no column: they say how `data` is read, or are refused.
    const LEFT_OUT: [&str; 3] = ["specversion", "dataschema", "pii"];

    #[test]
    fn every_attribute_has_its_column_or_is_left_out_knowingly() {
        for spec in ENVELOPE {
            let exported = ATTRIBUTES.iter().any(|(attribute, _)| *attribute == spec.name);
            assert!(exported != LEFT_OUT.contains(&spec.name), "{}", spec.name);
        }
        assert_eq!(Events::default().columns[DATA - 1].name, "unreadable");
    }

    #[test]
    fn a_field_name_is_of_one_type_in_all_events_and_no_column_of_the_envelope() {
        let events = Events::default();
        for kind in Kind::ALL {
            for spec in kind.fields() {
                let column = events.columns.iter().find(|column| column.name == spec.name).unwrap();
                let of = super::kind(spec.shape);
                assert_eq!(common(&column.kind, &of).as_ref(), Some(&column.kind), "{kind}.{}", spec.name);
            }
        }
        let mut names: Vec<_> = events.columns.iter().map(|column| column.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), events.columns.len());
    }
}
