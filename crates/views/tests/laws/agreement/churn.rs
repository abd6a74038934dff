use std::collections::BTreeSet;

use views::churn::{Churn, Risk};
use views::rules::Rules;
use views::{Moment, View};

use crate::agreement::{context, standing};
use crate::history::Case;

const HISTORIES: u64 = 2_000;

#[test]
fn churn_agrees_with_the_oracle() {
    let rules = Rules::default();
    for case in (0..HISTORIES).map(Case::new) {
        let wanted = case.for_oracle();
        for (as_of, known_at) in case.moments() {
            let context = context("churn", case.seed, as_of, known_at);
            let answer = Churn::answer(&case.record, &rules, &mut Moment::new(as_of, known_at));
            let Some(risk) = oracle::churn(&wanted, as_of, known_at) else {
                assert_eq!(answer, None, "{context}");
                continue;
            };
            let answer = answer.unwrap_or_else(|| panic!("an answer {context}"));
            if case.seed.is_multiple_of(8) {
                let customer = oracle::customer(&wanted, as_of, known_at).expect("the oracle answers both or none");
                standing(&answer.standing, &customer, &context);
            }
            match (&answer.risk, &risk.risk) {
                (None, None) => {}
                (Some(given), Some(wanted)) => same_risk(given, wanted, &context),
                (given, wanted) => panic!("{given:?} instead of {wanted:?} {context}"),
            }
        }
    }
}

fn same_risk(given: &Risk, wanted: &oracle::Risk, context: &str) {
    let reasons: Vec<_> = given.reasons.iter().map(|it| (it.code.name(), it.points, ids(it))).collect();
    let wanted_reasons: Vec<_> = wanted.reasons.iter().map(|it| (it.code, it.points, it.evidence.clone())).collect();
    assert_eq!(reasons, wanted_reasons, "reasons {context}");
    assert_eq!(i64::from(given.p), wanted.p, "p {context}");
    assert_eq!(given.band.name(), wanted.band, "band {context}");
    assert_eq!(given.points, wanted.points.unwrap_or(0), "points {context}");
    assert_eq!(i64::from(given.horizon_days), wanted.horizon_days, "horizon {context}");
    assert_eq!(Risk::CALIBRATED, wanted.calibrated, "calibrated {context}");
    let window = given.repurchase.map(|it| (it.from.to_string(), it.until.to_string(), it.open));
    let wanted_window = wanted.repurchase.as_ref().map(|it| (it.from.clone(), it.until.clone(), it.open));
    assert_eq!(window, wanted_window, "repurchase {context}");
}

fn ids(reason: &views::churn::Reason) -> BTreeSet<u128> {
    reason.evidence.iter().map(|it| it.event.as_u128()).collect()
}
