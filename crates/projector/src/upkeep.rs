//! Lists and totals of a generation, kept in step with its records and with time.

use std::sync::{Arc, PoisonError, RwLockReadGuard, RwLockWriteGuard};

use touchpoint::{CustomerId, MAX_CLOCK_LEAD, Timestamp};
use view_store::PageNumber;
use views::rules::Rules;
use views::{Moment, Record, View};

use crate::cores::{self, Priority};
use crate::generation::{Generation, lock};
use crate::lists::{Lists, Placed};
use crate::moves::{Cause, Cursor, Gone, Moves, RingId};
use crate::pages::shares;
use crate::rules::{Edition, RuleBook};
use crate::staging::Staging;

/// Customers that are moved in the lists under one lock, so that queries get in between.
const MOVED_AT_ONCE: usize = 256;

/// A group of pages, and where its customers stand, in the order of their slots.
type Standing<V> = (usize, Vec<Placed<V>>);

fn placed<V: View>(record: &Record, rules: &Rules, now: Timestamp) -> Placed<V> {
    let mut moment = Moment::now(now);
    let answer = V::answer(record, rules, &mut moment);
    (answer.map(|answer| V::placement(&answer)), moment.valid_until())
}

/// Lists at this instant cannot be so far ahead of the present, unless a clock was wrong.
fn is_ahead(as_of: Timestamp, now: Timestamp) -> bool {
    as_of > now.plus_micros(MAX_CLOCK_LEAD)
}

impl<V: View> Generation<V> {
    /// Files what waits, and builds lists and totals in one pass; from then on they are kept.
    pub fn go_live(&self, now: Timestamp) {
        let mut staging = lock(&self.staging);
        self.list_all(&mut staging, now);
        self.note_live();
    }

    fn list_all(&self, staging: &mut Staging, now: Timestamp) {
        self.file_all_of(staging, now);
        self.relist(staging, self.book(), self.at_least(now));
    }

    /// Builds lists again that are of an instant far ahead of this one.
    fn put_back(&self, now: Timestamp) {
        let mut staging = lock(&self.staging);
        // Somebody else may have done it meanwhile.
        if is_ahead(self.lists().as_of, now) {
            tracing::warn!(view = V::NAME, %now, "the clock was ahead and is put right: lists are built again");
            self.list_all(&mut staging, now);
        }
    }

    /// Places everybody by the rules in force of this book, beside the lists that are kept, and puts all in their place
    /// at once. `_filed` is held so that no record changes meanwhile; who is moved by time meanwhile is moved again.
    pub(crate) fn relist(&self, _filed: &Staging, book: Arc<RuleBook>, now: Timestamp) {
        let edition = book.last().clone();
        let parts = cores::share_out(self.priority(), shares(self.threads()), |groups| {
            self.listed(groups, &edition.rules, now)
        });
        let (parts, standing): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        let mut made = cores::merged(parts, Lists::merge);
        (made.as_of, made.edition) = (now, edition);
        let mut lists = self.lists_mut();
        cores::share_out(Priority::Normal, standing, |standing| standing.into_iter().for_each(|it| self.put(it)));
        let drained = if is_ahead(lists.as_of, now) { now } else { lists.as_of.max(now) };
        let old = std::mem::replace(&mut *lists, made);
        while self.move_next(&mut lists, drained) {}
        self.publish(book);
        drop(lists);
        drop(old);
    }

    /// Evaluates the customers of these groups, and lists them. They are placed in the order of their lists: sets
    /// that grow at their end are made several times as fast.
    fn listed(
        &self,
        groups: impl Iterator<Item = usize>,
        rules: &Rules,
        now: Timestamp,
    ) -> (Lists<V>, Vec<Standing<V>>) {
        let (mut order, mut timers, mut standing) = (Vec::new(), Vec::new(), Vec::<Standing<V>>::new());
        for group in groups {
            let mut all = Vec::new();
            self.pages.scan(group, |slot| {
                let (placement, due) = placed::<V>(&slot.record, rules, now);
                let rank = placement.as_ref().map(V::rank);
                order.extend(rank.map(|rank| (rank, slot.customer, standing.len(), all.len())));
                timers.extend((due < Timestamp::MAX).then_some((due, slot.customer)));
                all.push((placement, due));
            });
            standing.push((group, all));
        }
        order.sort_unstable();
        let mut lists = Lists::of(timers);
        let placement = |group: usize, index: usize| standing[group].1[index].0.as_ref();
        let placed = order.into_iter().filter_map(|(_, who, group, index)| Some((who, placement(group, index)?)));
        lists.place_all(placed);
        (lists, standing)
    }

