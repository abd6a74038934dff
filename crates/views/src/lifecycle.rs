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
    /// The event that made the stage: of an owner, the delivery from whose date the months count.
    pub stage_by: Option<&'t Filed<'t>>,
    /// An owner has a further live contract that is not yet delivered.
    pub open_contract: bool,
    /// For an owner: the date from which the months count.
    pub owner_from: Option<Date>,
    /// All contracts, in the order of their signing.
    pub contracts: Vec<Contract<'t>>,
    /// The last sign of life.
    pub silent_since: Timestamp,
    /// The event that names the city company.
    pub company_by: Option<&'t Filed<'t>>,
    /// The event that names the project.
    pub project_by: Option<&'t Filed<'t>>,
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
        let live = || contracts.iter().filter(|contract| contract.is_live());
        let home = live().filter_map(Contract::owned_by).min_by_key(|delivery| delivery.on);
        let owner_from = home.map(|delivery| delivery.on);
        let made = |stage, by| Made { stage, inferred: false, by };
        let Made { stage, inferred, by } = match (home, live().next(), subscriptions.open) {
            (Some(home), ..) => made(owner_stage(home.on, rules, moment), Some(home.event)),
            (None, Some(first), _) => made(Stage::QuasiOwner, Some(first.signing)),
            (None, None, _) if contracts.is_empty() => before_contract(timeline, subscriptions, rules, moment),
            (None, None, open @ Some(_)) => made(Stage::Subscribed, open),
            (None, None, None) => made(Stage::Exited, last_ended(&contracts)),
        };
        let undelivered = contracts.iter().any(|contract| contract.is_live() && !contract.is_delivered());
        Self {
            stage,
            inferred,
            stage_by: by,
            open_contract: owner_from.is_some() && undelivered,
            owner_from,
            company_by: named_by(events, &contracts, |event| event.company.is_some()),
            project_by: named_by(events, &contracts, |event| event.project.is_some()),
            consultant: timeline.consultant(),
            contracts,
            silent_since,
        }
    }

    /// The city company.
    pub fn company(&self) -> Option<&'t Code<'t>> {
        self.company_by?.company.as_ref()
    }

    /// The project.
    pub fn project(&self) -> Option<&'t Code<'t>> {
        self.project_by?.project.as_ref()
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

/// A stage and the event that made it.
struct Made<'t> {
    stage: Stage,
    inferred: bool,
    by: Option<&'t Filed<'t>>,
}

/// The cancellation or resale by which the last contract ended.
fn last_ended<'t>(contracts: &[Contract<'t>]) -> Option<&'t Filed<'t>> {
    let ended = contracts.iter().filter_map(|contract| contract.ended);
    ended.max_by_key(|(at, step)| (*at, step.order())).map(|(_, step)| step)
}

/// The stage of a customer who never signed.
fn before_contract<'t>(
    timeline: &'t Timeline<'t>,
    subscriptions: Subscriptions<'t>,
    rules: &rules::Lifecycle,
    moment: &mut Moment,
) -> Made<'t> {
    let events: &'t [Filed<'t>] = &timeline.events;
    let made = |stage, by| Made { stage, inferred: false, by };
    if let lost @ Some(_) = given_up(events) {
        return made(Stage::Lost, lost);
    }
    let last: Option<&'t Filed<'t>> = timeline.last_sign();
    if last.is_some_and(|last| !moment.within_days(last.occurred_at, rules.lost_after_days)) {
        return Made { inferred: true, ..made(Stage::Lost, last) };
    }
    let seen = |event: &&Filed<'_>| matches!(event.body.kind(), Kind::VisitRecorded | Kind::SubscriptionPlaced);
    match (subscriptions.open, events.iter().find(seen)) {
        (open @ Some(_), _) => made(Stage::Subscribed, open),
        (None, first @ Some(_)) => made(Stage::Prospect, first),
        (None, None) => made(Stage::Lead, events.first()),
    }
}

/// The latest LeadLost, if no visit, new subscription or new registration has overtaken it.
fn given_up<'t>(events: &'t [Filed<'t>]) -> Option<&'t Filed<'t>> {
    let lost = events.iter().rposition(|event| event.body.kind() == Kind::LeadLost)?;
    let (before, after) = events.split_at(lost);
    let is_new = |id: &Code<'_>| {
        !before
            .iter()
            .any(|event| matches!(&event.body, Touchpoint::SubscriptionPlaced(it) if it.subscription_id == *id))
    };
    let comes_back = |event: &Filed<'_>| match &event.body {
        Touchpoint::VisitRecorded(_) | Touchpoint::LeadRegistered(_) => true,
        Touchpoint::SubscriptionPlaced(placed) => is_new(&placed.subscription_id),
        _ => false,
    };
    (!after.iter().any(comes_back)).then(|| &events[lost])
}

/// The latest-signed live contract's signing if it names such a unit, else the latest counting event that does.
fn named_by<'t>(
    events: &'t [Filed<'t>],
    contracts: &[Contract<'t>],
    names: impl Fn(&Filed<'t>) -> bool,
) -> Option<&'t Filed<'t>> {
    let latest_live = contracts.iter().rev().find(|contract| contract.is_live());
    let signing = latest_live.map(|contract| contract.signing).filter(|signing| names(signing));
    signing.or_else(|| events.iter().rev().find(|event| names(event)))
}
