//! Rows into a Parquet file, a bounded group of rows at a time.

use std::path::Path;

use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use crate::batch::Batch;
use crate::column::{Cell, Column};
use crate::error::Error;
use crate::file::Target;

/// Rows that are made columns together.
const BATCH_ROWS: usize = 4_096;
/// Most rows of a group: as many as DuckDB reads on one thread.
const GROUP_ROWS: usize = 122_880;
/// Most bytes of a group as they are in the file, about; they are held in memory until the group is written.
const GROUP_BYTES: usize = 32 << 20;

/// A Parquet file that is being written.
pub(crate) struct RowGroups {
    batch: Batch,
    out: ArrowWriter<Target>,
}

impl RowGroups {
    /// Begins one.
    pub(crate) fn new(columns: &[Column], target: Target) -> Result<Self, Error> {
        let batch = Batch::new(columns);
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .set_max_row_group_bytes(Some(GROUP_BYTES))
            .build();
        let partial = target.partial().to_owned();
        let out = ArrowWriter::try_new(target, batch.schema(), Some(properties));
        let out = out.map_err(|error| failed(error, &partial))?;
        Ok(Self { batch, out })
    }

    /// Adds a row.
    pub(crate) fn write(&mut self, row: &[Cell<'_>]) -> Result<(), Error> {
        self.batch.push(row)?;
        if self.batch.rows() == BATCH_ROWS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Error> {
        let batch = self.batch.take()?;
        self.out.write(&batch).map_err(|error| failed(error, self.out.inner().partial()))
    }

    /// Writes what is left, and the footer.
    pub(crate) fn finish(mut self) -> Result<Target, Error> {
        if self.batch.rows() > 0 {
            self.flush()?;
        }
        let partial = self.out.inner().partial().to_owned();
        self.out.into_inner().map_err(|error| failed(error, &partial))
    }
}

/// What the system says is told apart from a mistake of ours.
fn failed(error: ParquetError, partial: &Path) -> Error {
    match error {
        ParquetError::External(error) => match error.downcast() {
            Ok(error) => Error::File(partial.to_owned(), *error),
            Err(error) => Error::Form(error.to_string()),
        },
        error => Error::Form(error.to_string()),
    }
}
