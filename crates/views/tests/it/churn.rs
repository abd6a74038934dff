//! Churn risk by the worked examples of the domain, and the borders of its reasons.

use crate::support::{Story, at};
use serde_json::json;
use touchpoint::Timestamp;
use views::churn::{Band, Churn, Reason, Risk};
use views::lifecycle::Stage;
use views::rules::Rules;
use views::{Moment, View};

const MILLION: i64 = 100_000_000;
const NOW: &str = "2026-06-01T02:00:00Z";

/// The instant so many days before now.
fn ago(days: i64) -> String {
    at(NOW).plus_days(-days).to_string()
}

fn risk_at(story: &Story, as_of: Timestamp) -> (Stage, Risk) {
    let answer = Churn::answer(&story.record(), &Rules::default(), &mut Moment::now(as_of)).expect("a customer");
    (answer.standing.stage, answer.risk.expect("nothing is withheld"))
}

fn check(story: &Story, stage: Stage, reasons: &[(&str, i64)], p: u32, band: Band) {
    let (given_stage, risk) = risk_at(story, at(NOW));
    let given: Vec<_> = risk.reasons.iter().map(|reason| (reason.code.name(), reason.points)).collect();
    assert_eq!((given_stage, given.as_slice(), risk.p, risk.band), (stage, reasons, p, band));
}

/// The points of a reason; zero if it is not listed.
fn points(story: &Story, as_of: Timestamp, code: &str) -> i64 {
    let (_, risk) = risk_at(story, as_of);
    risk.reasons.iter().find(|reason| reason.code.name() == code).map_or(0, |reason| reason.points)
}

/// An owner who moved in so many days ago.
fn owner(days: i64) -> Story {
    let on = at(&ago(days)).shanghai_date().to_string();
    let story = Story::new().signed(&ago(days + 300), "K1", 3 * MILLION);
    story.handed_over(&ago(days), "K1", &on).moved_in(&ago(days), "K1", &on)
}

#[test]
fn c1_a_prospect_silent_for_a_week() {
    check(&Story::new().visit(&ago(7), json!({})), Stage::Prospect, &[], 377_541, Band::Medium);
}

#[test]
fn c2_a_prospect_silent_for_six_weeks_and_passed_on_twice() {
    let story = Story::new()
        .visit(&ago(42), json!({}))
        .event(&ago(30), "ConsultantReassigned", json!({ "from": "Z1", "to": "Z2" }))
        .event(&ago(20), "ConsultantReassigned", json!({ "from": "Z2", "to": "Z3" }));
    let reasons = [("SILENCE", 1_200_000), ("CONSULTANT_CHANGED", 300_000)];
    check(&story, Stage::Prospect, &reasons, 731_059, Band::Critical);
}

#[test]
fn c3_a_new_owner_with_an_overdue_complaint_and_a_low_answer() {
    let story =
        owner(100).complaint(&ago(50), "B1", json!({ "severity": "HIGH" })).answered(&ago(45), "OVERALL", "CSAT", 2);
    let reasons = [("LOW_SATISFACTION", 1_000_000), ("OPEN_COMPLAINT", 900_000), ("COMPLAINT_OVERDUE", 400_000)];
    check(&story, Stage::RunIn, &reasons, 574_443, Band::High);
}

#[test]
fn c4_a_stable_owner_who_recommends() {
    let story = owner(400)
        .answered(&ago(60), "OVERALL", "NPS", 10)
        .answered(&ago(50), "OVERALL", "CSAT", 4)
        .referral(&ago(30), "E1");
    let reasons = [("REFERRAL_MADE", -800_000), ("NPS_PROMOTER", -600_000), ("SATISFIED", -400_000)];
    check(&story, Stage::Stable, &reasons, 35_571, Band::Low);
}

#[test]
fn c5_a_long_term_owner_silent_for_three_years() {
    let story = owner(1_500).answered(&ago(1_095), "OVERALL", "NPS", 3);
    let reasons = [("SILENCE", 1_200_000), ("NPS_DETRACTOR", 600_000)];
    check(&story, Stage::LongTerm, &reasons, 689_974, Band::High);
}

#[test]
fn lost_and_exited_are_certain_and_need_no_reasons() {
    check(&Story::new().visit(&ago(90), json!({})), Stage::Lost, &[], 1_000_000, Band::Critical);
    let exited = owner(400).cancelled(&ago(10), "K1");
    check(&exited, Stage::Exited, &[], 1_000_000, Band::Critical);
}

