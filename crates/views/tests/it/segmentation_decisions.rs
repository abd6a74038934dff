//! Which conditions decide on a rule segment, and what they found: of a customer made by hand, for every kind of
//! condition and every way to put them together.

use crate::support::{Story, at};
use serde_json::json;
use views::rules::Rules;
use views::segmentation::{DecidingLeaf, Decision, Found, Segmentation, explain};
use views::{Moment, View};

const YUAN: i64 = 100;
const MILLION: i64 = 1_000_000 * YUAN;
const AS_OF: &str = "2025-01-31T02:00:00Z";

/// Wants three rooms, has one live contract over ¥1M, not delivered, and has complained twice.
fn story() -> Story {
    Story::new()
        .visit("2025-01-01T02:00:00Z", json!({ "motive": "UPGRADE", "rooms": 3, "budget_max_fen": 2 * MILLION }))
        .with("companyid", "C01")
        .with("projectid", "P1")
        .signed("2025-01-02T02:00:00Z", "K1", MILLION)
        .complaint("2025-01-04T02:00:00Z", "C1", json!({ "severity": "LOW" }))
        .complaint("2025-01-05T02:00:00Z", "C2", json!({ "severity": "HIGH" }))
}

fn rules(condition: &str) -> Rules {
    let rules = Rules::parse(&format!("segments = [{{ name = \"it\", when = {condition} }}]"));
    rules.unwrap_or_else(|error| panic!("{condition}: {error}"))
}

/// How a condition turns out for the customer of a story, and whether the customer is in the segment.
fn decided(story: &Story, condition: &str, as_of: &str) -> (Decision, bool) {
    let explained = explain(&story.record(), &rules(condition), &mut Moment::now(at(as_of)));
    let explained = explained.unwrap_or_else(|| panic!("no event counts at {as_of}"));
    let is_in = explained.answer.profile.is_some_and(|profile| !profile.segments.is_empty());
    let [decision] = <[Decision; 1]>::try_from(explained.reasons.unwrap().decisions).unwrap();
    (decision, is_in)
}

/// As a line: whether it speaks for the segment, what is asked, and what was found.
fn line(it: &DecidingLeaf<'_>) -> String {
    let found = match &it.leaf.found {
        Some(Found::Number(number)) => number.to_string(),
        Some(Found::Name(name)) => name.clone(),
        Some(Found::Flag(flag)) => flag.to_string(),
        None => "none".to_owned(),
    };
    let sign = if it.is_for() { "+" } else { "-" };
    let not = if it.negated { "not " } else { "" };
    format!("{sign} {not}{}: {found}", it.leaf.condition)
}

/// The conditions that decide, of the customer made by hand.
fn check(condition: &str, expected: &[&str]) {
    let (decision, is_in) = decided(&story(), condition, AS_OF);
    assert_eq!(decision.trace.holds(), is_in, "{condition}");
    assert_eq!(decision.trace.deciding().iter().map(line).collect::<Vec<_>>(), expected, "{condition}");
}

/// A condition with none within it: whether it holds, and what is found.
fn check_leaf(condition: &str, holds: bool, found: &str) {
    let sign = if holds { "+" } else { "-" };
    let expected = format!("{sign} {condition}: {found}");
    check(&format!("{{ {condition} }}"), &[&expected]);
}

