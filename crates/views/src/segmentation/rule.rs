//! Rule segments: whether a condition of the rules file holds of a customer.

use touchpoint::{Code, EventId, Scalar, Timestamp};

use super::tier::{Conversion, converted_referrals};
use super::trace::{Decision, Found, Leaf, Trace};
use super::{Demand, Membership, Rfm, TierScore};
use crate::lifecycle::Lifecycle;
use crate::rules::{self, Attribute, Axis, Bounds, Condition, Count, Segment, Value};
use crate::{Filed, Moment, Standing, Timeline};

/// Whom conditions are asked of.
pub(super) struct Subject<'s, 't> {
    pub(super) timeline: &'s Timeline<'t>,
    pub(super) lifecycle: &'s Lifecycle<'s>,
    pub(super) standing: &'s Standing,
    pub(super) rfm: Rfm,
    pub(super) tier: TierScore,
    pub(super) demand: Demand,
    pub(super) conversions: Vec<Conversion<'s>>,
}

/// The segments of which the condition holds, in the order of the rules.
pub(super) fn memberships(subject: &Subject<'_, '_>, segments: &[Segment], moment: &mut Moment) -> Vec<Membership> {
    let member = |segment: &Segment| {
        let mut evidence = Vec::new();
        let holds = subject.holds(&segment.when, moment, &mut evidence);
        holds.then(|| Membership { name: segment.name.clone(), evidence: in_order(evidence) })
    };
    segments.iter().filter_map(member).collect()
}

/// How the conditions of the segments turned out, in the order of the rules. Every condition is asked in full, so that
/// the moment notes more instants than the memberships alone would.
pub(super) fn decisions(subject: &Subject<'_, '_>, segments: &[Segment], moment: &mut Moment) -> Vec<Decision> {
    segments.iter().map(|it| Decision { name: it.name.clone(), trace: subject.trace(&it.when, moment) }).collect()
}

/// The ids of these events, the oldest first, each once: several counts of a condition may have counted the same.
pub(super) fn in_order(mut events: Vec<&Filed<'_>>) -> Vec<EventId> {
    events.sort_unstable_by_key(|event| event.order());
    events.dedup_by_key(|event| event.id);
    events.into_iter().map(|event| event.id).collect()
}

impl<'s, 't> Subject<'s, 't> {
    pub(super) fn new(
        timeline: &'s Timeline<'t>,
        lifecycle: &'s Lifecycle<'s>,
        standing: &'s Standing,
        rules: &rules::Segmentation,
        moment: &mut Moment,
    ) -> Self {
        let rfm = Rfm::new(timeline, lifecycle, rules, moment);
        let conversions = converted_referrals(timeline);
        let tier = TierScore::new(timeline, lifecycle, &conversions, rules);
        Self { timeline, lifecycle, standing, rfm, tier, demand: Demand::fold(timeline), conversions }
    }
}

