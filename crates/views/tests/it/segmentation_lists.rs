//! Segmentation of many customers: groups, totals and the funnel.

use crate::support::{Story, at};
use serde_json::json;
use touchpoint::{CustomerId, LeadSource, Motive};
use views::lifecycle::Stage;
use views::segmentation::{Answer, Cell, Group, Label, Month, Segmentation, Source, Step, Tier, Totals, table};
use views::{Sign, View};

const YUAN: i64 = 100;
const MILLION: i64 = 1_000_000 * YUAN;

fn answer(story: &Story, as_of: &str) -> Answer {
    story.answer::<Segmentation>(as_of)
}

fn withdrawn(story: Story, time: &str) -> Story {
    story.event(time, "ConsentWithdrawn", json!({ "purpose": "PROFILING" }))
}

#[test]
fn who_withdrew_consent_is_in_no_group_but_in_the_totals_of_stages_and_funnel() {
    let first = Story::new().visit("2025-01-01T02:00:00Z", json!({ "motive": "FIRST_HOME" })).with("projectid", "P1");
    let second = withdrawn(first.clone(), "2025-06-01T02:00:00Z");
    let answers = [&first, &second].map(|story| answer(story, "2025-02-01T02:00:00Z"));
    assert!(answers[1].standing.withheld && answers[1].profile.is_none());
    let placements = answers.each_ref().map(Segmentation::placement);
    let mut totals = Totals::default();
    let ids = [1, 2].map(CustomerId::from_u128);
    for (id, placement) in ids.iter().zip(&placements) {
        Segmentation::place(&mut totals, *id, placement, Sign::Add);
    }
    assert_eq!((totals.customers, totals.withheld, totals.stage(Stage::Prospect)), (2, 1, 2));
    for group in [
        Group::Stage(Stage::Prospect),
        Group::Label(Label::GeneralDevelop),
        Group::Tier(Tier::Basic),
        Group::Motive(Motive::FirstHome),
        Group::Project("P1".into()),
        Group::Segment("first_home".into()),
    ] {
        assert_eq!(totals.count(&group), 1, "{group:?}");
        assert_eq!(totals.members(std::slice::from_ref(&group), None).collect::<Vec<_>>(), [ids[0]], "{group:?}");
    }
    assert_eq!(totals.funnel(Cell::default()), [2, 2, 0, 0, 0]);
    for (id, placement) in ids.iter().zip(&placements) {
        Segmentation::place(&mut totals, *id, placement, Sign::Remove);
    }
    assert_eq!(totals, Totals::default());
}

#[test]
fn lists_are_narrowed_by_further_groups_and_go_on_after_an_id() {
    let mut totals = Totals::default();
    let projects = ["P1", "P2", "P1", "P1"];
    for (index, project) in projects.iter().enumerate() {
        let story = Story::new().visit("2025-01-01T02:00:00Z", json!({})).with("projectid", project);
        let placement = Segmentation::placement(&answer(&story, "2025-02-01T02:00:00Z"));
        Segmentation::place(&mut totals, CustomerId::from_u128(index as u128), &placement, Sign::Add);
    }
    let members = |groups: &[Group], after: Option<u128>| -> Vec<u128> {
        totals.members(groups, after.map(CustomerId::from_u128)).map(CustomerId::as_u128).collect()
    };
    let prospects = Group::Stage(Stage::Prospect);
    assert_eq!(members(std::slice::from_ref(&prospects), None), [0, 1, 2, 3]);
    let narrowed = [prospects, Group::Project("P1".into())];
    assert_eq!(members(&narrowed, None), [0, 2, 3]);
    assert_eq!(members(&narrowed, Some(0)), [2, 3]);
    assert_eq!(members(&[Group::Project("P9".into())], None), [0; 0]);
    assert_eq!(members(&[], None), [0; 0]);
}

#[test]
fn a_later_step_of_the_funnel_implies_the_earlier_ones() {
    let story = Story::new()
        .event("2024-12-31T16:00:00Z", "LeadRegistered", json!({ "lead_source": "BROKER" }))
        .moved_in("2025-01-05T02:00:00Z", "K1", "2025-01-05")
        .signed("2025-01-11T16:00:00Z", "K1", MILLION)
        .visit("2025-02-01T02:00:00Z", json!({}));
    let funnel = answer(&story.clone().cancelled("2025-02-02T02:00:00Z", "K1"), "2025-03-01T02:00:00Z").funnel;
    assert_eq!((funnel.cohort, funnel.source), (Month { year: 2025, month: 1 }, Source(Some(LeadSource::Broker))));
    // Moving in takes effect at the signing, and stays after cancelling; the visit and subscription are implied by it.
    assert_eq!(funnel.days(), [Some(0), Some(11), Some(11), Some(11), Some(11)]);
    assert_eq!(funnel.steps[Step::Visited as usize].map(|step| step.event), Some(Story::id(2)));
    assert_eq!(funnel.steps[Step::Delivered as usize].map(|step| step.event), Some(Story::id(1)));
    assert_eq!(answer(&story, "2025-01-06T02:00:00Z").funnel.reached(), 1, "a contract that is not yet known");
}

#[test]
fn the_funnel_of_many_has_margins_conversions_and_medians() {
    let day = |day: i64| at("2025-01-01T02:00:00Z").plus_days(day).to_string();
    let lead = |source: &str| Story::new().event(&day(0), "LeadRegistered", json!({ "lead_source": source }));
    let funnels: Vec<_> = [
        lead("ADVERT").visit(&day(2), json!({})),
        lead("ADVERT").visit(&day(5), json!({})).signed(&day(9), "K1", MILLION),
        lead("PORTAL"),
        Story::new().revisit(&day(40)),
    ]
    .iter()
    .map(|story| answer(story, "2025-06-01T02:00:00Z").funnel)
    .collect();
    let table = table(&funnels);
    let whole = table[&Cell::default()];
    assert_eq!(whole.map(|row| row.count), [4, 2, 1, 1, 0]);
    assert_eq!(whole.map(|row| row.of_known_bp), [Some(10_000), Some(5_000), Some(2_500), Some(2_500), Some(0)]);
    assert_eq!(whole.map(|row| row.of_previous_bp), [None, Some(5_000), Some(5_000), Some(10_000), Some(0)]);
    assert_eq!(whole.map(|row| row.median_half_days), [Some(0), Some(7), Some(18), Some(18), None]);
    let january = Month { year: 2025, month: 1 };
    let advert = Source(Some(LeadSource::Advert));
    assert_eq!(table[&Cell { cohort: Some(january), source: None }][0].count, 3);
    assert_eq!(table[&Cell { cohort: None, source: Some(Source(None)) }][0].count, 1);
    assert_eq!(table[&Cell { cohort: Some(january), source: Some(advert) }][1].count, 2);
}
