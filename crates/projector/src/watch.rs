//! Watching who moves in the lists of the serving generation: first who is in them, then every move, in order.
//!
//! A watcher reads at its own pace; folding neither knows it nor waits for it. See docs/adr for what is guaranteed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use touchpoint::{CustomerId, Position, Timestamp};
use views::{Moment, View};

use crate::error::{NotServing, WatchError};
use crate::moves::{Cursor, Gone, Move, Moves, RingId};
use crate::pages::{GROUPS, Slot};
use crate::{Generation, Projector};

/// Follows the moves in one generation.
pub struct Watch<V: View> {
    projector: Projector<V>,
    generation: Arc<Generation<V>>,
    /// While a watcher has it, moves are kept.
    ring_id: Arc<RingId>,
    /// The moves before this number were told.
    told: u64,
}

/// Names for what is kept, each given once in the life of a process.
pub(crate) struct Names {
    run: Timestamp,
    given: AtomicU64,
}

impl Names {
    /// Of the process that began then.
    pub(crate) const fn of(run: Timestamp) -> Self {
        Self { run, given: AtomicU64::new(0) }
    }

    fn another(&self) -> RingId {
        RingId { run: self.run, number: self.given.fetch_add(1, Ordering::Relaxed) }
    }
}

impl<V: View> Projector<V> {
    /// Watches from now on. Who is in the lists can be asked of the watch, part by part.
    pub fn watch(&self) -> Result<Watch<V>, NotServing> {
        let generation = self.serving()?;
        let (ring_id, told) = generation.keep_moves(|| self.inner.names.another());
        Ok(Watch { projector: self.clone(), generation, ring_id, told })
    }

    /// Goes on after a cursor.
    pub fn watch_after(&self, cursor: Cursor) -> Result<Watch<V>, WatchError> {
        let generation = self.serving()?;
        let ring_id = generation.keep_moves_after(cursor)?;
        Ok(Watch { projector: self.clone(), generation, ring_id, told: cursor.told })
    }
}

impl<V: View> Watch<V> {
    /// The parts of the lists.
    pub const PARTS: usize = GROUPS;

    /// The rules by which the lists are kept that are watched; where others come in force, lists are made anew.
    pub fn rules_version(&self) -> String {
        self.generation.rules_at(None, Position::MAX).version.clone()
    }

    /// Whom `pick` wants of a part of the lists. It is as it stands now; moves that are in it already may be told
    /// again, so that who applies all moves in order ends where the lists are.
    pub fn listed<T>(&self, part: usize, pick: impl Fn(CustomerId, &V::Placement) -> Option<T>) -> Vec<T> {
        let mut listed = Vec::new();
        self.generation.pages.scan(part % GROUPS, |slot| {
            listed.extend(slot.placement.as_ref().and_then(|placement| pick(slot.customer, placement)));
        });
        listed
    }

    /// Nothing may be said of the customer by now, whatever is kept of their way here: they are erased, or where they
    /// stand is `withheld`. By the lists, not by the records, so that the move that made it so is kept already.
    pub fn is_silenced(&self, customer: CustomerId, withheld: impl FnOnce(&V::Placement) -> bool) -> bool {
        let silenced = |slot: &Slot<V>| slot.placement.as_ref().map_or(slot.record.is_erased(), withheld);
        self.generation.pages.read(customer, silenced).unwrap_or(false)
    }

    /// What made the customer move there, evaluated again from the records. Nothing where that leads elsewhere by now:
    /// an event was read that could not be before, consent was given or taken, or the customer is erased.
    pub fn answer(&self, moves: &Moves<V::Placement>, it: &Move<V::Placement>) -> Option<V::Answer> {
        let mut moment = Moment::now(moves.as_of).up_to(moves.made_by(it));
        let edition = self.generation.rules_at(None, Position::MAX);
        let answer = self.generation.answer(it.customer, &edition.rules, &mut moment)?;
        (Some(V::placement(&answer)) == it.after).then_some(answer)
    }

    /// The moves that follow those that were told, as far as they were made together; nothing if there is none yet.
    pub fn after(&self) -> Result<Option<Arc<Moves<V::Placement>>>, WatchError> {
        if !Arc::ptr_eq(&self.projector.serving()?, &self.generation) {
            return Err(WatchError::Anew);
        }
        Ok(self.generation.moves_after(self.cursor())?)
    }

    /// The moves before this number were told.
    pub fn tell(&mut self, number: u64) {
        self.told = number;
    }

    /// Up to where was told.
    pub fn cursor(&self) -> Cursor {
        Cursor { ring_id: *self.ring_id, told: self.told }
    }

    /// The moves that are there now are all that events up to this position, and time up to this instant, have made.
    pub fn reached(&self) -> (Position, Timestamp) {
        // Before the timers are drained: the moves of these events are there.
        let position = self.generation.position();
        (position, self.generation.drain(self.projector.now()))
    }
}

impl From<Gone> for WatchError {
    fn from(gone: Gone) -> Self {
        match gone {
            Gone::Outrun => Self::Outrun,
            Gone::Other => Self::Anew,
        }
    }
}
