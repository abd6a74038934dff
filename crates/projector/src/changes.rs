//! What changed in a generation: since the last commit, and since the digests were summed up.

use view_store::PageNumber;
use views::{Digests, View};

use crate::generation::{Generation, lock};
use crate::page_set::PageSet;
use crate::source::Checkpoint;

/// Pages of which the digests are summed up under one lock.
const SUMMED_AT_ONCE: usize = 64;

/// The number of a commit of a generation.
pub(crate) type Commit = u64;

/// What changed, and how far that is.
pub(crate) struct Changes {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) dirty: PageSet,
    pub(crate) stale: PageSet,
    digests: Digests,
    /// Commits that were begun.
    begun: Commit,
}

impl Changes {
    /// None since this.
    pub(crate) fn after(checkpoint: Checkpoint) -> Self {
        let (dirty, stale, digests) = Default::default();
        Self { checkpoint, dirty, stale, digests, begun: 0 }
    }

    /// A page has changed.
    pub(crate) fn mark(&mut self, page: PageNumber) {
        self.dirty.insert(page);
        self.stale.insert(page);
    }

    /// The digests of a customer who is no more do not count.
    pub(crate) const fn forget(&mut self, digests: Digests) {
        self.digests = self.digests.minus(digests);
    }

    /// The commit that will take along what has changed by now.
    pub(crate) const fn next_commit(&self) -> Commit {
        self.begun + 1
    }
}

/// What a commit takes along.
pub(crate) struct Dirty {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) pages: Vec<PageNumber>,
    pub(crate) commit: Commit,
}

impl<V: View> Generation<V> {
    /// The digests of all records, summed up; works off what changed since the last time, some pages under one lock, so
    /// that filing goes on meanwhile.
    pub fn digests(&self) -> (Checkpoint, Digests) {
        loop {
            let mut changes = lock(&self.changes);
            if changes.stale.len() == 0 {
                return (changes.checkpoint, changes.digests);
            }
            self.sum_some(&mut changes);
        }
    }

    /// Works off as many pages as have changed by now, and no more: while much is filed there is no end of them.
    pub(crate) fn sum_up(&self) {
        let rounds = lock(&self.changes).stale.len().div_ceil(SUMMED_AT_ONCE);
        (0..rounds).for_each(|_| self.sum_some(&mut lock(&self.changes)));
    }

    fn sum_some(&self, changes: &mut Changes) {
        let mut sum = changes.digests;
        for page in changes.stale.take_some(SUMMED_AT_ONCE) {
            self.pages.write_page(page, |slot| {
                let new = slot.record.digests(slot.customer);
                sum = sum.minus(slot.digests).plus(new);
                slot.digests = new;
            });
        }
        changes.digests = sum;
    }

    /// What changed since the last commit: the caller has to make it durable or give it back.
    pub(crate) fn take_dirty(&self) -> Dirty {
        let mut changes = lock(&self.changes);
        changes.begun += 1;
        Dirty { checkpoint: changes.checkpoint, pages: changes.dirty.take(), commit: changes.begun }
    }

    /// Takes back what could not be made durable.
    pub(crate) fn give_back(&self, pages: Vec<PageNumber>) {
        lock(&self.changes).dirty.extend(pages);
    }

    /// Pages that changed since the last commit; nothing at a moment at which that is changing.
    pub(crate) fn dirty_pages(&self) -> Option<usize> {
        Some(self.changes.try_lock().ok()?.dirty.len())
    }
}
