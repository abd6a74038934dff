//! What a generation counts of its records, and of the events that it has folded.

use std::sync::atomic::{AtomicU64, Ordering};

use views::{Filing, Record};

/// What is counted while records change.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    erased: AtomicU64,
    record_bytes: AtomicU64,
    folded: AtomicU64,
    duplicates: AtomicU64,
    conflicts: AtomicU64,
}

/// What was counted so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    /// Customers who asked to be forgotten.
    pub(crate) erased: u64,
    /// Bytes of the records in memory.
    pub(crate) record_bytes: u64,
    /// Events folded since the start of the process.
    pub(crate) folded: u64,
    /// Of them those that had been seen before.
    pub(crate) duplicates: u64,
    /// Of them those of another content under a known id.
    pub(crate) conflicts: u64,
}

impl Counters {
    pub(crate) fn read(&self) -> Counts {
        let Self { erased, record_bytes, folded, duplicates, conflicts } = self;
        let [erased, record_bytes, folded, duplicates, conflicts] =
            [erased, record_bytes, folded, duplicates, conflicts].map(|it| it.load(Ordering::Relaxed));
        Counts { erased, record_bytes, folded, duplicates, conflicts }
    }

    /// A record was read from disk.
    pub(crate) fn restored(&self, record: &Record) {
        add(&self.erased, record.is_erased().into());
        add(&self.record_bytes, record.as_bytes().len() as u64);
    }

    /// So many events were folded.
    pub(crate) fn folded(&self, events: u64) {
        add(&self.folded, events);
    }

    /// What filing an event came to; true if it changed the record.
    pub(crate) fn filed(&self, filing: Filing) -> bool {
        let (counter, is_changed) = match filing {
            Filing::New => return true,
            Filing::Ignored => return false,
            Filing::Erased => (&self.erased, true),
            Filing::Duplicate => (&self.duplicates, false),
            Filing::Conflict => (&self.conflicts, false),
        };
        add(counter, 1);
        is_changed
    }

    /// A record has grown, or shrunk, from so many bytes to so many.
    pub(crate) fn resized(&self, from: usize, to: usize) {
        add(&self.record_bytes, (to as u64).wrapping_sub(from as u64));
    }

    /// A record takes the place of another one.
    pub(crate) fn replaced(&self, old: &Record, new: &Record) {
        add(&self.erased, u64::from(new.is_erased()).wrapping_sub(old.is_erased().into()));
    }
}

/// Adds; what wraps around subtracts.
fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}
