//! The bound of one customer's events, and who has reached it.
//!
//! The server keeps the bound: a message beyond it is refused, and so is the whole batch that has one. The refusal does
//! not say whose message it was, so the customers of the batch are asked about, once; who is known to be full goes
//! alone from then on, and holds up nobody's group.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::{StreamExt, stream};
use touchpoint::CustomerId;

use crate::append::Draft;
use crate::entry::customer_subject;
use crate::stream::{AskError, Log};

/// The most events of one customer: what every view can keep, order and evaluate at once. An operator may raise it in
/// the stream, up to [`MAX_RAISED_EVENTS`], so that a full customer can still be erased.
pub const MAX_CUSTOMER_EVENTS: u64 = 10_000;
/// The highest that the bound may be raised to.
pub const MAX_RAISED_EVENTS: u64 = 2 * MAX_CUSTOMER_EVENTS;
/// An existing stream gets the bound only while nobody has more events than this: the server deletes what is beyond a
/// bound, and events arrive between the count and the bound.
pub(crate) const MAX_UNBOUNDED_EVENTS: u64 = MAX_CUSTOMER_EVENTS / 2;
/// Customers who are remembered as full; more are found out again.
const MAX_FULL_CUSTOMERS: usize = 10_000;
/// Customers who are asked about at once.
const ASKED_AT_ONCE: usize = 256;

/// How many events a customer has, and may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) events: u64,
    bound: u64,
}

impl Room {
    /// How many more events the log takes.
    pub(crate) const fn left(self) -> u64 {
        self.bound.saturating_sub(self.events)
    }
}

impl Log {
    /// How much room a customer has.
    pub(crate) async fn room_of(&self, customer: CustomerId) -> Result<Room, AskError> {
        let subject = customer_subject(customer);
        let info = self.stream_info_of(&subject).await?;
        let events = info.state.subjects.get(&subject).copied().unwrap_or_default();
        let bound = info.config["max_msgs_per_subject"].as_u64().unwrap_or(u64::MAX);
        Ok(Room { events, bound })
    }

    /// How much room the customers of these drafts have; those who could not be asked about are left out.
    pub(crate) async fn rooms<'d>(&self, drafts: impl Iterator<Item = &'d Draft>) -> HashMap<CustomerId, Room> {
        let customers: std::collections::HashSet<_> = drafts.map(|draft| draft.customer).collect();
        let asked = stream::iter(customers).map(async |customer| (customer, self.room_of(customer).await));
        let known = asked.buffer_unordered(ASKED_AT_ONCE);
        known.filter_map(async |(customer, room)| Some((customer, room.ok()?))).collect().await
    }
}

/// Customers who were full when they were last asked about, and how many events they had.
#[derive(Debug, Default)]
pub(crate) struct Full {
    customers: Mutex<HashMap<CustomerId, u64>>,
}

impl Full {
    pub(crate) fn events_of(&self, customer: CustomerId) -> Option<u64> {
        self.customers().get(&customer).copied()
    }

    pub(crate) fn add(&self, customer: CustomerId, events: u64) {
        let mut customers = self.customers();
        if customers.len() >= MAX_FULL_CUSTOMERS {
            customers.clear();
        }
        customers.insert(customer, events);
    }

    pub(crate) fn remove(&self, customer: CustomerId) {
        self.customers().remove(&customer);
    }

    fn customers(&self) -> MutexGuard<'_, HashMap<CustomerId, u64>> {
        self.customers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
