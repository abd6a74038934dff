//! Which events count: voids, erasures, duplicates, late and future events, consent, references.

use crate::story::*;
use oracle::{Customer, Entry, History, churn, customer, satisfaction, segmentation};
use serde_json::json;
use touchpoint::EventId;

const NOW: &str = "2025-06-01T09:00:00Z";

fn found(story: &Story, as_of: &str, known_at: Option<&str>) -> Option<Customer> {
    customer(&story.read(), time(as_of), known_at.map(time))
}

fn voids(id: u128) -> serde_json::Value {
    json!({ "target_event_id": EventId::from_u128(id), "reason": "MISTAKE" })
}

#[test]
fn a_void_counts_at_every_as_of_and_is_limited_by_known_at() {
    let mut story = Story::of(1);
    story.add("2025-05-01T09:00:00Z", "LeadRegistered", json!({ "lead_source": "WALK_IN" }));
    let visit = story.add("2025-05-02T09:00:00Z", "VisitRecorded", visit());
    story.add("2025-05-20T09:00:00Z", "EventVoided", voids(visit));
    assert_eq!(found(&story, "2025-05-03T09:00:00Z", None).unwrap().stage, "LEAD");
    let before = found(&story, "2025-05-03T09:00:00Z", Some("2025-05-20T08:59:59Z")).unwrap();
    assert_eq!((before.stage, before.events), ("PROSPECT", 2));
    let after = found(&story, "2025-05-03T09:00:00Z", Some("2025-05-20T09:00:00Z")).unwrap();
    assert_eq!((after.stage, after.events, after.consultant), ("LEAD", 1, None));
}

#[test]
fn a_void_or_an_erasure_cannot_be_voided() {
    let mut story = Story::of(1);
    let visit = story.add("2025-05-02T09:00:00Z", "VisitRecorded", visit());
    let void = story.add("2025-05-03T09:00:00Z", "EventVoided", voids(visit));
    story.add("2025-05-04T09:00:00Z", "EventVoided", voids(void));
    assert_eq!(found(&story, NOW, None), None, "voids are no events of the customer");
    story.add("2025-05-05T09:00:00Z", "LeadRegistered", json!({ "lead_source": "WALK_IN" }));
    assert_eq!(found(&story, NOW, None).unwrap().stage, "LEAD");
    let erased = story.add("2025-05-06T09:00:00Z", "CustomerErased", json!({}));
    story.add("2025-05-07T09:00:00Z", "EventVoided", voids(erased));
    assert_eq!(found(&story, NOW, None), None);
    assert_eq!(found(&story, "2025-05-05T09:00:00Z", Some("2025-05-05T09:00:00Z")), None);
}

#[test]
fn the_first_position_of_an_id_wins() {
    let mut story = Story::of(1);
    let line = |kind, at, data| Line { kind, at, recorded_at: NOW, id: 7, more: json!({}), data };
    story.push(&line("VisitRecorded", "2025-05-02T09:00:00Z", visit()));
    story.push(&line("VisitRecorded", "2025-05-02T09:00:00Z", visit()));
    story.push(&line("LeadLost", "2025-05-03T09:00:00Z", json!({ "reason": "PRICE" })));
    let history = story.read();
    assert_eq!(history.conflicts, 1);
    let found = customer(&history, time(NOW), None).unwrap();
    assert_eq!((found.events, found.stage), (1, "PROSPECT"));
}

#[test]
fn an_event_ahead_of_its_record_is_admitted_when_recorded() {
    let mut story = Story::of(1);
    let (at, recorded_at) = ("2025-06-01T09:04:00Z", NOW);
    story.push(&Line { kind: "VisitRecorded", at, recorded_at, id: 7, more: json!({}), data: visit() });
    assert_eq!(found(&story, "2025-06-01T08:59:59Z", None), None);
    let found = found(&story, NOW, None).unwrap();
    assert_eq!((found.stage, found.days_silent, found.silent_since), ("PROSPECT", 0, time(at).micros()));
}

#[test]
fn known_at_asks_for_firstrecordedat_where_it_is_present() {
    let mut story = Story::of(1);
    let more = json!({ "firstrecordedat": "2025-02-01T09:00:00Z" });
    let (at, recorded_at) = ("2025-01-01T09:00:00Z", NOW);
    story.push(&Line { kind: "VisitRecorded", at, recorded_at, id: 7, more, data: visit() });
    assert!(found(&story, NOW, Some("2025-02-01T09:00:00Z")).is_some());
    assert!(found(&story, NOW, Some("2025-02-01T08:59:59Z")).is_none());
}

