use views::complaint::Clock;
use views::satisfaction::{Answer, Case as Complaint, ItemValue, Observation, PortValue, Profile, Satisfaction};

use super::{Context, agree, plain, plain_all, standing, text};

/// What the shares of all observations add up to, where any has weight.
const WHOLE: u32 = 1_000_000;

#[test]
fn satisfaction_agrees_with_the_oracle() {
    let ask = |history: &oracle::History, as_of, known_at| {
        Some((oracle::customer(history, as_of, known_at)?, oracle::satisfaction(history, as_of, known_at)?))
    };
    agree::<Satisfaction, _>(20_000, ask, same);
}

fn same(given: &Answer, (customer, wanted): &(oracle::Customer, oracle::Satisfaction), context: &Context) {
    standing(&given.standing, customer, context);
    assert_eq!(customer.stage, wanted.stage, "{context}");
    let values: Vec<_> = given.port_values.iter().map(port_value).collect();
    assert_eq!(values, wanted.port_values, "port values {context}");
    let values: Vec<_> = given.item_values.iter().map(item_value).collect();
    assert_eq!(values, wanted.item_values, "item values {context}");
    assert_eq!(given.complaints.len(), wanted.complaints.len(), "complaints {context}");
    for (given, wanted) in given.complaints.iter().zip(&wanted.complaints) {
        same_complaint(given, wanted, context);
    }
    match (&given.profile, &wanted.opinion) {
        (None, None) => {}
        (Some(given), Some(wanted)) => same_profile(given, wanted, context),
        (given, wanted) => panic!("{given:?} instead of {wanted:?} {context}"),
    }
}

fn port_value(it: &PortValue) -> oracle::PortValue {
    oracle::PortValue {
        project: text(&it.project),
        company: text(&it.company),
        wave: it.wave.to_string(),
        port: it.port.to_string(),
        value: it.value.into(),
        at: it.dated_at.micros(),
        evidence: plain_all(&it.evidence),
    }
}

fn item_value(it: &ItemValue) -> oracle::ItemValue {
    oracle::ItemValue {
        project: text(&it.project),
        company: text(&it.company),
        wave: it.wave.to_string(),
        port: it.port.to_string(),
        item: it.item.to_string(),
        metric: it.metric.to_string(),
        score: it.score.into(),
        event: plain(&it.event),
    }
}

fn same_complaint(given: &Complaint, wanted: &oracle::Complaint, context: &Context) {
    let context = format!("complaint {} {context}", wanted.complaint_id);
    assert_eq!(given.id.as_str(), wanted.complaint_id, "{context}");
    assert_eq!(given.lodged_at.micros(), wanted.lodged_at, "{context}");
    let texts = [&given.company, &given.project, &given.contract, &given.group].map(text);
    let wanted_texts = [&wanted.company, &wanted.project, &wanted.contract_id, &wanted.group_id].map(Clone::clone);
    assert_eq!(texts, wanted_texts, "{context}");
    let names = [given.port.name(), given.category.as_str(), given.severity.name(), given.state.name()];
    assert_eq!(names, [&wanted.port, &wanted.category, &wanted.severity, wanted.state], "{context}");
    assert_eq!((given.escalated, given.is_overdue()), (wanted.escalated, wanted.overdue()), "{context}");
    let counts = (given.reopenings as usize, i64::from(given.ignored_steps));
    assert_eq!(counts, (wanted.reopenings.len(), wanted.ignored_steps), "{context}");
    assert_eq!(plain_all(&given.evidence), wanted.evidence, "{context}");
    let clocks = [given.acknowledgement, given.first_resolution, given.total];
    assert_eq!(clocks.map(|clock| plain_clock(&clock)), wanted.clocks, "{context}");
    let outcomes = [wanted.acknowledge_outcome, wanted.first_outcome, wanted.total_outcome];
    assert_eq!(clocks.map(|clock| clock.outcome.name()), outcomes, "{context}");
}

fn plain_clock(clock: &Clock) -> oracle::Clock {
    oracle::Clock { limit: clock.limit, taken: clock.taken, due: clock.due.map(|due| due.micros()) }
}

fn same_profile(given: &Profile, wanted: &oracle::Opinion, context: &Context) {
    assert_eq!(given.index.map(i64::from), wanted.index, "index {context}");
    assert_eq!(given.class.name(), wanted.class, "class {context}");
    assert_eq!(given.loyalty.name(), wanted.loyalty, "loyalty {context}");
    let answers = given.loyalty_answers.iter().map(|it| (it.metric.name(), i64::from(it.score), plain(&it.event)));
    assert_eq!(answers.collect::<Vec<_>>(), wanted.loyalty_answers, "loyalty answers {context}");
    let mut given: Vec<_> = given.observations.iter().collect();
    let mut wanted: Vec<_> = wanted.observations.iter().collect();
    // Nothing else tells two observations apart.
    given.sort_by_key(|it| plain_all(&it.evidence));
    wanted.sort_by_key(|it| it.evidence.clone());
    assert_eq!(given.len(), wanted.len(), "observations {context}");
    let weights: f64 = wanted.iter().map(|it| it.weight).sum();
    let shares: u32 = given.iter().map(|it| it.share).sum();
    assert_eq!(shares, if weights > 0.0 { WHOLE } else { 0 }, "shares {context}");
    for (given, wanted) in given.into_iter().zip(wanted) {
        same_observation(given, wanted, weights, context);
    }
}

/// A share is the exact one rounded down or up, so that all together are the whole.
fn same_observation(given: &Observation, wanted: &oracle::Observation, weights: f64, context: &Context) {
    assert_eq!((given.port.name(), i64::from(given.value)), (wanted.port.as_str(), wanted.quality), "{context}");
    assert_eq!(text(&given.inferred_from), wanted.inferred_from, "{context}");
    assert_eq!(given.dated_at.micros(), wanted.at, "{context}");
    assert_eq!(plain_all(&given.evidence), wanted.evidence, "{context}");
    let exact = if weights > 0.0 { f64::from(WHOLE) * wanted.weight / weights } else { 0.0 };
    assert!((f64::from(given.share) - exact).abs() < 1.0 + 1e-6, "share {} of {exact} {context}", given.share);
}
