//! Which log a store was folded from, said beside it: for whoever must not open it.

use std::io::{self, ErrorKind};
use std::path::Path;

use crate::Store;
use crate::head::Head;

/// The file that says it, in the store's folder.
const NOTE: &str = "log";

/// The log that a store was folded from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// Random number of the log's genesis event.
    pub epoch: u128,
    /// When the stream was created, in µs since 1970.
    pub stream_created_micros: i64,
}

/// The log of what serves in the store of this folder, which is not opened and may be in use; nothing if there is no
/// word of it.
pub fn origin(dir: &Path) -> io::Result<Option<Origin>> {
    match std::fs::read_to_string(dir.join(NOTE)) {
        Ok(text) => Ok(Origin::read(&text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl Store {
    /// A store whose log is not noted is as good as any, so that does not fail what was asked for.
    pub(crate) fn note_origin(&self, head: &Head) {
        let origin = Origin { epoch: head.epoch, stream_created_micros: head.stream_created_micros };
        if self::origin(self.dir()).ok().flatten() == Some(origin) {
            return;
        }
        if let Err(error) = self.put_note(NOTE, origin.written().as_bytes()) {
            tracing::warn!(%error, "which log the store is of is not noted beside it");
        }
    }
}

impl Origin {
    fn written(self) -> String {
        format!("epoch {:032x} created {}\n", self.epoch, self.stream_created_micros)
    }

    fn read(text: &str) -> Option<Self> {
        let (epoch, created) = text.trim_end().strip_prefix("epoch ")?.split_once(" created ")?;
        Some(Self { epoch: u128::from_str_radix(epoch, 16).ok()?, stream_created_micros: created.parse().ok()? })
    }
}
