//! Complaints of a customer after ISO 10002: their states, clocks and service levels.

use touchpoint::{Code, ComplaintLodged, ComplaintSeverity, Timestamp, Touchpoint};

use crate::first::Firsts;
use crate::{Filed, Moment, Timeline, rules};

/// The state of a complaint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the states of ISO 10002 by their names")]
pub enum State {
    Lodged,
    Acknowledged,
    Assessed,
    InProgress,
    Resolved,
    Closed,
    Withdrawn,
}

impl State {
    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lodged => "LODGED",
            Self::Acknowledged => "ACKNOWLEDGED",
            Self::Assessed => "ASSESSED",
            Self::InProgress => "IN_PROGRESS",
            Self::Resolved => "RESOLVED",
            Self::Closed => "CLOSED",
            Self::Withdrawn => "WITHDRAWN",
        }
    }

    /// Waiting to be resolved.
    pub fn is_open(self) -> bool {
        self < Self::Resolved
    }
}

/// How a limit was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Done within the limit.
    Met,
    /// Past the limit, whether done since or not.
    Breached,
    /// Not done, and still within the limit.
    Pending,
    /// Withdrawn within the limit.
    Withdrawn,
}

impl Outcome {
    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Met => "MET",
            Self::Breached => "BREACHED",
            Self::Pending => "PENDING",
            Self::Withdrawn => "WITHDRAWN",
        }
    }
}

/// One clock of a complaint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// The time taken, in microseconds; nothing while it still runs.
    pub taken: Option<i64>,
    /// The limit, in microseconds.
    pub limit: i64,
    /// When the limit ends, while the clock runs.
    pub due: Option<Timestamp>,
    /// How the limit was kept.
    pub outcome: Outcome,
}

/// A complaint, opened by the first ComplaintLodged of its id.
#[derive(Debug, Clone)]
pub struct Complaint<'t> {
    /// The event that opened it.
    pub lodging: &'t Filed<'t>,
    /// What was lodged.
    pub lodged: &'t ComplaintLodged<'t>,
    /// The latest assessment, else as lodged.
    pub severity: ComplaintSeverity,
    /// The state.
    pub state: State,
    /// It was escalated.
    pub escalated: bool,
    /// Steps that the state did not allow.
    pub ignored_steps: u32,
    /// Effective reopenings, in order: when, and by which event.
    pub reopened: Vec<(Timestamp, &'t Filed<'t>)>,
    /// The last resolution: when, and by which event.
    pub resolved: Option<(Timestamp, &'t Filed<'t>)>,
    /// The event that gave the severity, if it was assessed.
    pub assessment: Option<&'t Filed<'t>>,
    /// Until the complaint was acknowledged.
    pub acknowledgement: Clock,
    /// Until the first resolution.
    pub first_resolution: Clock,
    /// All the time that it was open.
    pub total: Clock,
}

impl<'t> Complaint<'t> {
    /// The complaint's code.
    pub fn id(&self) -> &'t str {
        self.lodged.complaint_id.as_str()
    }

    /// The events that give the present severity, and with it the limits: the lodging, and the latest assessment.
    pub fn severity_by(&self) -> impl Iterator<Item = &'t Filed<'t>> {
        std::iter::once(self.lodging).chain(self.assessment)
    }

    /// While it is open: since when, from lodging or the last reopening.
    pub fn open_since(&self) -> Option<Timestamp> {
        let since = self.reopened.last().map_or(self.lodging.occurred_at, |(at, _)| *at);
        self.state.is_open().then_some(since)
    }
}

/// The complaints of a customer, in the order of their lodging.
pub fn complaints<'t>(
    timeline: &'t Timeline<'t>,
    rules: &rules::ServiceLevels,
    moment: &mut Moment,
) -> Vec<Complaint<'t>> {
    let lodgings = Firsts::of(&timeline.events, |body| match body {
        Touchpoint::ComplaintLodged(lodged) => Some((&lodged.complaint_id, lodged)),
        _ => None,
    });
    let mut courses: Vec<_> = lodgings.all.iter().map(|(lodging, lodged)| Course::new(lodging, lodged)).collect();
    if courses.is_empty() {
        return Vec::new();
    }
    for step in &timeline.events {
        if let Some(index) = step_of(&step.body).and_then(|id| lodgings.index(id)) {
            courses[index].take(step);
        }
    }
    courses.into_iter().map(|course| course.judge(rules, moment)).collect()
}

/// The complaint that a step is of.
fn step_of<'t>(body: &'t Touchpoint<'t>) -> Option<&'t Code<'t>> {
    let id = match body {
        Touchpoint::ComplaintAcknowledged(step) => &step.complaint_id,
        Touchpoint::ComplaintAssessed(step) => &step.complaint_id,
        Touchpoint::ComplaintAssigned(step) => &step.complaint_id,
        Touchpoint::ComplaintEscalated(step) => &step.complaint_id,
        Touchpoint::ComplaintResolved(step) => &step.complaint_id,
        Touchpoint::ComplaintReopened(step) => &step.complaint_id,
        Touchpoint::ComplaintClosed(step) => &step.complaint_id,
        Touchpoint::ComplaintWithdrawn(step) => &step.complaint_id,
        _ => return None,
    };
    Some(id)
}