impl<'s> Subject<'s, '_> {
    /// Whether a condition holds; the events behind it are added where it does. What decides first ends the
    /// question: only what decided can change the answer, so only its instants are noted by the moment.
    fn holds(&self, condition: &Condition, moment: &mut Moment, evidence: &mut Vec<&'s Filed<'s>>) -> bool {
        let before = evidence.len();
        let holds = match condition {
            Condition::All(parts) => parts.iter().all(|part| self.holds(part, moment, evidence)),
            Condition::Any(parts) => parts.iter().any(|part| self.holds(part, moment, evidence)),
            Condition::Not(part) => !self.holds(part, moment, &mut Vec::new()),
            Condition::Count(count) => self.count(count, moment, evidence),
            Condition::OneOf(axis, names) => {
                self.value(*axis).is_some_and(|value| names.iter().any(|name| name == value))
            }
            Condition::Between(Attribute::DaysSilent, bounds) => silent(self.standing.silent_since, bounds, moment),
            Condition::Between(attribute, bounds) => self.number(*attribute).is_some_and(|it| bounds.contain(it)),
            Condition::OpenContract(flag) => self.standing.open_contract == *flag,
        };
        match condition {
            _ if !holds => evidence.truncate(before),
            Condition::OneOf(axis, _) => evidence.extend(self.behind_axis(*axis)),
            Condition::Between(attribute, _) => evidence.extend(self.behind(*attribute)),
            Condition::OpenContract(true) => evidence.extend(self.undelivered()),
            _ => {}
        }
        holds
    }

    fn count(&self, count: &Count, moment: &mut Moment, evidence: &mut Vec<&'s Filed<'s>>) -> bool {
        let before = evidence.len();
        evidence.extend(self.counted(count, moment));
        count.bounds.contain((evidence.len() - before) as i64)
    }

    /// The events that a count counts.
    fn counted(&self, count: &Count, moment: &mut Moment) -> impl Iterator<Item = &'s Filed<'s>> {
        let events = self.timeline.events.iter().filter(move |event| matches(event, count));
        events.filter(move |event| count.days.is_none_or(|days| moment.within_days(event.occurred_at, days)))
    }

    /// How a condition turned out, with everything within it.
    fn trace(&self, condition: &Condition, moment: &mut Moment) -> Trace {
        match condition {
            Condition::All(parts) => Trace::All(parts.iter().map(|part| self.trace(part, moment)).collect()),
            Condition::Any(parts) => Trace::Any(parts.iter().map(|part| self.trace(part, moment)).collect()),
            Condition::Not(part) => Trace::Not(Box::new(self.trace(part, moment))),
            leaf => Trace::Leaf(Leaf {
                condition: leaf.clone(),
                holds: self.holds(leaf, moment, &mut Vec::new()),
                found: self.found(leaf, moment),
            }),
        }
    }

    /// What a condition with none within it is held against.
    fn found(&self, leaf: &Condition, moment: &mut Moment) -> Option<Found> {
        match leaf {
            Condition::All(_) | Condition::Any(_) | Condition::Not(_) => None,
            Condition::Count(count) => Some(Found::Number(self.counted(count, moment).count() as i64)),
            Condition::OneOf(axis, _) => self.value(*axis).map(|value| Found::Name(value.to_owned())),
            Condition::Between(Attribute::DaysSilent, _) => {
                Some(Found::Number(moment.whole_days_since(self.standing.silent_since)))
            }
            Condition::Between(attribute, _) => self.number(*attribute).map(Found::Number),
            Condition::OpenContract(_) => Some(Found::Flag(self.standing.open_contract)),
        }
    }

    /// The value on an axis.
    fn value(&self, axis: Axis) -> Option<&str> {
        match axis {
            Axis::Stage => Some(self.standing.stage.name()),
            Axis::Label => Some(self.rfm.label.name()),
            Axis::Tier => Some(self.tier.tier.name()),
            Axis::Motive => self.demand.motive.map(|said| said.value.name()),
            Axis::Household => self.demand.household.map(|said| said.value.name()),
            Axis::Project => self.standing.project.as_ref().map(Code::as_str),
            Axis::Company => self.standing.company.as_ref().map(Code::as_str),
            Axis::Consultant => self.standing.consultant.as_ref().map(Code::as_str),
        }
    }

    /// The value of an attribute that time alone does not change.
    fn number(&self, attribute: Attribute) -> Option<i64> {
        let budget = self.demand.budget.map(|said| said.value);
        match attribute {
            Attribute::Rooms => self.demand.rooms.map(|said| i64::from(said.value.0)),
            Attribute::BudgetMinFen => budget?.min.map(|fen| fen.0),
            Attribute::BudgetMaxFen => budget?.max.map(|fen| fen.0),
            Attribute::Recency => Some(self.rfm.recency.into()),
            Attribute::Frequency => Some(self.rfm.frequency.into()),
            Attribute::Monetary => Some(self.rfm.monetary.into()),
            Attribute::LiveContracts => Some(self.lifecycle.live().count() as i64),
            Attribute::ContractValueFen => Some(self.rfm.value.0),
            Attribute::LargestContractFen => self.lifecycle.live().map(|contract| contract.price.0).max(),
            Attribute::Conversions => Some(self.conversions.len() as i64),
            Attribute::DaysSilent => None,
        }
    }
}

/// The whole days since then, never fewer than 0, lie between these: asked only of the instants at which that changes.
fn silent(since: Timestamp, bounds: &Bounds, moment: &mut Moment) -> bool {
    bounds.min.is_none_or(|min| min <= 0 || moment.reached(since.plus_days(min)))
        && bounds.max.is_none_or(|max| !moment.reached(since.plus_days(max + 1)))
}

/// The event is of a counted type and has the wanted fields.
fn matches(event: &Filed<'_>, count: &Count) -> bool {
    let fits = |(name, values): &(String, Vec<Value>)| {
        event.body.field(name).is_some_and(|found| values.iter().any(|value| equal(value, &found)))
    };
    count.events.contains(&event.body.kind()) && count.filter.iter().all(fits)
}

fn equal(value: &Value, found: &Scalar<'_>) -> bool {
    match (value, found) {
        (Value::Text(value), Scalar::Text(found)) => value == found,
        (Value::Whole(value), Scalar::Int(found)) => value == found,
        (Value::Flag(value), Scalar::Bool(found)) => value == found,
        _ => false,
    }
}
