//! Lists, totals, the funnel, and rule segments.

use crate::story::*;
use oracle::{Population, parse_segments, population, segmentation};
use serde_json::json;
use touchpoint::CustomerId;

const NOW: &str = "2025-06-01T09:00:00Z";

fn evaluate(stories: &[Story]) -> Population {
    let segments = parse_segments("segments = [{ name = \"seen\", when = { stage = [\"PROSPECT\"] } }]").unwrap();
    population(&crowd(stories), time(NOW), None, &segments)
}

/// A visitor who withdrew consent, one who did not, an erased one, and an owner.
fn stories() -> Vec<Story> {
    let mut stories: Vec<Story> = (1..=4).map(Story::of).collect();
    for story in &mut stories {
        story.add("2025-04-30T17:00:00Z", "VisitRecorded", visit());
    }
    stories[0].add("2025-05-02T09:00:00Z", "ConsentWithdrawn", json!({ "purpose": "PROFILING" }));
    stories[2].add("2025-05-02T09:00:00Z", "CustomerErased", json!({}));
    stories[3].add("2025-05-04T17:00:00Z", "ContractSigned", signed("C", 100));
    stories
}

#[test]
fn withheld_customers_are_in_no_list_and_counted_apart() {
    let found = evaluate(&stories());
    assert_eq!((found.customers, found.erased, found.withheld), (3, 1, 1));
    assert_eq!(found.stages, [("PROSPECT".to_owned(), 2), ("QUASI_OWNER".to_owned(), 1)].into());
    assert_eq!(found.totals["band"]["withheld"], 1);
    assert_eq!(found.segments["seen"], 1);
    let two = CustomerId::from_u128(2);
    assert_eq!(found.members[&("segment", "seen".to_owned())], [two]);
    assert_eq!(found.members[&("stage", "PROSPECT".to_owned())], [two]);
    let at_risk: Vec<CustomerId> = found.at_risk.iter().map(|line| line.customer).collect();
    assert_eq!(at_risk, [two, CustomerId::from_u128(4)]);
}

#[test]
fn the_funnel_implies_earlier_steps() {
    let found = evaluate(&stories());
    // 17:00 UTC on 30 April is 1 May in Shanghai.
    let cells = &found.funnel[&(Some("2025-05".to_owned()), Some("WALK_IN".to_owned()))];
    let lines: Vec<_> =
        cells.iter().map(|cell| (cell.step, cell.count, cell.of_known_bp, cell.median_half_days)).collect();
    let expected = [
        ("KNOWN", 3, Some(10_000), Some(0)),
        ("VISITED", 3, Some(10_000), Some(0)),
        ("SUBSCRIBED", 1, Some(3_333), Some(8)),
        ("SIGNED", 1, Some(3_333), Some(8)),
        ("DELIVERED", 0, Some(0), None),
    ];
    assert_eq!(lines, expected);
    assert_eq!(cells[3].of_previous_bp, Some(10_000));
    assert_eq!(found.funnel[&(None, None)], *cells);
}

#[test]
fn rule_segments_compare_counts_axes_and_numbers() {
    let mut story = Story::of(1);
    let mut data = visit();
    data["rooms"] = json!(3);
    story.add("2025-05-01T09:00:00Z", "VisitRecorded", data);
    story.add("2025-05-02T09:00:00Z", "ComplaintLodged", complaint("B", "REPAIR_SERVICE", "LOW"));
    story.add("2025-05-03T09:00:00Z", "ComplaintLodged", complaint("B", "HANDOVER", "LOW"));
    let inside = |when: &str| {
        let segments = parse_segments(&format!("segments = [{{ name = \"x\", when = {when} }}]")).unwrap();
        !segmentation(&story.read(), time(NOW), None, &segments).unwrap().profile.unwrap().segments.is_empty()
    };
    assert!(inside("{ rooms = { min = 3, max = 4 } }"));
    assert!(!inside("{ rooms = { max = 2 } }"));
    assert!(!inside("{ budget_max_fen = { min = 0 } }"), "a missing attribute compares false");
    assert!(inside("{ not = { budget_max_fen = { min = 0 } } }"));
    assert!(inside("{ count = { events = [\"ComplaintLodged\"], min = 2, max = 2 } }"), "repeated openings count");
    assert!(inside(
        "{ count = { events = [\"ComplaintLodged\"], where = { port = \"HANDOVER\" }, min = 1, max = 1 } }"
    ));
    assert!(
        inside("{ count = { events = [\"ComplaintLodged\"], days = 29, max = 0 } }"),
        "the window's start is outside"
    );
    assert!(!inside("{ open_contract = true }"));
    assert!(parse_segments("segments = [{ name = \"x\", when = { colour = [\"RED\"] } }]").is_err());
}
