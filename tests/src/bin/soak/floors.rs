//! Positions that were answered: no later answer is older.

use std::sync::{Arc, Mutex, PoisonError};

use tests::View;

/// Positions that a view has answered: none is ever answered that is lower, whoever asks, over restarts, too.
#[derive(Debug, Clone, Default)]
pub(crate) struct Floors(Arc<Mutex<[Floor; 3]>>);

/// What a view has answered, since it was last allowed to forget.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Floor {
    forgotten: u64,
    position: u64,
}

impl Floors {
    fn of<T>(&self, view: View, change: impl FnOnce(&mut Floor) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner)[view as usize])
    }

    /// To be taken before a view is asked.
    pub(crate) fn before(&self, view: View) -> Floor {
        self.of(view, |floor| *floor)
    }

    /// The view has answered at this position to who asked then.
    ///
    /// # Panics
    /// If it had answered a later one before.
    pub(crate) fn answered(&self, view: View, before: Floor, position: u64) {
        self.of(view, |floor| {
            if floor.forgotten == before.forgotten {
                assert!(position >= before.position, "{} answers at {position} after {before:?}", view.name());
                floor.position = floor.position.max(position);
            }
        });
    }

    /// The view may answer older ones from now on.
    pub(crate) fn forget(&self, view: View) {
        self.of(view, |floor| *floor = Floor { forgotten: floor.forgotten + 1, position: 0 });
    }
}
