//! Complaints: their states after ISO 10002, their clocks and service levels.

use crate::admit::Admitted;
use crate::clock::{HOUR, MINUTE};
use crate::event::{Event, Evidence, evidence};

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

/// How far a clock came, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Clock {
    /// How long it may run.
    pub limit: i64,
    /// How long it ran; nothing while it runs.
    pub taken: Option<i64>,
    /// The instant at which the limit ends, while it runs.
    pub due: Option<i64>,
}

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
    /// A code for the category.
    pub category: String,
    /// The contract that it is about.
    pub contract_id: Option<String>,
    /// The group complaint that it is part of.
    pub group_id: Option<String>,
    /// LODGED, ACKNOWLEDGED, ASSESSED, IN_PROGRESS, RESOLVED, CLOSED or WITHDRAWN.
    pub state: &'static str,
    /// It was escalated.
    pub escalated: bool,
    /// The present severity.
    pub severity: String,
    /// The lodging, and the assessment that gave the present severity.
    pub severity_by: Vec<Evidence>,
    /// How long it may stay open, by its present severity.
    pub limit: i64,
    /// The clocks until the acknowledgement, until the first resolution, and of all the time open.
    pub clocks: [Clock; 3],
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
    /// The reopenings that had an effect, and when they took it.
    pub reopenings: Vec<(Evidence, i64)>,
    /// When it was resolved last.
    pub last_resolved_at: Option<i64>,
    /// The lodging, the latest assessment, the reopenings that had an effect and the last resolution.
    pub evidence: Vec<Evidence>,
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

    /// The event that opened it.
    pub fn lodged(&self) -> Evidence {
        (self.lodged_at, self.lodged_event)
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
    let (mut assessed, mut reopened, mut resolved) = (None, Vec::new(), None);
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
            "ComplaintAssessed" => {
                complaint.severity = event.text("severity").unwrap_or_default().to_owned();
                assessed = Some(*event);
            }
            "ComplaintEscalated" => complaint.escalated = true,
            "ComplaintReopened" => {
                complaint.reopenings.push((event.order(), at));
                reopened.push(*event);
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
            resolved = Some(*event);
            complaint.first_resolved_after.get_or_insert(at - lodged.at);
        }
    }
    complaint.severity_by = evidence([lodged].into_iter().chain(assessed));
    complaint.evidence = evidence([lodged].into_iter().chain(assessed).chain(reopened).chain(resolved));
    let spent_before = complaint.total_open;
    if complaint.open() {
        complaint.total_open += admitted.since(open_since);
    }
    judge(admitted, &mut complaint, withdrawn_at);
    complaint.clocks = clocks(&complaint, acknowledge_limit(admitted), withdrawn_at, open_since, spent_before);
    complaint
}

/// "The clock stops between resolved and reopened"; "withdrawing stops the clocks". What is left of the limit after the
/// spells that have ended is the limit of the spell that runs.
fn clocks(
    complaint: &Complaint,
    acknowledge: i64,
    withdrawn_at: Option<i64>,
    open_since: i64,
    spent_before: i64,
) -> [Clock; 3] {
    let (lodged_at, limit) = (complaint.lodged_at, complaint.limit);
    let withdrawn_after = withdrawn_at.map(|at| at - lodged_at);
    let clock = |limit: i64, taken: Option<i64>, since: i64, left: i64| {
        let due = if taken.is_none() { Some(since + left) } else { None };
        Clock { limit, taken, due }
    };
    let total = if complaint.open() { None } else { Some(complaint.total_open) };
    [
        clock(acknowledge, complaint.acknowledged_after.or(withdrawn_after), lodged_at, acknowledge),
        clock(limit, complaint.first_resolved_after.or(withdrawn_after), lodged_at, limit),
        clock(limit, total, open_since, limit - spent_before),
    ]
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
        category: text("category").unwrap_or_default(),
        contract_id: text("contract_id"),
        group_id: text("group_id"),
        state: "LODGED",
        escalated: false,
        severity: text("severity").unwrap_or_default(),
        severity_by: Vec::new(),
        limit: 0,
        clocks: Default::default(),
        acknowledged_after: None,
        acknowledge_outcome: "PENDING",
        first_resolved_after: None,
        first_outcome: "PENDING",
        total_open: 0,
        total_outcome: "PENDING",
        reopenings: Vec::new(),
        last_resolved_at: None,
        evidence: Vec::new(),
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
fn resolve_limit(admitted: &Admitted<'_>, severity: &str) -> i64 {
    admitted.numbers.whole(&format!("service_levels.resolve_hours.{severity}")) * HOUR
}

/// "Acknowledge ≤ 60 min."
fn acknowledge_limit(admitted: &Admitted<'_>) -> i64 {
    admitted.numbers.whole("service_levels.acknowledge_minutes") * MINUTE
}

fn judge(admitted: &Admitted<'_>, complaint: &mut Complaint, withdrawn_at: Option<i64>) {
    complaint.limit = resolve_limit(admitted, &complaint.severity);
    // A clock that nothing has stopped runs until as_of, or until the withdrawal.
    let running = match withdrawn_at {
        Some(at) => at - complaint.lodged_at,
        None => admitted.since(complaint.lodged_at),
    };
    let withdrawn = withdrawn_at.is_some();
    complaint.acknowledge_outcome =
        outcome(complaint.acknowledged_after, running, acknowledge_limit(admitted), withdrawn);
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
