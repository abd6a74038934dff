//! The examples C1 to C5 of the domain, and the borders of single reasons.

use crate::story::*;
use oracle::{Risk, churn};

fn risk(story: &Story, as_of: &str) -> Risk {
    churn(&story.read(), time(as_of), None).unwrap().risk.unwrap()
}

fn check(story: &Story, as_of: &str, p: i64, band: &str, codes: &[&str]) {
    let risk = risk(story, as_of);
    let listed: Vec<&str> = risk.reasons.iter().map(|reason| reason.code).collect();
    assert_eq!((risk.p, risk.band, listed.as_slice()), (p, band, codes));
    assert!(!risk.calibrated);
}

#[test]
fn c1_prospect_silent_7_days() {
    let mut story = Story::of(1);
    story.add("2025-03-01T09:00:00Z", "VisitRecorded", visit());
    check(&story, "2025-03-08T09:00:00Z", 377_541, "MEDIUM", &[]);
    assert_eq!(risk(&story, "2025-03-08T09:00:00Z").horizon_days, 90);
}

#[test]
fn c2_prospect_silent_42_days_two_reassignments() {
    let mut story = Story::of(1);
    story.add("2025-03-01T09:00:00Z", "VisitRecorded", visit());
    let one =
        story.add("2025-03-02T09:00:00Z", "ConsultantReassigned", serde_json::json!({ "from": "K1", "to": "K2" }));
    let two =
        story.add("2025-03-03T09:00:00Z", "ConsultantReassigned", serde_json::json!({ "from": "K2", "to": "K3" }));
    check(&story, "2025-04-12T09:00:00Z", 731_059, "CRITICAL", &["SILENCE", "CONSULTANT_CHANGED"]);
    let risk = risk(&story, "2025-04-12T09:00:00Z");
    assert_eq!(risk.reasons[0].points, 1_200_000);
    assert_eq!(risk.reasons[1].evidence.iter().map(|(_, id)| *id).collect::<Vec<_>>(), [one, two]);
    assert_eq!((risk.base, risk.points), (Some(-500_000), Some(1_500_000)));
}

#[test]
fn c3_run_in_with_an_overdue_complaint_and_a_bad_answer() {
    let mut story = Story::of(1);
    story.add("2024-01-01T09:00:00Z", "ContractSigned", signed("C", 100));
    story.add("2024-12-01T09:00:00Z", "HandoverCompleted", handed_over("C", "2024-12-01"));
    story.add("2025-01-15T08:00:00Z", "SurveyAnswered", answer("2025", "OVERALL", "OVERALL_OVERALL", "CSAT", 2));
    story.add("2025-01-15T09:00:00Z", "ComplaintLodged", complaint("B", "REPAIR_SERVICE", "HIGH"));
    let codes = ["LOW_SATISFACTION", "OPEN_COMPLAINT", "COMPLAINT_OVERDUE"];
    check(&story, "2025-03-01T09:00:00Z", 574_443, "HIGH", &codes);
}

#[test]
fn c4_stable_with_a_referral_promoter_and_satisfied() {
    let mut story = Story::of(1);
    story.add("2022-01-01T09:00:00Z", "ContractSigned", signed("C", 100));
    story.add("2024-01-01T09:00:00Z", "HandoverCompleted", handed_over("C", "2024-01-01"));
    story.add("2025-01-01T09:00:00Z", "ReferralMade", referral("F"));
    story.add("2025-01-10T09:00:00Z", "SurveyAnswered", answer("2025", "OVERALL", "NPS", "NPS", 9));
    story.add("2025-01-10T09:00:00Z", "SurveyAnswered", answer("2025", "OVERALL", "OVERALL_OVERALL", "CSAT", 4));
    check(&story, "2025-02-09T09:00:00Z", 35_571, "LOW", &["REFERRAL_MADE", "NPS_PROMOTER", "SATISFIED"]);
}

#[test]
fn c5_long_term_silent_1095_days_detractor() {
    let mut story = Story::of(1);
    story.add("2015-01-01T09:00:00Z", "ContractSigned", signed("C", 100));
    story.add("2017-01-01T09:00:00Z", "HandoverCompleted", handed_over("C", "2017-01-01"));
    story.add("2022-01-01T09:00:00Z", "SurveyAnswered", answer("2022", "OVERALL", "NPS", "NPS", 6));
    check(&story, "2024-12-31T09:00:00Z", 689_974, "HIGH", &["SILENCE", "NPS_DETRACTOR"]);
    let window = risk(&story, "2024-12-31T09:00:00Z").repurchase.unwrap();
    assert_eq!((window.from.as_str(), window.until.as_str(), window.open), ("2020-07-01", "2022-07-01", false));
}

#[test]
fn lost_and_exited_are_certain_and_without_reasons() {
    let mut story = Story::of(1);
    story.add("2025-01-01T09:00:00Z", "ComplaintLodged", complaint("B", "HANDOVER", "LOW"));
    check(&story, "2025-04-01T09:00:00Z", 1_000_000, "CRITICAL", &[]);
    check(&story, "2025-04-01T08:59:59Z", 900_250, "CRITICAL", &["SILENCE", "OPEN_COMPLAINT", "COMPLAINT_OVERDUE"]);
}

#[test]
fn repurchase_needs_an_earlier_contract_that_was_not_cancelled() {
    let mut story = Story::of(1);
    story.add("2020-01-01T09:00:00Z", "ContractSigned", signed("C1", 100));
    let second = story.add("2025-01-01T09:00:00Z", "ContractSigned", signed("C2", 100));
    story.add("2025-01-02T09:00:00Z", "UnitResold", serde_json::json!({ "contract_id": "C1", "on": "2025-01-02" }));
    let found = risk(&story, "2025-01-03T09:00:00Z");
    assert_eq!(found.reasons[0].code, "REPURCHASED");
    assert_eq!(found.reasons[0].evidence[0].1, second);
    story.add("2025-01-02T10:00:00Z", "ContractCancelled", cancelled("C1"));
    assert!(risk(&story, "2025-01-03T09:00:00Z").reasons.is_empty());
}