/// A complaint while its steps are taken in order.
struct Course<'t> {
    lodging: &'t Filed<'t>,
    lodged: &'t ComplaintLodged<'t>,
    severity: ComplaintSeverity,
    state: State,
    escalated: bool,
    ignored_steps: u32,
    acknowledged_at: Option<Timestamp>,
    reopened: Vec<(Timestamp, &'t Filed<'t>)>,
    resolutions: Vec<(Timestamp, &'t Filed<'t>)>,
    assessment: Option<&'t Filed<'t>>,
    withdrawn_at: Option<Timestamp>,
    /// Microseconds of the open spells that have ended, and the start of the one that runs.
    spent: i64,
    running_since: Option<Timestamp>,
}

impl<'t> Course<'t> {
    fn new(lodging: &'t Filed<'t>, lodged: &'t ComplaintLodged<'t>) -> Self {
        Self {
            lodging,
            lodged,
            severity: lodged.severity,
            state: State::Lodged,
            escalated: false,
            ignored_steps: 0,
            acknowledged_at: None,
            reopened: Vec::new(),
            resolutions: Vec::new(),
            assessment: None,
            withdrawn_at: None,
            spent: 0,
            running_since: Some(lodging.occurred_at),
        }
    }

    fn take(&mut self, step: &'t Filed<'t>) {
        let at = step.occurred_at.max(self.lodging.occurred_at);
        let open = self.state.is_open();
        match &step.body {
            _ if self.state == State::Withdrawn => self.ignored_steps += 1,
            Touchpoint::ComplaintAcknowledged(_) => self.advance(State::Acknowledged, at),
            Touchpoint::ComplaintAssessed(assessed) => {
                self.severity = assessed.severity;
                self.assessment = Some(step);
                self.advance(State::Assessed, at);
            }
            Touchpoint::ComplaintAssigned(_) => self.advance(State::InProgress, at),
            Touchpoint::ComplaintEscalated(_) => self.escalated = true,
            Touchpoint::ComplaintResolved(_) if open => self.resolve(State::Resolved, at, step),
            Touchpoint::ComplaintClosed(_) if open => self.resolve(State::Closed, at, step),
            Touchpoint::ComplaintClosed(_) if self.state == State::Resolved => self.state = State::Closed,
            Touchpoint::ComplaintReopened(_) if !open => {
                self.state = State::InProgress;
                self.reopened.push((at, step));
                self.running_since = Some(at);
            }
            Touchpoint::ComplaintWithdrawn(_) => {
                self.stop(at);
                self.state = State::Withdrawn;
                self.withdrawn_at = Some(at);
            }
            _ => self.ignored_steps += 1,
        }
    }

    /// Acknowledges by this step, and moves on where that is forward among the open states.
    fn advance(&mut self, to: State, at: Timestamp) {
        self.acknowledged_at.get_or_insert(at);
        if self.state.is_open() {
            self.state = self.state.max(to);
        }
    }

    fn resolve(&mut self, to: State, at: Timestamp, step: &'t Filed<'t>) {
        self.acknowledged_at.get_or_insert(at);
        self.resolutions.push((at, step));
        self.stop(at);
        self.state = to;
    }

    fn stop(&mut self, at: Timestamp) {
        if let Some(since) = self.running_since.take() {
            self.spent += at.since(since);
        }
    }

    fn judge(self, rules: &rules::ServiceLevels, moment: &mut Moment) -> Complaint<'t> {
        let lodged_at = self.lodging.occurred_at;
        let acknowledge = i64::from(rules.acknowledge_minutes) * Timestamp::MINUTE;
        let resolve = i64::from(rules.resolve_hours[self.severity as usize]) * Timestamp::HOUR;
        let withdrawn = self.withdrawn_at;
        let single = |done: Option<Timestamp>, limit, moment: &mut Moment| {
            clock(done.map(|at| at.since(lodged_at)), withdrawn.map(|at| at.since(lodged_at)), lodged_at, limit, moment)
        };
        let acknowledgement = single(self.acknowledged_at, acknowledge, moment);
        let first_resolution = single(self.resolutions.first().map(|(at, _)| *at), resolve, moment);
        let total = match (self.running_since, withdrawn) {
            // The limit is what is left of it after the spells that have ended.
            (Some(since), _) => {
                let left = clock(None, None, since, resolve - self.spent, moment);
                Clock { limit: resolve, ..left }
            }
            (None, Some(_)) => clock(None, Some(self.spent), lodged_at, resolve, moment),
            (None, None) => clock(Some(self.spent), None, lodged_at, resolve, moment),
        };
        Complaint {
            lodging: self.lodging,
            lodged: self.lodged,
            severity: self.severity,
            state: self.state,
            escalated: self.escalated,
            ignored_steps: self.ignored_steps,
            reopened: self.reopened,
            resolved: self.resolutions.last().copied(),
            assessment: self.assessment,
            acknowledgement,
            first_resolution,
            total,
        }
    }
}

/// A clock that was stopped by being done or withdrawn after so many microseconds, or runs since `since`.
fn clock(done: Option<i64>, withdrawn: Option<i64>, since: Timestamp, limit: i64, moment: &mut Moment) -> Clock {
    let outcome = match (done, withdrawn) {
        (Some(taken), _) if taken <= limit => Outcome::Met,
        (None, Some(taken)) if taken <= limit => Outcome::Withdrawn,
        (Some(_), _) | (None, Some(_)) => Outcome::Breached,
        (None, None) if moment.passed(since, limit) => Outcome::Breached,
        (None, None) => Outcome::Pending,
    };
    let taken = done.or(withdrawn);
    Clock { taken, limit, due: taken.is_none().then(|| since.plus_micros(limit)), outcome }
}
