//! Complaints with their steps.

use touchpoint::*;

use super::home::Home;
use super::story::Story;
use super::world::{Incident, World};
use super::{calls, survey};
use crate::dice::code;

/// Complaints per owner and year where nobody is satisfied.
const COMPLAINTS: f64 = 1.4;
/// Share of owners of a project who join in a group complaint.
const JOIN_GROUP: f64 = 0.09;
/// Shares of complaints.
const WITHDRAWN: f64 = 0.04;
const NEVER_RESOLVED: f64 = 0.015;
/// Of those lodged in the last days of the history, many are still worked on.
const STILL_OPEN: f64 = 0.45;
const LAST_DAYS: i64 = 60;
const REOPENED: f64 = 0.08;
const ESCALATED: f64 = 0.09;
const IN_TIME: f64 = 0.82;
const ACKNOWLEDGED_IN_TIME: f64 = 0.88;
const FOLLOWED_UP: f64 = 0.5;
/// How much a complaint takes from the mood.
const UPSET: f64 = 0.07;

struct Trouble<'w> {
    at: Timestamp,
    incident: Option<&'w Incident>,
}

/// Tells the complaints of an owner.
pub(super) fn complaints(story: &mut Story<'_>, home: &mut Home) {
    let Some(delivered) = home.delivered_at else { return };
    let years = home.ends_at.since(delivered) / (365 * Timestamp::DAY) + 1;
    for year in 0..years {
        if story.dice.chance(COMPLAINTS * (1.0 - story.project.quality)) {
            let at = story.days_later(delivered, year * 365, year * 365 + 364);
            complaint(story, home, &Trouble { at, incident: None });
        }
    }
    let world: &World = story.world;
    for incident in world.incidents.iter().filter(|incident| incident.project == story.project.id) {
        if home.delivered_by(incident.at) && incident.at < home.ends_at && story.dice.chance(JOIN_GROUP) {
            let at = story.days_later(incident.at, 0, 9);
            complaint(story, home, &Trouble { at, incident: Some(incident) });
        }
    }
}

fn complaint(story: &mut Story<'_>, home: &mut Home, trouble: &Trouble<'_>) {
    const PORTS: [(u32, ServicePort); 7] = [
        (30, ServicePort::PropertyManagement),
        (25, ServicePort::RepairService),
        (20, ServicePort::ConstructionQuality),
        (8, ServicePort::SalesService),
        (7, ServicePort::PlanningDesign),
        (6, ServicePort::Handover),
        (4, ServicePort::CallCentre),
    ];
    if trouble.at >= home.ends_at {
        return;
    }
    home.mood -= UPSET;
    let complaint_id = story.code("TS");
    let severity = story.dice.weighted(&[
        (30, ComplaintSeverity::Low),
        (45, ComplaintSeverity::Medium),
        (20, ComplaintSeverity::High),
        (5, ComplaintSeverity::Critical),
    ]);
    let wants_remedy = story.dice.chance(0.4);
    let port = trouble.incident.map_or_else(|| story.dice.weighted(&PORTS), |incident| incident.port);
    let lodged = ComplaintLodged {
        complaint_id: complaint_id.clone(),
        port,
        category: code(story.dice.pick(categories(port))),
        severity,
        contract_id: Some(home.contract.clone()),
        group_id: trouble.incident.map(|incident| code(incident.group.clone())),
        remedy_sought: wants_remedy.then(|| code(story.dice.pick(&["REPAIR", "REFUND", "APOLOGY", "COMPENSATION"]))),
    };
    let channel = story.dice.pick(&[Channel::Phone, Channel::App, Channel::Wechat, Channel::InPerson]);
    story.tell(trouble.at, channel, Touchpoint::ComplaintLodged(lodged));
    steps(story, &complaint_id, severity, trouble.at);
}

/// What people complain about.
const fn categories(port: ServicePort) -> &'static [&'static str] {
    match port {
        ServicePort::PropertyManagement | ServicePort::Overall => &["FEES", "SECURITY", "CLEANING", "PARKING", "NOISE"],
        ServicePort::RepairService => &["REPAIR_LATE", "REPAIR_REPEATED", "ATTITUDE"],
        ServicePort::ConstructionQuality => &["LEAK", "CRACK", "HOLLOWING", "WINDOWS"],
        ServicePort::SalesService => &["PROMISE", "ATTITUDE", "LOAN_ADVICE"],
        ServicePort::PlanningDesign => &["LAYOUT", "GREENERY", "FACILITIES"],
        ServicePort::Handover => &["DELAY", "DEFECTS", "AREA_DIFFERS"],
        ServicePort::ComplaintHandling | ServicePort::CallCentre => &["NO_REPLY", "ATTITUDE"],
    }
}

