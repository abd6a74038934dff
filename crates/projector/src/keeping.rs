//! Lists and totals of a generation, kept in step with its records and with time.

use std::sync::{Arc, PoisonError, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::watch;
use touchpoint::{CustomerId, MAX_CLOCK_LEAD, Timestamp};
use view_store::PageNumber;
use views::{Moment, Record, View};

use crate::cores;
use crate::generation::Generation;
use crate::lists::{Lists, Placed};
use crate::moves::{Cause, Cursor, Gone, Keeping, Moves};
use crate::pages::shares;

/// Customers that are moved in the lists under one lock, so that queries get in between.
const MOVED_AT_ONCE: usize = 256;

impl<V: View> Generation<V> {
    /// Files what waits, and builds lists and totals in one pass; from then on they are kept.
    pub fn go_live(&self, now: Timestamp) {
        self.settle(now);
        let now = self.at_least(now);
        let mut lists = self.lists_mut();
        let parts = cores::share_out(self.manner(), shares(self.threads), |groups| self.listed(groups, now));
        *lists = cores::merged(parts, Lists::merge);
        lists.as_of = now;
        drop(lists);
        self.live.send_replace(true);
    }

    /// Evaluates the customers of these groups, and lists them. They are placed in the order of their lists: sets
    /// that grow at their end are made several times as fast.
    fn listed(&self, groups: impl Iterator<Item = usize>, now: Timestamp) -> Lists<V> {
        let (mut order, mut timers) = (Vec::new(), Vec::new());
        for group in groups {
            self.pages.scan_mut(group, |slot| {
                (slot.placement, slot.due) = self.placed(&slot.record, now);
                let rank = slot.placement.as_ref().map(V::rank);
                order.extend(rank.map(|rank| (rank, slot.customer)));
                timers.extend((slot.due < Timestamp::MAX).then_some((slot.due, slot.customer)));
            });
        }
        order.sort_unstable();
        let mut lists = Lists::of(timers);
        for (_, customer) in order {
            self.pages.read(customer, |slot| lists.place(slot));
        }
        lists
    }

    /// Lists and totals are kept.
    pub fn is_live(&self) -> bool {
        *self.live.borrow()
    }

    /// Whether lists and totals are kept, as it changes.
    pub(crate) fn live(&self) -> watch::Receiver<bool> {
        self.live.subscribe()
    }

    fn placed(&self, record: &Record, now: Timestamp) -> Placed<V> {
        let mut moment = Moment::now(now);
        let answer = V::answer(record, self.rules(), &mut moment);
        (answer.map(|answer| V::placement(&answer)), moment.valid_until())
    }

    /// Moves customers whose records have changed, some at a time, so that queries get in between.
    pub(crate) fn move_all(&self, customers: &[(CustomerId, Cause)], now: Timestamp) {
        for some in customers.chunks(MOVED_AT_ONCE) {
            let mut lists = self.lists_mut();
            // Never before an instant at which others stand already.
            let now = now.max(lists.as_of);
            some.iter().for_each(|(customer, cause)| self.move_one(&mut lists, *customer, *cause, now));
            lists.ring.close(now);
            lists.as_of = now;
        }
    }

    fn move_one(&self, lists: &mut Lists<V>, customer: CustomerId, cause: Cause, now: Timestamp) {
        self.pages.write(PageNumber::of(customer.as_u128()), customer, |slot| {
            let placed = self.placed(&slot.record, now);
            lists.replace(slot, placed, cause);
        });
    }

    /// Moves every customer whose placement has ended by time alone; returns the instant at which all hold.
    pub fn drain(&self, now: Timestamp) -> Timestamp {
        let now = self.at_least(now);
        if self.is_ahead_of(now) {
            tracing::warn!(view = V::NAME, %now, "the clock was ahead and is put right: lists are built again");
            self.go_live(now);
        }
        loop {
            let mut lists = self.lists_mut();
            let now = now.max(lists.as_of);
            for _ in 0..MOVED_AT_ONCE {
                let Some((due, customer)) = lists.due(now) else {
                    lists.ring.close(now);
                    lists.as_of = now;
                    return now;
                };
                self.move_one(&mut lists, customer, Cause::Time(due), now);
            }
            lists.ring.close(now);
        }
    }

    /// The lists are at an instant that this one cannot be so far behind, unless a clock was wrong.
    fn is_ahead_of(&self, now: Timestamp) -> bool {
        self.is_live() && self.lists().as_of > now.plus_micros(MAX_CLOCK_LEAD)
    }

    fn lists(&self) -> RwLockReadGuard<'_, Lists<V>> {
        self.lists.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn lists_mut(&self) -> RwLockWriteGuard<'_, Lists<V>> {
        self.lists.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists and totals now, and the instant at which they hold.
    pub fn totals<T>(&self, now: Timestamp, read: impl FnOnce(&V::Totals, Timestamp) -> T) -> T {
        self.drain(now);
        let lists = self.lists();
        read(&lists.totals, lists.as_of)
    }

    /// Keeps moves from now on, as long as a watcher has what this gives; and the number of the next move.
    pub(crate) fn keep_moves(&self, name: impl FnOnce() -> Keeping) -> (Arc<Keeping>, u64) {
        let mut lists = self.lists_mut();
        (lists.ring.keep(name), lists.ring.next())
    }

    /// As [`Self::keep_moves`], for who comes back.
    pub(crate) fn keep_moves_after(&self, cursor: Cursor) -> Result<Arc<Keeping>, Gone> {
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
