//! One customer folded again from the log: what the record says is compared with what the log says, and put right where
//! it differs.

use tokio::time::{Instant, timeout_at};
use touchpoint::{CustomerId, Position, Recorded, Timestamp};
use view_store::PageNumber;
use views::{Difference, Parked, Record, View, differences};

use crate::changes::Commit;
use crate::error::RefoldError;
use crate::generation::{Generation, lock};
use crate::moves::Cause;
use crate::projector::Projector;
use crate::source::Entry;
use crate::staging::read;

/// How often a customer is looked at, where new events of theirs keep coming in between. Three looks put a record right:
/// one to suspect, one to be sure, one to see that it is the same afterwards.
const LOOKS: usize = 8;

/// A customer whose record says what the log says, by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refolded {
    /// Up to this position of the log.
    pub position: Position,
    /// How the record was different before; nothing if it was not.
    pub differences: Vec<Difference>,
    /// The commit that takes the change along.
    pub(crate) commit: Option<Commit>,
}

/// A record, and what the log folds to as far as it reaches.
#[derive(PartialEq, Eq)]
struct Suspicion {
    record: Record,
    refolded: Record,
}

impl<V: View> Projector<V> {
    /// Folds one customer again from the log, and returns when the record says the same, durably; nothing if neither
    /// the log nor the view knows of the customer.
    pub async fn rebuild_customer(
        &self,
        customer: CustomerId,
        until: Instant,
    ) -> Result<Option<Refolded>, RefoldError> {
        let generation = self.serving()?;
        let refolded = self.refold(&generation, customer).await?;
        let commit = refolded.as_ref().and_then(|it| it.commit);
        generation.kept(commit, until).await?;
        Ok(refolded)
    }

    /// As [`Projector::rebuild_customer`], without waiting for the change to be durable.
    ///
    /// A record is put right only by what was read twice alike of a log that is whole: a log that gives too little for
    /// a moment changes nothing.
    pub(crate) async fn refold(
        &self,
        generation: &Generation<V>,
        customer: CustomerId,
    ) -> Result<Option<Refolded>, RefoldError> {
        let source = &self.inner.options.source;
        let (mut suspicion, mut found, mut commit) = (None, Vec::new(), None);
        for _ in 0..LOOKS {
            let (record, position) = tokio::task::block_in_place(|| generation.record_at(customer));
            let entries = source.timeline(customer, position).await?;
            let refolded = folded(customer, entries.iter().filter(|it| it.position <= position));
            if record == refolded {
                let is_known = refolded != Record::default() || commit.is_some();
                return Ok(is_known.then_some(Refolded { position, differences: found, commit }));
            }
            let now = Suspicion { record, refolded };
            if suspicion.as_ref() != Some(&now) {
                suspicion = Some(now);
                continue;
            }
            source.check(generation.checkpoint()).await?;
            let Suspicion { record, refolded } = now;
            // Nothing after the position should be in the record; if it is, it is a difference, too.
            let differ = differences(&record, &refolded, Position(u64::MAX));
            let replaced =
                tokio::task::block_in_place(|| generation.put_right(customer, &record, refolded, self.now()));
            if let Some(replaced) = replaced {
                found.extend(differ);
                commit = Some(replaced);
            }
        }
        Err(RefoldError::Moving)
    }
}

impl<V: View> Generation<V> {
    /// A customer's record, and the position whose events are in it, and none after.
    fn record_at(&self, customer: CustomerId) -> (Record, Position) {
        // Held so that nothing is filed meanwhile.
        let _staging = lock(&self.staging);
        (self.record(customer), self.position())
    }

    /// Puts a record in the place of another one; gives the commit that takes it along. Nothing, and without effect, if
    /// the record has changed by now.
    fn put_right(&self, customer: CustomerId, old: &Record, new: Record, now: Timestamp) -> Option<Commit> {
        let page = PageNumber::of(customer.as_u128());
        let is_empty = new == Record::default();
        // Held so that nothing else is filed meanwhile.
        let _staging = lock(&self.staging);
        {
            let mut changes = lock(&self.changes);
            if self.record(customer) != *old {
                return None;
            }
            self.counters.replaced(old, &new);
            let put = |record: &mut Record| {
                *record = new;
                true
            };
            self.pages.write(page, customer, |slot| self.change(slot, put));
            changes.mark(page);
        }
        if self.is_live() {
            self.move_all(&[(customer, Cause::ReadAgain)], self.at_least(now));
        }
        let mut changes = lock(&self.changes);
        if is_empty && let Some(digests) = self.pages.remove(page, customer) {
            changes.forget(digests);
        }
        // Once more: a commit in between may have taken the page along, and the next one is waited for.
        changes.mark(page);
        Some(changes.next_commit())
    }

    /// Waits until a change is durable, if there is one.
    pub(crate) async fn kept(&self, commit: Option<Commit>, until: Instant) -> Result<(), RefoldError> {
        let Some(commit) = commit else { return Ok(()) };
        let mut durable = self.durable();
        match timeout_at(until, durable.wait_for(|done| *done >= commit)).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(RefoldError::NotDurable),
        }
    }
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
