//! Lists, totals and timers: derived from the records, never stored.

use std::collections::BTreeSet;
use std::sync::Arc;

use touchpoint::{CustomerId, Timestamp};
use views::{Sign, View};

use crate::moves::{Cause, Ring};
use crate::pages::Slot;
use crate::rules::Edition;

/// The sum of all placements at one instant, and when each of them ends.
pub(crate) struct Lists<V: View> {
    pub(crate) totals: V::Totals,
    /// When a placement ends with time alone.
    timers: BTreeSet<(Timestamp, CustomerId)>,
    /// Every placement holds at this instant.
    pub(crate) as_of: Timestamp,
    /// The rules by which everybody is placed.
    pub(crate) edition: Arc<Edition>,
    /// Customers with an answer.
    pub(crate) customers: u64,
    /// Who moved of late. Lists that are made anew have none: who watched reads them again.
    pub(crate) ring: Ring<V::Placement>,
}

impl<V: View> Default for Lists<V> {
    fn default() -> Self {
        let (totals, timers, edition, ring) = Default::default();
        Self { totals, timers, as_of: Timestamp::MIN, edition, customers: 0, ring }
    }
}

/// Customers and where they stand, to be listed together: sets that grow at their end are made several times as fast.
pub struct Placements<V: View>(Vec<(u32, CustomerId, V::Placement)>);

impl<V: View> Default for Placements<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<V: View> Placements<V> {
    /// Where the customer of this answer stands.
    pub fn add(&mut self, customer: CustomerId, answer: &V::Answer) {
        let placement = V::placement(answer);
        self.0.push((V::rank(&placement), customer, placement));
    }

    /// Lists and totals of them.
    pub fn totals(mut self) -> V::Totals {
        self.0.sort_unstable_by_key(|(rank, customer, _)| (*rank, *customer));
        let mut totals = V::Totals::default();
        V::place_all(&mut totals, self.0.iter().map(|(_, customer, placement)| (*customer, placement)));
        totals
    }
}

/// A customer's answer, as far as lists need it: the placement and until when it holds.
pub(crate) type Placed<V> = (Option<<V as View>::Placement>, Timestamp);

impl<V: View> Lists<V> {
    /// The lists of more customers, made at the same instant.
    pub(crate) fn merge(&mut self, mut others: Self) {
        V::merge(&mut self.totals, others.totals);
        self.timers.append(&mut others.timers);
        self.customers += others.customers;
    }

    /// Lists of customers who are in none yet, in any order.
    pub(crate) fn of(timers: Vec<(Timestamp, CustomerId)>) -> Self {
        Self { timers: timers.into_iter().collect(), ..Self::default() }
    }

    /// The next customer whose placement has ended by then, and when it did.
    pub(crate) fn due(&self, now: Timestamp) -> Option<(Timestamp, CustomerId)> {
        self.timers.first().filter(|(due, _)| *due <= now).copied()
    }

    /// Moves a customer from the old placement to the new one.
    pub(crate) fn replace(&mut self, slot: &mut Slot<V>, (placement, due): Placed<V>, cause: Cause) {
        self.remove(slot);
        let before = std::mem::replace(&mut slot.placement, placement);
        slot.due = due;
        self.add(slot);
        self.ring.note(slot.customer, before, &slot.placement, cause);
    }

    fn add(&mut self, slot: &Slot<V>) {
        if let Some(placement) = &slot.placement {
            V::place(&mut self.totals, slot.customer, placement, Sign::Add);
            self.customers += 1;
        }
        if slot.due < Timestamp::MAX {
            self.timers.insert((slot.due, slot.customer));
        }
    }

    /// Takes in customers whose timers are there, in the order of their lists.
    pub(crate) fn place_all<'p>(&mut self, placed: impl Iterator<Item = (CustomerId, &'p V::Placement)>) {
        V::place_all(&mut self.totals, placed.inspect(|_| self.customers += 1));
    }

    fn remove(&mut self, slot: &Slot<V>) {
        if let Some(placement) = &slot.placement {
            V::place(&mut self.totals, slot.customer, placement, Sign::Remove);
            self.customers -= 1;
        }
        if slot.due < Timestamp::MAX {
            self.timers.remove(&(slot.due, slot.customer));
        }
    }

    /// Timers that wait.
    pub(crate) fn timers(&self) -> usize {
        self.timers.len()
    }
}