#[test]
fn unreadable_bodies_are_parked_until_they_are_voided() {
    let mut story = Story::of(1);
    story.add("2025-05-02T09:00:00Z", "VisitRecorded", visit());
    let recorded_at = time("2025-05-03T09:00:00Z");
    story.entries.push(Entry { position: 90, recorded_at, body: b"{".to_vec() });
    assert_eq!(found(&story, NOW, None).unwrap().parked, 1);
    let data = json!({ "target_position": 90, "reason": "POISON" });
    story.add(NOW, "EventVoided", data);
    assert_eq!(found(&story, NOW, None).unwrap().parked, 0);
    assert_eq!(found(&story, NOW, Some("2025-06-01T08:59:59Z")).unwrap().parked, 1);
    assert_eq!(found(&story, NOW, Some("2025-05-03T08:59:59Z")).unwrap().parked, 0, "not yet recorded");
}

#[test]
fn withdrawn_consent_to_profiling_is_the_present_one() {
    let mut story = Story::of(1);
    story.add("2025-05-02T09:00:00Z", "VisitRecorded", visit());
    story.add("2025-05-03T09:00:00Z", "ConsentWithdrawn", json!({ "purpose": "PROFILING" }));
    let before = time("2025-05-02T10:00:00Z");
    let history = story.read();
    assert!(customer(&history, before, Some(before)).unwrap().withheld);
    let segmentation = segmentation(&history, before, None, &[]).unwrap();
    assert_eq!((segmentation.stage, segmentation.profile), ("PROSPECT", None));
    assert_eq!(churn(&history, before, None).unwrap().risk, None);
    assert_eq!(satisfaction(&history, before, None).unwrap().opinion, None);
    story.add("2025-05-04T09:00:00Z", "ConsentGranted", json!({ "purpose": "PROFILING" }));
    assert!(!customer(&story.read(), before, None).unwrap().withheld);
}

#[test]
fn references_are_resolved_by_counting_events_of_any_date() {
    let mut story = Story::of(1);
    story.add("2025-05-02T09:00:00Z", "ComplaintAcknowledged", step("B"));
    story.add("2025-05-02T10:00:00Z", "ReferralConverted", converted("F"));
    story.add("2025-05-02T11:00:00Z", "SubscriptionCancelled", json!({ "subscription_id": "S", "by": "CUSTOMER" }));
    assert_eq!(found(&story, NOW, None).unwrap().unresolved, 3);
    let opened = story.add("2025-05-03T09:00:00Z", "ComplaintLodged", complaint("B", "HANDOVER", "LOW"));
    assert_eq!(found(&story, NOW, None).unwrap().unresolved, 2);
    assert_eq!(found(&story, "2025-05-02T23:00:00Z", None).unwrap().unresolved, 3, "not yet occurred");
    story.add("2025-05-04T09:00:00Z", "EventVoided", voids(opened));
    assert_eq!(found(&story, NOW, None).unwrap().unresolved, 3, "voided");
}

#[test]
fn place_is_of_the_latest_live_contract_else_of_the_latest_event() {
    let mut story = Story::of(1);
    let mut add = |at: &str, kind: &str, project: &str, data| {
        story.add_in(at, kind, json!({ "projectid": project }), data);
    };
    add("2025-05-01T09:00:00Z", "ContractSigned", "P1", signed("C1", 100));
    add("2025-05-02T09:00:00Z", "ContractSigned", "P2", signed("C2", 100));
    add("2025-05-03T09:00:00Z", "VisitRecorded", "P3", visit());
    assert_eq!(found(&story, NOW, None).unwrap().project.as_deref(), Some("P2"));
    story.add("2025-05-04T09:00:00Z", "ContractCancelled", cancelled("C2"));
    assert_eq!(found(&story, NOW, None).unwrap().project.as_deref(), Some("P1"));
    story.add("2025-05-04T10:00:00Z", "ContractCancelled", cancelled("C1"));
    assert_eq!(found(&story, NOW, None).unwrap().project.as_deref(), Some("P3"));
}

#[test]
fn nothing_is_no_customer() {
    assert_eq!(customer(&History::read(&[]), time(NOW), None), None);
}