#[test]
fn silence_counts_whole_days_beyond_the_expected_gap_and_stops_at_four_gaps() {
    let story = Story::new().signed(&ago(100), "K1", MILLION);
    let silence = |days: i64, micros: i64| points(&story, at(&ago(100)).plus_days(days).plus_micros(micros), "SILENCE");
    assert_eq!([silence(45, 0), silence(46, -1), silence(46, 0)], [0, 0, 13_333]);
    assert_eq!([silence(90, 0), silence(180, 0), silence(400, 0)], [600_000, 1_800_000, 1_800_000]);
}

#[test]
fn a_handover_is_late_from_the_31st_day_after_the_planned_date_in_shanghai() {
    let data = json!({
        "contract_id": "K1", "unit_id": "U1", "price_fen": MILLION, "payment": "FULL",
        "planned_handover_on": "2026-03-01",
    });
    let story = Story::new().event(&ago(300), "ContractSigned", data);
    let late = |time: &str| points(&story, at(time), "HANDOVER_DELAYED");
    assert_eq!(late("2026-03-31T15:59:59.999999Z"), 0);
    assert_eq!(late("2026-03-31T16:00:00Z"), 500_000);
}

#[test]
fn open_complaints_add_up_to_a_limit_and_a_group_complaint_counts_most() {
    let one = owner(100).complaint(&ago(1), "B1", json!({ "severity": "LOW" }));
    assert_eq!(points(&one, at(NOW), "OPEN_COMPLAINT"), 500_000);
    let group = owner(100).complaint(&ago(1), "B1", json!({ "severity": "LOW", "group_id": "Q1" }));
    assert_eq!(points(&group, at(NOW), "OPEN_COMPLAINT"), 1_300_000);
    let both = group.complaint(&ago(1), "B2", json!({ "severity": "HIGH" }));
    assert_eq!(points(&both, at(NOW), "OPEN_COMPLAINT"), 2_000_000);
}

#[test]
fn a_repurchase_needs_an_earlier_contract_that_was_kept() {
    let again = |story: Story| points(&story.signed(&ago(10), "K2", MILLION), at(NOW), "REPURCHASED");
    assert_eq!(again(owner(400)), -1_200_000);
    assert_eq!(again(owner(400).cancelled(&ago(20), "K1")), 0);
    let on = at(&ago(20)).shanghai_date().to_string();
    assert_eq!(again(owner(400).event(&ago(20), "UnitResold", json!({ "contract_id": "K1", "on": on }))), -1_200_000);
    assert_eq!(again(Story::new()), 0);
}

#[test]
fn two_missed_revisits_count_until_one_is_completed() {
    let missed = |days| (ago(days), json!({ "revisit_id": format!("R{days}"), "reason": "NO_ANSWER" }));
    let miss = |story: Story, days: i64| {
        let (time, data) = missed(days);
        story.event(&time, "RevisitMissed", data)
    };
    let once = miss(owner(100), 9);
    assert_eq!(points(&once, at(NOW), "REVISIT_MISSED"), 0);
    let twice = miss(once, 8);
    assert_eq!(points(&twice, at(NOW), "REVISIT_MISSED"), 300_000);
    assert_eq!(points(&twice.revisit(&ago(7)), at(NOW), "REVISIT_MISSED"), 0);
}

#[test]
fn a_reason_names_the_events_behind_it_and_a_voided_event_is_behind_nothing() {
    let story = owner(80).complaint(&ago(1), "B1", json!({}));
    let (_, risk) = risk_at(&story, at(NOW));
    let evidence = |reason: &Reason| reason.evidence.iter().map(|it| it.event).collect::<Vec<_>>();
    assert_eq!(risk.reasons.iter().map(evidence).collect::<Vec<_>>(), [[Story::id(3)]]);
    assert_eq!(risk_at(&story.voided(&ago(0), Story::id(3)), at(NOW)).1.reasons, []);
}

#[test]
fn the_repurchase_window_opens_after_66_months_and_closes_after_90() {
    let story = Story::new().signed("2020-08-31T02:00:00Z", "K1", MILLION);
    let open = |time: &str| risk_at(&story, at(time)).1.repurchase.expect("a live contract");
    let window = open("2026-02-27T15:59:59Z");
    assert_eq!((window.from.to_string(), window.until.to_string()), ("2026-02-28".into(), "2028-02-29".into()));
    assert!(!window.open);
    assert!(open("2026-02-27T16:00:00Z").open);
    assert!(!open("2028-02-28T16:00:00Z").open);
}
