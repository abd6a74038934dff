//! Complaints: their states after ISO 10002, their clocks and service levels.

use crate::admit::Admitted;
use crate::clock::{HOUR, MINUTE};
use crate::event::Event;

/// "Acknowledge ≤ 60 min."
const ACKNOWLEDGE_LIMIT: i64 = 60 * MINUTE;

/// The steps of a complaint, all but the lodging.
const STEPS: [&str; 8] = [
    "ComplaintAcknowledged",
    "ComplaintAssessed",
    "ComplaintAssigned",
    "ComplaintEscalated",
    "ComplaintResolved",
    "ComplaintReopened",
    "ComplaintClosed",
    "ComplaintWithdrawn",
];

/// A complaint at as_of. Instants and durations are in microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Its code.
    pub complaint_id: String,
    /// The id of the event that opened it.
    pub lodged_event: u128,
    /// When it was lodged.
    pub lodged_at: i64,
    /// The company that the lodging names.
    pub company: Option<String>,
    /// The project that the lodging names.
    pub project: Option<String>,
    /// The service port.
    pub port: String,
    /// The group complaint that it is part of.
    pub group_id: Option<String>,
    /// LODGED, ACKNOWLEDGED, ASSESSED, IN_PROGRESS, RESOLVED, CLOSED or WITHDRAWN.
    pub state: &'static str,
    /// It was escalated.
    pub escalated: bool,
    /// The present severity.
    pub severity: String,
    /// How long it may stay open, by its present severity.
    pub limit: i64,
    /// From lodging to the acknowledgement, once there is one.
    pub acknowledged_after: Option<i64>,
    /// MET, BREACHED, PENDING or WITHDRAWN.
    pub acknowledge_outcome: &'static str,
    /// From lodging to the first resolution, once there is one.
    pub first_resolved_after: Option<i64>,
    /// MET, BREACHED, PENDING or WITHDRAWN.
    pub first_outcome: &'static str,
    /// All the time that it was open, until as_of.
    pub total_open: i64,
    /// MET, BREACHED, PENDING or WITHDRAWN.
    pub total_outcome: &'static str,
    /// The ids and instants of the reopenings that had an effect.
    pub reopenings: Vec<(u128, i64)>,
    /// When it was resolved last.
    pub last_resolved_at: Option<i64>,
    /// Steps that its state did not allow.
    pub ignored_steps: i64,
}

/// All complaints of a customer, by lodging.
pub(crate) fn complaints(admitted: &Admitted<'_>) -> Vec<Complaint> {
    let lodged = admitted.openings("ComplaintLodged", "complaint_id");
    lodged.into_iter().map(|lodged| follow(admitted, lodged)).collect()
}

impl Complaint {
    /// Neither resolved, closed nor withdrawn.
    pub fn open(&self) -> bool {
        is_open(self.state)
    }

    /// It is open and its total clock is past its limit.
    pub fn overdue(&self) -> bool {
        self.open() && self.total_open > self.limit
    }
}

/// Walks the steps of one complaint in order.
fn follow(admitted: &Admitted<'_>, lodged: &Event) -> Complaint {
    let mut complaint = lodge(lodged);
    let mut open_since = lodged.at;
    let mut withdrawn_at = None;
    for event in &admitted.events {
        if !STEPS.contains(&event.kind) || event.text("complaint_id") != Some(&complaint.complaint_id) {
            continue;
        }
        // "A step dated before the event that opens its ... complaint takes effect at the moment of opening, right
        // after it." Such steps come first in the order of events, so the walk takes them first.
        let at = event.at.max(lodged.at);
        if !allowed(complaint.state, event.kind) {
            complaint.ignored_steps += 1;
            continue;
        }
        // "Acknowledge ...: first of Acknowledged, Assessed, Assigned, Resolved, Closed."
        if acknowledges(event.kind) && complaint.acknowledged_after.is_none() {
            complaint.acknowledged_after = Some(at - lodged.at);
        }
        let was_open = complaint.open();
        complaint.state = next_state(complaint.state, event.kind);
        match event.kind {
            // "The latest ComplaintAssessed (also one after the resolution, until WITHDRAWN) replaces the lodged
            // severity everywhere, limits included, also for the time before it."
            "ComplaintAssessed" => complaint.severity = event.text("severity").unwrap_or_default().to_owned(),
            "ComplaintEscalated" => complaint.escalated = true,
            "ComplaintReopened" => {
                complaint.reopenings.push((event.id, at));
                open_since = at;
            }
            "ComplaintWithdrawn" => withdrawn_at = Some(at),
            _ => {}
        }
        // "The clock stops between resolved and reopened"; "withdrawing stops the clocks".
        if was_open && !complaint.open() {
            complaint.total_open += at - open_since;
        }
        // "Closing an open one resolves it."
        if was_open && matches!(complaint.state, "RESOLVED" | "CLOSED") {
            complaint.last_resolved_at = Some(at);
            complaint.first_resolved_after.get_or_insert(at - lodged.at);
        }
    }
    if complaint.open() {
        complaint.total_open += admitted.since(open_since);
    }
    judge(admitted, &mut complaint, withdrawn_at);
    complaint
}

