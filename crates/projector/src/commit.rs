//! Makes a generation durable. The position on disk is never ahead of the records; records ahead of it are harmless,
//! since folding an event again has no second effect.

use std::sync::Arc;

use view_store::{GenerationId, Head, PageNumber, Store};
use views::{FOLD_VERSION, View};

use crate::Generation;
use crate::changes::Dirty;
use crate::error::StoreError;
use crate::source::Checkpoint;

/// Pages that are encoded and written at once: bounds the memory of a large commit.
const PAGES_AT_ONCE: usize = 2_000;

/// Where a generation is kept on disk.
#[derive(Clone)]
pub(crate) struct Keeper {
    pub(crate) store: Arc<Store>,
    pub(crate) id: GenerationId,
}

impl Keeper {
    /// Commits what changed since the last commit, and takes it back where that fails. Blocks on the disk.
    pub(crate) fn commit<V: View>(&self, generation: &Generation<V>) -> Result<Checkpoint, StoreError> {
        let Dirty { checkpoint, mut pages, commit } = generation.take_dirty();
        pages.sort_unstable();
        let mut taken = Taken { generation, pages };
        self.write(generation, &taken.pages, checkpoint)?;
        taken.pages.clear();
        generation.commits.send_replace(commit);
        Ok(checkpoint)
    }

    fn write<V: View>(
        &self,
        generation: &Generation<V>,
        numbers: &[PageNumber],
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        let before = self.store.head(self.id)?;
        let mut chunks = numbers.chunks(PAGES_AT_ONCE).peekable();
        while let Some(chunk) = chunks.next() {
            let pages: Vec<_> = chunk.iter().map(|page| generation.encode(*page)).collect::<Result<_, _>>()?;
            // All but the last chunk keep the old position.
            if chunks.peek().is_some() {
                self.store.commit(self.id, pages, &before)?;
            } else {
                self.store.commit(self.id, pages, &head::<V>(checkpoint))?;
            }
        }
        if numbers.is_empty() {
            self.store.commit(self.id, [], &head::<V>(checkpoint))?;
        }
        Ok(())
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
