use views::Moment;
use views::segmentation::{Answer, Demand, Funnel, Profile, Rfm, Segmentation, TierScore, explain};

use super::{Context, agree, ids, plain, standing};
use crate::laws::history::Case;

/// The first seed of the histories.
const FIRST: u64 = 10_000;
/// Histories of which the events behind F are asked for, too.
const EXPLAINED: u64 = 1_000;

#[test]
fn segmentation_agrees_with_the_oracle() {
    let segments = oracle::parse_segments(oracle::DEFAULT_SEGMENTS).unwrap();
    let ask = |history: &oracle::History, as_of, known_at| {
        let customer = oracle::customer(history, as_of, known_at)?;
        Some((customer, oracle::segmentation(history, as_of, known_at, &segments)?))
    };
    agree::<Segmentation, _>(FIRST, ask, same);
}

#[test]
fn the_events_behind_frequency_agree_with_the_oracle() {
    for case in (FIRST..FIRST + EXPLAINED).map(Case::new) {
        let history = case.for_oracle();
        for (as_of, known_at) in case.moments() {
            let given = explain(&case.record, &case.rules, &mut Moment::new(as_of, known_at));
            let given = given.and_then(|it| it.reasons).map(|it| it.frequency_by);
            let given: Option<Vec<_>> = given.map(|events| events.iter().map(|event| event.as_u128()).collect());
            let wanted = oracle::segmentation(&history, as_of, known_at, &[]).and_then(|it| it.profile);
            let wanted = wanted.map(|profile| ids(&profile.frequency_by));
            assert_eq!(given, wanted, "seed {} at {as_of}, known at {known_at:?}", case.seed);
        }
    }
}

fn same(given: &Answer, (customer, wanted): &(oracle::Customer, oracle::Segmentation), context: &Context) {
    standing(&given.standing, customer, context);
    assert_eq!(customer.stage, wanted.stage, "{context}");
    same_funnel(&given.funnel, &wanted.funnel, context);
    match (&given.profile, &wanted.profile) {
        (None, None) => {}
        (Some(given), Some(wanted)) => same_profile(given, wanted, context),
        (given, wanted) => panic!("{given:?} instead of {wanted:?} {context}"),
    }
}

fn same_funnel(given: &Funnel, wanted: &oracle::Funnel, context: &Context) {
    assert_eq!(given.steps.map(|step| step.map(|it| it.at.micros())), wanted.reached, "funnel {context}");
    let by = wanted.by.map(|event| event.map(|(_, id)| id));
    assert_eq!(given.steps.map(|step| step.map(|it| it.event.as_u128())), by, "funnel by {context}");
    assert_eq!(given.cohort.to_string(), wanted.cohort, "cohort {context}");
    assert_eq!(given.source.name(), wanted.lead_source, "lead source {context}");
}

fn same_profile(given: &Profile, wanted: &oracle::Profile, context: &Context) {
    same_rfm(&given.rfm, wanted, context);
    same_tier(&given.tier, wanted, context);
    same_demand(&given.demand, &wanted.demand, context);
    let named = |evidence: &[touchpoint::EventId]| evidence.iter().map(|it| it.as_u128()).collect::<Vec<_>>();
    let mut given: Vec<_> = given.segments.iter().map(|it| (it.name.to_string(), named(&it.evidence))).collect();
    let mut wanted: Vec<_> = wanted.segments.iter().map(|it| (it.name.clone(), ids(&it.evidence))).collect();
    given.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(given, wanted, "segments {context}");
}

fn same_rfm(given: &Rfm, wanted: &oracle::Profile, context: &Context) {
    let scores = [given.recency, given.frequency, given.monetary].map(i64::from);
    assert_eq!(scores, [wanted.recency, wanted.frequency, wanted.monetary], "RFM {context}");
    assert_eq!(given.label.name(), wanted.label, "label {context}");
    assert_eq!(given.last_interaction.as_ref().map(plain), wanted.last_interaction, "last interaction {context}");
    assert_eq!(i64::from(given.interaction_days), wanted.interaction_days, "interaction days {context}");
    assert_eq!(i128::from(given.value.0), wanted.contract_value_fen, "value {context}");
}

fn same_tier(given: &TierScore, wanted: &oracle::Profile, context: &Context) {
    assert_eq!(given.score, wanted.tier_score, "tier score {context}");
    assert_eq!(given.tier.name(), wanted.tier, "tier {context}");
    let named = |evidence: &[touchpoint::EventId]| evidence.iter().map(|it| it.as_u128()).collect::<Vec<_>>();
    let parts = given.parts.iter().map(|it| (it.code.name(), it.points, named(&it.evidence)));
    let wanted = wanted.tier_parts.iter().map(|it| (it.code, it.points, ids(&it.evidence)));
    assert_eq!(parts.collect::<Vec<_>>(), wanted.collect::<Vec<_>>(), "tier parts {context}");
}

fn same_demand(given: &Demand, wanted: &oracle::Demand, context: &Context) {
    let budget = given.budget.map(|said| said.value);
    assert_eq!(given.motive.map(|said| said.value.name()), wanted.motive.as_deref(), "motive {context}");
    assert_eq!(given.household.map(|said| said.value.name()), wanted.household.as_deref(), "household {context}");
    assert_eq!(given.rooms.map(|said| i64::from(said.value.0)), wanted.rooms, "rooms {context}");
    assert_eq!(budget.and_then(|it| it.min).map(|fen| fen.0), wanted.budget_min_fen, "budget {context}");
    assert_eq!(budget.and_then(|it| it.max).map(|fen| fen.0), wanted.budget_max_fen, "budget {context}");
    let said = [
        ("BUDGET", given.budget.map(|said| said.event)),
        ("HOUSEHOLD", given.household.map(|said| said.event)),
        ("MOTIVE", given.motive.map(|said| said.event)),
        ("ROOMS", given.rooms.map(|said| said.event)),
    ];
    let said: Vec<_> = said.iter().filter_map(|(code, event)| Some((*code, (*event)?.as_u128()))).collect();
    let wanted: Vec<_> = wanted.visits.iter().map(|(code, (_, id))| (*code, *id)).collect();
    assert_eq!(said, wanted, "visits {context}");
}
