//! The reasons of a churn risk, one function for each line of the table in docs/views.md section 5.

use crate::admit::Admitted;
use crate::answers::latest_overall;
use crate::churn::Points;
use crate::clock::{parse_date, plus_days, shanghai_date};
use crate::complaint::{Complaint, complaints};
use crate::contract::{contracts, live_contracts, serious_open_defects};
use crate::event::{Evidence, evidence};
use crate::stage::silent_since;

/// A reason's code, its points, and the events behind it.
pub(crate) type Found = (&'static str, Points, Vec<Evidence>);

/// "Every reason appears at most once."
pub(crate) fn reasons(admitted: &Admitted<'_>, gap_days: i64) -> Vec<Found> {
    let complaints = complaints(admitted);
    let all = [
        silence(admitted, gap_days),
        open_complaint(admitted, &complaints),
        complaint_overdue(admitted, &complaints),
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

/// A number of the table: of a reason, under its name in the rules.
fn points(admitted: &Admitted<'_>, name: &str) -> i64 {
    admitted.numbers.millionths(&format!("churn.reasons.{name}"))
}

/// Days, or how many, of the same table.
fn whole(admitted: &Admitted<'_>, name: &str) -> i64 {
    admitted.numbers.whole(&format!("churn.reasons.{name}"))
}

/// A reason with whole millionths.
fn found(code: &'static str, millionths: i64, mut evidence: Vec<Evidence>) -> Option<Found> {
    let points = Points { numerator: i128::from(millionths), denominator: 1 };
    evidence.sort_unstable();
    Some((code, points, evidence))
}

/// A reason with whole millionths, if there is any event behind it.
fn found_if_any(code: &'static str, millionths: i64, evidence: Vec<Evidence>) -> Option<Found> {
    if evidence.is_empty() { None } else { found(code, millionths, evidence) }
}

/// ".6·max(0, min(days silent / gap, 4) − 1)"
fn silence(admitted: &Admitted<'_>, gap_days: i64) -> Option<Found> {
    let last = silent_since(admitted);
    let days = admitted.days_since(last.at).min(whole(admitted, "SILENCE.most_gaps") * gap_days);
    let beyond = (days - gap_days).max(0);
    let numerator = i128::from(points(admitted, "SILENCE.points_per_gap") * beyond);
    let points = Points { numerator, denominator: i128::from(gap_days) };
    Some(("SILENCE", points, evidence([last])))
}

/// "Per open complaint by present severity: LOW, MEDIUM .5; HIGH .9; CRITICAL or any group complaint 1.3; the sum at
/// most 2.0"
fn open_complaint(admitted: &Admitted<'_>, complaints: &[Complaint]) -> Option<Found> {
    let mut sum = 0;
    let mut evidence = Vec::new();
    for complaint in complaints.iter().filter(|complaint| complaint.open()) {
        let row = if complaint.group_id.is_some() { "GROUP" } else { &complaint.severity };
        sum += points(admitted, &format!("OPEN_COMPLAINT.{row}"));
        evidence.extend(&complaint.severity_by);
    }
    found_if_any("OPEN_COMPLAINT", sum.min(points(admitted, "OPEN_COMPLAINT.most_points")), evidence)
}

/// ".4 if an open complaint's total clock is past its limit"
fn complaint_overdue(admitted: &Admitted<'_>, complaints: &[Complaint]) -> Option<Found> {
    let overdue = complaints.iter().filter(|complaint| complaint.overdue());
    let evidence = overdue.flat_map(|complaint| complaint.severity_by.clone()).collect();
    found_if_any("COMPLAINT_OVERDUE", points(admitted, "COMPLAINT_OVERDUE.points"), evidence)
}

/// ".5 for an effective reopening within 180 d, whatever its state now"
fn complaint_reopened(admitted: &Admitted<'_>, complaints: &[Complaint]) -> Option<Found> {
    let mut evidence = Vec::new();
    for complaint in complaints {
        for (event, at) in &complaint.reopenings {
            if admitted.within(*at, whole(admitted, "COMPLAINT_REOPENED.days")) {
                evidence.push(*event);
            }
        }
    }
    found_if_any("COMPLAINT_REOPENED", points(admitted, "COMPLAINT_REOPENED.points"), evidence)
}

/// ".3·(complaints lodged in 365 d − 1), at most .9, withdrawn ones included"
fn repeat_complaints(admitted: &Admitted<'_>, complaints: &[Complaint]) -> Option<Found> {
    let days = whole(admitted, "REPEAT_COMPLAINTS.days");
    let recent = complaints.iter().filter(|complaint| admitted.within(complaint.lodged_at, days));
    let evidence: Vec<Evidence> = recent.map(Complaint::lodged).collect();
    let repeats = (evidence.len() as i64 - 1).max(0);
    let (each, most) =
        (points(admitted, "REPEAT_COMPLAINTS.points_each"), points(admitted, "REPEAT_COMPLAINTS.most_points"));
    found("REPEAT_COMPLAINTS", (each * repeats).min(most), evidence)
}

/// "Latest overall answer (CSAT on OVERALL, no window) ≤ 2: 1.0; 3: .4; ≥ 4: −.4"
fn satisfaction(admitted: &Admitted<'_>) -> Option<Found> {
    let answer = latest_overall(admitted, "CSAT")?;
    let points = points(admitted, &format!("SATISFACTION.overall_{}", answer.score));
    let code = if points < 0 { "SATISFIED" } else { "LOW_SATISFACTION" };
    found(code, points, evidence([answer.event]))
}

/// "Latest NPS on OVERALL, no window: 0–6 +.6 / 9–10 −.6"
fn nps(admitted: &Admitted<'_>) -> Option<Found> {
    let answer = latest_overall(admitted, "NPS")?;
    match answer.score {
        ..=6 => found("NPS_DETRACTOR", points(admitted, "NPS.detractor"), evidence([answer.event])),
        7..=8 => None,
        9.. => found("NPS_PROMOTER", points(admitted, "NPS.promoter"), evidence([answer.event])),
    }
}

/// ".5: a live contract without handover or move-in, Shanghai date > planned_handover_on + 30 d"
fn handover_delayed(admitted: &Admitted<'_>) -> Option<Found> {
    let today = shanghai_date(admitted.as_of);
    let mut evidence = Vec::new();
    for contract in live_contracts(admitted) {
        let planned = contract.signed.text("planned_handover_on").and_then(parse_date);
        let grace = whole(admitted, "HANDOVER_DELAYED.grace_days");
        if !contract.delivered() && planned.is_some_and(|planned| today > plus_days(planned, grace)) {
            evidence.push(contract.signed.order());
        }
    }
    found_if_any("HANDOVER_DELAYED", points(admitted, "HANDOVER_DELAYED.points"), evidence)
}

/// ".5: a MAJOR or SAFETY DefectLogged on a live contract, not rectified"
fn serious_defect_open(admitted: &Admitted<'_>) -> Option<Found> {
    found_if_any(
        "SERIOUS_DEFECT_OPEN",
        points(admitted, "SERIOUS_DEFECT_OPEN.points"),
        evidence(serious_open_defects(admitted)),
    )
}

/// ".3: ≥ 2 in 180 d"
fn consultant_changed(admitted: &Admitted<'_>) -> Option<Found> {
    let mut changes = admitted.of("ConsultantReassigned");
    changes.retain(|event| admitted.within(event.at, whole(admitted, "CONSULTANT_CHANGED.days")));
    if (changes.len() as i64) < whole(admitted, "CONSULTANT_CHANGED.fewest") {
        return None;
    }
    found("CONSULTANT_CHANGED", points(admitted, "CONSULTANT_CHANGED.points"), evidence(changes))
}

/// ".3: the last two or more of RevisitCompleted/RevisitMissed are missed"
fn revisit_missed(admitted: &Admitted<'_>) -> Option<Found> {
    let mut missed = Vec::new();
    for event in admitted.events.iter().rev() {
        match event.kind {
            "RevisitMissed" => missed.push(event.order()),
            "RevisitCompleted" => break,
            _ => {}
        }
    }
    if (missed.len() as i64) < whole(admitted, "REVISIT_MISSED.fewest") {
        return None;
    }
    found("REVISIT_MISSED", points(admitted, "REVISIT_MISSED.points"), missed)
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
    found("CONSENT_WITHDRAWN", points(admitted, "CONSENT_WITHDRAWN.points"), evidence([*latest]))
}

/// "−.8 within 365 d"
fn referral_made(admitted: &Admitted<'_>) -> Option<Found> {
    let mut made = admitted.openings("ReferralMade", "referral_id");
    made.retain(|event| admitted.within(event.at, whole(admitted, "REFERRAL_MADE.days")));
    found_if_any("REFERRAL_MADE", points(admitted, "REFERRAL_MADE.points"), evidence(made))
}

/// "−1.2: a live contract signed in (as_of − 365 d, as_of], where some contract signed before it was not cancelled
/// (resold is enough)"
fn repurchased(admitted: &Admitted<'_>) -> Option<Found> {
    let all = contracts(admitted);
    let mut evidence = Vec::new();
    let days = whole(admitted, "REPURCHASED.days");
    for contract in all.iter().filter(|contract| contract.live() && admitted.within(contract.signed.at, days)) {
        let before = all.iter().any(|other| other.signed.order() < contract.signed.order() && !other.cancelled);
        if before {
            evidence.push(contract.signed.order());
        }
    }
    found_if_any("REPURCHASED", points(admitted, "REPURCHASED.points"), evidence)
}

/// "−.4: the latest rated revisit within 90 d is ≥ 4"
fn revisit_satisfied(admitted: &Admitted<'_>) -> Option<Found> {
    let mut rated = admitted.of("RevisitCompleted");
    let days = whole(admitted, "REVISIT_SATISFIED.days");
    rated.retain(|event| admitted.within(event.at, days) && event.int("satisfaction").is_some());
    let latest = rated.last()?;
    if latest.int("satisfaction")? < whole(admitted, "REVISIT_SATISFIED.least_satisfaction") {
        return None;
    }
    found("REVISIT_SATISFIED", points(admitted, "REVISIT_SATISFIED.points"), evidence([*latest]))
}
