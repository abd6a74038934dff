//! Laws of what decides on rule segments, over nasty histories and random conditions.

use std::collections::BTreeSet;

use crate::laws::history::Case;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use touchpoint::Timestamp;
use views::rules::{Condition, Rules};
use views::segmentation::{DecidingLeaf, Explained, Found, Leaf, Segmentation, Trace, explain};
use views::{Moment, Record, View};

const HISTORIES: u64 = 120;
/// Conditions for each history, as many as a rules file has at most.
const CONDITIONS: usize = 100;
/// How often the conditions that do not decide are answered at random.
const ANSWERS: u64 = 8;
/// How deep `all`, `any` and `not` lie within one another.
const DEPTH: u32 = 4;

/// Conditions with none within them: of every kind, and such that hold of some and not of others.
const LEAVES: [&str; 19] = [
    r#"{ stage = ["PROSPECT", "LOST"] }"#,
    r#"{ label = ["KEY_VALUE", "KEY_DEVELOP", "GENERAL_WIN_BACK"] }"#,
    r#"{ tier = ["BASIC"] }"#,
    r#"{ motive = ["INVESTMENT", "UPGRADE"] }"#,
    r#"{ household = ["COUPLE", "EMPTY_NEST", "SINGLE"] }"#,
    r#"{ rooms = { min = 2, max = 3 } }"#,
    r#"{ budget_min_fen = { min = 1 } }"#,
    r#"{ budget_max_fen = { max = 500000000 } }"#,
    r#"{ recency = { min = 3, max = 4 } }"#,
    r#"{ frequency = { min = 3 } }"#,
    r#"{ monetary = { max = 1 } }"#,
    r#"{ days_silent = { min = 1, max = 30 } }"#,
    r#"{ days_silent = { max = 180 } }"#,
    r#"{ live_contracts = { min = 1, max = 1 } }"#,
    r#"{ contract_value_fen = { min = 1 } }"#,
    r#"{ conversions = { min = 1 } }"#,
    r#"{ open_contract = false }"#,
    r#"{ count = { events = ["VisitRecorded", "SurveyAnswered"], days = 365, min = 1, max = 2 } }"#,
    r#"{ count = { events = ["ComplaintLodged"], where = { severity = ["HIGH", "CRITICAL"] }, min = 1 } }"#,
];

fn condition() -> impl Strategy<Value = String> {
    select(&LEAVES[..]).prop_map(str::to_owned).prop_recursive(DEPTH, 24, 4, |within| {
        let list = prop::collection::vec(within.clone(), 1..4).prop_map(|parts| parts.join(", "));
        prop_oneof![
            list.clone().prop_map(|parts| format!("{{ all = [{parts}] }}")),
            list.prop_map(|parts| format!("{{ any = [{parts}] }}")),
            within.prop_map(|part| format!("{{ not = {part} }}")),
        ]
    })
}

/// Rules with this many random conditions.
fn rules(runner: &mut TestRunner) -> Rules {
    let conditions = prop::collection::vec(condition(), CONDITIONS).new_tree(runner).unwrap().current();
    let segment = |(index, when)| format!("[[segments]]\nname = \"s{index:02}\"\nwhen = {when}\n");
    let text: String = conditions.iter().enumerate().map(segment).collect();
    Rules::parse(&text).expect("the conditions are right")
}

/// When, by what was known when.
type Instant = (Timestamp, Option<Timestamp>);

fn moment((as_of, known_at): Instant) -> Moment {
    Moment::new(as_of, known_at)
}

/// Calls this for histories under random rules, at some instants each.
fn each(first_seed: u64, mut check: impl FnMut(&Record, &Rules, Instant, String)) {
    let mut runner = TestRunner::deterministic();
    for case in (first_seed..first_seed + HISTORIES).map(Case::new) {
        let rules = rules(&mut runner);
        for (as_of, known_at) in case.moments().step_by(5) {
            let context = format!("seed {} at {as_of}, known at {known_at:?}", case.seed);
            check(&case.record, &rules, (as_of, known_at), context);
        }
    }
}

/// The whole, if every condition with none within it held so.
fn evaluate(trace: &Trace, holds: &mut impl FnMut(&Leaf) -> bool) -> bool {
    match trace {
        // Every leaf is asked: none may be passed over.
        Trace::All(parts) => parts.iter().fold(true, |all, part| evaluate(part, holds) & all),
        Trace::Any(parts) => parts.iter().fold(false, |any, part| evaluate(part, holds) | any),
        Trace::Not(part) => !evaluate(part, holds),
        Trace::Leaf(leaf) => holds(leaf),
    }
}

