//! References between a customer's events: which of them lead nowhere.

use touchpoint::{Code, Touchpoint};

use crate::Filed;

/// What a reference is to; ids of different kinds may be spelled alike.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum To<'t> {
    Contract(&'t Code<'t>),
    Subscription(&'t Code<'t>),
    Complaint(&'t Code<'t>),
    Defect(&'t Code<'t>),
    Referral(&'t Code<'t>),
}

/// How many references of the counting events lead to no counting event: unknown, voided, or not yet happened.
pub(crate) fn unresolved(events: &[Filed<'_>]) -> u32 {
    let mut opened: Vec<_> = events.iter().filter_map(|event| opens(&event.body)).collect();
    // Most customers have a handful: to sort them is cheaper than to hash them.
    opened.sort_unstable();
    let is_missing = |to: &To<'_>| opened.binary_search(to).is_err();
    let missing = |event: &Filed<'_>| names(&event.body).into_iter().filter(is_missing).count();
    events.iter().map(missing).sum::<usize>() as u32
}

fn opens<'t>(body: &'t Touchpoint<'t>) -> Option<To<'t>> {
    match body {
        Touchpoint::ContractSigned(event) => Some(To::Contract(&event.contract_id)),
        Touchpoint::SubscriptionPlaced(event) => Some(To::Subscription(&event.subscription_id)),
        Touchpoint::ComplaintLodged(event) => Some(To::Complaint(&event.complaint_id)),
        Touchpoint::DefectLogged(event) => Some(To::Defect(&event.defect_id)),
        Touchpoint::ReferralMade(event) => Some(To::Referral(&event.referral_id)),
        _ => None,
    }
}

/// The references of an event; none has more than one.
fn names<'t>(body: &'t Touchpoint<'t>) -> Option<To<'t>> {
    let contract = |id: &'t Code<'t>| Some(To::Contract(id));
    let complaint = |id: &'t Code<'t>| Some(To::Complaint(id));
    let optional_complaint = |id: &'t Option<Code<'t>>| id.as_ref().and_then(complaint);
    match body {
        Touchpoint::SubscriptionCancelled(event) => Some(To::Subscription(&event.subscription_id)),
        Touchpoint::ContractSigned(event) => event.subscription_id.as_ref().map(To::Subscription),
        Touchpoint::ContractAmended(event) => contract(&event.contract_id),
        Touchpoint::ContractCancelled(event) => contract(&event.contract_id),
        Touchpoint::HandoverCompleted(event) => contract(&event.contract_id),
        Touchpoint::HandoverNotified(event) => contract(&event.contract_id),
        Touchpoint::HandoverRefused(event) => contract(&event.contract_id),
        Touchpoint::DefectLogged(event) => contract(&event.contract_id),
        Touchpoint::MovedIn(event) => contract(&event.contract_id),
        Touchpoint::UnitResold(event) => contract(&event.contract_id),
        Touchpoint::DefectRectified(event) => Some(To::Defect(&event.defect_id)),
        Touchpoint::ComplaintLodged(event) => event.contract_id.as_ref().and_then(contract),
        Touchpoint::ComplaintAcknowledged(event) => complaint(&event.complaint_id),
        Touchpoint::ComplaintAssessed(event) => complaint(&event.complaint_id),
        Touchpoint::ComplaintAssigned(event) => complaint(&event.complaint_id),
        Touchpoint::ComplaintEscalated(event) => complaint(&event.complaint_id),
        Touchpoint::ComplaintResolved(event) => complaint(&event.complaint_id),
        Touchpoint::ComplaintReopened(event) => complaint(&event.complaint_id),
        Touchpoint::ComplaintClosed(event) => complaint(&event.complaint_id),
        Touchpoint::ComplaintWithdrawn(event) => complaint(&event.complaint_id),
        Touchpoint::RevisitCompleted(event) => optional_complaint(&event.complaint_id),
        Touchpoint::SurveyAnswered(event) => optional_complaint(&event.complaint_id),
        Touchpoint::ReferralConverted(event) => Some(To::Referral(&event.referral_id)),
        _ => None,
    }
}
