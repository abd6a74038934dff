//! What if: where a customer stands under each of two rules, as the messages of DiffRules.

use std::collections::BTreeMap;
use std::sync::Arc;

use touchpoint::{CustomerId, Timestamp};
use views::churn::{Band, Churn};
use views::lifecycle::Stage;
use views::rules::Rules;
use views::satisfaction::{Class, Loyalty, Observation, Satisfaction};
use views::segmentation::{self, Decision, Label, Membership, Segmentation, Tier};
use views::{Moment, Record, View};

use crate::page::Paged;
use crate::segmentation::evidence;
use crate::{decision, v1};

/// A value of an axis, by its place among the values of that axis.
pub type Value = usize;

/// An axis: its name, and the names of its values in their order.
pub type Axis = (&'static str, &'static [&'static str]);

/// A view whose answers can be compared between two rules.
pub trait Compared: View<Answer: PartialEq> {
    /// The axes on which customers move.
    const AXES: &'static [Axis];

    /// The customer's value on each axis; nothing where profiling is withheld.
    fn values(answer: &Self::Answer) -> [Option<Value>; MAX_AXES];

    /// The rule segments that the customer is in, by name.
    fn segments(answer: &Self::Answer) -> impl Iterator<Item = &Arc<str>> {
        Self::memberships(answer).iter().map(|membership| &membership.name)
    }

    /// The rule segments with the events that they count.
    fn memberships(_answer: &Self::Answer) -> &[Membership] {
        &[]
    }

    /// How the condition of each rule segment turns out, whether or not the customer is in it; nothing where there is no
    /// profile. Asked of who moves only.
    fn decisions(_record: &Record, _rules: &Rules, _moment: &mut Moment) -> Option<Vec<Decision>> {
        None
    }

    /// The figures behind the values at this instant, always the same ones in the same order.
    fn figures(answer: &Self::Answer, as_of: Timestamp) -> Vec<(&'static str, Option<i64>)>;

    /// The reasons with their points in millionths; those of one name are added up.
    fn reasons(answer: &Self::Answer) -> Vec<(String, i64)>;
}

/// Of a customer whose stage changes it is said in any case.
const DAYS_SILENT: &str = "days_silent";
/// The axis of the stage.
const STAGE: &str = "stage";
/// Points of the index between two neighbouring values of 1 to 5.
const INDEX_POINTS_PER_STEP: i64 = 25;

/// Most axes of a view.
pub const MAX_AXES: usize = 3;

/// The names of the values of an axis, in their order.
macro_rules! names {
    ($values:ident) => {{
        let (mut names, mut index) = ([""; $values::ALL.len()], 0);
        while index < names.len() {
            names[index] = $values::ALL[index].name();
            index += 1;
        }
        names
    }};
}

const BANDS: [&str; Band::ALL.len()] = names!(Band);
const STAGES: [&str; Stage::ALL.len()] = names!(Stage);
const CLASSES: [&str; Class::ALL.len()] = names!(Class);
const LOYALTIES: [&str; Loyalty::ALL.len()] = names!(Loyalty);
const TIERS: [&str; Tier::ALL.len()] = ["VIP", "HIGH", "MID", "BASIC"];
const LABELS: [&str; Label::ALL.len()] = [
    "KEY_VALUE",
    "KEY_DEVELOP",
    "KEY_RETAIN",
    "KEY_WIN_BACK",
    "GENERAL_VALUE",
    "GENERAL_DEVELOP",
    "GENERAL_RETAIN",
    "GENERAL_WIN_BACK",
];

impl Compared for Churn {
    const AXES: &'static [Axis] = &[("band", &BANDS)];

    fn values(answer: &Self::Answer) -> [Option<Value>; MAX_AXES] {
        [answer.risk.as_ref().and_then(|risk| place(&Band::ALL, risk.band)), None, None]
    }

    fn figures(answer: &Self::Answer, _as_of: Timestamp) -> Vec<(&'static str, Option<i64>)> {
        vec![("p_millionths", answer.risk.as_ref().map(|risk| risk.p.into()))]
    }

    fn reasons(answer: &Self::Answer) -> Vec<(String, i64)> {
        let reasons = answer.risk.iter().flat_map(|risk| &risk.reasons);
        reasons.map(|reason| (reason.code.name().to_owned(), reason.points)).collect()
    }
}

impl Compared for Segmentation {
    const AXES: &'static [Axis] = &[(STAGE, &STAGES), ("rfm_label", &LABELS), ("value_tier", &TIERS)];

    fn values(answer: &Self::Answer) -> [Option<Value>; MAX_AXES] {
        let profile = answer.profile.as_ref();
        [
            place(&Stage::ALL, answer.standing.stage),
            profile.and_then(|profile| place(Label::ALL, profile.rfm.label)),
            profile.and_then(|profile| place(Tier::ALL, profile.tier.tier)),
        ]
    }

    fn memberships(answer: &Self::Answer) -> &[Membership] {
        answer.profile.as_ref().map_or(&[], |profile| &profile.segments)
    }

    fn decisions(record: &Record, rules: &Rules, moment: &mut Moment) -> Option<Vec<Decision>> {
        Some(segmentation::explain(record, rules, moment)?.reasons?.decisions)
    }

    fn figures(answer: &Self::Answer, as_of: Timestamp) -> Vec<(&'static str, Option<i64>)> {
        let profile = answer.profile.as_ref();
        let rfm = profile.map(|profile| &profile.rfm);
        vec![
            (DAYS_SILENT, profile.map(|_| answer.standing.days_silent(as_of).into())),
            ("score_hundredths", profile.map(|profile| profile.tier.score)),
            ("recency", rfm.map(|rfm| rfm.recency.into())),
            ("frequency", rfm.map(|rfm| rfm.frequency.into())),
            ("monetary", rfm.map(|rfm| rfm.monetary.into())),
            ("interaction_days", rfm.map(|rfm| rfm.interaction_days.into())),
        ]
    }

    fn reasons(answer: &Self::Answer) -> Vec<(String, i64)> {
        let parts = answer.profile.iter().flat_map(|profile| &profile.tier.parts);
        parts.map(|part| (part.code.name().to_owned(), part.points)).collect()
    }
}

impl Compared for Satisfaction {
    const AXES: &'static [Axis] = &[("satisfaction_class", &CLASSES), ("loyalty_class", &LOYALTIES)];

    fn values(answer: &Self::Answer) -> [Option<Value>; MAX_AXES] {
        let profile = answer.profile.as_ref();
        [
            profile.and_then(|profile| place(&Class::ALL, profile.class)),
            profile.and_then(|profile| place(&Loyalty::ALL, profile.loyalty)),
            None,
        ]
    }

    fn figures(answer: &Self::Answer, _as_of: Timestamp) -> Vec<(&'static str, Option<i64>)> {
        vec![("index_hundredths", answer.profile.as_ref().and_then(|profile| profile.index).map(i64::from))]
    }

    fn reasons(answer: &Self::Answer) -> Vec<(String, i64)> {
        let observations = answer.profile.iter().flat_map(|profile| &profile.observations);
        observations.map(contribution).collect()
    }
}

/// What an observation adds to the index.
fn contribution(observation: &Observation) -> (String, i64) {
    let Observation { port, value, share, dated_at, inferred_from, .. } = observation;
    let name = match inferred_from {
        Some(complaint) => format!("complaint {complaint}"),
        None => format!("{} {}", port.name(), dated_at.shanghai_date()),
    };
    (name, INDEX_POINTS_PER_STEP * i64::from(value.saturating_sub(1)) * i64::from(*share))
}

fn place<T: PartialEq>(all: &[T], value: T) -> Option<Value> {
    all.iter().position(|it| *it == value)
}

/// A customer who moves, by the answers under the served rules and under the candidate ones.
pub fn moved<V: Compared>(
    customer: CustomerId,
    [before, after]: [&V::Answer; 2],
    as_of: Timestamp,
) -> v1::MovedCustomer {
    let values = V::values(before).into_iter().zip(V::values(after));
    let moves = V::AXES.iter().zip(values).filter_map(|(&(axis, names), (from, to))| {
        let (from, to) = (from?, to?);
        let name = |value: Value| names.get(value).copied().unwrap_or_default().to_owned();
        (from != to).then(|| v1::AxisMove { axis: axis.to_owned(), from: name(from), to: name(to) })
    });
    let moves: Vec<_> = moves.collect();
    let [gained, lost] = [only::<V>(after, before), only::<V>(before, after)];
    let names = |of: &[&Membership]| of.iter().map(|membership| membership.name.to_string()).collect();
    v1::MovedCustomer {
        customer_id: customer.to_string(),
        segments_gained: names(&gained),
        segments_lost: names(&lost),
        figures: figures::<V>([before, after], as_of, moves.iter().any(|it| it.axis == STAGE)),
        reasons: reasons::<V>([before, after]),
        segment_reasons: gained.into_iter().chain(lost).map(counted).collect(),
        segment_changes: Vec::new(),
        moves,
    }
}

/// Says why the customer gains and loses rule segments, by how their conditions turn out under the served rules and under
/// the candidate ones.
pub fn say_why(customer: &mut v1::MovedCustomer, [before, after]: [&[Decision]; 2]) {
    let of = |name: &str, decisions: &[Decision]| {
        decisions.iter().find(|it| &*it.name == name).map(|it| decision::decision(&it.trace))
    };
    let names = customer.segments_gained.iter().chain(&customer.segments_lost);
    let change =
        |name: &String| v1::SegmentChange { name: name.clone(), before: of(name, before), after: of(name, after) };
    customer.segment_changes = names.map(change).collect();
}

/// A rule segment with the events that it counts.
fn counted(membership: &Membership) -> v1::Reason {
    let code = membership.name.to_string();
    v1::Reason { code, evidence: evidence(&membership.evidence), ..Default::default() }
}

/// The rule segments that one answer has and the other has not.
fn only<'a, V: Compared>(one: &'a V::Answer, other: &V::Answer) -> Vec<&'a Membership> {
    let is_in = |name: &Arc<str>| V::segments(other).any(|segment| segment == name);
    V::memberships(one).iter().filter(|membership| !is_in(&membership.name)).collect()
}

/// The figures that are others; the silence in any case where the stage is another.
fn figures<V: Compared>(answers: [&V::Answer; 2], as_of: Timestamp, stage_moves: bool) -> Vec<v1::FigureChange> {
    let [before, after] = answers.map(|answer| V::figures(answer, as_of));
    let both = before.into_iter().zip(after);
    let told = both.filter(|((name, was), (_, is))| was != is || (stage_moves && *name == DAYS_SILENT));
    told.map(|((name, before), (_, after))| v1::FigureChange { name: name.to_owned(), before, after }).collect()
}

/// The reasons whose points are others, by code.
fn reasons<V: Compared>(answers: [&V::Answer; 2]) -> Vec<v1::ReasonChange> {
    let mut points: BTreeMap<String, [Option<i64>; 2]> = BTreeMap::new();
    for (side, answer) in answers.into_iter().enumerate() {
        for (code, said) in V::reasons(answer) {
            *points.entry(code).or_default()[side].get_or_insert(0) += said;
        }
    }
    let changed = points.into_iter().filter(|(_, [before, after])| before != after);
    changed
        .map(|(code, [before_millionths, after_millionths])| v1::ReasonChange {
            code,
            before_millionths,
            after_millionths,
        })
        .collect()
}

/// A request of DiffRules of one of the views.
pub trait Request: Paged {
    /// Its answer.
    type Response;

    /// The text of the candidate rules.
    fn candidate(&self) -> &str;

    /// The instant.
    fn query(&self) -> Option<&v1::ViewQuery>;

    /// The answer of these parts.
    fn response(
        diff: Option<v1::RulesDiff>,
        moved: Vec<v1::MovedCustomer>,
        next_page_token: String,
        meta: v1::AnswerMeta,
    ) -> Self::Response;
}

macro_rules! requests {
    ($($request:ident $response:ident $method:literal)+) => {$(
        impl Paged for v1::$request {
            const METHOD: &'static str = $method;

            fn paging(&mut self) -> (&mut i32, &mut String) {
                (&mut self.page_size, &mut self.page_token)
            }
        }

        impl Request for v1::$request {
            type Response = v1::$response;

            fn candidate(&self) -> &str {
                &self.candidate
            }

            fn query(&self) -> Option<&v1::ViewQuery> {
                self.query.as_ref()
            }

            fn response(
                diff: Option<v1::RulesDiff>,
                moved: Vec<v1::MovedCustomer>,
                next_page_token: String,
                meta: v1::AnswerMeta,
            ) -> v1::$response {
                v1::$response { diff, moved, next_page_token, meta: Some(meta) }
            }
        }
    )+};
}

requests! {
    SegmentationServiceDiffRulesRequest SegmentationServiceDiffRulesResponse "Segmentation.DiffRules"
    SatisfactionServiceDiffRulesRequest SatisfactionServiceDiffRulesResponse "Satisfaction.DiffRules"
    ChurnRiskServiceDiffRulesRequest ChurnRiskServiceDiffRulesResponse "ChurnRisk.DiffRules"
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names are those of the enumerations in the protos.
    #[test]
    fn values_are_named_as_in_the_protos() {
        for (index, stage) in Stage::ALL.into_iter().enumerate() {
            let name = format!("LIFECYCLE_STAGE_{}", STAGES[index]);
            assert_eq!(crate::standing::stage(stage).as_str_name(), name);
        }
        for (index, label) in Label::ALL.iter().enumerate() {
            assert_eq!(crate::segmentation::label(*label).as_str_name(), format!("RFM_LABEL_{}", LABELS[index]));
        }
        for (index, tier) in Tier::ALL.iter().enumerate() {
            assert_eq!(crate::segmentation::tier(*tier).as_str_name(), format!("VALUE_TIER_{}", TIERS[index]));
        }
        assert!(
            CLASSES
                .iter()
                .all(|it| v1::SatisfactionClass::from_str_name(&format!("SATISFACTION_CLASS_{it}")).is_some())
        );
        assert!(LOYALTIES.iter().all(|it| v1::LoyaltyClass::from_str_name(&format!("LOYALTY_CLASS_{it}")).is_some()));
    }
}
