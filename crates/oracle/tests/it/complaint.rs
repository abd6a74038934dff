//! The states and clocks of a complaint.

use crate::story::*;
use oracle::{Complaint, satisfaction};
use serde_json::json;

const MINUTE: i64 = 60_000_000;

fn complaint_at(story: &Story, as_of: &str) -> Complaint {
    satisfaction(&story.read(), time(as_of), None).unwrap().complaints.remove(0)
}

fn lodged(severity: &str) -> Story {
    let mut story = Story::of(1);
    story.add("2025-05-01T09:00:00Z", "ComplaintLodged", complaint("B", "REPAIR_SERVICE", severity));
    story
}

#[test]
fn limits_are_included() {
    let mut story = lodged("CRITICAL");
    let open = complaint_at(&story, "2025-05-01T10:00:00Z");
    assert_eq!((open.acknowledge_outcome, open.total_outcome), ("PENDING", "PENDING"));
    let open = complaint_at(&story, "2025-05-01T10:00:00.000001Z");
    assert_eq!((open.acknowledge_outcome, open.total_outcome), ("BREACHED", "PENDING"));
    story.add("2025-05-02T09:00:00Z", "ComplaintClosed", step("B"));
    let closed = complaint_at(&story, "2025-05-09T09:00:00Z");
    assert_eq!((closed.state, closed.first_outcome, closed.total_outcome), ("CLOSED", "MET", "MET"));
    assert_eq!((closed.acknowledged_after, closed.acknowledge_outcome), (Some(1_440 * MINUTE), "BREACHED"));
}

#[test]
fn the_latest_assessment_replaces_the_severity_also_for_the_past() {
    let mut story = lodged("CRITICAL");
    story.add("2025-05-03T09:00:00Z", "ComplaintResolved", resolved("B"));
    assert_eq!(complaint_at(&story, "2025-05-04T09:00:00Z").total_outcome, "BREACHED");
    story.add("2025-05-04T09:00:00Z", "ComplaintAssessed", json!({ "complaint_id": "B", "severity": "HIGH" }));
    let found = complaint_at(&story, "2025-05-04T09:00:00Z");
    assert_eq!((found.severity.as_str(), found.state, found.total_outcome), ("HIGH", "RESOLVED", "MET"));
}

#[test]
fn steps_that_the_state_does_not_allow_are_counted() {
    let mut story = lodged("LOW");
    story.add("2025-05-01T10:00:00Z", "ComplaintReopened", reopened("B"));
    story.add("2025-05-01T11:00:00Z", "ComplaintClosed", step("B"));
    story.add("2025-05-01T12:00:00Z", "ComplaintClosed", step("B"));
    story.add("2025-05-01T13:00:00Z", "ComplaintResolved", resolved("B"));
    let found = complaint_at(&story, "2025-05-02T09:00:00Z");
    assert_eq!((found.state, found.ignored_steps, found.total_open), ("CLOSED", 3, 120 * MINUTE));
    story.add("2025-05-01T14:00:00Z", "ComplaintWithdrawn", step("B"));
    story.add("2025-05-01T15:00:00Z", "ComplaintReopened", reopened("B"));
    story.add("2025-05-01T16:00:00Z", "ComplaintAssessed", json!({ "complaint_id": "B", "severity": "HIGH" }));
    let found = complaint_at(&story, "2025-05-02T09:00:00Z");
    assert_eq!((found.state, found.ignored_steps, found.severity.as_str()), ("WITHDRAWN", 5, "LOW"));
    assert_eq!((found.first_outcome, found.total_outcome), ("MET", "WITHDRAWN"));
}

#[test]
fn steps_dated_before_the_lodging_take_effect_right_after_it() {
    let mut story = lodged("LOW");
    story.add("2025-04-30T10:00:00Z", "ComplaintResolved", resolved("B"));
    story.add("2025-04-30T11:00:00Z", "ComplaintReopened", reopened("B"));
    let found = complaint_at(&story, "2025-05-01T09:30:00Z");
    assert_eq!((found.state, found.ignored_steps, found.total_open), ("IN_PROGRESS", 0, 30 * MINUTE));
    assert_eq!((found.first_resolved_after, found.acknowledged_after), (Some(0), Some(0)));
    assert_eq!(found.reopenings[0].1, found.lodged_at);
}

#[test]
fn withdrawing_stops_the_clocks() {
    let mut story = lodged("CRITICAL");
    story.add("2025-05-02T09:00:00Z", "ComplaintWithdrawn", step("B"));
    let found = complaint_at(&story, "2025-05-09T09:00:00Z");
    assert_eq!((found.acknowledge_outcome, found.first_outcome), ("BREACHED", "WITHDRAWN"));
    assert_eq!((found.total_outcome, found.total_open), ("WITHDRAWN", 1_440 * MINUTE));
}