/// The trace is of this condition.
fn is_of(trace: &Trace, condition: &Condition) -> bool {
    let each = |parts: &[Trace], of: &[Condition]| {
        parts.len() == of.len() && parts.iter().zip(of).all(|(part, condition)| is_of(part, condition))
    };
    match (trace, condition) {
        (Trace::All(parts), Condition::All(of)) | (Trace::Any(parts), Condition::Any(of)) => each(parts, of),
        (Trace::Not(part), Condition::Not(of)) => is_of(part, of),
        (Trace::Leaf(leaf), of) => leaf.condition == *of,
        _ => false,
    }
}

/// What was found is what was held against the condition.
fn says_so(leaf: &Leaf) -> bool {
    let number = match leaf.found {
        Some(Found::Number(number)) => Some(number),
        _ => None,
    };
    match (&leaf.condition, &leaf.found) {
        (Condition::Count(count), _) => number.is_some_and(|number| count.bounds.contain(number)),
        (Condition::Between(_, bounds), _) => number.is_some_and(|number| bounds.contain(number)),
        (Condition::OneOf(_, names), Some(Found::Name(name))) => names.contains(name),
        (Condition::OneOf(..), None) => false,
        (Condition::OpenContract(wanted), Some(Found::Flag(flag))) => wanted == flag,
        (condition, found) => panic!("{found:?} of {condition}"),
    }
}

/// A bit of a number, as good as random.
fn bit(seed: u64) -> bool {
    seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(17).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 63 == 1
}

/// Other answers of the leaves that do not decide change nothing.
fn check_sufficient(trace: &Trace, context: &str) {
    let deciding: Vec<DecidingLeaf<'_>> = trace.deciding();
    for answer in 0..ANSWERS {
        let mut asked = answer << 32;
        let whole = evaluate(trace, &mut |leaf| {
            asked += 1;
            let decides = deciding.iter().any(|it| it.leaf == leaf);
            if decides { leaf.holds } else { bit(asked) }
        });
        assert_eq!(whole, trace.holds(), "{trace:?} {context}");
    }
}

#[test]
fn a_trace_says_of_every_segment_what_the_answer_says() {
    let mut seen = BTreeSet::new();
    each(50_000, |record, rules, at, context| {
        let answer = Segmentation::answer(record, rules, &mut moment(at));
        let explained = explain(record, rules, &mut moment(at));
        assert_eq!(answer.as_ref(), explained.as_ref().map(|it| &it.answer), "{context}");
        let Some(Explained { answer, reasons: Some(reasons) }) = explained else { return };
        let segments = answer.profile.expect("there are reasons").segments;
        assert_eq!(reasons.decisions.len(), rules.segmentation.segments.len());
        for (segment, decision) in rules.segmentation.segments.iter().zip(&reasons.decisions) {
            assert_eq!(segment.name, decision.name);
            assert!(is_of(&decision.trace, &segment.when), "{decision:?} {context}");
            let is_in = segments.iter().any(|it| it.name == segment.name);
            assert_eq!(decision.trace.holds(), is_in, "{decision:?} {context}");
            assert_eq!(evaluate(&decision.trace, &mut |leaf| leaf.holds), is_in, "{decision:?} {context}");
            evaluate(&decision.trace, &mut |leaf| {
                assert_eq!(leaf.holds, says_so(leaf), "{leaf:?} {context}");
                seen.insert((leaf.condition.to_string(), leaf.holds));
                leaf.holds
            });
        }
    });
    assert_eq!(seen.len(), 2 * LEAVES.len(), "every condition was seen to hold and not to hold: {seen:#?}");
}

#[test]
fn what_decides_is_enough_and_speaks_one_way() {
    let mut passed_over = 0;
    each(60_000, |record, rules, at, context| {
        let explained = explain(record, rules, &mut moment(at));
        let Some(Explained { reasons: Some(reasons), .. }) = explained else { return };
        for decision in &reasons.decisions {
            let (trace, deciding) = (&decision.trace, decision.trace.deciding());
            assert!(!deciding.is_empty(), "{trace:?} {context}");
            assert!(deciding.iter().all(|it| it.is_for() == trace.holds()), "{trace:?} {context}");
            check_sufficient(trace, &context);
            let mut leaves = 0;
            evaluate(trace, &mut |leaf| {
                leaves += 1;
                leaf.holds
            });
            passed_over += usize::from(deciding.len() < leaves);
        }
    });
    assert!(passed_over > 10_000, "{passed_over}");
}

#[test]
fn an_explanation_is_constant_up_to_valid_until() {
    each(70_000, |record, rules, (as_of, known_at), context| {
        let mut noted = moment((as_of, known_at));
        let explained = explain(record, rules, &mut noted);
        let span = noted.valid_until().since(as_of).min(4_000 * Timestamp::DAY);
        for later in [span / 2, span - 1].map(|after| as_of.plus_micros(after)) {
            let again = explain(record, rules, &mut moment((later, known_at)));
            assert_eq!(again, explained, "at {later}, {context}");
        }
    });
}
