//! Segmentation of one customer: the examples of the domain by their names, and what the axes promise besides.

use crate::support::{CUSTOMER, Story, at};
use serde_json::json;
use touchpoint::{Code, Household, Motive, Timestamp};
use views::lifecycle::Stage;
use views::rules::Rules;
use views::segmentation::{Answer, Label, Profile, Segmentation, Tier};
use views::{Moment, View};

const YUAN: i64 = 100;
const MILLION: i64 = 1_000_000 * YUAN;

fn answer(story: &Story, as_of: &str) -> Answer {
    story.answer::<Segmentation>(as_of)
}

fn profile(story: &Story, as_of: &str) -> Profile {
    answer(story, as_of).profile.expect("consent was not withdrawn")
}

fn check_stage(story: &Story, as_of: &str, stage: Stage) {
    assert_eq!(answer(story, as_of).standing.stage, stage, "at {as_of}");
}

#[test]
fn g1_months_are_clamped_to_the_end_of_the_month() {
    let story =
        Story::new().signed("2023-06-01T02:00:00Z", "K1", MILLION).moved_in("2024-02-29T02:00:00Z", "K1", "2024-02-29");
    check_stage(&story, "2025-02-27T02:00:00Z", Stage::RunIn);
    check_stage(&story, "2025-02-28T02:00:00Z", Stage::Stable);
    check_stage(&story, "2026-02-28T02:00:00Z", Stage::LongTerm);
}

#[test]
fn g2_a_stage_changes_at_midnight_in_shanghai() {
    let story = Story::new().signed("2024-06-01T02:00:00Z", "K1", MILLION).handed_over(
        "2025-03-31T17:30:00Z",
        "K1",
        "2025-04-01",
    );
    check_stage(&story, "2025-03-31T17:29:59Z", Stage::QuasiOwner);
    check_stage(&story, "2025-03-31T17:30:00Z", Stage::RunIn);
    check_stage(&story, "2026-03-31T15:59:59Z", Stage::RunIn);
    check_stage(&story, "2026-03-31T16:00:00Z", Stage::Stable);
}

#[test]
fn g3_recency_frequency_monetary() {
    let story = Story::new()
        .visit("2025-01-01T02:00:00Z", json!({}))
        .visit("2025-01-02T02:00:00Z", json!({}))
        .visit("2025-01-03T02:00:00Z", json!({}))
        .visit("2025-01-04T02:00:00Z", json!({}))
        .signed("2025-01-10T02:00:00Z", "K1", 32 * MILLION / 10);
    let rfm = profile(&story, "2025-01-30T02:00:00Z").rfm;
    assert_eq!((rfm.recency, rfm.frequency, rfm.monetary, rfm.label), (5, 4, 4, Label::KeyValue));
    assert_eq!(rfm.last_interaction.map(|last| last.event), Some(Story::id(4)));

    let recency = |as_of| profile(&story, as_of).rfm.recency;
    assert_eq!(recency("2025-02-09T02:00:00Z"), 5, "30 days");
    assert_eq!(recency("2025-02-10T01:59:59.999999Z"), 5, "still 30 whole days");
    assert_eq!(recency("2025-02-10T02:00:00Z"), 4, "31 days");

    let cancelled = story.cancelled("2025-01-20T02:00:00Z", "K1");
    let rfm = profile(&cancelled, "2025-01-30T02:00:00Z").rfm;
    assert_eq!((rfm.recency, rfm.monetary, rfm.label), (5, 1, Label::GeneralValue));
}

fn check_tier(units: &[i64], conversions: usize, nps: u8, score: i64, tier: Tier) {
    let mut story = Story::new();
    for (index, price) in units.iter().enumerate() {
        story = story.signed("2025-01-01T02:00:00Z", &format!("K{index}"), *price);
    }
    for index in 0..conversions {
        let referral = format!("F{index}");
        story = story.converted("2025-01-02T02:00:00Z", &referral).referral("2025-01-03T02:00:00Z", &referral);
    }
    let story = story.answered("2025-01-04T02:00:00Z", "OVERALL", "NPS", nps);
    let found = profile(&story, "2025-02-01T02:00:00Z").tier;
    assert_eq!((found.score, found.tier), (score, tier));
}

#[test]
fn g4_value_tier() {
    check_tier(&[5 * MILLION, 35 * MILLION / 10], 2, 9, 74_83, Tier::Vip);
    check_tier(&[4 * MILLION], 2, 8, 42_67, Tier::Mid);
}

#[test]
fn the_tier_score_is_rounded_once_and_its_parts_are_named() {
    // 1 contract of 3: 6.666…; nothing else but a value of 0.000004 points.
    let story = Story::new().signed("2025-01-01T02:00:00Z", "K1", 100);
    let tier = profile(&story, "2025-01-02T02:00:00Z").tier;
    assert_eq!((tier.score, tier.tier), (6_67, Tier::Basic));
    let points: Vec<_> = tier.parts.iter().map(|part| (part.code.name(), part.points)).collect();
    assert_eq!(points, [("VALUE", 4), ("CONTRACTS", 6_666_667), ("REFERRALS", 0), ("PROMOTER", 0)]);
    assert_eq!(tier.parts[0].evidence, [Story::id(0)]);
}

