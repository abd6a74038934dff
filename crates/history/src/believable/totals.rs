//! What was generated, counted while generating.

use std::collections::BTreeMap;

use touchpoint::{Kind, Touchpoint};

use super::Customer;
use crate::Planned;

/// Learning of an event this much later makes it a late one.
const LATE_MICROS: i64 = touchpoint::Timestamp::DAY;

/// Counts of a population.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Customers, erased ones included.
    pub customers: u64,
    /// Distinct events.
    pub events: u64,
    /// Events that are sent a second time.
    pub duplicates: u64,
    /// Events that an EventVoided names.
    pub voided: u64,
    /// Customers with a CustomerErased.
    pub erased: u64,
    /// Events that the company learned of more than a day later.
    pub late: u64,
    /// Distinct events by type.
    pub by_kind: BTreeMap<Kind, u64>,
}

impl Totals {
    /// Counts a customer.
    pub fn add(&mut self, customer: &Customer) {
        self.customers += 1;
        self.events += customer.planned.len() as u64;
        self.duplicates += customer.resent.len() as u64;
        for planned in &customer.planned {
            self.count(planned);
        }
    }

    /// Everything that is sent: events and their duplicates.
    pub fn sent(&self) -> u64 {
        self.events + self.duplicates
    }

    fn count(&mut self, planned: &Planned) {
        let event = &planned.event;
        *self.by_kind.entry(event.body.kind()).or_default() += 1;
        self.late += u64::from(planned.recorded_at.since(event.occurred_at) > LATE_MICROS);
        match event.body {
            Touchpoint::EventVoided(_) => self.voided += 1,
            Touchpoint::CustomerErased(_) => self.erased += 1,
            _ => {}
        }
    }
}
