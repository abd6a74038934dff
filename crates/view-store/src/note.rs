//! Small files, replaced whole or not at all: what an owner of a store remembers beside its pages that is no record.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use crate::Store;
use crate::aside::sync_parent;

impl Store {
    /// What was noted under this name; nothing if nothing was.
    pub fn note(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.dir().join(name)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }

    /// Notes this under a name, durably: after a crash it is what was there before, or all of this. The name is that of
    /// the file in the store's folder.
    pub fn put_note(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        replace(&self.dir().join(name), bytes)
    }
}

/// Replaces a file, durably: after a crash it is what was there before, or all of this.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    sync_parent(path)
}