fn steps(story: &mut Story<'_>, id: &Code<'static>, lodged_as: ComplaintSeverity, lodged: Timestamp) {
    let quick = story.dice.chance(ACKNOWLEDGED_IN_TIME);
    let at = if quick { story.minutes_later(lodged, 4, 55) } else { story.minutes_later(lodged, 70, 900) };
    step(story, at, Touchpoint::ComplaintAcknowledged(ComplaintAcknowledged { complaint_id: id.clone() }));
    if story.dice.chance(WITHDRAWN) {
        let at = story.minutes_later(at, 300, 3_000);
        return step(story, at, Touchpoint::ComplaintWithdrawn(ComplaintWithdrawn { complaint_id: id.clone() }));
    }
    let mut severity = lodged_as;
    if story.dice.chance(0.6) {
        severity = if story.dice.chance(0.8) { lodged_as } else { story.dice.pick(ComplaintSeverity::ALL) };
        let at = story.minutes_later(at, 10, 240);
        step(story, at, Touchpoint::ComplaintAssessed(ComplaintAssessed { complaint_id: id.clone(), severity }));
    }
    let department = code(story.dice.pick(&["PROPERTY", "ENGINEERING", "SALES", "CUSTOMER_RELATIONS"]));
    let assigned = story.minutes_later(at, 15, 300);
    step(story, assigned, Touchpoint::ComplaintAssigned(ComplaintAssigned { complaint_id: id.clone(), department }));
    if story.dice.chance(ESCALATED) {
        let level = Level(story.dice.weighted(&[(7, 1), (2, 2), (1, 3)]));
        let at = story.minutes_later(assigned, 200, 2_000);
        step(story, at, Touchpoint::ComplaintEscalated(ComplaintEscalated { complaint_id: id.clone(), level }));
    }
    let recent = lodged > story.world.until.plus_days(-LAST_DAYS);
    if !story.dice.chance(if recent { STILL_OPEN } else { NEVER_RESOLVED }) {
        resolve(story, id, severity, assigned);
    }
}

fn resolve(story: &mut Story<'_>, id: &Code<'static>, severity: ComplaintSeverity, assigned: Timestamp) {
    let limit = limit_minutes(severity);
    let in_time = story.dice.chance(IN_TIME);
    let at = match in_time {
        true => story.minutes_later(assigned, limit / 12, limit * 7 / 10),
        false => story.minutes_later(assigned, limit, limit * 4),
    };
    resolution(story, id, at);
    if story.dice.chance(FOLLOWED_UP) {
        calls::revisit(story, at, 1, 10, RevisitTrigger::PostComplaint, Some(id.clone()));
    }
    let mut done = at;
    if story.dice.chance(REOPENED) {
        let reopened = story.days_later(at, 2, 20);
        let reason = code(story.dice.pick(&["CAME_BACK", "NOT_DONE", "DISAGREES"]));
        step(story, reopened, Touchpoint::ComplaintReopened(ComplaintReopened { complaint_id: id.clone(), reason }));
        done = story.minutes_later(reopened, limit / 10, limit);
        resolution(story, id, done);
    }
    if story.dice.chance(0.75) {
        let closed = story.days_later(done, 1, 7);
        step(story, closed, Touchpoint::ComplaintClosed(ComplaintClosed { complaint_id: id.clone() }));
        if story.dice.chance(0.3) {
            survey::about_complaint(story, id, closed);
        }
    }
}

fn resolution(story: &mut Story<'_>, id: &Code<'static>, at: Timestamp) {
    let resolved = ComplaintResolved {
        complaint_id: id.clone(),
        resolution: story.dice.weighted(&[
            (55, Resolution::Repaired),
            (12, Resolution::Compensated),
            (25, Resolution::Explained),
            (8, Resolution::Rejected),
        ]),
        root_cause: code(story.dice.pick(&["MATERIAL", "WORKMANSHIP", "COMMUNICATION", "STAFFING", "DESIGN"])),
    };
    step(story, at, Touchpoint::ComplaintResolved(resolved));
}

fn step(story: &mut Story<'_>, at: Timestamp, body: Touchpoint<'static>) {
    story.tell(at, Channel::System, body);
}

/// The time that the domain allows for a resolution.
const fn limit_minutes(severity: ComplaintSeverity) -> i64 {
    60 * match severity {
        ComplaintSeverity::Critical => 24,
        ComplaintSeverity::High => 72,
        ComplaintSeverity::Medium => 120,
        ComplaintSeverity::Low => 168,
    }
}
