//! One customer's way through the funnel: docs/views.md section 3.

use crate::admit::Admitted;
use crate::clock::shanghai_month;
use crate::contract::{Contract, contracts};

/// The steps, the earlier first.
pub const STEPS: [&str; 5] = ["KNOWN", "VISITED", "SUBSCRIBED", "SIGNED", "DELIVERED"];

/// When a customer reached each step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Funnel {
    /// For each of [`STEPS`], when it was reached, in microseconds.
    pub reached: [Option<i64>; 5],
    /// The Shanghai month of the first event.
    pub cohort: String,
    /// Of the first event that names one, else UNKNOWN.
    pub lead_source: String,
}

/// "Customers who ever reached KNOWN, VISITED, SUBSCRIBED, SIGNED, DELIVERED by then."
pub(crate) fn funnel(admitted: &Admitted<'_>) -> Funnel {
    let first_of = |kind: &str| admitted.of(kind).first().map(|event| event.at);
    let known = admitted.events[0].at;
    let own = [
        Some(known),
        first_of("VisitRecorded"),
        first_of("SubscriptionPlaced"),
        first_of("ContractSigned"),
        contracts(admitted).iter().filter_map(Contract::delivered_at).min(),
    ];
    // "A later step implies the earlier ones": an earlier step is reached no later than any step after it.
    let mut reached = [None; 5];
    for step in 0..own.len() {
        reached[step] = own[step..].iter().flatten().min().copied();
    }
    let named = admitted.events.iter().find_map(|event| event.text("lead_source"));
    Funnel { reached, cohort: shanghai_month(known), lead_source: named.unwrap_or("UNKNOWN").to_owned() }
}
