//! What an export is of, beside its files.

use serde::Serialize;

use crate::file::FileEntry;

/// What an export is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// `events`, or the name of a view.
    pub what: &'static str,
    /// The form of the files.
    pub format: &'static str,
    /// The version of the program that wrote them.
    pub lifefold: &'static str,
    /// What the rows rest on.
    #[serde(flatten)]
    pub basis: Basis,
    /// Rows of all files.
    pub rows: u64,
    /// The files.
    pub files: Vec<FileEntry>,
}

/// What the rows of an export rest on; what does not apply is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Basis {
    /// Every event up to this position is in it, and none after it.
    pub position: u64,
    /// The instant that a view was asked for, or at which it admits the events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// Events recorded after this instant do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known_at: Option<String>,
    /// Digest of the rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules_version: Option<String>,
    /// Digest of all facts at the position, or of the events that were exported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The same without positions and times of recording.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_digest: Option<String>,
    /// References of admitted events that lead nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unresolved_references: Option<u64>,
    /// Events that could not be read: if there are any, the answers are incomplete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parked: Option<u64>,
    /// Customers who were erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erased: Option<u64>,
    /// Which events were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selection: Option<Selection>,
}

/// Which events were asked for; lists that name nothing name all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Selection {
    /// The first position, or the instant from which on they were recorded, if not all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The last position, or the instant by which they were recorded, if not all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Of these types.
    pub types: Vec<String>,
    /// Of these customers.
    pub customers: Vec<String>,
    /// That name one of these projects.
    pub projects: Vec<String>,
}
