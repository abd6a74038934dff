//! A folder with one export: its file, and a manifest that is written last.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::column::Column;
use crate::error::Error;
use crate::file::Target;
use crate::manifest::{Basis, Manifest};
use crate::writer::{Format, Writer};

/// The name of the manifest: where it is, the export is complete.
const MANIFEST: &str = "manifest.json";

/// An export under way.
pub struct Export {
    folder: PathBuf,
    what: &'static str,
    format: Format,
    writer: Writer,
}

impl Export {
    /// Begins an export in a folder, which is made if need be. One that is there already is kept until the new one is
    /// complete, and is replaced only by `force`.
    pub fn begin(
        folder: &Path,
        what: &'static str,
        format: Format,
        columns: &[Column],
        force: bool,
    ) -> Result<Self, Error> {
        fs::create_dir_all(folder).map_err(|error| Error::File(folder.to_owned(), error))?;
        let path = folder.join(format!("{what}.{}", format.name()));
        let there = [folder.join(MANIFEST), path.clone()].into_iter().find(|path| path.exists());
        if let Some(there) = there.filter(|_| !force) {
            return Err(Error::Exists(there));
        }
        let writer = Writer::create(&path, format, columns)?;
        Ok(Self { folder: folder.to_owned(), what, format, writer })
    }

    /// Where the rows go.
    pub const fn writer(&mut self) -> &mut Writer {
        &mut self.writer
    }

    /// How many rows there are.
    pub const fn rows(&self) -> u64 {
        self.writer.rows()
    }

    /// Puts the complete export in its place.
    pub fn finish(self, lifefold: &'static str, basis: Basis) -> Result<Manifest, Error> {
        let Self { folder, what, format, writer } = self;
        let path = folder.join(MANIFEST);
        // A manifest is never beside files that it does not describe.
        remove(&path)?;
        let file = writer.finish()?;
        for other in Format::ALL.into_iter().filter(|other| *other != format) {
            remove(&folder.join(format!("{what}.{}", other.name())))?;
        }
        let manifest = Manifest { what, format: format.name(), lifefold, basis, rows: file.rows, files: vec![file] };
        let text = serde_json::to_string_pretty(&manifest).map_err(|error| Error::Form(error.to_string()))?;
        let mut out = Target::create(&path)?;
        out.write_all(format!("{text}\n").as_bytes()).map_err(|error| out.failed(error))?;
        out.finish(0)?;
        Ok(manifest)
    }
}

/// Removes what an earlier export may have left.
fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::File(path.to_owned(), error)),
        _ => Ok(()),
    }
}
