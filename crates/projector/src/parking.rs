//! Which events are parked, over all customers. Derived from the records.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use touchpoint::{CustomerId, EventId, Position, Timestamp};
use views::{Record, unvoided_parked};

/// An event that could not be read, and waits for somebody to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedEvent {
    /// Where it stands in the log.
    pub position: Position,
    /// Whose it is.
    pub customer: CustomerId,
    /// Its id, if at least that could be read.
    pub id: Option<EventId>,
    /// When the log took it.
    pub recorded_at: Timestamp,
    /// The code of the reason.
    pub reason: &'static str,
}

/// The parked events of a generation.
#[derive(Debug, Default)]
pub(crate) struct Parking {
    events: BTreeMap<Position, ParkedEvent>,
    customers: HashMap<CustomerId, Vec<Position>>,
}

impl Parking {
    /// Takes over what a customer's record says now.
    pub(crate) fn update(&mut self, customer: CustomerId, record: &Record) {
        for position in self.customers.remove(&customer).unwrap_or_default() {
            self.events.remove(&position);
        }
        let parked = unvoided_parked(record);
        if !parked.is_empty() {
            self.customers.insert(customer, parked.iter().map(|it| it.position).collect());
        }
        self.events.extend(parked.into_iter().map(|it| {
            let (position, id, recorded_at, reason) = (it.position, it.id, it.recorded_at, it.reason.code());
            (position, ParkedEvent { position, customer, id, recorded_at, reason })
        }));
    }

    /// The customer has, or had, something parked.
    pub(crate) fn concerns(&self, customer: CustomerId, record: &Record) -> bool {
        record.has_parked() || self.customers.contains_key(&customer)
    }

    /// How many.
    pub(crate) fn count(&self) -> usize {
        self.events.len()
    }

    /// Those after a position.
    pub(crate) fn after(&self, position: Position) -> impl Iterator<Item = &ParkedEvent> {
        self.events.range((Bound::Excluded(position), Bound::Unbounded)).map(|(_, event)| event)
    }

    /// The one at a position.
    pub(crate) fn at(&self, position: Position) -> Option<&ParkedEvent> {
        self.events.get(&position)
    }

    /// The latest by position.
    pub(crate) fn last(&self) -> Option<&ParkedEvent> {
        self.events.values().next_back()
    }
}
