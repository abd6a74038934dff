//! The lifecycle stage of a customer, and what else every view says of them: project, company, consultant.

use touchpoint::{Code, Date, Fen, Kind, Timestamp, Touchpoint};

use crate::contract::{Contract, Subscriptions, contracts, subscriptions};
use crate::{Filed, Moment, Timeline, rules};

/// Where a customer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// 线索: known but not seen.
    Lead,
    /// 意向客户: seen, nothing paid.
    Prospect,
    /// 认购: a unit is reserved.
    Subscribed,
    /// 准业主: signed, not delivered.
    QuasiOwner,
    /// 磨合期: less than 12 months after moving in.
    RunIn,
    /// 稳定期: 12 to less than 24 months after moving in.
    Stable,
    /// 老业主: 24 months or more after moving in.
    LongTerm,
    /// Given up, or silent too long, without ever having signed.
    Lost,
    /// No live contract left.
    Exited,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Self; 9] = [
        Self::Lead,
        Self::Prospect,
        Self::Subscribed,
        Self::QuasiOwner,
        Self::RunIn,
        Self::Stable,
        Self::LongTerm,
        Self::Lost,
        Self::Exited,
    ];

    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lead => "LEAD",
            Self::Prospect => "PROSPECT",
            Self::Subscribed => "SUBSCRIBED",
            Self::QuasiOwner => "QUASI_OWNER",
            Self::RunIn => "RUN_IN",
            Self::Stable => "STABLE",
            Self::LongTerm => "LONG_TERM",
            Self::Lost => "LOST",
            Self::Exited => "EXITED",
        }
    }
}

/// A customer's lifecycle at a moment.
#[derive(Debug, Clone)]
pub struct Lifecycle<'t> {
    /// Where the customer stands.
    pub stage: Stage,
    /// LOST was concluded from silence, not recorded by LeadLost.
    pub inferred: bool,
    /// An owner has a further live contract that is not yet delivered.
    pub open_contract: bool,
    /// For an owner: the date from which the months count.
    pub owner_from: Option<Date>,
    /// All contracts, in the order of their signing.
    pub contracts: Vec<Contract<'t>>,
    /// The last sign of life.
    pub silent_since: Timestamp,
    /// The city company.
    pub company: Option<Code<'t>>,
    /// The project.
    pub project: Option<Code<'t>>,
    /// 置业顾问.
    pub consultant: Option<Code<'t>>,
}

impl<'t> Lifecycle<'t> {
    /// Folds the counting events.
    pub fn fold(timeline: &'t Timeline<'t>, rules: &rules::Lifecycle, moment: &mut Moment) -> Self {
        let events: &'t [Filed<'t>] = &timeline.events;
        let contracts = contracts(events);
        let subscriptions = subscriptions(events, &contracts);
        let silent_since = timeline.last_sign().map_or(Timestamp::MIN, |event| event.occurred_at);
        let owner_from = contracts.iter().filter(|contract| contract.is_live()).filter_map(Contract::owned_from).min();
        let live = contracts.iter().any(Contract::is_live);
        let (stage, inferred) = match (owner_from, live, contracts.is_empty()) {
            (Some(from), ..) => (owner_stage(from, rules, moment), false),
            (None, true, _) => (Stage::QuasiOwner, false),
            (None, false, false) if subscriptions.open => (Stage::Subscribed, false),
            (None, false, false) => (Stage::Exited, false),
            (None, false, true) => before_contract(events, subscriptions, silent_since, rules, moment),
        };
        let undelivered = contracts.iter().any(|contract| contract.is_live() && !contract.is_delivered());
        Self {
            stage,
            inferred,
            open_contract: owner_from.is_some() && undelivered,
            owner_from,
            company: unit_of(events, &contracts, |event| event.company.as_ref()),
            project: unit_of(events, &contracts, |event| event.project.as_ref()),
            consultant: timeline.consultant(),
            contracts,
            silent_since,
        }
    }

    /// The live contracts, in the order of their signing.
    pub fn live(&self) -> impl DoubleEndedIterator<Item = &Contract<'t>> {
        self.contracts.iter().filter(|contract| contract.is_live())
    }

    /// The current prices of the live contracts together.
    pub fn live_value(&self) -> Fen {
        Fen(self.live().fold(0, |sum: i64, contract| sum.saturating_add(contract.price.0)))
    }
}

fn owner_stage(from: Date, rules: &rules::Lifecycle, moment: &mut Moment) -> Stage {
    if moment.reached_date(from.plus_months(rules.long_term_after_months)) {
        Stage::LongTerm
    } else if moment.reached_date(from.plus_months(rules.stable_after_months)) {
        Stage::Stable
    } else {
        Stage::RunIn
    }
}

/// The stage of a customer who never signed, and whether LOST was inferred.
fn before_contract(
    events: &[Filed<'_>],
    subscriptions: Subscriptions,
    silent_since: Timestamp,
    rules: &rules::Lifecycle,
    moment: &mut Moment,
) -> (Stage, bool) {
    if given_up(events) {
        return (Stage::Lost, false);
    }
    if !moment.within_days(silent_since, rules.lost_after_days) {
        return (Stage::Lost, true);
    }
    let visited = events.iter().any(|event| event.body.kind() == Kind::VisitRecorded);
    let stage = match subscriptions {
        Subscriptions { open: true, .. } => Stage::Subscribed,
        Subscriptions { any, .. } if any || visited => Stage::Prospect,
        _ => Stage::Lead,
    };
    (stage, false)
}

/// The latest LeadLost has not been overtaken by a visit, a new subscription or a new registration.
fn given_up(events: &[Filed<'_>]) -> bool {
    let Some(lost) = events.iter().rposition(|event| event.body.kind() == Kind::LeadLost) else {
        return false;
    };
    let (before, after) = events.split_at(lost);
    let is_new = |id: &Code<'_>| {
        !before
            .iter()
            .any(|event| matches!(&event.body, Touchpoint::SubscriptionPlaced(it) if it.subscription_id == *id))
    };
    !after.iter().any(|event| match &event.body {
        Touchpoint::VisitRecorded(_) | Touchpoint::LeadRegistered(_) => true,
        Touchpoint::SubscriptionPlaced(placed) => is_new(&placed.subscription_id),
        _ => false,
    })
}

/// What the latest-signed live contract's signing names, else what the latest counting event does that names any.
fn unit_of<'t>(
    events: &'t [Filed<'t>],
    contracts: &[Contract<'t>],
    unit: impl Fn(&'t Filed<'t>) -> Option<&'t Code<'t>>,
) -> Option<Code<'t>> {
    let latest_live = contracts.iter().rev().find(|contract| contract.is_live());
    let of_contract = latest_live.and_then(|contract| unit(contract.signing));
    of_contract.or_else(|| events.iter().rev().find_map(unit)).map(Code::borrowed)
}
