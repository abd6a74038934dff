//! Parked events are read once more: the customer's record is folded again from the log, so that it equals a refold
//! whatever was filed meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;
use touchpoint::{EventId, Position};
use views::View;

use crate::error::RefoldError;
use crate::generation::{Generation, lock};
use crate::parking::ParkedEvent;
use crate::projector::Projector;

/// The most events that one retry takes on.
pub const MAX_RETRIED: usize = 1_000;

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
    /// Reads these parked events once more, or the first [`MAX_RETRIED`] of all if none is named. What was read is
    /// durable when this returns.
    pub async fn retry_parked(
        &self,
        positions: &[Position],
        until: Instant,
    ) -> Result<Vec<(Position, Retried)>, RefoldError> {
        let generation = self.serving()?;
        let parked: BTreeMap<_, _> =
            generation.parked_after(Position::ZERO, usize::MAX).into_iter().map(|it| (it.position, it)).collect();
        let wanted: BTreeSet<Position> = match positions {
            [] => parked.keys().copied().take(MAX_RETRIED).collect(),
            some => some.iter().copied().take(MAX_RETRIED).collect(),
        };
        let customers: BTreeSet<_> = wanted.iter().filter_map(|it| parked.get(it)).map(|it| it.customer).collect();
        let mut commit = None;
        for customer in customers {
            commit = commit.max(self.refold(&generation, customer).await?.and_then(|it| it.commit));
        }
        generation.kept(commit, until).await?;
        let came_of = |position: Position| match generation.parked_at(position) {
            _ if !parked.contains_key(&position) => Retried::NotParked,
            Some(still) => Retried::StillParked(still.reason),
            None => Retried::Read,
        };
        Ok(wanted.into_iter().map(|position| (position, came_of(position))).collect())
    }
}

impl<V: View> Generation<V> {
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
