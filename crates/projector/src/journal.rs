//! The rebuilds of a view as they are remembered, in a note beside the pages: one that was cut off goes on after a
//! restart, and an operator sees what became of the earlier ones.

use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use touchpoint::Timestamp;
use view_store::Store;

use crate::error::StoreError;
use crate::generation::lock;

const NOTE: &str = "rebuilds.json";
/// Rebuilds that are remembered; the oldest are forgotten.
const REMEMBERED: usize = 100;

/// What a rebuild is asked to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RebuildOptions {
    /// Switch even if the new generation differs.
    pub accept: bool,
    /// Events folded a second at most; 0: as fast as possible.
    pub max_rate: u64,
}

/// How a generation comes to serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Origin {
    /// The log is folded anew.
    Fold,
    /// The previous generation is read from disk, and catches up.
    Previous,
}

/// How a rebuild ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// When.
    #[serde(with = "micros")]
    pub at: Timestamp,
    /// The position up to which the generation had folded.
    pub position: u64,
    /// Why it was given up; nothing if the new generation serves.
    pub given_up: Option<String>,
    /// Customers compared, and of them those who differed; nothing if none were compared.
    pub compared: Option<(u64, u64)>,
}

impl Ending {
    /// Of a rebuild that was cut off, and another one began before it could go on.
    fn overtaken(at: Timestamp) -> Self {
        let given_up = "its process ended, and another rebuild began before this one could go on";
        Self { at, position: 0, given_up: Some(given_up.to_owned()), compared: None }
    }
}

/// One rebuild.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// The generation that it makes, or made.
    pub generation: u64,
    /// The generation that served when it began.
    pub replaces: u64,
    /// Where the generation comes from.
    pub origin: Origin,
    /// What was asked for.
    pub options: RebuildOptions,
    /// When it began.
    #[serde(with = "micros")]
    pub begun: Timestamp,
    /// How often it went on after its process had ended.
    pub resumed: u32,
    /// How it ended; nothing while it is under way.
    pub ending: Option<Ending>,
}

/// The rebuilds of one view, oldest first.
pub(crate) struct Journal {
    store: Arc<Store>,
    rebuilds: Mutex<Vec<Remembered>>,
}

impl Journal {
    /// What the store remembers. A note that cannot be read is no reason not to serve.
    pub(crate) fn open(store: Arc<Store>) -> Self {
        let rebuilds = read(&store).unwrap_or_else(|reason| {
            tracing::warn!(reason, "the earlier rebuilds cannot be read, and are forgotten");
            Vec::new()
        });
        Self { store, rebuilds: Mutex::new(rebuilds) }
    }

    /// Remembers that a rebuild has begun. One that was cut off before it cannot go on any more.
    pub(crate) fn begin(&self, rebuild: Remembered) -> Result<(), StoreError> {
        let mut rebuilds = lock(&self.rebuilds);
        let mut changed = rebuilds.clone();
        if let Some(last) = changed.last_mut().filter(|last| last.ending.is_none()) {
            last.ending = Some(Ending::overtaken(rebuild.begun));
        }
        changed.push(rebuild);
        let forgotten = changed.len().saturating_sub(REMEMBERED);
        changed.drain(..forgotten);
        write(&self.store, &changed)?;
        *rebuilds = changed;
        Ok(())
    }

    /// Changes what is remembered of the last rebuild. Where the disk does not allow it, the process still knows.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Remembered)) {
        let mut rebuilds = lock(&self.rebuilds);
        let Some(last) = rebuilds.last_mut() else { return };
        change(last);
        if let Err(error) = write(&self.store, &rebuilds) {
            tracing::error!(%error, "what became of the rebuild is not on disk");
        }
    }

    /// The rebuild that is under way, or was cut off.
    pub(crate) fn under_way(&self) -> Option<Remembered> {
        self.newest().filter(|it| it.ending.is_none())
    }

    /// The last one.
    pub(crate) fn newest(&self) -> Option<Remembered> {
        lock(&self.rebuilds).last().cloned()
    }

    /// All that are remembered, newest first.
    pub(crate) fn newest_first(&self) -> Vec<Remembered> {
        lock(&self.rebuilds).iter().rev().cloned().collect()
    }
}

fn read(store: &Store) -> Result<Vec<Remembered>, String> {
    let note = store.note(NOTE).map_err(|error| error.to_string())?;
    note.map_or(Ok(Vec::new()), |bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()))
}

fn write(store: &Store, rebuilds: &[Remembered]) -> Result<(), StoreError> {
    let bytes = serde_json::to_vec_pretty(rebuilds).map_err(std::io::Error::other);
    Ok(bytes.and_then(|bytes| store.put_note(NOTE, &bytes))?)
}

/// Instants as microseconds since 1970.
pub(crate) mod micros {
    use serde::{Deserialize, Deserializer, Serializer};
    use touchpoint::Timestamp;

    pub(crate) fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(at.micros())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        Ok(Timestamp::from_micros(i64::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rebuild(generation: u64) -> Remembered {
        let begun = Timestamp::from_micros(1_700_000_000_123_456);
        let options = RebuildOptions { accept: true, max_rate: 1_000 };
        let (replaces, origin, resumed, ending) = (generation - 1, Origin::Fold, 0, None);
        Remembered { generation, replaces, origin, options, begun, resumed, ending }
    }

    #[test]
    fn what_was_remembered_is_there_after_opening_again() {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(dir.path()).unwrap());
        let journal = Journal::open(store.clone());
        assert_eq!(journal.under_way(), None);
        for generation in 2..2 + REMEMBERED as u64 + 3 {
            journal.begin(rebuild(generation)).unwrap();
        }
        let cut_off = journal.newest_first().into_iter().skip(1);
        assert!(cut_off.map(|it| it.ending).all(|ending| ending == Some(Ending::overtaken(rebuild(1).begun))));
        let ending = Ending { at: Timestamp::from_micros(5), position: 9, given_up: None, compared: Some((10, 1)) };
        journal.change(|it| (it.resumed, it.ending) = (1, Some(ending.clone())));
        let again = Journal::open(store.clone());
        assert_eq!(again.newest_first(), journal.newest_first());
        assert_eq!((again.newest_first().len(), again.under_way()), (REMEMBERED, None));
        let newest = &again.newest_first()[0];
        assert_eq!((newest.generation, newest.resumed, newest.ending.as_ref()), (104, 1, Some(&ending)));

        store.put_note(NOTE, b"no journal").unwrap();
        assert_eq!(Journal::open(store).newest_first(), []);
    }
}
