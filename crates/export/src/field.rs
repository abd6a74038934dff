//! Columns with where their values come from: what a message is as a row.

use std::borrow::Cow;

use api::names;
use prost_types::Timestamp;

use crate::column::{Cell, Column, Type};
use crate::error::Error;
use crate::writer::Writer;

/// What the rows of something are.
pub trait Rows {
    /// What is written.
    type Item;

    /// The columns.
    fn columns(&self) -> &[Column];

    /// Writes the rows of one.
    fn write(&self, item: &Self::Item, writer: &mut Writer) -> Result<(), Error>;
}

/// Where a cell comes from.
type Get<M> = Box<dyn Fn(&M) -> Cell<'_> + Send + Sync>;

/// Fields of a message, each a column: a row for each message.
pub struct Fields<M> {
    columns: Vec<Column>,
    cells: Vec<Get<M>>,
}

impl<M> Fields<M> {
    /// No field yet.
    pub(crate) fn new() -> Self {
        Self { columns: Vec::new(), cells: Vec::new() }
    }

    /// One more, of this type; all others end here.
    pub(crate) fn cell(
        mut self,
        name: &'static str,
        kind: Type,
        doc: &'static str,
        get: impl Fn(&M) -> Cell<'_> + Send + Sync + 'static,
    ) -> Self {
        self.columns.push(Column { name, doc: Cow::Borrowed(doc), kind });
        self.cells.push(Box::new(get));
        self
    }

    /// A text; an empty one is absent.
    pub(crate) fn text(
        self,
        name: &'static str,
        doc: &'static str,
        get: impl Fn(&M) -> &str + Send + Sync + 'static,
    ) -> Self {
        self.cell(name, Type::Text, doc, move |it| Cell::text(get(it)))
    }

    /// The name of an enumeration's value without the prefix of the enumeration; UNSPECIFIED is absent.
    pub(crate) fn word(
        self,
        name: &'static str,
        prefix: &'static str,
        doc: &'static str,
        get: impl Fn(&M) -> Option<&'static str> + Send + Sync + 'static,
    ) -> Self {
        self.cell(name, Type::Word, doc, move |it| {
            let word = get(it).map(|word| word.strip_prefix(prefix).unwrap_or(word));
            Cell::some(word.filter(|word| *word != "UNSPECIFIED"), Cell::text)
        })
    }

    /// A whole number of 32 bits.
    pub(crate) fn int(
        self,
        name: &'static str,
        doc: &'static str,
        get: impl Fn(&M) -> Option<u32> + Send + Sync + 'static,
    ) -> Self {
        self.cell(name, Type::Int, doc, move |it| Cell::some(get(it), |value| Cell::Int(value.into())))
    }

    /// A whole number of 64 bits.
    pub(crate) fn long(
        self,
        name: &'static str,
        doc: &'static str,
        get: impl Fn(&M) -> Option<i64> + Send + Sync + 'static,
    ) -> Self {
        self.cell(name, Type::Long, doc, move |it| Cell::some(get(it), Cell::Int))
    }

    /// A flag.
    pub(crate) fn flag(
        self,
        name: &'static str,
        doc: &'static str,
        get: impl Fn(&M) -> Option<bool> + Send + Sync + 'static,
    ) -> Self {
        self.cell(name, Type::Flag, doc, move |it| Cell::some(get(it), Cell::Flag))
    }

    /// An instant.
    pub(crate) fn instant(
        self,
        name: &'static str,
        doc: &'static str,
        get: impl Fn(&M) -> Option<&Timestamp> + Send + Sync + 'static,
    ) -> Self {
        self.cell(name, Type::Instant, doc, move |it| Cell::some(get(it).and_then(names::instant), Cell::Instant))
    }

    /// A date, which the message has as a text.
    pub(crate) fn day(
        self,
        name: &'static str,
        doc: &'static str,
        get: impl Fn(&M) -> Option<&str> + Send + Sync + 'static,
    ) -> Self {
        self.cell(name, Type::Day, doc, move |it| Cell::some(get(it).and_then(|date| date.parse().ok()), Cell::Day))
    }

    /// Several things with fields of their own.
    pub(crate) fn list<I: 'static>(
        self,
        name: &'static str,
        doc: &'static str,
        fields: Fields<I>,
        get: impl Fn(&M) -> &[I] + Send + Sync + 'static,
    ) -> Self {
        let Fields { columns, cells } = fields;
        self.cell(name, Type::List(columns), doc, move |it| {
            Cell::List(get(it).iter().map(|item| cells.iter().map(|cell| cell(item)).collect()).collect())
        })
    }

    /// Fields of a part of the message.
    pub(crate) fn of<P: 'static>(
        self,
        part: Fields<P>,
        get: impl Fn(&M) -> Option<&P> + Send + Sync + Clone + 'static,
    ) -> Self {
        let Fields { columns, cells } = part;
        columns.into_iter().zip(cells).fold(self, |mut all, (column, cell)| {
            let get = get.clone();
            all.columns.push(column);
            all.cells.push(Box::new(move |it| get(it).map_or(Cell::Absent, &cell)));
            all
        })
    }
}

impl<M> Rows for Fields<M> {
    type Item = M;

    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn write(&self, item: &M, writer: &mut Writer) -> Result<(), Error> {
        let row: Vec<_> = self.cells.iter().map(|cell| cell(item)).collect();
        writer.write(&row)
    }
}
