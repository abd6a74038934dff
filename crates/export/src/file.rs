//! A file while it is written: beside its place, which it takes when it is complete.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::Error;

/// Bytes that are written at once.
const BUFFER_BYTES: usize = 256 << 10;

/// A complete file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileEntry {
    /// Its name in its folder.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

/// A file while it is written. Dropped before it is complete, it is removed.
pub(crate) struct Target {
    path: PathBuf,
    partial: PathBuf,
    out: BufWriter<File>,
    digest: Sha256,
    bytes: u64,
    complete: bool,
}

impl Target {
    /// Begins it.
    pub(crate) fn create(path: &Path) -> Result<Self, Error> {
        let mut partial = OsString::from(path);
        partial.push(".part");
        let partial = PathBuf::from(partial);
        let file = File::create(&partial).map_err(|error| Error::File(partial.clone(), error))?;
        let out = BufWriter::with_capacity(BUFFER_BYTES, file);
        Ok(Self { path: path.to_owned(), partial, out, digest: Sha256::new(), bytes: 0, complete: false })
    }

    /// Puts the complete file in its place.
    pub(crate) fn finish(mut self, rows: u64) -> Result<FileEntry, Error> {
        let done = self.out.flush().and_then(|()| self.out.get_ref().sync_all());
        done.and_then(|()| fs::rename(&self.partial, &self.path)).map_err(|error| self.failed(error))?;
        self.complete = true;
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let digest = std::mem::take(&mut self.digest).finalize();
        let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(FileEntry { name, rows, bytes: self.bytes, sha256 })
    }

    /// Where it is until it is complete.
    pub(crate) fn partial(&self) -> &Path {
        &self.partial
    }

    /// What the system says of it.
    pub(crate) fn failed(&self, error: io::Error) -> Error {
        Error::File(self.partial.clone(), error)
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.digest.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if !self.complete {
            // What cannot be removed is overwritten the next time.
            fs::remove_file(&self.partial).ok();
        }
    }
}
