//! Events become facts of records: a batch is decoded, and filed at once while lists are kept, in larger buckets before.

use std::sync::Arc;

use touchpoint::{CustomerId, Position, Timestamp};
use view_store::PageNumber;
use views::{Record, View};

use crate::cores;
use crate::generation::{Generation, lock};
use crate::moves::Cause;
use crate::pages::{Slot, shares};
use crate::rules::RuleBook;
use crate::source::Batch;
use crate::staging::{Staging, Waiting};

/// Facts for which another thread is worth its start.
const FACTS_A_THREAD: u64 = 4_000;

/// Whose record changed, and by what at last.
type Touched = Vec<(PageNumber, CustomerId, Position)>;

impl<V: View> Generation<V> {
    /// Takes a batch in. While lists are kept, every touched customer is in its place in them when this returns, and
    /// the position has moved; before that events may wait until [`Generation::settle`] files them.
    pub fn fold(&self, batch: &Batch, now: Timestamp) {
        let Some(last) = batch.entries.last() else { return };
        let latest = batch.entries.iter().fold(last.recorded_at, |latest, entry| latest.max(entry.recorded_at));
        self.present.recorded(latest);
        self.positions.saw_end(batch.log_end.max(last.position));
        let mut staging = lock(&self.staging);
        let mut news = self.book_with(&batch.entries);
        if !self.is_live() {
            news.take().into_iter().for_each(|book| self.publish(book));
        }
        staging.take_in(batch, !self.is_live(), self.priority());
        self.positions.take_in(last.position);
        if self.is_live() || staging.is_full() {
            self.file(&mut staging, news, now);
        }
    }

    /// Files all that waits, and gives the room back.
    pub fn settle(&self, now: Timestamp) {
        self.file_all_of(&mut lock(&self.staging), now);
    }

    /// As [`Self::settle`], for who has it locked.
    pub(crate) fn file_all_of(&self, staging: &mut Staging, now: Timestamp) {
        self.file(staging, None, now);
        staging.shrink();
    }

    /// Files what waits. Where rules were activated, everybody is placed anew by them before the position moves.
    fn file(&self, staging: &mut Staging, news: Option<Arc<RuleBook>>, now: Timestamp) {
        let Some(reached) = staging.reached() else { return };
        let touched = {
            // Held while the records change, so that digests are always of the position that they are reported with.
            let mut changes = lock(&self.changes);
            let touched = self.file_all(staging);
            touched.iter().for_each(|(page, ..)| changes.mark(*page));
            let checkpoint = &mut changes.checkpoint;
            (checkpoint.position, checkpoint.digest) = (reached.position, reached.digest);
            touched
        };
        match news {
            Some(book) => self.relist(staging, book, self.at_least(now)),
            None if self.is_live() => {
                let caused = |(_, customer, position)| (customer, Cause::Event(position));
                let customers: Vec<_> = touched.into_iter().map(caused).collect();
                self.move_all(&customers, self.at_least(now));
            }
            None => {}
        }
        self.counters.folded(staging.events());
        staging.clear();
        self.positions.apply(reached.position);
    }

    /// Files what waits, some groups of pages on each thread.
    fn file_all(&self, staging: &Staging) -> Touched {
        let threads = (staging.events() / FACTS_A_THREAD).clamp(1, self.threads() as u64) as usize;
        let filed = cores::share_out(self.priority(), shares(threads), |groups| -> Touched {
            groups.flat_map(|group| self.file_group(&staging.of_group(group))).collect()
        });
        let mut touched: Touched = filed.into_iter().flatten().collect();
        for &(page, customer, parked) in staging.parked() {
            let changed = self.pages.write(page, customer, |slot| self.change(slot, |record| record.park(parked)));
            touched.extend(changed.then_some((page, customer, parked.position)));
        }
        touched
    }

    fn file_group(&self, facts: &[Waiting<'_>]) -> Touched {
        let mut touched = Vec::new();
        self.pages.write_runs(facts, |slot, facts| {
            let mut last = None;
            if self.change(slot, |record| {
                last = self.file_run(record, facts);
                last.is_some()
            }) {
                touched.extend(last.map(|it| (it.page, it.customer, it.position)));
            }
        });
        touched
    }

    /// Files what waits for one customer; the last that changed the record.
    fn file_run<'w>(&self, record: &mut Record, facts: &'w [Waiting<'w>]) -> Option<&'w Waiting<'w>> {
        record.reserve(facts.len(), facts.iter().map(|it| it.fact.as_bytes().len()).sum());
        facts
            .iter()
            .fold(None, |last, it| if self.counters.filed(record.file_packed(it.fact)) { Some(it) } else { last })
    }

    /// Changes a record, and with it what is known of all records; true if it changed.
    pub(crate) fn change(&self, slot: &mut Slot<V>, change: impl FnOnce(&mut Record) -> bool) -> bool {
        let before = slot.record.as_bytes().len();
        if !change(&mut slot.record) {
            return false;
        }
        self.counters.resized(before, slot.record.as_bytes().len());
        let mut parking = lock(&self.parking);
        if parking.concerns(slot.customer, &slot.record) {
            parking.update(slot.customer, &slot.record);
        }
        true
    }
}
