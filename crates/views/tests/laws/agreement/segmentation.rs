use views::rules::Rules;
use views::segmentation::{Profile, Segmentation};
use views::{Moment, View};

use crate::agreement::{context, standing};
use crate::history::Case;

const HISTORIES: u64 = 2_000;

#[test]
fn segmentation_agrees_with_the_oracle() {
    let rules = Rules::default();
    let segments = oracle::parse_segments(oracle::DEFAULT_SEGMENTS).unwrap();
    for case in (0..HISTORIES).map(|seed| Case::new(10_000 + seed)) {
        let wanted = case.for_oracle();
        for (as_of, known_at) in case.moments() {
            let context = context("segmentation", case.seed, as_of, known_at);
            let answer = Segmentation::answer(&case.record, &rules, &mut Moment::new(as_of, known_at));
            let Some(wanted_answer) = oracle::segmentation(&wanted, as_of, known_at, &segments) else {
                assert_eq!(answer, None, "{context}");
                continue;
            };
            let answer = answer.unwrap_or_else(|| panic!("an answer {context}"));
            if case.seed.is_multiple_of(8) {
                let customer = oracle::customer(&wanted, as_of, known_at).expect("the oracle answers both or none");
                standing(&answer.standing, &customer, &context);
            }
            assert_eq!(answer.standing.stage.name(), wanted_answer.stage, "stage {context}");
            let funnel = &wanted_answer.funnel;
            let reached = answer.funnel.steps.map(|step| step.map(|mark| mark.at.micros()));
            assert_eq!(reached, funnel.reached, "funnel {context}");
            assert_eq!(answer.funnel.cohort.to_string(), funnel.cohort, "cohort {context}");
            assert_eq!(answer.funnel.source.name(), funnel.lead_source, "lead source {context}");
            match (&answer.profile, &wanted_answer.profile) {
                (None, None) => {}
                (Some(given), Some(wanted)) => same_profile(given, wanted, &context),
                (given, wanted) => panic!("{given:?} instead of {wanted:?} {context}"),
            }
        }
    }
}

fn same_profile(given: &Profile, wanted: &oracle::Profile, context: &str) {
    let rfm = [given.rfm.recency, given.rfm.frequency, given.rfm.monetary].map(i64::from);
    assert_eq!(rfm, [wanted.recency, wanted.frequency, wanted.monetary], "RFM {context}");
    assert_eq!(i64::from(given.rfm.interaction_days), wanted.interaction_days, "interaction days {context}");
    assert_eq!(i128::from(given.rfm.value.0), wanted.contract_value_fen, "value {context}");
    assert_eq!(given.rfm.label.name(), wanted.label, "label {context}");
    assert_eq!(given.tier.score, wanted.tier_score, "tier score {context}");
    assert_eq!(given.tier.tier.name(), wanted.tier, "tier {context}");
    let demand = &given.demand;
    let budget = demand.budget.as_ref().map(|said| said.value);
    let given_demand = oracle::Demand {
        motive: demand.motive.as_ref().map(|said| said.value.name().to_owned()),
        household: demand.household.as_ref().map(|said| said.value.name().to_owned()),
        rooms: demand.rooms.as_ref().map(|said| i64::from(said.value.0)),
        budget_min_fen: budget.and_then(|budget| budget.min).map(|fen| fen.0),
        budget_max_fen: budget.and_then(|budget| budget.max).map(|fen| fen.0),
    };
    assert_eq!(given_demand, wanted.demand, "demand {context}");
    let mut names: Vec<_> = given.segments.iter().map(|it| it.name.to_string()).collect();
    let mut wanted_names = wanted.segments.clone();
    names.sort_unstable();
    wanted_names.sort_unstable();
    assert_eq!(names, wanted_names, "segments {context}");
}
