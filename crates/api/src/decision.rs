//! Why a customer is, or is not, in rule segments, as messages.

use views::segmentation::{DecidingLeaf, Decision, Found, Trace};

use crate::v1;

/// Of each segment, by name.
pub(crate) fn decisions(decisions: &[Decision]) -> Vec<v1::SegmentDecision> {
    let decided =
        |it: &Decision| v1::SegmentDecision { name: it.name.to_string(), decision: Some(decision(&it.trace)) };
    decisions.iter().map(decided).collect()
}

/// How a condition turned out.
pub(crate) fn decision(trace: &Trace) -> v1::Decision {
    v1::Decision { holds: trace.holds(), conditions: trace.deciding().into_iter().map(condition).collect() }
}

fn condition(DecidingLeaf { leaf, negated }: DecidingLeaf<'_>) -> v1::DecidingCondition {
    use v1::deciding_condition::Found as Twin;
    let found = leaf.found.as_ref().map(|found| match found {
        Found::Number(number) => Twin::Number(*number),
        Found::Name(name) => Twin::Value(name.clone()),
        Found::Flag(flag) => Twin::Flag(*flag),
    });
    v1::DecidingCondition { condition: leaf.condition.to_string(), negated, holds: leaf.holds, found }
}