#[test]
fn every_axis_says_its_value() {
    check_leaf(r#"stage = ["QUASI_OWNER"]"#, true, "QUASI_OWNER");
    check_leaf(r#"stage = ["EXITED", "LOST"]"#, false, "QUASI_OWNER");
    check_leaf(r#"label = ["GENERAL_VALUE"]"#, true, "GENERAL_VALUE");
    check_leaf(r#"tier = ["VIP"]"#, false, "BASIC");
    check_leaf(r#"motive = ["UPGRADE"]"#, true, "UPGRADE");
    check_leaf(r#"household = ["SINGLE"]"#, false, "none");
    check_leaf(r#"project = ["P1"]"#, true, "P1");
    check_leaf(r#"company = ["C02"]"#, false, "C01");
    check_leaf(r#"consultant = ["Z1"]"#, true, "Z1");
}

#[test]
fn every_attribute_says_its_number() {
    check_leaf("rooms = { min = 3, max = 3 }", true, "3");
    check_leaf("rooms = { min = 4 }", false, "3");
    check_leaf("budget_min_fen = { min = 1 }", false, "none");
    check_leaf("budget_max_fen = { min = 1000000000 }", false, "200000000");
    check_leaf("recency = { min = 5 }", true, "5");
    check_leaf("frequency = { min = 5 }", false, "4");
    check_leaf("monetary = { max = 2 }", true, "2");
    check_leaf("live_contracts = { min = 2 }", false, "1");
    check_leaf("contract_value_fen = { max = 100000000 }", true, "100000000");
    check_leaf("largest_contract_fen = { min = 100000001 }", false, "100000000");
    check_leaf("conversions = { min = 1 }", false, "0");
    check_leaf("days_silent = { min = 26, max = 26 }", true, "26");
    check_leaf("days_silent = { min = 30 }", false, "26");
    check_leaf("open_contract = true", false, "false");
    check_leaf("open_contract = false", true, "false");
}

#[test]
fn an_owner_with_a_further_contract_has_an_open_one() {
    let story =
        story().handed_over("2025-01-06T02:00:00Z", "K1", "2025-01-06").signed("2025-01-07T02:00:00Z", "K2", MILLION);
    let (decision, is_in) = decided(&story, "{ open_contract = true }", AS_OF);
    assert!(is_in);
    assert_eq!(line(&decision.trace.deciding()[0]), "+ open_contract = true: true");
}

#[test]
fn a_count_says_how_many_it_counted_also_where_that_is_too_few_or_too_many() {
    check_leaf(r#"count = { events = ["ComplaintLodged"], min = 2 }"#, true, "2");
    check_leaf(r#"count = { events = ["ComplaintLodged"], min = 3 }"#, false, "2");
    check_leaf(r#"count = { events = ["ComplaintLodged"], max = 1 }"#, false, "2");
    check_leaf(r#"count = { events = ["ComplaintLodged"], where = { severity = ["HIGH"] }, min = 2 }"#, false, "1");
    check_leaf(r#"count = { events = ["ComplaintLodged"], days = 27, min = 1, max = 1 }"#, true, "1");
    check_leaf(r#"count = { events = ["RevisitCompleted"], days = 30, max = 0 }"#, true, "0");
}

const NOT_LOST: &str = r#"{ not = { stage = ["LOST"] } }"#;
const ONE_CONTRACT: &str = "{ live_contracts = { min = 1 } }";
const TWO_CONTRACTS: &str = "{ live_contracts = { min = 2 } }";
const FOUR_ROOMS: &str = "{ rooms = { min = 4 } }";
const UPGRADE: &str = r#"{ motive = ["UPGRADE"] }"#;

#[test]
fn of_all_everything_decides_that_it_holds_and_what_fails_that_it_fails() {
    check(
        &format!("{{ all = [{ONE_CONTRACT}, {UPGRADE}] }}"),
        &["+ live_contracts = { min = 1 }: 1", r#"+ motive = ["UPGRADE"]: UPGRADE"#],
    );
    check(&format!("{{ all = [{ONE_CONTRACT}, {FOUR_ROOMS}, {UPGRADE}] }}"), &["- rooms = { min = 4 }: 3"]);
    check(
        &format!("{{ all = [{TWO_CONTRACTS}, {UPGRADE}, {FOUR_ROOMS}] }}"),
        &["- live_contracts = { min = 2 }: 1", "- rooms = { min = 4 }: 3"],
    );
}

#[test]
fn of_any_what_holds_decides_that_it_holds_and_everything_that_it_fails() {
    check(
        &format!("{{ any = [{FOUR_ROOMS}, {ONE_CONTRACT}, {TWO_CONTRACTS}, {UPGRADE}] }}"),
        &["+ live_contracts = { min = 1 }: 1", r#"+ motive = ["UPGRADE"]: UPGRADE"#],
    );
    check(
        &format!("{{ any = [{TWO_CONTRACTS}, {FOUR_ROOMS}] }}"),
        &["- live_contracts = { min = 2 }: 1", "- rooms = { min = 4 }: 3"],
    );
}

#[test]
fn within_not_the_same_decides_and_speaks_the_other_way() {
    check(NOT_LOST, &[r#"+ not stage = ["LOST"]: QUASI_OWNER"#]);
    check(&format!("{{ not = {UPGRADE} }}"), &[r#"- not motive = ["UPGRADE"]: UPGRADE"#]);
    check(&format!("{{ not = {{ not = {UPGRADE} }} }}"), &[r#"+ motive = ["UPGRADE"]: UPGRADE"#]);
    check(
        &format!("{{ not = {{ any = [{FOUR_ROOMS}, {TWO_CONTRACTS}] }} }}"),
        &["+ not rooms = { min = 4 }: 3", "+ not live_contracts = { min = 2 }: 1"],
    );
    check(
        &format!("{{ not = {{ all = [{UPGRADE}, {ONE_CONTRACT}] }} }}"),
        &[r#"- not motive = ["UPGRADE"]: UPGRADE"#, "- not live_contracts = { min = 1 }: 1"],
    );
    check(&format!("{{ not = {{ all = [{UPGRADE}, {FOUR_ROOMS}] }} }}"), &["+ not rooms = { min = 4 }: 3"]);
}

#[test]
fn what_decides_is_followed_to_the_bottom() {
    // The last part alone fails, by the one of its two that holds.
    check(
        &format!(
            "{{ all = [{NOT_LOST}, {{ any = [{UPGRADE}, {FOUR_ROOMS}] }}, {{ not = {{ any = [{ONE_CONTRACT}, {FOUR_ROOMS}] }} }}] }}"
        ),
        &["- not live_contracts = { min = 1 }: 1"],
    );
    check(
        &format!("{{ any = [{TWO_CONTRACTS}, {{ all = [{NOT_LOST}, {{ not = {{ not = {ONE_CONTRACT} }} }}] }}] }}"),
        &[r#"+ not stage = ["LOST"]: QUASI_OWNER"#, "+ live_contracts = { min = 1 }: 1"],
    );
    // Said twice, it decides once.
    check(
        &format!("{{ any = [{{ all = [{UPGRADE}, {ONE_CONTRACT}] }}, {{ all = [{UPGRADE}, {NOT_LOST}] }}] }}"),
        &[
            r#"+ motive = ["UPGRADE"]: UPGRADE"#,
            "+ live_contracts = { min = 1 }: 1",
            r#"+ not stage = ["LOST"]: QUASI_OWNER"#,
        ],
    );
}

#[test]
fn thresholds_elsewhere_decide_through_the_axis() {
    let high = "[segmentation.tier.from]\nVIP = 3\nHIGH = 2\nMID = 1\n";
    let rules = Rules::parse(&format!("segments = [{{ name = \"it\", when = {{ tier = [\"VIP\"] }} }}]\n{high}"));
    let explained = explain(&story().record(), &rules.unwrap(), &mut Moment::now(at(AS_OF))).unwrap();
    let decisions = explained.reasons.unwrap().decisions;
    assert_eq!(line(&decisions[0].trace.deciding()[0]), r#"+ tier = ["VIP"]: VIP"#);
}

#[test]
fn every_segment_is_decided_by_name_and_nothing_where_the_profile_is_withheld() {
    let names = |story: &Story| -> Option<Vec<String>> {
        let explained = explain(&story.record(), &Rules::default(), &mut Moment::now(at(AS_OF))).unwrap();
        assert_eq!(explained.answer, story.answer::<Segmentation>(AS_OF), "why asks for the same answer");
        Some(explained.reasons?.decisions.iter().map(|it| it.name.to_string()).collect())
    };
    assert_eq!(names(&story()).unwrap(), ["complaints_unheard", "first_home", "high_net_worth"]);
    let withheld = story().event("2025-01-06T02:00:00Z", "ConsentWithdrawn", json!({ "purpose": "PROFILING" }));
    assert_eq!(names(&withheld), None);
    let nobody = explain(&story().record(), &Rules::default(), &mut Moment::now(at("2024-01-01T00:00:00Z")));
    assert_eq!(nobody, None);
}

#[test]
fn an_explanation_holds_until_what_it_found_changes() {
    let moment_of = |condition: &str| {
        let mut moment = Moment::now(at(AS_OF));
        explain(&story().record(), &rules(condition), &mut moment).unwrap();
        moment.valid_until().to_string()
    };
    let plain = {
        let mut moment = Moment::now(at(AS_OF));
        Segmentation::answer(&story().record(), &rules("{ days_silent = { max = 90 } }"), &mut moment).unwrap();
        moment.valid_until().to_string()
    };
    assert_eq!(plain, "2025-02-05T02:00:00Z", "the recency falls");
    assert_eq!(moment_of("{ days_silent = { max = 90 } }"), "2025-02-01T02:00:00Z", "a day more of silence");
    assert_eq!(moment_of(ONE_CONTRACT), plain);
    // The first part decides the answer; the second one will, too.
    let second = r#"{ count = { events = ["ComplaintLodged"], days = 28, max = 1 } }"#;
    assert_eq!(moment_of(&format!("{{ any = [{ONE_CONTRACT}, {second}] }}")), "2025-02-01T02:00:00Z");
}
