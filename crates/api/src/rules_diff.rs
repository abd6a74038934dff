//! What if: where a customer stands under each of two rules, as the messages of DiffRules.

use std::collections::BTreeMap;
use std::sync::Arc;

use touchpoint::CustomerId;
use views::View;
use views::churn::{Band, Churn};
use views::lifecycle::Stage;
use views::satisfaction::{Class, Loyalty, Satisfaction};
use views::segmentation::{Label, Segmentation, Tier};

use crate::page::Paged;
use crate::v1;

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
    fn segments(_answer: &Self::Answer) -> impl Iterator<Item = &Arc<str>> {
        std::iter::empty()
    }

    /// The figure behind the values, if there is one.
    fn figure(answer: &Self::Answer) -> (&'static str, Option<i64>);

    /// The reasons with their points in millionths.
    fn reasons(_answer: &Self::Answer) -> impl Iterator<Item = (&'static str, i64)> {
        std::iter::empty()
    }
}

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

    fn figure(answer: &Self::Answer) -> (&'static str, Option<i64>) {
        ("p_millionths", answer.risk.as_ref().map(|risk| risk.p.into()))
    }

    fn reasons(answer: &Self::Answer) -> impl Iterator<Item = (&'static str, i64)> {
        answer.risk.iter().flat_map(|risk| &risk.reasons).map(|reason| (reason.code.name(), reason.points))
    }
}

impl Compared for Segmentation {
    const AXES: &'static [Axis] = &[("stage", &STAGES), ("rfm_label", &LABELS), ("value_tier", &TIERS)];

    fn values(answer: &Self::Answer) -> [Option<Value>; MAX_AXES] {
        let profile = answer.profile.as_ref();
        [
            place(&Stage::ALL, answer.standing.stage),
            profile.and_then(|profile| place(Label::ALL, profile.rfm.label)),
            profile.and_then(|profile| place(Tier::ALL, profile.tier.tier)),
        ]
    }

    fn segments(answer: &Self::Answer) -> impl Iterator<Item = &Arc<str>> {
        answer.profile.iter().flat_map(|profile| &profile.segments).map(|membership| &membership.name)
    }

    fn figure(answer: &Self::Answer) -> (&'static str, Option<i64>) {
        ("score_hundredths", answer.profile.as_ref().map(|profile| profile.tier.score))
    }

    fn reasons(answer: &Self::Answer) -> impl Iterator<Item = (&'static str, i64)> {
        answer.profile.iter().flat_map(|profile| &profile.tier.parts).map(|part| (part.code.name(), part.points))
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

    fn figure(answer: &Self::Answer) -> (&'static str, Option<i64>) {
        ("index_hundredths", answer.profile.as_ref().and_then(|profile| profile.index).map(i64::from))
    }
}

fn place<T: PartialEq>(all: &[T], value: T) -> Option<Value> {
    all.iter().position(|it| *it == value)
}

/// A customer who moves, by the answers under the served rules and under the candidate ones.
pub fn moved<V: Compared>(customer: CustomerId, [before, after]: [&V::Answer; 2]) -> v1::MovedCustomer {
    let values = V::values(before).into_iter().zip(V::values(after));
    let moves = V::AXES.iter().zip(values).filter_map(|(&(axis, names), (from, to))| {
        let (from, to) = (from?, to?);
        let name = |value: Value| names.get(value).copied().unwrap_or_default().to_owned();
        (from != to).then(|| v1::AxisMove { axis: axis.to_owned(), from: name(from), to: name(to) })
    });
    let only = |one, other| {
        let other: Vec<_> = V::segments(other).collect();
        let segments = V::segments(one).filter(|segment| !other.contains(segment));
        segments.map(ToString::to_string).collect::<Vec<_>>()
    };
    let ((name, was), (_, is)) = (V::figure(before), V::figure(after));
    let figure = v1::FigureChange { name: name.to_owned(), before: was, after: is };
    v1::MovedCustomer {
        customer_id: customer.to_string(),
        moves: moves.collect(),
        segments_gained: only(after, before),
        segments_lost: only(before, after),
        figures: (was != is).then_some(figure).into_iter().collect(),
        reasons: reasons::<V>([before, after]),
    }
}

/// The reasons whose points are others, by code.
fn reasons<V: Compared>(answers: [&V::Answer; 2]) -> Vec<v1::ReasonChange> {
    let mut points: BTreeMap<&str, [Option<i64>; 2]> = BTreeMap::new();
    for (side, answer) in answers.into_iter().enumerate() {
        V::reasons(answer).for_each(|(code, said)| points.entry(code).or_default()[side] = Some(said));
    }
    let changed = points.into_iter().filter(|(_, [before, after])| before != after);
    changed
        .map(|(code, [before_millionths, after_millionths])| v1::ReasonChange {
            code: code.to_owned(),
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
