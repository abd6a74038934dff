//! Every event of the catalogue, from the JSON of the log to the message and back; and how mistakes are reported.
#![allow(clippy::unwrap_used, reason = "a failed step of a test ends the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use api::{touchpoints, v1};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use touchpoint::{Event, Kind, Unreadable, Violation};

/// Most time for one event, message to JSON or back, in a release build.
const MOST_PER_EVENT: Duration = Duration::from_micros(10);

fn fixtures() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../touchpoint/fixtures");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut fixtures: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(path).unwrap()))
        .collect();
    fixtures.sort();
    fixtures
}

/// A message of this event type, as a caller would send it.
fn sent(name: &str) -> v1::Touchpoint {
    let (_, json) = fixtures().into_iter().find(|(file, _)| file == name).unwrap();
    touchpoints::from_event(&Event::decode(&json).unwrap())
}

/// The fields that a message is refused for.
fn refused(message: &v1::Touchpoint) -> Vec<String> {
    violations(message).into_iter().map(|violation| violation.field).collect()
}

fn violations(message: &v1::Touchpoint) -> Vec<Violation> {
    let json = touchpoints::to_json(message);
    let broken = Event::decode(&json).unwrap_err();
    touchpoints::violations("touchpoint", message, &broken)
}

#[test]
fn every_fixture_comes_back() {
    let mut kinds = BTreeSet::new();
    for (file, json) in fixtures() {
        let event = Event::decode(&json).unwrap_or_else(|broken| panic!("{file}: {broken}"));
        kinds.insert(event.body.kind());

        let message = touchpoints::from_event(&event);
        let on_the_wire = v1::Touchpoint::decode(message.encode_to_vec().as_slice()).unwrap();
        assert_eq!(on_the_wire, message, "{file}");

        let written = touchpoints::to_json(&on_the_wire);
        let again = Event::decode(&written).unwrap_or_else(|broken| panic!("{file}: {broken}"));
        assert_eq!(again, event, "{file}");
        assert!(touchpoint::same_content(&written, &serde_json::to_vec(&event).unwrap()), "{file}");
        assert_eq!(touchpoints::from_event(&again), message, "{file}");
    }
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), Kind::ALL, "a fixture for every event type");
}

#[test]
fn nothing_set_reports_every_required_field_by_the_name_in_the_message() {
    let fields = refused(&v1::Touchpoint::default());
    let expected = ["id", "source", "customer_id", "occurred_at", "channel", "event"];
    assert_eq!(BTreeSet::from_iter(fields.iter().map(String::as_str)).len(), fields.len(), "{fields:?}");
    assert_eq!(
        BTreeSet::from_iter(fields),
        expected.iter().map(|field| format!("touchpoint.{field}")).collect::<BTreeSet<_>>()
    );
}

#[test]
fn fields_of_the_event_are_reported_below_its_name() {
    let mut message = sent("SurveyAnswered.v2.json");
    let Some(v1::touchpoint::Event::SurveyAnswered(answer)) = &mut message.event else { panic!("{message:?}") };
    answer.metric = v1::Metric::Csat.into();
    answer.score = Some(9);
    answer.port = v1::ServicePort::Unspecified.into();
    answer.wave_id.clear();
    let expected = ["wave_id", "port", "score"].map(|field| format!("touchpoint.survey_answered.{field}"));
    assert_eq!(refused(&message), expected);
}

#[test]
fn numbers_of_enumerations_that_nobody_knows_are_refused() {
    let mut message = sent("VisitRecorded.v1.json");
    let Some(v1::touchpoint::Event::VisitRecorded(visit)) = &mut message.event else { panic!("{message:?}") };
    visit.purpose = 99;
    visit.intent = -1;
    message.channel = 77;
    assert_eq!(
        refused(&message),
        ["touchpoint.channel", "touchpoint.visit_recorded.purpose", "touchpoint.visit_recorded.intent"]
    );
}

#[test]
fn a_required_number_that_is_not_given_is_not_taken_for_zero() {
    let mut message = sent("HandoverCompleted.v1.json");
    let Some(v1::touchpoint::Event::HandoverCompleted(handover)) = &mut message.event else { panic!("{message:?}") };
    handover.defects_open = None;
    assert_eq!(refused(&message), ["touchpoint.handover_completed.defects_open"]);
}

