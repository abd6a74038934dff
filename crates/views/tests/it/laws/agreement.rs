//! Every field of every answer equals the oracle's.

mod churn;
mod satisfaction;
mod segmentation;

use touchpoint::{Code, Timestamp};
use views::{Evidence, Moment, Standing, View};

use crate::laws::history::Case;

/// Histories of each view.
const HISTORIES: u64 = 2_000;

/// What an answer and the oracle's have to be, wherever there is one.
type Same<V, W> = fn(&<V as View>::Answer, &W, &Context);

/// Where an assertion failed.
struct Context {
    view: &'static str,
    seed: u64,
    as_of: Timestamp,
    known_at: Option<Timestamp>,
}

impl std::fmt::Display for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { view, seed, as_of, known_at } = self;
        write!(f, "of {view}, seed {seed}, at {as_of}, known at {known_at:?}")
    }
}

/// Compares a view with the oracle, from this seed on.
fn agree<V: View, W>(
    first: u64,
    ask: impl Fn(&oracle::History, Timestamp, Option<Timestamp>) -> Option<W>,
    same: Same<V, W>,
) where
    V::Answer: PartialEq + std::fmt::Debug,
{
    for case in (first..first + HISTORIES).map(Case::new) {
        let history = case.for_oracle();
        for (as_of, known_at) in case.moments() {
            let context = Context { view: V::NAME, seed: case.seed, as_of, known_at };
            let answer = V::answer(&case.record, &case.rules, &mut Moment::new(as_of, known_at));
            match (answer, ask(&history, as_of, known_at)) {
                (None, None) => {}
                (Some(given), Some(wanted)) => same(&given, &wanted, &context),
                (given, wanted) => panic!("found: {}, wanted: {} {context}", given.is_some(), wanted.is_some()),
            }
        }
    }
}

/// What all answers share.
fn standing(standing: &Standing, wanted: &oracle::Customer, context: &Context) {
    assert_eq!(standing.stage.name(), wanted.stage, "stage {context}");
    assert_eq!(standing.inferred, wanted.inferred, "inferred {context}");
    assert_eq!(standing.stage_by.as_ref().map(plain), wanted.stage_by, "stage by {context}");
    assert_eq!(standing.open_contract, wanted.open_contract, "open_contract {context}");
    assert_eq!(standing.owner_from.map(|date| date.to_string()), wanted.owner_from, "owner_from {context}");
    assert_eq!(text(&standing.company), wanted.company, "company {context}");
    assert_eq!(text(&standing.project), wanted.project, "project {context}");
    assert_eq!(text(&standing.consultant), wanted.consultant, "consultant {context}");
    assert_eq!(standing.silent_since.micros(), wanted.silent_since, "silent_since {context}");
    assert_eq!(i64::from(standing.days_silent(context.as_of)), wanted.days_silent, "days_silent {context}");
    assert_eq!(i64::from(standing.unresolved), wanted.unresolved, "unresolved {context}");
    assert_eq!(standing.parked as usize, wanted.parked, "parked {context}");
    assert_eq!(standing.withheld, wanted.withheld, "withheld {context}");
}

fn text(code: &Option<Code<'_>>) -> Option<String> {
    code.as_ref().map(ToString::to_string)
}

/// An event as the oracle names it.
fn plain(it: &Evidence) -> oracle::Evidence {
    (it.occurred_at.micros(), it.event.as_u128())
}

fn plain_all(evidence: &[Evidence]) -> Vec<oracle::Evidence> {
    evidence.iter().map(plain).collect()
}

/// Of events of which a view keeps no more than the id.
fn ids(evidence: &[oracle::Evidence]) -> Vec<u128> {
    evidence.iter().map(|(_, id)| *id).collect()
}
