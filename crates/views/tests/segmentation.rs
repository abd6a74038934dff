//! The segmentation view: the examples of the domain by their names, and what it promises besides.

#![allow(clippy::expect_used, reason = "helpers of tests")]

mod support;

use serde_json::json;
use support::{CUSTOMER, Story, at};
use touchpoint::{Code, CustomerId, Household, LeadSource, Motive, Timestamp};
use views::lifecycle::Stage;
use views::rules::Rules;
use views::segmentation::{
    Answer, Cell, Group, Label, Month, Profile, Segmentation, Source, Step, Tier, Totals, table,
};
use views::{Moment, Sign, View};

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

fn is_in(story: &Story, rules: &Rules, as_of: &str, segment: &str) -> bool {
    let profile = story.answer_by::<Segmentation>(rules, as_of).profile.expect("consent was not withdrawn");
    profile.segments.iter().any(|membership| &*membership.name == segment)
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
    assert_eq!(rfm.last_interaction.map(|mark| mark.event), Some(Story::id(4)));

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
    let rules = Rules::default();
    let day = |day: i64| at("2025-01-01T03:00:00Z").plus_days(day).to_string();
    let story = Story::new().complaint(&day(10), "C1", json!({})).complaint(&day(40), "C2", json!({}));
    let inside = |story: &Story, as_of: &str| is_in(story, &rules, as_of, "complaints_unheard");
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

/// The instants at which the answer changes are exactly those that the moments foretell.
fn check_foretold(story: &Story, rules: &Rules, from: &str, expected: &[&str]) {
    let record = story.record();
    let mut instant = at(from);
    let mut found = Vec::new();
    loop {
        let mut moment = Moment::now(instant);
        let here = Segmentation::answer(&record, rules, &mut moment);
        let until = moment.valid_until();
        if until == Timestamp::MAX {
            break;
        }
        let ask = |instant| Segmentation::answer(&record, rules, &mut Moment::now(instant));
        assert_eq!(ask(until.plus_micros(-1)), here, "just before {until}");
        found.push(until.to_string());
        instant = until;
    }
    assert_eq!(found, expected);
}

#[test]
fn an_answer_holds_as_long_as_it_says() {
    let mut rules = Rules::default();
    rules.segmentation.segments.clear();
    let story =
        Story::new().signed("2025-01-01T00:00:00Z", "K1", MILLION).signed("2025-01-01T09:00:00Z", "K2", MILLION);
    // R at 31, 91, 181 and 366 days; the interaction day at 365, with the later of the two.
    let boundaries = [
        "2025-02-01T09:00:00Z",
        "2025-04-02T09:00:00Z",
        "2025-07-01T09:00:00Z",
        "2026-01-01T09:00:00Z",
        "2026-01-02T09:00:00Z",
    ];
    check_foretold(&story, &rules, "2025-01-01T09:00:00Z", &boundaries);
}

#[test]
fn days_silent_needs_no_daily_timer() {
    let rules = Rules::parse(
        "segments = [{ name = \"quiet\", when = { days_silent = { min = 10, max = 20 } } }]\n\
         [segmentation]\nfrequency_days = 1\nrecency_days = [0, 1, 2, 3]",
    );
    let rules = rules.expect("a right file");
    let story = Story::new().signed("2025-01-01T00:00:00Z", "K1", MILLION);
    let boundaries = ["2025-01-02T00:00:00Z", "2025-01-03T00:00:00Z", "2025-01-04T00:00:00Z", "2025-01-05T00:00:00Z"];
    let edges = ["2025-01-11T00:00:00Z", "2025-01-22T00:00:00Z"];
    check_foretold(&story, &rules, "2025-01-01T00:00:00Z", &[&boundaries[..], &edges[..]].concat());
    assert!(is_in(&story, &rules, edges[0], "quiet"));
    assert!(!is_in(&story, &rules, edges[1], "quiet"));
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
fn shipped_segments() {
    let names = |story: &Story| -> Vec<String> {
        profile(story, "2025-02-01T02:00:00Z").segments.iter().map(|membership| membership.name.to_string()).collect()
    };
    let visit = |more| Story::new().visit("2025-01-01T02:00:00Z", more);
    assert_eq!(names(&visit(json!({ "motive": "FIRST_HOME" }))), ["first_home"]);
    assert_eq!(names(&visit(json!({ "motive": "UPGRADE" }))), [""; 0]);
    assert_eq!(names(&visit(json!({ "budget_max_fen": 10 * MILLION }))), ["high_net_worth"]);
    assert_eq!(names(&visit(json!({ "budget_max_fen": 10 * MILLION - 1 }))), [""; 0]);
    assert_eq!(names(&Story::new().signed("2025-01-01T02:00:00Z", "K1", 10 * MILLION)), ["high_net_worth"]);
}

/// Whether the customer of the story is in a segment with this condition.
fn check_condition(condition: &str, expected: bool) {
    let story = Story::new()
        .visit("2025-01-01T02:00:00Z", json!({ "motive": "UPGRADE", "rooms": 3 }))
        .with("companyid", "C01")
        .with("projectid", "P1")
        .signed("2025-01-02T02:00:00Z", "K1", MILLION)
        .signed("2025-01-03T02:00:00Z", "K1", 5 * MILLION)
        .complaint("2025-01-04T02:00:00Z", "C1", json!({ "severity": "LOW" }))
        .complaint("2025-01-05T02:00:00Z", "C1", json!({ "severity": "HIGH", "port": "HANDOVER" }));
    let rules = Rules::parse(&format!("segments = [{{ name = \"it\", when = {condition} }}]"));
    let rules = rules.unwrap_or_else(|error| panic!("{condition}: {error}"));
    assert_eq!(is_in(&story, &rules, "2025-01-31T02:00:00Z", "it"), expected, "{condition}");
}

#[test]
fn conditions() {
    check_condition("{ stage = [\"QUASI_OWNER\", \"RUN_IN\"] }", true);
    check_condition("{ stage = [\"RUN_IN\"] }", false);
    check_condition("{ company = [\"C01\"] }", true);
    check_condition("{ project = [\"P2\"] }", false);
    check_condition("{ consultant = [\"Z1\"] }", true);
    check_condition("{ label = [\"GENERAL_VALUE\"] }", true);
    check_condition("{ tier = [\"BASIC\"] }", true);
    check_condition("{ rooms = { min = 3, max = 3 } }", true);
    check_condition("{ rooms = { min = 4 } }", false);
    check_condition("{ live_contracts = { max = 1 } }", true);
    check_condition("{ contract_value_fen = { min = 100_000_000, max = 100_000_000 } }", true);
    check_condition("{ largest_contract_fen = { min = 100_000_001 } }", false);
    check_condition("{ conversions = { max = 0 } }", true);
    check_condition("{ days_silent = { min = 26, max = 26 } }", true);
    check_condition("{ open_contract = false }", true);
    // A missing attribute compares false, and not makes that true.
    check_condition("{ budget_max_fen = { max = 100 } }", false);
    check_condition("{ not = { budget_max_fen = { max = 100 } } }", true);
    check_condition("{ household = [\"SINGLE\"] }", false);
    check_condition("{ not = { household = [\"SINGLE\"] } }", true);
    // Repeated openings are counted; a window is (as_of − N days, as_of].
    check_condition("{ count = { events = [\"ContractSigned\"], min = 2 } }", true);
    check_condition("{ count = { events = [\"ComplaintLodged\", \"VisitRecorded\"], min = 3, max = 3 } }", true);
    check_condition("{ count = { events = [\"ComplaintLodged\"], days = 26, max = 0 } }", true);
    check_condition("{ count = { events = [\"ComplaintLodged\"], days = 27, min = 1, max = 1 } }", true);
    check_condition(
        "{ count = { events = [\"ComplaintLodged\"], where = { severity = \"HIGH\" }, min = 1, max = 1 } }",
        true,
    );
    check_condition(
        "{ count = { events = [\"ComplaintLodged\"], where = { severity = [\"LOW\", \"HIGH\"] }, min = 2 } }",
        true,
    );
    check_condition(
        "{ count = { events = [\"ComplaintLodged\"], where = { severity = \"LOW\", port = \"HANDOVER\" }, max = 0 } }",
        true,
    );
    check_condition("{ count = { events = [\"ComplaintLodged\"], where = { group_id = \"G\" }, max = 0 } }", true);
    check_condition(
        "{ any = [{ tier = [\"VIP\"] }, { all = [{ rooms = { min = 1 } }, { not = { tier = [\"VIP\"] } }] }] }",
        true,
    );
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
fn unit_of_the_latest_live_contract() {
    let story = Story::new().visit("2025-01-01T02:00:00Z", json!({})).with("companyid", "C01");
    let company = answer(&story, "2025-02-01T02:00:00Z").standing.company;
    assert_eq!(company.as_ref().map(Code::as_str), Some("C01"));
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
    assert_eq!(funnel.steps[Step::Visited as usize].map(|mark| mark.event), Some(Story::id(2)));
    assert_eq!(funnel.steps[Step::Delivered as usize].map(|mark| mark.event), Some(Story::id(1)));
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

#[test]
fn a_customer_without_interactions_has_the_lowest_scores() {
    let story = Story::new().event("2025-01-01T02:00:00Z", "LeadRegistered", json!({ "lead_source": "ADVERT" }));
    let rfm = profile(&story, "2025-01-02T02:00:00Z").rfm;
    assert_eq!((rfm.recency, rfm.frequency, rfm.monetary, rfm.label), (1, 1, 1, Label::GeneralWinBack));
    assert_eq!((rfm.last_interaction, rfm.interaction_days), (None, 0));
}
