//! Makes a generation durable. The position on disk is never ahead of the records; records ahead of it are harmless,
//! since folding an event again has no second effect.

use std::sync::Arc;

use view_store::{GenerationId, Head, PageNumber, Store};
use views::{FOLD_VERSION, View};

use crate::Generation;
use crate::changes::Dirty;
use crate::error::StoreError;
use crate::source::Checkpoint;

/// Where a generation is kept on disk.
#[derive(Clone)]
pub(crate) struct GenerationStore {
    pub(crate) store: Arc<Store>,
    pub(crate) id: GenerationId,
}

impl GenerationStore {
    /// Commits what changed since the last commit, and takes it back where that fails. Blocks on the disk.
    pub(crate) fn commit<V: View>(&self, generation: &Generation<V>) -> Result<Checkpoint, StoreError> {
        let Dirty { checkpoint, mut pages, commit } = generation.take_dirty();
        pages.sort_unstable();
        let mut taken = Taken { generation, pages };
        let encoded = taken.pages.iter().map(|page| generation.encode(*page));
        self.store.commit(self.id, encoded, &head::<V>(checkpoint))?;
        taken.pages.clear();
        generation.note_durable(commit);
        Ok(checkpoint)
    }
}

/// Pages that a commit takes along. They are given back where it fails, also by a panic: a later commit would put the
/// position ahead of them.
struct Taken<'a, V: View> {
    generation: &'a Generation<V>,
    pages: Vec<PageNumber>,
}

impl<V: View> Drop for Taken<'_, V> {
    fn drop(&mut self) {
        self.generation.give_back(std::mem::take(&mut self.pages));
    }
}

/// What is kept in a head beside the position: how many messages the log had lost, nothing if none.
fn extra(lost: u64) -> Vec<u8> {
    if lost == 0 { Vec::new() } else { lost.to_le_bytes().to_vec() }
}

/// How many messages the log had lost; nothing if these bytes do not say so.
pub(crate) fn lost(extra: &[u8]) -> Option<u64> {
    if extra.is_empty() { Some(0) } else { extra.try_into().ok().map(u64::from_le_bytes) }
}

/// The head of a generation at this checkpoint.
pub(crate) fn head<V: View>(checkpoint: Checkpoint) -> Head {
    Head {
        epoch: checkpoint.epoch,
        stream_created_micros: checkpoint.created.micros(),
        position: checkpoint.position.0,
        event_digest: checkpoint.digest,
        fold_version: FOLD_VERSION,
        view: V::NAME.to_owned(),
        extra: extra(checkpoint.lost),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use history::believable::{Config, Population};
    use touchpoint::{CustomerId, Position, Timestamp};
    use views::churn::Churn;
    use views::rules::Rules;

    use super::*;
    use crate::source::{Batch, Entry};

    #[test]
    fn what_could_not_be_written_is_taken_along_by_the_next_commit() {
        let origin = Checkpoint {
            epoch: 1,
            created: Timestamp::from_micros(0),
            position: Position::ZERO,
            digest: [0; 16],
            lost: 0,
        };
        let until = Timestamp::from_micros(1_767_225_600_000_000);
        let (sent, _) = Population::new(Config::new(20, 1, until)).sent();
        let entry = |(index, planned): (usize, &history::Planned)| Entry {
            position: Position(index as u64 + 1),
            recorded_at: until,
            customer: Some(CustomerId::from_u128(index as u128 % 20)),
            body: planned.body().into(),
        };
        let entries: Vec<_> = sent.iter().enumerate().map(entry).collect();
        let end = Position(entries.len() as u64);
        let generation = Generation::<Churn>::on_threads(1, origin, Arc::new(Rules::default()));
        generation.fold(&Batch { entries, digest: [0; 16], log_end: end }, until);
        generation.go_live(until);
        let changed = generation.dirty_pages();
        assert!(changed > Some(0));

        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(dir.path()).unwrap());
        let gone = store.create_generation(&head::<Churn>(origin)).unwrap();
        store.drop_generation(gone).unwrap();
        GenerationStore { store: store.clone(), id: gone }.commit(&generation).unwrap_err();
        assert_eq!(generation.dirty_pages(), changed, "nothing is forgotten");

        let id = store.create_generation(&head::<Churn>(origin)).unwrap();
        assert_eq!(GenerationStore { store: store.clone(), id }.commit(&generation).unwrap().position, end);
        assert_eq!(generation.dirty_pages(), Some(0));
        let pages = store.pages(id, PageNumber::all()).unwrap();
        assert_eq!(Some(pages.count()), changed);
    }
}
