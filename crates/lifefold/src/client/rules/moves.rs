//! The file of everybody who moves: a row for each change.

use std::path::{Path, PathBuf};

use api::v1;
use export::{Format, Moved, Rows, Writer};

use crate::cli::View;
use crate::client::failure::Failure;
use crate::client::format;

/// The file while it is written: beside its place, which it takes when it is complete.
pub(super) struct Moves {
    path: PathBuf,
    rows: export::Moves,
    writer: Writer,
    customers: u64,
}

impl Moves {
    /// A path whose form is known.
    pub(super) fn check(path: &str) -> Result<PathBuf, String> {
        let path = PathBuf::from(path);
        let known = Format::of(&path).is_some();
        if known { Ok(path) } else { Err("expected a file that ends in .parquet, .ndjson or .csv".to_owned()) }
    }

    /// Begins the file.
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        let rows = export::Moves::default();
        let writer = Writer::create(path, Format::of(path).unwrap_or(Format::Ndjson), rows.columns())?;
        Ok(Self { path: path.to_owned(), rows, writer, customers: 0 })
    }

    /// Writes a page of a view.
    pub(super) fn write(&mut self, view: View, moved: &[v1::MovedCustomer]) -> Result<(), Failure> {
        self.customers += moved.len() as u64;
        for customer in moved {
            let moved = Moved { view: view.name(), customer: customer.clone() };
            self.rows.write(&moved, &mut self.writer)?;
        }
        Ok(())
    }

    /// Puts the complete file in its place, and says what is in it.
    pub(super) fn finish(self) -> Result<String, Failure> {
        let file = self.writer.finish()?;
        let [customers, rows] = [self.customers, file.rows].map(format::count);
        Ok(format!("{}: {customers} moves of customers in {rows} rows", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_says_the_form() {
        for right in ["moves.parquet", "moves.ndjson", "a/moves.csv"] {
            assert!(Moves::check(right).is_ok(), "{right}");
        }
        for wrong in ["moves.xlsx", "moves", ".csv"] {
            assert!(Moves::check(wrong).is_err(), "{wrong}");
        }
    }
}
