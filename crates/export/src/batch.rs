//! Rows in columns, as Arrow has them.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Date32Builder, Int32Builder, Int64Builder, StringBuilder, StringDictionaryBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, ListArray, RecordBatch, StructArray};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

use crate::column::{Cell, Column, Type};
use crate::error::Error;

/// What a column's description is called in its metadata.
const DESCRIPTION: &str = "description";
const UTC: &str = "UTC";

/// Columns that are being filled.
pub(crate) struct Batch {
    schema: SchemaRef,
    columns: Vec<Builder>,
    rows: usize,
}

impl Batch {
    /// An empty one.
    pub(crate) fn new(columns: &[Column]) -> Self {
        let schema = Arc::new(Schema::new(fields(columns)));
        Self { schema, columns: builders(columns), rows: 0 }
    }

    /// The columns as Arrow describes them.
    pub(crate) fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// How many rows there are.
    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: &[Cell<'_>]) -> Result<(), Error> {
        self.rows += 1;
        self.columns.iter_mut().zip(row).try_for_each(|(column, cell)| column.push(cell))
    }

    /// Takes all rows out.
    pub(crate) fn take(&mut self) -> Result<RecordBatch, Error> {
        self.rows = 0;
        let columns = self.columns.iter_mut().map(Builder::finish).collect::<Result<_, _>>()?;
        Ok(RecordBatch::try_new(self.schema.clone(), columns)?)
    }
}

fn fields(columns: &[Column]) -> Fields {
    let field = |column: &Column| {
        let metadata = HashMap::from([(DESCRIPTION.to_owned(), column.doc.to_string())]);
        Field::new(column.name, data_type(&column.kind), true).with_metadata(metadata)
    };
    columns.iter().map(field).collect()
}

fn data_type(kind: &Type) -> DataType {
    match kind {
        Type::Text => DataType::Utf8,
        Type::Word => DataType::Dictionary(DataType::Int32.into(), DataType::Utf8.into()),
        Type::Int => DataType::Int32,
        Type::Long => DataType::Int64,
        Type::Flag => DataType::Boolean,
        Type::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
        Type::Day => DataType::Date32,
        Type::List(columns) => DataType::List(element(fields(columns))),
    }
}

fn element(fields: Fields) -> Arc<Field> {
    Arc::new(Field::new("element", DataType::Struct(fields), false))
}

fn builders(columns: &[Column]) -> Vec<Builder> {
    columns.iter().map(|column| Builder::new(&column.kind)).collect()
}

/// One column.
enum Builder {
    Text(StringBuilder),
    Word(StringDictionaryBuilder<Int32Type>),
    Int(Int32Builder),
    Long(Int64Builder),
    Flag(BooleanBuilder),
    Instant(TimestampMicrosecondBuilder),
    Day(Date32Builder),
    List(Things),
}

/// Lists of things with columns of their own, one list after the other.
struct Things {
    fields: Fields,
    columns: Vec<Builder>,
    /// Where each list ends; first where the first one begins.
    ends: Vec<i32>,
    present: Vec<bool>,
}

impl Builder {
    fn new(kind: &Type) -> Self {
        match kind {
            Type::Text => Self::Text(StringBuilder::new()),
            Type::Word => Self::Word(StringDictionaryBuilder::new()),
            Type::Int => Self::Int(Int32Builder::new()),
            Type::Long => Self::Long(Int64Builder::new()),
            Type::Flag => Self::Flag(BooleanBuilder::new()),
            Type::Instant => Self::Instant(TimestampMicrosecondBuilder::new().with_timezone(UTC)),
            Type::Day => Self::Day(Date32Builder::new()),
            Type::List(columns) => Self::List(Things {
                fields: fields(columns),
                columns: builders(columns),
                ends: vec![0],
                present: Vec::new(),
            }),
        }
    }

    fn push(&mut self, cell: &Cell<'_>) -> Result<(), Error> {
        match (self, cell) {
            (Self::Text(it), Cell::Text(text)) => it.append_value(text),
            (Self::Text(it), Cell::Absent) => it.append_null(),
            (Self::Word(it), Cell::Text(text)) => it.append_value(text),
            (Self::Word(it), Cell::Absent) => it.append_null(),
            (Self::Int(it), Cell::Int(value)) => {
                it.append_value(i32::try_from(*value).map_err(|_| misfit("a number of 32 bits", cell))?);
            }
            (Self::Int(it), Cell::Absent) => it.append_null(),
            (Self::Long(it), Cell::Int(value)) => it.append_value(*value),
            (Self::Long(it), Cell::Absent) => it.append_null(),
            (Self::Flag(it), Cell::Flag(value)) => it.append_value(*value),
            (Self::Flag(it), Cell::Absent) => it.append_null(),
            (Self::Instant(it), Cell::Instant(value)) => it.append_value(value.micros()),
            (Self::Instant(it), Cell::Absent) => it.append_null(),
            (Self::Day(it), Cell::Day(value)) => it.append_value(value.days()),
            (Self::Day(it), Cell::Absent) => it.append_null(),
            (Self::List(it), Cell::List(things)) => it.push(Some(things))?,
            (Self::List(it), Cell::Absent) => it.push(None)?,
            (_, cell) => return Err(misfit("another type", cell)),
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<ArrayRef, Error> {
        Ok(match self {
            Self::Text(it) => Arc::new(it.finish()),
            Self::Word(it) => Arc::new(it.finish()),
            Self::Int(it) => Arc::new(it.finish()),
            Self::Long(it) => Arc::new(it.finish()),
            Self::Flag(it) => Arc::new(it.finish()),
            Self::Instant(it) => Arc::new(it.finish()),
            Self::Day(it) => Arc::new(it.finish()),
            Self::List(it) => Arc::new(it.finish()?),
        })
    }
}

impl Things {
    fn push(&mut self, things: Option<&Vec<Vec<Cell<'_>>>>) -> Result<(), Error> {
        self.present.push(things.is_some());
        let mut end = self.ends.last().copied().unwrap_or_default();
        for thing in things.into_iter().flatten() {
            self.columns.iter_mut().zip(thing).try_for_each(|(column, cell)| column.push(cell))?;
            end += 1;
        }
        self.ends.push(end);
        Ok(())
    }

    fn finish(&mut self) -> Result<ListArray, Error> {
        let columns = self.columns.iter_mut().map(Builder::finish).collect::<Result<_, _>>()?;
        let things = StructArray::try_new(self.fields.clone(), columns, None)?;
        let ends = OffsetBuffer::new(ScalarBuffer::from(std::mem::replace(&mut self.ends, vec![0])));
        let present = NullBuffer::from(std::mem::take(&mut self.present));
        Ok(ListArray::try_new(element(self.fields.clone()), ends, Arc::new(things), Some(present))?)
    }
}

fn misfit(expected: &str, cell: &Cell<'_>) -> Error {
    // What is in it may be anything: it is not said.
    let found = match cell {
        Cell::Absent => "nothing",
        Cell::Text(_) => "a text",
        Cell::Int(_) => "a number",
        Cell::Flag(_) => "a flag",
        Cell::Instant(_) => "an instant",
        Cell::Day(_) => "a date",
        Cell::List(_) => "a list",
    };
    Error::Form(format!("expected {expected}, got {found}"))
}
