//! Every field of every answer equals the oracle's.

mod churn;
mod satisfaction;
mod segmentation;

use touchpoint::Timestamp;
use views::Standing;

/// What all answers share.
fn standing(standing: &Standing, wanted: &oracle::Customer, context: &str) {
    let text = |code: &Option<touchpoint::Code<'_>>| code.as_ref().map(ToString::to_string);
    assert_eq!(standing.stage.name(), wanted.stage, "stage {context}");
    assert_eq!(standing.inferred, wanted.inferred, "inferred {context}");
    assert_eq!(standing.open_contract, wanted.open_contract, "open_contract {context}");
    assert_eq!(text(&standing.company), wanted.company, "company {context}");
    assert_eq!(text(&standing.project), wanted.project, "project {context}");
    assert_eq!(text(&standing.consultant), wanted.consultant, "consultant {context}");
    assert_eq!(i64::from(standing.unresolved), wanted.unresolved, "unresolved {context}");
    assert_eq!(standing.parked as usize, wanted.parked, "parked {context}");
    assert_eq!(standing.withheld, wanted.withheld, "withheld {context}");
}

/// Where an assertion failed.
fn context(view: &str, seed: u64, as_of: Timestamp, known_at: Option<Timestamp>) -> String {
    format!("of {view}, seed {seed}, at {as_of}, known at {known_at:?}")
}
