//! What is on the wire and in stores is frozen: one fixture per event type and version, and the packed form of each.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use touchpoint::{Event, Kind, Scalar, Touchpoint, compact};

/// Every fixture by its name, for example `VisitRecorded.v1.min`.
fn fixtures() -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|file| file.extension().is_some_and(|extension| extension == "json"))
        .map(|file| (file.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read(&file).unwrap()))
        .collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// The packed form of each fixture, as frozen.
fn frozen() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(folder().join("compact.hex")).unwrap();
    text.lines()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(name, hex)| (name.to_owned(), hex.to_owned()))
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn every_type_and_version_has_a_fixture_under_its_name() {
    let fixtures = fixtures();
    for kind in Kind::ALL {
        for version in 1..=kind.version() {
            let name = format!("{kind}.v{version}");
            assert!(fixtures.contains_key(&name), "fixtures/{name}.json is missing");
        }
    }
    for (name, body) in &fixtures {
        let json: serde_json::Value = serde_json::from_slice(body).unwrap();
        let mut parts = name.split('.');
        let (kind, version) = (parts.next().unwrap(), parts.next().unwrap().trim_start_matches('v'));
        assert_eq!(json["type"], kind, "{name}");
        assert_eq!(json["dataschema"], format!("urn:lifefold:{kind}:{version}"), "{name}");
    }
}

#[test]
fn the_fixtures_fill_every_field_and_the_least_ones_only_what_is_required() {
    let fixtures = fixtures();
    for kind in Kind::ALL {
        let newest = format!("{kind}.v{}", kind.version());
        let bodies: Vec<_> = fixtures.iter().filter(|(name, _)| name.starts_with(&newest)).collect();
        for field in kind.fields() {
            let is_filled = |body: &[u8]| data_of(body).get(field.name).is_some();
            assert!(bodies.iter().any(|(_, body)| is_filled(body)), "{kind}.{} is in no fixture", field.name);
        }
        if let Some(body) = fixtures.get(&format!("{newest}.min")) {
            let names = data_of(body);
            let extra =
                names.keys().filter(|name| !kind.fields().iter().any(|field| field.required && field.name == *name));
            // Either the score or not_applicable is required.
            assert_eq!(extra.filter(|name| *name != "score").count(), 0, "{newest}.min");
        }
    }
}

fn data_of(body: &[u8]) -> serde_json::Map<String, serde_json::Value> {
    let json: serde_json::Value = serde_json::from_slice(body).unwrap();
    json["data"].as_object().unwrap().clone()
}

#[test]
fn every_fixture_comes_back_from_json_and_from_the_packed_form() {
    for (name, body) in &fixtures() {
        let event = Event::decode(body).unwrap_or_else(|broken| panic!("{name}: {broken}"));
        let written = serde_json::to_vec(&event).unwrap();
        assert_eq!(Event::decode(&written).as_ref(), Ok(&event), "{name}");
        let mut packed = Vec::new();
        compact::pack(&event.body, &mut packed);
        let mut reader = compact::Reader::new(&packed);
        assert_eq!(compact::unpack(&mut reader).as_ref(), Some(&event.body), "{name}");
        assert!(reader.rest().is_empty(), "{name}");
    }
}

#[test]
fn packed_bytes_are_the_frozen_ones() {
    let (mut frozen, mut new) = (frozen(), String::new());
    for (name, body) in &fixtures() {
        let event = Event::decode(body).unwrap();
        let mut packed = Vec::new();
        compact::pack(&event.body, &mut packed);
        let packed = hex(&packed);
        let Some(before) = frozen.remove(name) else {
            writeln!(new, "{name} {packed}").unwrap();
            continue;
        };
        assert_eq!(packed, before, "{name}: other bytes than the frozen ones need a new fold version");
        let bytes = unhex(&before);
        assert_eq!(compact::unpack(&mut compact::Reader::new(&bytes)), Some(event.body), "{name}");
    }
    assert!(new.is_empty(), "new fixtures: add these lines to fixtures/compact.hex\n{new}");
    assert!(frozen.is_empty(), "fixtures that were frozen are gone: {:?}", frozen.keys());
}

#[test]
fn the_envelope_is_read_as_it_always_was() {
    let fixtures = fixtures();
    let event = Event::decode(&fixtures["SurveyAnswered.v1"]).unwrap();
    assert_eq!(event.id.to_string(), "0195ed3c-4f00-7a10-8000-000000000025");
    assert_eq!(event.source, "survey");
    assert_eq!(event.customer.to_string(), "7d3f0a52-6b1e-4c8a-9f27-51c0e8a4b6d3");
    assert_eq!(event.occurred_at.micros(), 1_743_442_200_123_456);
    assert_eq!(event.channel.name(), "WECHAT");
    let codes = [&event.company, &event.project, &event.actor, &event.correlation, &event.causation];
    let codes = codes.map(|code| code.as_ref().unwrap().as_str());
    assert_eq!(codes, ["C01", "P003", "staff-0417", "case-2025-0331", "0195ed3b-0000-7a10-8000-0000000000ff"]);
    assert_eq!(event.first_recorded_at.unwrap().to_string(), "2025-04-02T02:00:00Z");
    assert!(!event.has_pii);
}

#[test]
fn version_1_of_survey_answered_is_customer_satisfaction() {
    let fixtures = fixtures();
    let text = String::from_utf8(fixtures["SurveyAnswered.v1"].clone()).unwrap();
    // A `metric` is an unknown field of version 1, whatever it says.
    let with_metric = text.replace("\"score\": 4", "\"metric\": \"NPS\", \"score\": 4");
    assert_ne!(text, with_metric);
    for body in [&text, &with_metric] {
        let event = Event::decode(body.as_bytes()).unwrap();
        assert_eq!(event.body.field("metric"), Some(Scalar::Text("CSAT".into())));
        assert!(matches!(event.body, Touchpoint::SurveyAnswered(answer) if answer.score.unwrap().0 == 4));
    }
}
