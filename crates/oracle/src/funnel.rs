//! One customer's way through the funnel: docs/views.md section 3.

use crate::admit::Admitted;
use crate::clock::shanghai_month;
use crate::contract::{Contract, contracts};
use crate::event::Evidence;

/// The steps, the earlier first.
pub const STEPS: [&str; 5] = ["KNOWN", "VISITED", "SUBSCRIBED", "SIGNED", "DELIVERED"];

/// When a customer reached each step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Funnel {
    /// For each of [`STEPS`], when it was reached, in microseconds.
    pub reached: [Option<i64>; 5],
    /// By which event: its own if that is as early as any of a later step.
    pub by: [Option<Evidence>; 5],
    /// The Shanghai month of the first event.
    pub cohort: String,
    /// Of the first event that names one, else UNKNOWN.
    pub lead_source: String,
}

/// "Customers who ever reached KNOWN, VISITED, SUBSCRIBED, SIGNED, DELIVERED by then."
pub(crate) fn funnel(admitted: &Admitted<'_>) -> Funnel {
    let first_of = |kind: &str| admitted.of(kind).first().map(|event| (event.at, event.order()));
    let known = admitted.events[0];
    let own = [
        Some((known.at, known.order())),
        first_of("VisitRecorded"),
        first_of("SubscriptionPlaced"),
        first_of("ContractSigned"),
        contracts(admitted).iter().filter_map(Contract::delivered_by).min(),
    ];
    // "A later step implies the earlier ones": an earlier step is reached no later than any step after it.
    let (mut reached, mut by) = ([None; 5], [None; 5]);
    for step in 0..own.len() {
        let earliest = own[step..].iter().flatten().min_by_key(|(at, _)| at);
        reached[step] = earliest.map(|(at, _)| *at);
        by[step] = earliest.map(|(_, event)| *event);
    }
    let named = admitted.events.iter().find_map(|event| event.text("lead_source"));
    let lead_source = named.unwrap_or("UNKNOWN").to_owned();
    Funnel { reached, by, cohort: shanghai_month(known.at), lead_source }
}