#[test]
fn instants_that_the_log_cannot_hold_are_refused() {
    for (seconds, nanos) in [(0, 1), (0, -1), (i64::MAX, 0), (i64::MIN, i32::MIN), (253_402_300_800, 0)] {
        let mut message = sent("MovedIn.v1.json");
        message.first_recorded_at = Some(prost_types::Timestamp { seconds, nanos });
        assert_eq!(refused(&message), ["touchpoint.first_recorded_at"], "{seconds} s {nanos} ns");
        // Who sent a message is not told of the text that the log has.
        let said = &violations(&message)[0].message;
        assert!(said.starts_with("expected a Timestamp of whole microseconds"), "{said}");
    }
}

fn descriptor() -> MessageDescriptor {
    DescriptorPool::decode(api::FILE_DESCRIPTOR_SET).unwrap().get_message_by_name("lifefold.v1.Touchpoint").unwrap()
}

#[test]
fn every_required_field_of_every_event_is_reported_where_it_is_missing() {
    for &kind in Kind::ALL {
        let message = sent(&format!("{}.v{}.json", kind.name(), kind.version()));
        let whole = DynamicMessage::decode(descriptor(), message.encode_to_vec().as_slice()).unwrap();
        let (member, _) = whole.fields().last().unwrap();
        for field in kind.fields().iter().filter(|field| field.required) {
            let mut without = whole.clone();
            without.get_field_mut(&member).as_message_mut().unwrap().clear_field_by_name(field.name);
            let path = format!("touchpoint.{}.{}", member.name(), field.name);
            assert!(refused(&without.transcode_to().unwrap()).contains(&path), "{path}");
        }
    }
}

/// Whatever decodes as a message becomes JSON, and every violation names a field that the message has.
#[test]
fn damaged_messages_are_judged_and_never_break_the_form() {
    let fields: BTreeSet<_> = descriptor().fields().map(|field| field.name().to_owned()).collect();
    let mut judged = 0;
    for (_, json) in fixtures() {
        let good = touchpoints::from_event(&Event::decode(&json).unwrap()).encode_to_vec();
        for index in 0..good.len() {
            let mut bytes = good.clone();
            bytes[index] ^= 0x11;
            let Ok(message) = v1::Touchpoint::decode(bytes.as_slice()) else { continue };
            let Err(broken) = Event::decode(&touchpoints::to_json(&message)) else { continue };
            assert_ne!(broken.reason, Unreadable::Malformed, "{message:?}");
            for violation in touchpoints::violations("", &message, &broken) {
                let first = violation.field.split('.').next().unwrap();
                assert!(fields.contains(first) || first == "event", "{} of {message:?}", violation.field);
            }
            judged += 1;
        }
    }
    assert!(judged > 1_000, "only {judged} damaged messages were judged");
}

#[test]
fn personal_data_reaches_the_gateway_which_refuses_it() {
    let mut message = sent("MovedIn.v1.json");
    message.pii = Some("a name".to_owned());
    let json = touchpoints::to_json(&message);
    assert!(Event::decode(&json).unwrap().has_pii);
}

#[test]
fn a_newer_callers_event_type_is_no_event() {
    let mut bytes = sent("CustomerErased.v1.json");
    bytes.event = None;
    let mut bytes = bytes.encode_to_vec();
    // Field 900, an empty message: a type of the future.
    bytes.extend([0xa2, 0x38, 0x00]);
    let message = v1::Touchpoint::decode(bytes.as_slice()).unwrap();
    assert_eq!(refused(&message), ["touchpoint.event"]);
}

/// `cargo test --release -p api --test touchpoints -- --ignored --nocapture`
#[test]
#[ignore = "a measurement, meaningful in a release build only"]
fn conversions_are_fast() {
    const ROUNDS: u32 = 2_000;
    let fixtures = fixtures();
    let events: Vec<_> = fixtures.iter().map(|(_, json)| Event::decode(json).unwrap()).collect();
    let messages: Vec<_> = events.iter().map(touchpoints::from_event).collect();
    let count = ROUNDS * u32::try_from(events.len()).unwrap();
    let timed = |name: &str, work: &dyn Fn()| {
        let start = Instant::now();
        (0..ROUNDS).for_each(|_| work());
        let each = start.elapsed() / count;
        println!("{name}: {each:?} per event");
        assert!(each <= MOST_PER_EVENT, "{name}: {each:?} per event");
    };
    timed("message to JSON", &|| messages.iter().for_each(|message| drop(touchpoints::to_json(message))));
    timed("event to message", &|| events.iter().for_each(|event| drop(touchpoints::from_event(event))));
}
