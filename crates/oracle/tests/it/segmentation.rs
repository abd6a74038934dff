//! The examples G1 to G7 of the domain.

use crate::story::*;
use oracle::{Customer, DEFAULT_SEGMENTS, Profile, customer, parse_segments, segmentation, stage_began};
use serde_json::json;

fn common(story: &Story, as_of: &str) -> Customer {
    customer(&story.read(), time(as_of), None).unwrap()
}

fn began(story: &Story, as_of: &str) -> i64 {
    stage_began(&story.read(), time(as_of), None).unwrap()
}

fn profile(story: &Story, as_of: &str) -> Profile {
    let segments = parse_segments(DEFAULT_SEGMENTS).unwrap();
    segmentation(&story.read(), time(as_of), None, &segments).unwrap().profile.unwrap()
}

#[test]
fn g1_months_end_on_the_last_day() {
    let mut story = Story::of(1);
    story.add("2023-01-01T09:00:00Z", "ContractSigned", signed("C", 100));
    story.add("2024-02-29T09:00:00Z", "MovedIn", json!({ "contract_id": "C", "on": "2024-02-29" }));
    let stage = |as_of| common(&story, as_of).stage;
    assert_eq!(stage("2025-02-27T12:00:00+08:00"), "RUN_IN");
    assert_eq!(stage("2025-02-28T12:00:00+08:00"), "STABLE");
    assert_eq!(stage("2026-02-27T12:00:00+08:00"), "STABLE");
    assert_eq!(stage("2026-02-28T12:00:00+08:00"), "LONG_TERM");
    let since = began(&story, "2025-03-09T12:00:00+08:00");
    assert_eq!(since, time("2025-02-28T00:00:00+08:00").micros());
}

#[test]
fn g2_the_stage_changes_at_midnight_in_shanghai() {
    let mut story = Story::of(1);
    story.add("2024-01-01T09:00:00Z", "ContractSigned", signed("C", 100));
    story.add("2025-03-31T17:30:00Z", "HandoverCompleted", handed_over("C", "2025-04-01"));
    assert_eq!(common(&story, "2025-03-31T17:29:59Z").stage, "QUASI_OWNER");
    let run_in = common(&story, "2026-03-31T15:59:59Z");
    assert_eq!((run_in.stage, run_in.owner_from.as_deref()), ("RUN_IN", Some("2025-04-01")));
    assert_eq!(began(&story, "2026-03-31T15:59:59Z"), time("2025-03-31T17:30:00Z").micros());
    assert_eq!(common(&story, "2026-03-31T16:00:00Z").stage, "STABLE");
}

#[test]
fn g3_rfm() {
    let mut story = Story::of(1);
    for day in ["2025-03-01", "2025-03-02", "2025-03-03", "2025-03-04"] {
        story.add(&format!("{day}T09:00:00Z"), "VisitRecorded", visit());
    }
    story.add("2025-03-05T09:00:00Z", "ContractSigned", signed("C", 320_000_000));
    let at = |as_of| {
        let found = profile(&story, as_of);
        (found.recency, found.frequency, found.monetary, found.label)
    };
    assert_eq!(at("2025-03-25T09:00:00Z"), (5, 4, 4, "KEY_VALUE"));
    assert_eq!(at("2025-04-05T08:59:59Z").0, 5, "30 whole days");
    assert_eq!(at("2025-04-05T09:00:00Z").0, 4, "31 days");
    story.add("2025-03-20T09:00:00Z", "ContractCancelled", cancelled("C"));
    let found = profile(&story, "2025-03-25T09:00:00Z");
    assert_eq!((found.monetary, found.label), (1, "GENERAL_VALUE"));
}

fn owner(contracts: &[(&str, i64)], nps: i64) -> Story {
    let mut story = Story::of(1);
    for (contract, price) in contracts {
        story.add("2025-01-01T09:00:00Z", "ContractSigned", signed(contract, *price));
    }
    for referred in ["F1", "F2"] {
        story.add("2025-01-02T09:00:00Z", "ReferralMade", referral(referred));
        story.add("2025-01-03T09:00:00Z", "ReferralConverted", converted(referred));
    }
    story.add("2025-01-04T09:00:00Z", "SurveyAnswered", answer("2025", "OVERALL", "NPS", "NPS", nps));
    story
}

