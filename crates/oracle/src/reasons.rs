//! The reasons of a churn risk, one function for each line of the table in docs/views.md section 5.

use std::collections::BTreeSet;

use crate::admit::Admitted;
use crate::answers::latest_overall;
use crate::churn::Points;
use crate::clock::{parse_date, plus_days, shanghai_date};
use crate::complaint::{Complaint, complaints};
use crate::contract::{contracts, live_contracts, serious_open_defects};
use crate::event::Event;
use crate::stage::silent_since;

/// A reason's code, its points, and the ids of the events behind it.
pub(crate) type Found = (&'static str, Points, BTreeSet<u128>);

/// "Every reason appears at most once."
pub(crate) fn reasons(admitted: &Admitted<'_>, gap_days: i64) -> Vec<Found> {
    let complaints = complaints(admitted);
    let all = [
        silence(admitted, gap_days),
        open_complaint(&complaints),
        complaint_overdue(&complaints),
        complaint_reopened(admitted, &complaints),
        repeat_complaints(admitted, &complaints),
        satisfaction(admitted),
        nps(admitted),
        handover_delayed(admitted),
        serious_defect_open(admitted),
        consultant_changed(admitted),
        revisit_missed(admitted),
        consent_withdrawn(admitted),
        referral_made(admitted),
        repurchased(admitted),
        revisit_satisfied(admitted),
    ];
    all.into_iter().flatten().collect()
}

/// A reason with whole millionths.
fn found(code: &'static str, millionths: i64, evidence: impl IntoIterator<Item = u128>) -> Option<Found> {
    let points = Points { numerator: i128::from(millionths), denominator: 1 };
    Some((code, points, evidence.into_iter().collect()))
}

/// A reason with whole millionths, if there is any event behind it.
fn found_if_any(code: &'static str, millionths: i64, evidence: Vec<u128>) -> Option<Found> {
    if evidence.is_empty() { None } else { found(code, millionths, evidence) }
}

/// ".6·max(0, min(days silent / gap, 4) − 1)"
fn silence(admitted: &Admitted<'_>, gap_days: i64) -> Option<Found> {
    let last = silent_since(admitted);
    let days = admitted.days_since(last.at).min(4 * gap_days);
    let beyond = (days - gap_days).max(0);
    let points = Points { numerator: i128::from(600_000 * beyond), denominator: i128::from(gap_days) };
    Some(("SILENCE", points, BTreeSet::from([last.id])))
}

/// "Per open complaint by present severity: LOW, MEDIUM .5; HIGH .9; CRITICAL or any group complaint 1.3; the sum at
/// most 2.0"
fn open_complaint(complaints: &[Complaint]) -> Option<Found> {
    let mut sum = 0;
    let mut evidence = Vec::new();
    for complaint in complaints.iter().filter(|complaint| complaint.open()) {
        sum += match complaint.severity.as_str() {
            _ if complaint.group_id.is_some() => 1_300_000,
            "CRITICAL" => 1_300_000,
            "HIGH" => 900_000,
            _ => 500_000,
        };
        evidence.push(complaint.lodged_event);
    }
    found_if_any("OPEN_COMPLAINT", sum.min(2_000_000), evidence)
}

/// ".4 if an open complaint's total clock is past its limit"
fn complaint_overdue(complaints: &[Complaint]) -> Option<Found> {
    let overdue = complaints.iter().filter(|complaint| complaint.overdue());
    found_if_any("COMPLAINT_OVERDUE", 400_000, overdue.map(|complaint| complaint.lodged_event).collect())
}

/// ".5 for an effective reopening within 180 d, whatever its state now"
fn complaint_reopened(admitted: &Admitted<'_>, complaints: &[Complaint]) -> Option<Found> {
    let mut evidence = Vec::new();
    for complaint in complaints {
        for (event, at) in &complaint.reopenings {
            if admitted.within(*at, 180) {
                evidence.push(*event);
            }
        }
    }
    found_if_any("COMPLAINT_REOPENED", 500_000, evidence)
}

/// ".3·(complaints lodged in 365 d − 1), at most .9, withdrawn ones included"
fn repeat_complaints(admitted: &Admitted<'_>, complaints: &[Complaint]) -> Option<Found> {
    let recent = complaints.iter().filter(|complaint| admitted.within(complaint.lodged_at, 365));
    let evidence: Vec<u128> = recent.map(|complaint| complaint.lodged_event).collect();
    let repeats = (evidence.len() as i64 - 1).max(0);
    found("REPEAT_COMPLAINTS", (300_000 * repeats).min(900_000), evidence)
}

/// "Latest overall answer (CSAT on OVERALL, no window) ≤ 2: 1.0; 3: .4; ≥ 4: −.4"
fn satisfaction(admitted: &Admitted<'_>) -> Option<Found> {
    let answer = latest_overall(admitted, "CSAT")?;
    match answer.score {
        ..=2 => found("LOW_SATISFACTION", 1_000_000, [answer.event.id]),
        3 => found("LOW_SATISFACTION", 400_000, [answer.event.id]),
        4.. => found("SATISFIED", -400_000, [answer.event.id]),
    }
}

/// "Latest NPS on OVERALL, no window: 0–6 +.6 / 9–10 −.6"
fn nps(admitted: &Admitted<'_>) -> Option<Found> {
    let answer = latest_overall(admitted, "NPS")?;
    match answer.score {
        ..=6 => found("NPS_DETRACTOR", 600_000, [answer.event.id]),
        7..=8 => None,
        9.. => found("NPS_PROMOTER", -600_000, [answer.event.id]),
    }
}

/// ".5: a live contract without handover or move-in, Shanghai date > planned_handover_on + 30 d"
fn handover_delayed(admitted: &Admitted<'_>) -> Option<Found> {
    let today = shanghai_date(admitted.as_of);
    let mut evidence = Vec::new();
    for contract in live_contracts(admitted) {
        let planned = contract.signed.text("planned_handover_on").and_then(parse_date);
        if !contract.delivered() && planned.is_some_and(|planned| today > plus_days(planned, 30)) {
            evidence.push(contract.signed.id);
        }
    }
    found_if_any("HANDOVER_DELAYED", 500_000, evidence)
}

/// ".5: a MAJOR or SAFETY DefectLogged on a live contract, not rectified"
fn serious_defect_open(admitted: &Admitted<'_>) -> Option<Found> {
    found_if_any("SERIOUS_DEFECT_OPEN", 500_000, ids(&serious_open_defects(admitted)))
}

/// ".3: ≥ 2 in 180 d"
fn consultant_changed(admitted: &Admitted<'_>) -> Option<Found> {
    let mut changes = admitted.of("ConsultantReassigned");
    changes.retain(|event| admitted.within(event.at, 180));
    if changes.len() < 2 {
        return None;
    }
    found("CONSULTANT_CHANGED", 300_000, ids(&changes))
}

/// ".3: the last two or more of RevisitCompleted/RevisitMissed are missed"
fn revisit_missed(admitted: &Admitted<'_>) -> Option<Found> {
    let mut missed = Vec::new();
    for event in admitted.events.iter().rev() {
        match event.kind {
            "RevisitMissed" => missed.push(event.id),
            "RevisitCompleted" => break,
            _ => {}
        }
    }
    if missed.len() < 2 {
        return None;
    }
    found("REVISIT_MISSED", 300_000, missed)
}

/// ".4: MARKETING, latest consent event"
fn consent_withdrawn(admitted: &Admitted<'_>) -> Option<Found> {
    let mut consents = admitted.events.iter().filter(|event| {
        matches!(event.kind, "ConsentGranted" | "ConsentWithdrawn") && event.text("purpose") == Some("MARKETING")
    });
    let latest = consents.next_back()?;
    if latest.kind != "ConsentWithdrawn" {
        return None;
    }
    found("CONSENT_WITHDRAWN", 400_000, [latest.id])
}

/// "−.8 within 365 d"
fn referral_made(admitted: &Admitted<'_>) -> Option<Found> {
    let mut made = admitted.openings("ReferralMade", "referral_id");
    made.retain(|event| admitted.within(event.at, 365));
    found_if_any("REFERRAL_MADE", -800_000, ids(&made))
}

/// "−1.2: a live contract signed in (as_of − 365 d, as_of], where some contract signed before it was not cancelled
/// (resold is enough)"
fn repurchased(admitted: &Admitted<'_>) -> Option<Found> {
    let all = contracts(admitted);
    let mut evidence = Vec::new();
    for contract in all.iter().filter(|contract| contract.live() && admitted.within(contract.signed.at, 365)) {
        let before = all.iter().any(|other| other.signed.order() < contract.signed.order() && !other.cancelled);
        if before {
            evidence.push(contract.signed.id);
        }
    }
    found_if_any("REPURCHASED", -1_200_000, evidence)
}

/// "−.4: the latest rated revisit within 90 d is ≥ 4"
fn revisit_satisfied(admitted: &Admitted<'_>) -> Option<Found> {
    let mut rated = admitted.of("RevisitCompleted");
    rated.retain(|event| admitted.within(event.at, 90) && event.int("satisfaction").is_some());
    let latest = rated.last()?;
    if latest.int("satisfaction")? < 4 {
        return None;
    }
    found("REVISIT_SATISFIED", -400_000, [latest.id])
}

fn ids(events: &[&Event]) -> Vec<u128> {
    events.iter().map(|event| event.id).collect()
}
