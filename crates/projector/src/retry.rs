//! Parked events are read once more: the customer's record is folded again from the log, so that it equals a refold
//! whatever was filed meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use touchpoint::{CustomerId, EventId, Position, Recorded, Timestamp};
use view_store::PageNumber;
use views::{Parked, Record, View};

use crate::error::RetryError;
use crate::generation::{Generation, lock};
use crate::moves::Cause;
use crate::parking::ParkedEvent;
use crate::projector::Projector;
use crate::source::Entry;
use crate::staging::read;

/// The most events that one retry takes on.
pub const MAX_RETRIED: usize = 1_000;
/// How often the events of a customer are read again, where the log has just got more of them.
const READS: usize = 3;

/// What came of reading an event once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retried {
    /// It was read.
    Read,
    /// It still cannot be read, for the reason of this code.
    StillParked(&'static str),
    /// Nothing was parked there.
    NotParked,
}

impl<V: View> Projector<V> {
    /// Reads these parked events once more, or the first [`MAX_RETRIED`] of all if none is named.
    pub async fn retry_parked(&self, positions: &[Position]) -> Result<Vec<(Position, Retried)>, RetryError> {
        let generation = self.serving()?;
        let parked: BTreeMap<_, _> =
            generation.parked_after(Position::ZERO, usize::MAX).into_iter().map(|it| (it.position, it)).collect();
        let wanted: BTreeSet<Position> = match positions {
            [] => parked.keys().copied().take(MAX_RETRIED).collect(),
            some => some.iter().copied().take(MAX_RETRIED).collect(),
        };
        let customers: BTreeSet<_> = wanted.iter().filter_map(|it| parked.get(it)).map(|it| it.customer).collect();
        for customer in customers {
            self.refold(&generation, customer).await?;
        }
        let came_of = |position: Position| match generation.parked_at(position) {
            _ if !parked.contains_key(&position) => Retried::NotParked,
            Some(still) => Retried::StillParked(still.reason),
            None => Retried::Read,
        };
        Ok(wanted.into_iter().map(|position| (position, came_of(position))).collect())
    }

    /// Folds one customer again from the log.
    async fn refold(&self, generation: &Generation<V>, customer: CustomerId) -> Result<(), RetryError> {
        for _ in 0..READS {
            let entries = (self.inner.options.source.timeline)(customer, generation.position()).await?;
            if tokio::task::block_in_place(|| generation.refold(customer, &entries, self.now())) {
                return Ok(());
            }
        }
        Err(RetryError::Moving)
    }
}

impl<V: View> Generation<V> {
    /// Puts the record in place that these entries, a customer's first ones, fold to. False, and nothing is changed,
    /// if the record knows of an event that is not among them.
    pub(crate) fn refold(&self, customer: CustomerId, entries: &[Entry], now: Timestamp) -> bool {
        // Held so that nothing else is filed meanwhile.
        let _staging = lock(&self.staging);
        let applied = self.position();
        let mut changes = lock(&self.changes);
        let (old, new) = (self.record(customer), folded(customer, entries.iter().filter(|it| it.position <= applied)));
        let known: BTreeSet<_> = entries.iter().map(|it| it.position).collect();
        if !positions(&old).all(|position| known.contains(&position)) {
            return false;
        }
        if new == old {
            return true;
        }
        if new.is_erased() && !old.is_erased() {
            self.erased.fetch_add(1, Ordering::Relaxed);
        }
        let page = PageNumber::of(customer.as_u128());
        self.pages.write(page, customer, |slot| {
            self.change(slot, |record| {
                *record = new;
                true
            })
        });
        changes.dirty.insert(page);
        changes.stale.insert(page);
        drop(changes);
        if self.is_live() {
            self.move_all(&[(customer, Cause::ReadAgain)], self.at_least(now));
        }
        true
    }

    /// Parked events after a position, by position.
    pub fn parked_after(&self, after: Position, limit: usize) -> Vec<ParkedEvent> {
        lock(&self.parking).after(after).take(limit).cloned().collect()
    }

    /// What is parked at a position.
    pub fn parked_at(&self, position: Position) -> Option<ParkedEvent> {
        lock(&self.parking).at(position).cloned()
    }

    /// The first parked event of an id.
    pub fn parked_by(&self, id: EventId) -> Option<ParkedEvent> {
        lock(&self.parking).after(Position::ZERO).find(|it| it.id == Some(id)).cloned()
    }
}

/// The positions of all that a record holds.
fn positions(record: &Record) -> impl Iterator<Item = Position> {
    let parked = record.parked().into_iter().map(|it| it.position);
    record.facts().map(|fact| fact.position).chain(parked)
}

/// What a customer's entries fold to.
fn folded<'a>(customer: CustomerId, entries: impl Iterator<Item = &'a Entry>) -> Record {
    let mut record = Record::default();
    for &Entry { position, recorded_at, ref body, .. } in entries {
        match read(customer, body) {
            Ok(event) => drop(record.file(&Recorded { position, recorded_at, event })),
            Err((reason, id)) => drop(record.park(Parked { position, recorded_at, reason, id })),
        }
    }
    record
}
