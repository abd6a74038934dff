//! Answers and events as files that others can open: Parquet, NDJSON, CSV, with typed columns, and a manifest.
//!
//! [`Rows`] says what the rows of something are: of every event ([`Events`]), of each view ([`risks`], [`segments`],
//! [`indexes`]), of the customers who move under other rules ([`Moves`]). A [`Writer`] takes them one by one into one file,
//! and an [`Export`] is a folder with such a file and its [`Manifest`].
//!
//! **Architecture Invariant:** the only importer of arrow and parquet. Memory does not grow with the number of rows:
//! nothing but one group of rows is ever held.

mod batch;
mod churn;
mod column;
mod csv;
mod error;
mod events;
mod field;
mod file;
mod folder;
mod manifest;
mod moves;
mod ndjson;
mod row_groups;
mod satisfaction;
mod segmentation;
mod writer;

pub use churn::risks;
pub use column::{Cell, Column, Type};
pub use error::Error;
pub use events::Events;
pub use field::{Fields, Rows};
pub use file::FileEntry;
pub use folder::Export;
pub use manifest::{Basis, Manifest, Selection};
pub use moves::{Moved, Moves};
pub use satisfaction::indexes;
pub use segmentation::segments;
pub use writer::{Format, Writer};