fn lodge(lodged: &Event) -> Complaint {
    let text = |field: &str| lodged.text(field).map(str::to_owned);
    Complaint {
        complaint_id: text("complaint_id").unwrap_or_default(),
        lodged_event: lodged.id,
        lodged_at: lodged.at,
        company: lodged.company.clone(),
        project: lodged.project.clone(),
        port: text("port").unwrap_or_default(),
        group_id: text("group_id"),
        state: "LODGED",
        escalated: false,
        severity: text("severity").unwrap_or_default(),
        limit: 0,
        acknowledged_after: None,
        acknowledge_outcome: "PENDING",
        first_resolved_after: None,
        first_outcome: "PENDING",
        total_open: 0,
        total_outcome: "PENDING",
        reopenings: Vec::new(),
        last_resolved_at: None,
        ignored_steps: 0,
    }
}

fn is_open(state: &str) -> bool {
    !matches!(state, "RESOLVED" | "CLOSED" | "WITHDRAWN")
}

/// "A complaint step that the state does not allow (Resolved while not open, Closed while closed, Reopened while open,
/// any after WITHDRAWN) changes nothing and is counted per complaint."
fn allowed(state: &str, step: &str) -> bool {
    match step {
        _ if state == "WITHDRAWN" => false,
        "ComplaintResolved" => is_open(state),
        "ComplaintClosed" => state != "CLOSED",
        "ComplaintReopened" => !is_open(state),
        _ => true,
    }
}

fn acknowledges(step: &str) -> bool {
    let steps =
        ["ComplaintAcknowledged", "ComplaintAssessed", "ComplaintAssigned", "ComplaintResolved", "ComplaintClosed"];
    steps.contains(&step)
}

/// "LODGED → ACKNOWLEDGED → ASSESSED → IN_PROGRESS → RESOLVED → CLOSED; steps may be skipped; escalated is a flag";
/// "reopening ... returns to IN_PROGRESS". A step never leads back to an earlier state.
fn next_state(state: &'static str, step: &str) -> &'static str {
    match (step, state) {
        ("ComplaintAcknowledged", "LODGED") => "ACKNOWLEDGED",
        ("ComplaintAssessed", "LODGED" | "ACKNOWLEDGED") => "ASSESSED",
        ("ComplaintAssigned", "LODGED" | "ACKNOWLEDGED" | "ASSESSED") => "IN_PROGRESS",
        ("ComplaintResolved", _) => "RESOLVED",
        ("ComplaintReopened", _) => "IN_PROGRESS",
        ("ComplaintClosed", _) => "CLOSED",
        ("ComplaintWithdrawn", _) => "WITHDRAWN",
        _ => state,
    }
}

/// "Resolve CRITICAL 24 h, HIGH 72, MEDIUM 120, LOW 168, limits included."
fn resolve_limit(severity: &str) -> i64 {
    match severity {
        "CRITICAL" => 24 * HOUR,
        "HIGH" => 72 * HOUR,
        "MEDIUM" => 120 * HOUR,
        _ => 168 * HOUR,
    }
}

fn judge(admitted: &Admitted<'_>, complaint: &mut Complaint, withdrawn_at: Option<i64>) {
    complaint.limit = resolve_limit(&complaint.severity);
    // A clock that nothing has stopped runs until as_of, or until the withdrawal.
    let running = match withdrawn_at {
        Some(at) => at - complaint.lodged_at,
        None => admitted.since(complaint.lodged_at),
    };
    let withdrawn = withdrawn_at.is_some();
    complaint.acknowledge_outcome = outcome(complaint.acknowledged_after, running, ACKNOWLEDGE_LIMIT, withdrawn);
    complaint.first_outcome = outcome(complaint.first_resolved_after, running, complaint.limit, withdrawn);
    // "The total is MET only while resolved."
    let resolved = matches!(complaint.state, "RESOLVED" | "CLOSED").then_some(complaint.total_open);
    complaint.total_outcome = outcome(resolved, complaint.total_open, complaint.limit, withdrawn);
}

/// "Each complaint is MET, BREACHED (also while open or withdrawn, once past the limit), PENDING or WITHDRAWN."
fn outcome(stopped: Option<i64>, running: i64, limit: i64, withdrawn: bool) -> &'static str {
    match stopped {
        Some(time) if time <= limit => "MET",
        Some(_) => "BREACHED",
        None if running > limit => "BREACHED",
        None if withdrawn => "WITHDRAWN",
        None => "PENDING",
    }
}