#[test]
fn g4_value_tier() {
    let found = profile(&owner(&[("C1", 400_000_000), ("C2", 450_000_000)], 9), "2025-02-01T09:00:00Z");
    assert_eq!((found.tier_score, found.tier), (7483, "VIP"));
    let found = profile(&owner(&[("C1", 400_000_000)], 8), "2025-02-01T09:00:00Z");
    assert_eq!((found.tier_score, found.tier), (4267, "MID"));
}

#[test]
fn g5_every_order_of_arrival() {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let mut answers = Vec::new();
    for order in orders {
        let mut story = Story::of(1);
        for index in order {
            let (kind, at, data) = match index {
                0 => ("VisitRecorded", "2025-01-01T09:00:00Z", visit()),
                1 => ("ContractSigned", "2025-01-02T09:00:00Z", signed("C", 100)),
                _ => ("ContractCancelled", "2025-01-03T09:00:00Z", cancelled("C")),
            };
            let recorded_at = "2025-01-04T09:00:00Z";
            story.push(&Line { kind, at, recorded_at, id: 10 + index, more: json!({}), data });
        }
        answers.push((common(&story, "2025-01-05T09:00:00Z"), profile(&story, "2025-01-05T09:00:00Z")));
    }
    assert_eq!(answers[0].0.stage, "EXITED");
    assert!(answers.iter().all(|answer| *answer == answers[0]));
}

#[test]
fn g5_a_cancellation_dated_before_its_signing_takes_effect_at_signing() {
    let mut story = Story::of(1);
    story.add("2025-01-01T09:00:00Z", "ContractCancelled", cancelled("C"));
    assert_eq!(common(&story, "2025-01-05T09:00:00Z").unresolved, 1);
    assert_eq!(common(&story, "2025-01-05T09:00:00Z").stage, "LEAD");
    story.add("2025-01-02T09:00:00Z", "ContractSigned", signed("C", 100));
    let found = common(&story, "2025-01-05T09:00:00Z");
    assert_eq!((found.stage, found.unresolved), ("EXITED", 0));
    assert_eq!(began(&story, "2025-01-05T09:00:00Z"), time("2025-01-02T09:00:00Z").micros());
}

#[test]
fn g6_complaints_unheard() {
    let mut story = Story::of(1);
    // Day 0 is 1 January.
    story.add("2025-01-11T09:00:00Z", "ComplaintLodged", complaint("B1", "REPAIR_SERVICE", "LOW"));
    story.add("2025-02-10T09:00:00Z", "ComplaintLodged", complaint("B2", "REPAIR_SERVICE", "LOW"));
    let inside = |story: &Story, as_of| profile(story, as_of).segments.iter().any(|it| it.name == "complaints_unheard");
    assert!(!inside(&story, "2025-02-10T08:59:59Z"));
    assert!(inside(&story, "2025-04-06T09:00:00Z"), "day 95");
    assert!(inside(&story, "2025-04-11T08:59:59.999999Z"));
    assert!(!inside(&story, "2025-04-11T09:00:00Z"), "day 100, same time of day");
    story.add("2025-04-05T09:00:00Z", "RevisitCompleted", revisit(None));
    assert!(!inside(&story, "2025-04-06T09:00:00Z"), "day 95, with a revisit on day 94");
}

#[test]
fn g7_what_did_we_believe_then() {
    let mut story = Story::of(1);
    story.add("2025-02-01T09:00:00Z", "VisitRecorded", visit());
    story.add("2025-03-01T09:00:00Z", "LeadLost", json!({ "reason": "PRICE" }));
    let (at, recorded_at) = ("2025-03-05T09:00:00Z", "2025-04-01T09:00:00Z");
    story.push(&Line { kind: "VisitRecorded", at, recorded_at, id: 77, more: json!({}), data: visit() });
    let as_of = time("2025-03-10T09:00:00Z");
    let history = story.read();
    assert_eq!(customer(&history, as_of, None).unwrap().stage, "PROSPECT");
    let then = customer(&history, as_of, Some(time("2025-03-20T09:00:00Z"))).unwrap();
    assert_eq!((then.stage, then.inferred), ("LOST", false));
}
