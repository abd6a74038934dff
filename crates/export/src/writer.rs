//! Rows into one file of a form.

use std::io::Write;
use std::path::Path;

use crate::column::{Cell, Column};
use crate::error::Error;
use crate::file::{FileEntry, Target};
use crate::row_groups::RowGroups;
use crate::{csv, ndjson};

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Apache Parquet.
    Parquet,
    /// A JSON document a line.
    Ndjson,
    /// A line of values a row, below one of names.
    Csv,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Parquet, Self::Ndjson, Self::Csv];

    /// The name, with which such files end.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }

    /// The form of a file by its ending.
    pub fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?;
        Self::ALL.into_iter().find(|format| format.name() == ending)
    }
}

/// A file that is being written.
pub struct Writer {
    sink: Sink,
    rows: u64,
}

enum Sink {
    Parquet(Box<RowGroups>),
    Text { columns: Vec<Column>, line: fn(&[Column], &[Cell<'_>], &mut String), text: String, out: Box<Target> },
}

impl Writer {
    /// Begins a file with these columns. Until it is complete it has another name.
    pub fn create(path: &Path, format: Format, columns: &[Column]) -> Result<Self, Error> {
        let out = Target::create(path)?;
        let mut text = String::new();
        let line = match format {
            Format::Parquet => {
                return Ok(Self { sink: Sink::Parquet(Box::new(RowGroups::new(columns, out)?)), rows: 0 });
            }
            Format::Ndjson => ndjson::line,
            Format::Csv => {
                csv::header(columns, &mut text);
                csv::line
            }
        };
        Ok(Self { sink: Sink::Text { columns: columns.to_vec(), line, text, out: Box::new(out) }, rows: 0 })
    }

    /// Adds a row: a cell for each column.
    pub fn write(&mut self, row: &[Cell<'_>]) -> Result<(), Error> {
        self.rows += 1;
        match &mut self.sink {
            Sink::Parquet(groups) => groups.write(row),
            Sink::Text { columns, line, text, out } => {
                line(columns, row, text);
                out.write_all(text.as_bytes()).map_err(|error| out.failed(error))?;
                text.clear();
                Ok(())
            }
        }
    }

    /// How many rows there are.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Puts the complete file in its place.
    pub fn finish(self) -> Result<FileEntry, Error> {
        match self.sink {
            Sink::Parquet(groups) => groups.finish()?.finish(self.rows),
            Sink::Text { text, mut out, .. } => {
                // The names of the columns, if no row has taken them along.
                out.write_all(text.as_bytes()).map_err(|error| out.failed(error))?;
                out.finish(self.rows)
            }
        }
    }
}
