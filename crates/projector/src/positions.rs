//! How far a generation is in the log, as three positions: taken in, applied, and where the log ends.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;
use touchpoint::Position;

/// How far a generation is in the log. Nothing is applied that was not taken in before.
#[derive(Debug)]
pub(crate) struct Positions {
    /// The last one that was taken in.
    taken_in: AtomicU64,
    /// Up to here everything is in the records, and in the lists while they are kept.
    applied: watch::Sender<Position>,
    /// The last one of the log as far as is known.
    log_end: AtomicU64,
    /// Where the view stood when it was paused before a restart; 0 if it was not, or that is not known.
    stands_at: AtomicU64,
}

impl Positions {
    /// Everything up to here was folded before.
    pub(crate) fn after(position: Position) -> Self {
        Self {
            taken_in: AtomicU64::new(position.0),
            applied: watch::Sender::new(position),
            log_end: AtomicU64::new(position.0),
            stands_at: AtomicU64::new(0),
        }
    }

    pub(crate) fn taken_in(&self) -> Position {
        Position(self.taken_in.load(Ordering::Relaxed))
    }

    pub(crate) fn applied(&self) -> Position {
        *self.applied.borrow()
    }

    /// The applied one as it moves.
    pub(crate) fn watch_applied(&self) -> watch::Receiver<Position> {
        self.applied.subscribe()
    }

    /// The last one of the log, which may have been applied before the log was asked again.
    pub(crate) fn log_end(&self) -> Position {
        Position(self.log_end.load(Ordering::Relaxed)).max(self.applied())
    }

    /// Everything up to here is taken in.
    pub(crate) fn take_in(&self, last: Position) {
        self.taken_in.store(last.0, Ordering::Relaxed);
    }

    /// Everything up to here is applied: whoever waits for that is told.
    pub(crate) fn apply(&self, last: Position) {
        self.applied.send_replace(last);
    }

    /// The log was seen to end here, or further.
    pub(crate) fn saw_end(&self, end: Position) {
        self.log_end.fetch_max(end.0, Ordering::Relaxed);
    }

    /// It is paused, and stood here before a restart.
    pub(crate) fn stood_at(&self, position: Position) {
        self.stands_at.store(position.0, Ordering::Relaxed);
    }

    /// How far one must be that is paused, at the least; nothing if it has nothing to stand on.
    pub(crate) fn stands_at(&self) -> Option<Position> {
        let stood_at = Position(self.stands_at.load(Ordering::Relaxed));
        Some(self.taken_in().max(stood_at)).filter(|at| *at > Position::ZERO)
    }
}
