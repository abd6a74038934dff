//! What can go wrong with a file.

use std::io;
use std::path::PathBuf;

/// Why there is no export.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is one already.
    #[error("{0} is there already")]
    Exists(PathBuf),
    /// The system does not let it be written.
    #[error("{}: {}", .0.display(), .1)]
    File(PathBuf, io::Error),
    /// A mistake of ours: rows do not have the form that they are to have.
    #[error("the rows cannot be written: {0}")]
    Form(String),
}

impl From<arrow_schema::ArrowError> for Error {
    fn from(error: arrow_schema::ArrowError) -> Self {
        Self::Form(error.to_string())
    }
}