#[test]
fn g5_a_contract_cancelled_before_it_was_signed() {
    let story = Story::new().visit("2025-01-01T02:00:00Z", json!({})).cancelled("2025-03-01T02:00:00Z", "K1").signed(
        "2025-02-01T02:00:00Z",
        "K1",
        MILLION,
    );
    let first = story.record();
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let record = story.record_in(&order);
        assert_eq!(record.digests(CUSTOMER), first.digests(CUSTOMER), "{order:?}");
        assert_eq!(record.as_bytes(), first.as_bytes(), "{order:?}");
    }
    check_stage(&story, "2025-04-01T02:00:00Z", Stage::Exited);
}

#[test]
fn g6_entry_and_exit_come_with_time_alone() {
    let day = |day: i64| at("2025-01-01T03:00:00Z").plus_days(day).to_string();
    let story = Story::new().complaint(&day(10), "C1", json!({})).complaint(&day(40), "C2", json!({}));
    let inside = |story: &Story, as_of: &str| {
        profile(story, as_of).segments.iter().any(|membership| &*membership.name == "complaints_unheard")
    };
    assert!(!inside(&story, &day(39)));
    assert!(inside(&story, &day(40)));
    assert!(inside(&story, &day(95)));
    let last = at(&day(100)).plus_micros(-1).to_string();
    assert!(inside(&story, &last));
    assert!(!inside(&story, &day(100)), "at the same time of day");
    let heard = story.clone().revisit(&day(94));
    assert!(!inside(&heard, &day(95)));
    assert!(inside(&heard, &day(93)));

    let membership = profile(&story, &day(95)).segments.remove(0);
    assert_eq!(membership.evidence, [Story::id(0), Story::id(1)]);
}

#[test]
fn g7_a_late_visit_ends_a_lost_lead_only_once_it_is_known() {
    let story = Story::new()
        .event("2025-02-01T02:00:00Z", "LeadRegistered", json!({ "lead_source": "ADVERT" }))
        .event("2025-03-01T02:00:00Z", "LeadLost", json!({ "reason": "PRICE" }))
        .visit("2025-03-05T02:00:00Z", json!({}))
        .recorded("2025-04-01T02:00:00Z");
    let stage = |known_at: Option<Timestamp>| {
        let mut moment = Moment::new(at("2025-03-10T02:00:00Z"), known_at);
        let answer = Segmentation::answer(&story.record(), &Rules::default(), &mut moment);
        answer.map(|answer| (answer.standing.stage, answer.standing.inferred))
    };
    assert_eq!(stage(None), Some((Stage::Prospect, false)));
    assert_eq!(stage(Some(at("2025-03-20T02:00:00Z"))), Some((Stage::Lost, false)));
}

#[test]
fn demand_is_the_latest_of_each_and_the_budget_one_pair() {
    let story = Story::new()
        .visit(
            "2025-01-01T02:00:00Z",
            json!({ "motive": "FIRST_HOME", "rooms": 2, "budget_min_fen": 5, "budget_max_fen": 9 }),
        )
        .visit("2025-01-02T02:00:00Z", json!({ "household": "COUPLE", "rooms": 3 }))
        .visit("2025-01-03T02:00:00Z", json!({ "budget_min_fen": 7 }));
    let demand = profile(&story, "2025-02-01T02:00:00Z").demand;
    assert_eq!(demand.motive.map(|said| (said.value, said.event)), Some((Motive::FirstHome, Story::id(0))));
    assert_eq!(demand.household.map(|said| said.value), Some(Household::Couple));
    assert_eq!(demand.rooms.map(|said| said.value.0), Some(3));
    let budget = demand.budget.map(|said| said.value);
    assert_eq!(budget.map(|budget| (budget.min.map(|fen| fen.0), budget.max)), Some((Some(7), None)));
}

#[test]
fn unit_of_the_latest_live_contract() {
    let story = Story::new().visit("2025-01-01T02:00:00Z", json!({})).with("companyid", "C01");
    let company = answer(&story, "2025-02-01T02:00:00Z").standing.company;
    assert_eq!(company.as_ref().map(Code::as_str), Some("C01"));
}

#[test]
fn a_customer_without_interactions_has_the_lowest_scores() {
    let story = Story::new().event("2025-01-01T02:00:00Z", "LeadRegistered", json!({ "lead_source": "ADVERT" }));
    let rfm = profile(&story, "2025-01-02T02:00:00Z").rfm;
    assert_eq!((rfm.recency, rfm.frequency, rfm.monetary, rfm.label), (1, 1, 1, Label::GeneralWinBack));
    assert_eq!((rfm.last_interaction, rfm.interaction_days), (None, 0));
}
