//! 投诉: a complaint of a customer as it is answered and listed, with its service levels.

use touchpoint::{Code, ComplaintSeverity, ServicePort, Timestamp};

use super::Evidence;
use crate::complaint::{Clock, Complaint, Outcome, State};

/// A complaint with its service levels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The complaint's code.
    pub id: Code<'static>,
    /// The service port that it is about.
    pub port: ServicePort,
    /// A code for the category.
    pub category: Code<'static>,
    /// The present severity.
    pub severity: ComplaintSeverity,
    /// The state.
    pub state: State,
    /// It was escalated.
    pub escalated: bool,
    /// When it was lodged.
    pub lodged_at: Timestamp,
    /// The contract that it is about.
    pub contract: Option<Code<'static>>,
    /// 群诉: what several customers' complaints about one cause share.
    pub group: Option<Code<'static>>,
    /// The city company that its lodging names.
    pub company: Option<Code<'static>>,
    /// The project that its lodging names.
    pub project: Option<Code<'static>>,
    /// Until it was acknowledged.
    pub acknowledgement: Clock,
    /// Until its first resolution.
    pub first_resolution: Clock,
    /// All the time that it was open. Its `due` is when an open complaint's limit ends.
    pub total: Clock,
    /// Effective reopenings.
    pub reopenings: u32,
    /// Steps that the state did not allow.
    pub ignored_steps: u32,
    /// The lodging, the latest assessment, the reopenings and the last resolution, in order.
    pub evidence: Vec<Evidence>,
}

impl Case {
    pub(super) fn new(complaint: &Complaint<'_>) -> Self {
        let owned = |code: &Option<Code<'_>>| code.clone().map(Code::into_owned);
        let (lodged, lodging) = (complaint.lodged, complaint.lodging);
        Self {
            id: lodged.complaint_id.clone().into_owned(),
            port: lodged.port,
            category: lodged.category.clone().into_owned(),
            severity: complaint.severity,
            state: complaint.state,
            escalated: complaint.escalated,
            lodged_at: lodging.occurred_at,
            contract: owned(&lodged.contract_id),
            group: owned(&lodged.group_id),
            company: owned(&lodging.company),
            project: owned(&lodging.project),
            acknowledgement: complaint.acknowledgement,
            first_resolution: complaint.first_resolution,
            total: complaint.total,
            reopenings: complaint.reopened.len() as u32,
            ignored_steps: complaint.ignored_steps,
            evidence: evidence(complaint),
        }
    }

    /// It is open, and its total clock is past the limit.
    pub fn is_overdue(&self) -> bool {
        self.state.is_open() && self.total.outcome == Outcome::Breached
    }
}

/// The events that a complaint's state, severity and clocks rest on, in order.
pub(super) fn evidence(complaint: &Complaint<'_>) -> Vec<Evidence> {
    let reopened = complaint.reopened.iter().map(|(_, event)| *event);
    let resolved = complaint.resolved.map(|(_, event)| event);
    Evidence::of_all(reopened.chain(resolved).chain(complaint.assessment).chain([complaint.lodging]))
}