    /// Puts the customers of a group where they stand.
    fn put(&self, (group, standing): Standing<V>) {
        let mut standing = standing.into_iter();
        self.pages.scan_mut(group, |slot| {
            if let Some(placed) = standing.next() {
                (slot.placement, slot.due) = placed;
            }
        });
    }

    /// Moves customers whose records have changed, some at a time, so that queries get in between.
    pub(crate) fn move_all(&self, customers: &[(CustomerId, Cause)], now: Timestamp) {
        for some in customers.chunks(MOVED_AT_ONCE) {
            let mut lists = self.lists_mut();
            // Never before an instant at which others stand already.
            let now = now.max(lists.as_of);
            some.iter().for_each(|(customer, cause)| self.move_one(&mut lists, *customer, *cause, now));
            lists.ring.close(now, self.position());
            lists.as_of = now;
        }
    }

    fn move_one(&self, lists: &mut Lists<V>, customer: CustomerId, cause: Cause, now: Timestamp) {
        self.pages.write(PageNumber::of(customer.as_u128()), customer, |slot| {
            let placed = placed::<V>(&slot.record, &lists.edition.rules, now);
            lists.replace(slot, placed, cause);
        });
    }

    /// Moves every customer whose placement has ended by time alone; returns the instant at which all hold.
    pub fn drain(&self, now: Timestamp) -> Timestamp {
        let now = self.at_least(now);
        if self.is_live() && is_ahead(self.lists().as_of, now) {
            self.put_back(now);
        }
        loop {
            let mut lists = self.lists_mut();
            let now = now.max(lists.as_of);
            for _ in 0..MOVED_AT_ONCE {
                if !self.move_next(&mut lists, now) {
                    return now;
                }
            }
            lists.ring.close(now, self.position());
        }
    }

    /// Moves one customer whose placement has ended by then; if there is none, the lists are drained.
    fn move_next(&self, lists: &mut Lists<V>, now: Timestamp) -> bool {
        let next = lists.due(now);
        match next {
            Some((due, customer)) => self.move_one(lists, customer, Cause::Time(due), now),
            None => {
                lists.ring.close(now, self.position());
                lists.as_of = now;
            }
        }
        next.is_some()
    }

    fn lists(&self) -> RwLockReadGuard<'_, Lists<V>> {
        self.lists.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn lists_mut(&self) -> RwLockWriteGuard<'_, Lists<V>> {
        self.lists.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists and totals now, the instant at which they hold, and their rules.
    pub fn totals<T>(&self, now: Timestamp, read: impl FnOnce(&V::Totals, Timestamp, &Arc<Edition>) -> T) -> T {
        self.drain(now);
        let lists = self.lists();
        read(&lists.totals, lists.as_of, &lists.edition)
    }

    /// Keeps moves from now on, as long as a watcher has what this gives; and the number of the next move.
    pub(crate) fn keep_moves(&self, name: impl FnOnce() -> RingId) -> (Arc<RingId>, u64) {
        let mut lists = self.lists_mut();
        (lists.ring.keep(name), lists.ring.next())
    }

    /// As [`Self::keep_moves`], for who comes back.
    pub(crate) fn keep_moves_after(&self, cursor: Cursor) -> Result<Arc<RingId>, Gone> {
        self.lists().ring.keep_after(cursor)
    }

    /// The moves that follow a cursor, as far as they were made together; nothing if there is none yet.
    pub(crate) fn moves_after(&self, cursor: Cursor) -> Result<Option<Arc<Moves<V::Placement>>>, Gone> {
        self.lists().ring.after(cursor)
    }

    /// Customers with an answer, and timers that wait.
    pub(crate) fn sizes(&self) -> (u64, usize) {
        let lists = self.lists();
        (lists.customers, lists.timers())
    }
}
