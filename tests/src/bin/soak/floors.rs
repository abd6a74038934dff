//! Positions that were answered: no later answer is older.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tests::View;

/// Positions that a view has answered: none is ever answered that is lower, whoever asks, over restarts and pauses, too.
#[derive(Debug, Clone, Default)]
pub(crate) struct Floors(Arc<[AtomicU64; 3]>);

impl Floors {
    /// The highest position that was answered. To be taken before a view is asked.
    pub(crate) fn before(&self, view: View) -> u64 {
        self.0[view as usize].load(Ordering::Acquire)
    }

    /// The view has answered at this position to who asked then.
    ///
    /// # Panics
    /// If it had answered a later one before.
    pub(crate) fn answered(&self, view: View, before: u64, position: u64) {
        assert!(position >= before, "{} answers at {position} after {before}", view.name());
        self.0[view as usize].fetch_max(position, Ordering::AcqRel);
    }
}
