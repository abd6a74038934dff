//! What all views share about one customer: stage, place, references, consent, silence.

use touchpoint::Timestamp;

use crate::admit::Admitted;
use crate::contract::live_contracts;
use crate::event::{Event, Evidence, History};
use crate::stage::{interactions, silent_since, stage, stage_by, stage_since};

/// What every answer about a customer carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// LEAD, PROSPECT, SUBSCRIBED, QUASI_OWNER, RUN_IN, STABLE, LONG_TERM, LOST or EXITED.
    pub stage: &'static str,
    /// LOST by silence alone.
    pub inferred: bool,
    /// The event that made the stage.
    pub stage_by: Option<Evidence>,
    /// An owner with a further contract that is not yet delivered.
    pub open_contract: bool,
    /// For an owner: the Shanghai date from which the months count, for example `2025-04-01`.
    pub owner_from: Option<String>,
    /// The customer's project.
    pub project: Option<String>,
    /// The customer's city company.
    pub company: Option<String>,
    /// The customer's consultant.
    pub consultant: Option<String>,
    /// References of admitted events that are unresolved.
    pub unresolved: i64,
    /// Consent to profiling is withdrawn.
    pub withheld: bool,
    /// Bodies that nobody could read, without voided ones.
    pub parked: usize,
    /// Events that count.
    pub events: usize,
    /// Interactions among them.
    pub interactions: usize,
    /// When the last interaction was, in microseconds.
    pub last_interaction: Option<i64>,
    /// The last interaction or LeadRegistered, else the first event; in microseconds.
    pub silent_since: i64,
    /// Whole days since then.
    pub days_silent: i64,
}

/// The customer at (as_of, known_at); nothing if not found, or erased.
pub fn customer(history: &History, as_of: Timestamp, known_at: Option<Timestamp>) -> Option<Customer> {
    let admitted = history.at(as_of, known_at)?;
    let stage = stage(&admitted);
    let interactions = interactions(&admitted);
    Some(Customer {
        stage: stage.name,
        inferred: stage.inferred,
        stage_by: stage_by(&admitted),
        open_contract: stage.open_contract,
        owner_from: stage.owner_from.map(|date| date.to_string()),
        project: place(&admitted, |event| event.project.clone()),
        company: place(&admitted, |event| event.company.clone()),
        consultant: consultant(&admitted),
        unresolved: unresolved(&admitted),
        withheld: history.withheld(),
        parked: history.parked(known_at),
        events: admitted.events.len(),
        interactions: interactions.len(),
        last_interaction: interactions.last().map(|event| event.at),
        silent_since: silent_since(&admitted).at,
        days_silent: admitted.days_since(silent_since(&admitted).at),
    })
}

/// Since when, without a break, the customer's stage at (as_of, known_at) has had its name; in microseconds.
pub fn stage_began(history: &History, as_of: Timestamp, known_at: Option<Timestamp>) -> Option<i64> {
    Some(stage_since(&history.at(as_of, known_at)?))
}

/// "A customer's project and company, each by itself: that of the latest-signed live contract's ContractSigned if it
/// names one, else of the latest counting event that does."
pub(crate) fn place(admitted: &Admitted<'_>, named: impl Fn(&Event) -> Option<String>) -> Option<String> {
    named(place_by(admitted, &named)?)
}

/// The event that names it.
pub(crate) fn place_by<'a>(admitted: &Admitted<'a>, named: impl Fn(&Event) -> Option<String>) -> Option<&'a Event> {
    if let Some(contract) = live_contracts(admitted).last()
        && named(contract.signed).is_some()
    {
        return Some(contract.signed);
    }
    admitted.events.iter().rev().find(|event| named(event).is_some()).copied()
}

/// "The consultant: of the latest VisitRecorded or ConsultantReassigned (`to`)."
pub(crate) fn consultant(admitted: &Admitted<'_>) -> Option<String> {
    for event in admitted.events.iter().rev() {
        match event.kind {
            "VisitRecorded" => return event.text("consultant_id").map(str::to_owned),
            "ConsultantReassigned" => return event.text("to").map(str::to_owned),
            _ => {}
        }
    }
    None
}

/// "References (contract_id, subscription_id, complaint_id, defect_id, referral_id) are looked up among the same
/// customer's counting events; ReferralConverted.contract_id is another customer's and is not looked up." "A reference
/// to something unknown, voided or not yet occurred is unresolved."
pub(crate) fn unresolved(admitted: &Admitted<'_>) -> i64 {
    let opened_by = [
        ("contract_id", "ContractSigned"),
        ("subscription_id", "SubscriptionPlaced"),
        ("complaint_id", "ComplaintLodged"),
        ("defect_id", "DefectLogged"),
        ("referral_id", "ReferralMade"),
    ];
    let mut count = 0;
    for event in &admitted.events {
        for (field, opening) in opened_by {
            let Some(id) = event.text(field) else {
                continue;
            };
            let opens_it = event.kind == opening;
            let of_another = event.kind == "ReferralConverted" && field == "contract_id";
            if !opens_it && !of_another && admitted.naming(opening, field, id).is_empty() {
                count += 1;
            }
        }
    }
    count
}
