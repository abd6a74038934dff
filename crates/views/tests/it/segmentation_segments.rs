//! Rule segments: whom they hold, and how long an answer stays as it is.

use crate::support::{Story, at};
use serde_json::json;
use touchpoint::Timestamp;
use views::rules::Rules;
use views::segmentation::Segmentation;
use views::{Moment, View};

const YUAN: i64 = 100;
const MILLION: i64 = 1_000_000 * YUAN;

/// The rule segments of the customer of the story.
fn names(story: &Story, rules: &Rules, as_of: &str) -> Vec<String> {
    let profile = story.answer_by::<Segmentation>(rules, as_of).profile.expect("consent was not withdrawn");
    profile.segments.iter().map(|membership| membership.name.to_string()).collect()
}

#[test]
fn shipped_segments() {
    let rules = Rules::default();
    let names = |story: &Story| names(story, &rules, "2025-02-01T02:00:00Z");
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
    let expected: &[&str] = if expected { &["it"] } else { &[] };
    assert_eq!(names(&story, &rules, "2025-01-31T02:00:00Z"), expected, "{condition}");
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
    assert_eq!(names(&story, &rules, edges[0]), ["quiet"]);
    assert_eq!(names(&story, &rules, edges[1]), [""; 0]);
}
