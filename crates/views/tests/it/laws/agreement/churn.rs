use views::churn::{Answer, Churn, Risk};

use super::{Context, agree, plain_all, standing};

#[test]
fn churn_agrees_with_the_oracle() {
    let ask = |history: &oracle::History, as_of, known_at| {
        Some((oracle::customer(history, as_of, known_at)?, oracle::churn(history, as_of, known_at)?))
    };
    agree::<Churn, _>(0, ask, same);
}

fn same(given: &Answer, (customer, wanted): &(oracle::Customer, oracle::Churn), context: &Context) {
    standing(&given.standing, customer, context);
    assert_eq!(customer.stage, wanted.stage, "{context}");
    match (&given.risk, &wanted.risk) {
        (None, None) => {}
        (Some(given), Some(wanted)) => same_risk(given, wanted, context),
        (given, wanted) => panic!("{given:?} instead of {wanted:?} {context}"),
    }
}

fn same_risk(given: &Risk, wanted: &oracle::Risk, context: &Context) {
    let reasons: Vec<_> = given.reasons.iter().map(|it| (it.code.name(), it.points, plain_all(&it.evidence))).collect();
    let wanted_reasons: Vec<_> = wanted.reasons.iter().map(|it| (it.code, it.points, it.evidence.clone())).collect();
    assert_eq!(reasons, wanted_reasons, "reasons {context}");
    assert_eq!(i64::from(given.p), wanted.p, "p {context}");
    assert_eq!(given.band.name(), wanted.band, "band {context}");
    assert_eq!(given.points, wanted.points, "points {context}");
    assert_eq!(i64::from(given.horizon_days), wanted.horizon_days, "horizon {context}");
    assert_eq!(Risk::CALIBRATED, wanted.calibrated, "calibrated {context}");
    let window = given.repurchase.map(|it| (it.from.to_string(), it.until.to_string(), it.open));
    let wanted_window = wanted.repurchase.as_ref().map(|it| (it.from.clone(), it.until.clone(), it.open));
    assert_eq!(window, wanted_window, "repurchase {context}");
}
