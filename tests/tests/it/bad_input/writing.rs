//! What the gateway refuses.

use std::collections::HashMap;

use api::v1;
use api::v1::import_request::Item;
use api::v1::touchpoint::Event;
use prost::Message;
use tests::{Clients, import, instant, json, visit};
use tonic::Status;
use tonic::codegen::http::uri::PathAndQuery;
use touchpoint::{CustomerId, EventId};

use crate::bad_input::told::{Expect, Fields, Told, check, invalid, refused, trouble};

/// Somebody of whom there are events.
pub(crate) const KNOWN: CustomerId = CustomerId::from_u128(0xa);
const SOMEBODY: CustomerId = CustomerId::from_u128(0xb);
const VISITED: &str = "2025-03-01T08:00:00Z";
/// Longer than an event may be, in bytes.
const TOO_LONG: usize = 64 * 1024;
/// Longer than a request may be, in bytes.
const TOO_LONG_REQUEST: usize = 13 * 1024 * 1024;

fn good(event: u128) -> v1::Touchpoint {
    visit(SOMEBODY, EventId::from_u128(event), instant(VISITED))
}

/// A good visit with something changed.
fn with(change: impl FnOnce(&mut v1::Touchpoint)) -> v1::Touchpoint {
    let mut touchpoint = good(1);
    change(&mut touchpoint);
    touchpoint
}

/// A good visit with something changed in what happened.
fn visited(change: impl FnOnce(&mut v1::VisitRecorded)) -> v1::Touchpoint {
    with(|touchpoint| {
        if let Some(Event::VisitRecorded(visit)) = &mut touchpoint.event {
            change(visit);
        }
    })
}

fn answered(metric: v1::Metric, score: u32) -> v1::Touchpoint {
    let answer = v1::SurveyAnswered {
        survey_id: "S1".to_owned(),
        wave_id: "2025".to_owned(),
        port: v1::ServicePort::Overall.into(),
        item_code: "I".to_owned(),
        metric: metric.into(),
        score: Some(score),
        ..Default::default()
    };
    with(|touchpoint| touchpoint.event = Some(Event::SurveyAnswered(answer)))
}

/// Everything wrong, by every way in. Gives what was acknowledged on the way: ids and positions.
pub(crate) async fn refused_by_name(gateway: &Clients) -> HashMap<String, u64> {
    let mut acknowledged = HashMap::new();
    for (number, customer) in [(0xa1, KNOWN), (0xa2, KNOWN), (0xa3, CustomerId::from_u128(0xc))] {
        let sent = visit(customer, EventId::from_u128(number), instant(VISITED));
        let id = sent.id.clone();
        acknowledged.insert(id, record(gateway, sent, None).await.unwrap().position);
    }
    messages(gateway).await;
    batches(gateway).await;
    jsons(gateway).await;
    taken_ids(gateway, &acknowledged).await;
    acknowledged.extend(good_among_bad(gateway).await);
    damaged(gateway).await;
    acknowledged
}

async fn record(
    gateway: &Clients,
    touchpoint: v1::Touchpoint,
    expected_revision: Option<u64>,
) -> Result<v1::RecordResponse, Status> {
    let request = v1::RecordRequest { touchpoint: Some(touchpoint), expected_revision };
    gateway.touchpoints().record(request).await.map(tonic::Response::into_inner)
}

async fn batch(gateway: &Clients, touchpoints: Vec<v1::Touchpoint>) -> Result<v1::RecordBatchResponse, Status> {
    gateway.touchpoints().record_batch(v1::RecordBatchRequest { touchpoints }).await.map(tonic::Response::into_inner)
}

/// Wrong messages: through Record, and as an item of an import, where the paths begin at the item.
async fn messages(gateway: &Clients) {
    let in_ten_minutes = std::time::SystemTime::now() + std::time::Duration::from_secs(600);
    let ahead = prost_types::Timestamp::from(in_ten_minutes);
    let ahead = prost_types::Timestamp { nanos: 0, ..ahead };
    let cases: Vec<(v1::Touchpoint, Fields<'_>)> = vec![
        (with(|it| it.id = "7".to_owned()), &[("id", "expected a UUID")]),
        (with(|it| it.id.clear()), &[("id", "is required")]),
        (with(|it| it.customer_id = "13800138000".to_owned()), &[("customer_id", "expected a UUID")]),
        (with(|it| it.customer_id.clear()), &[("customer_id", "is required")]),
        (with(|it| it.occurred_at = None), &[("occurred_at", "is required")]),
        (with(|it| it.occurred_at = Some(ahead)), &[("occurred_at", "at most 5 minutes after now")]),
        (
            with(|it| it.occurred_at.as_mut().unwrap().nanos = 1),
            &[("occurred_at", "expected a Timestamp of whole microseconds")],
        ),
        (with(|it| it.occurred_at.as_mut().unwrap().seconds = i64::MAX), &[("occurred_at", "expected")]),
        (with(|it| it.channel = 0), &[("channel", "is required")]),
        (with(|it| it.channel = 99), &[("channel", "one of IN_PERSON, PHONE")]),
        (with(|it| it.channel = -1), &[("channel", "one of IN_PERSON, PHONE")]),
        (with(|it| it.project_id = Some("碧桂园".to_owned())), &[("project_id", "a code of 1 to 40 characters")]),
        (with(|it| it.event = None), &[("event", "set one event of the oneof")]),
        (with(|it| it.pii = Some("张三 13800138000".to_owned())), &[("pii", "Leave pii out")]),
        (with(|it| it.pii = Some(String::new())), &[("pii", "cannot be taken yet")]),
        (with(|it| it.source = "s".repeat(201)), &[("source", "1 to 200 characters")]),
        (with(|it| it.source = "s".repeat(TOO_LONG)), &[("", "at most 64512 bytes")]),
        (visited(|it| it.kind = 77), &[("visit_recorded.kind", "one of FIRST, REPEAT")]),
        (visited(|it| it.consultant_id.clear()), &[("visit_recorded.consultant_id", "a code of 1 to 40")]),
        (
            visited(|it| (it.budget_min_fen, it.budget_max_fen) = (Some(2), Some(1))),
            &[("visit_recorded.budget_min_fen", "expected at most budget_max_fen")],
        ),
        (visited(|it| it.budget_max_fen = Some(-1)), &[("visit_recorded.budget_max_fen", "0 or more")]),
        (visited(|it| it.minutes = Some(1_441)), &[("visit_recorded.minutes", "from 0 to 1440")]),
        (answered(v1::Metric::Csat, 6), &[("survey_answered.score", "1 to 5 for CSAT")]),
        (answered(v1::Metric::Nps, 11), &[("survey_answered.score", "0 to 10")]),
        (answered(v1::Metric::Unspecified, 5), &[("survey_answered.metric", "is required")]),
        (
            visited(|it| (it.kind, it.purpose, it.rooms) = (0, 99, Some(10_001))),
            &[
                ("visit_recorded.kind", "one of"),
                ("visit_recorded.purpose", "one of"),
                ("visit_recorded.rooms", "10000"),
            ],
        ),
    ];
    for (sent, fields) in cases {
        let given = format!("{:.300}", format!("{sent:?}"));
        let named: Vec<_> = fields.iter().map(|(field, part)| (below("touchpoint", field), *part)).collect();
        let named: Vec<_> = named.iter().map(|(field, part)| (field.as_str(), *part)).collect();
        check(&given, record(gateway, sent.clone(), None).await, invalid(&named));
        check(&given, import(gateway, vec![Some(Item::Touchpoint(sent))]).await, refused(fields));
    }
    // An import says when the source system learned of it; nobody else can.
    let learned = with(|it| it.first_recorded_at = it.occurred_at);
    let only_import = [("touchpoint.first_recorded_at", "accepted by Import only")];
    check("first_recorded_at", record(gateway, learned, None).await, invalid(&only_import));
    let early = with(|it| it.first_recorded_at = Some(ahead));
    let early = import(gateway, vec![Some(Item::Touchpoint(early))]).await;
    check("first_recorded_at ahead", early, refused(&[("first_recorded_at", "at most now")]));
}

fn below(prefix: &str, field: &str) -> String {
    if field.is_empty() { prefix.to_owned() } else { format!("{prefix}.{field}") }
}

async fn batches(gateway: &Clients) {
    let one_bad = vec![good(1), with(|it| it.channel = 99), good(3), with(|it| it.id = "x".to_owned())];
    let other = with(|it| it.source = "elsewhere".to_owned());
    let cases: [(&str, Vec<v1::Touchpoint>, Fields<'_>); 4] = [
        ("an empty batch", vec![], &[("touchpoints", "expected 1 to 1000 touchpoints, got 0")]),
        (
            "a long batch",
            (1..=1_001).map(good).collect(),
            &[("touchpoints", "expected 1 to 1000 touchpoints, got 1001")],
        ),
        (
            "one id, twice the same and once with other content",
            vec![good(2), good(1), good(1), other],
            &[("touchpoints[3].id", "touchpoints[1] has the same id and other content")],
        ),
        ("two bad ones", one_bad, &[("touchpoints[1].channel", "one of"), ("touchpoints[3].id", "expected a UUID")]),
    ];
    for (given, touchpoints, fields) in cases {
        check(given, batch(gateway, touchpoints).await, invalid(fields));
    }
    let heavy: Vec<_> = (1..=200).map(|id| visit(SOMEBODY, EventId::from_u128(id), instant(VISITED))).collect();
    let heavy =
        heavy.into_iter().map(|it| v1::Touchpoint { source: "s".repeat(TOO_LONG_REQUEST / 200), ..it }).collect();
    check("a heavy batch", batch(gateway, heavy).await, invalid(&[("", "too large")]));
    let nothing = gateway.touchpoints().record(v1::RecordRequest::default()).await;
    check("no touchpoint", nothing, invalid(&[("touchpoint", "is required")]));
}

/// A good event as JSON, with one text replaced by another.
fn text(from: &str, to: &str) -> Option<Item> {
    let good = String::from_utf8(api::touchpoints::to_json(&good(1))).unwrap();
    assert!(good.contains(from), "{good} has no {from}");
    json(good.replace(from, to))
}

async fn jsons(gateway: &Clients) {
    let corrected = |more: &str| {
        let good = r#""type":"ProfileCorrected","dataschema":"urn:lifefold:ProfileCorrected:1""#;
        let begin =
            r#"{"specversion":"1.0","id":"0195e0c1-9a40-7000-8000-000000000001","source":"tests","channel":"APP""#;
        json(format!(r#"{begin},{good},"subject":"{SOMEBODY}","time":"{VISITED}","data":{{"field":"phone"{more}}}}}"#))
    };
    let cases: [(Option<Item>, Fields<'_>); 16] = [
        (json(""), &[("", "no JSON object")]),
        (json("{"), &[("", "expected a text in quotes at byte 1")]),
        (json("[{}]"), &[("", "no JSON object")]),
        (json("{\"id\":\"\u{5f20}\u{4e09}\"} {"), &[("", "expected nothing more")]),
        (json(b"{\"id\":\"\xff\"}".as_slice()), &[("", "UTF-8")]),
        (json(format!("{{\"id\":{}", "[".repeat(60_000))), &[("", "expected a value at byte 60006")]),
        (json(format!("{{\"id\":\"{}\"}}", "x".repeat(TOO_LONG))), &[("", "at most 64512 bytes")]),
        (text("\"FIRST\"", "1"), &[("data.kind", "one of FIRST, REPEAT, got 1")]),
        (text("\"FIRST\"", "\"THIRD\""), &[("data.kind", "got \"THIRD\"")]),
        (text("\"K-1\"", "[\"K-1\"]"), &[("data.consultant_id", "got an object or array")]),
        (text("IN_PERSON", "FAX"), &[("channel", "got \"FAX\"")]),
        (text("VisitRecorded:1", "VisitRecorded:9"), &[("dataschema", "from 1 to 1")]),
        (
            text("\"specversion\":\"1.0\"", "\"specversion\":\"0.3\",\"pii\":\"a\""),
            &[("specversion", "expected \"1.0\"")],
        ),
        (text("\"tests\"", "\"tests\",\"pii\":\"\u{5f20}\u{4e09}\""), &[("pii", "cannot be taken yet")]),
        (corrected(r#","new":"13800138000""#), &[("data.new", "never what it is")]),
        (None, &[("item", "is required: a touchpoint or its JSON")]),
    ];
    for (item, fields) in cases {
        let given = format!("{:.200}", format!("{item:?}"));
        check(&given, import(gateway, vec![item]).await, refused(fields));
    }
}

/// The same id with other content, and a revision that is over.
async fn taken_ids(gateway: &Clients, acknowledged: &HashMap<String, u64>) {
    let other = v1::Touchpoint {
        channel: v1::Channel::Phone.into(),
        ..visit(KNOWN, EventId::from_u128(0xa1), instant(VISITED))
    };
    let position = acknowledged[&other.id].to_string();
    let words = [other.id.as_str(), &position, "with other content", "another id"];
    let taken = trouble("ALREADY_EXISTS EVENT_CONFLICT", &words);
    check("an id that is taken", record(gateway, other.clone(), None).await, taken);
    let fresh = visit(KNOWN, EventId::from_u128(0xaf), instant(VISITED));
    check("a batch with a taken id", batch(gateway, vec![fresh.clone(), other.clone()]).await, taken);
    let conflict = Expect { kind: "refused CONFLICT", fields: &[("id", "other content")], message: &[] };
    check("an item with a taken id", import(gateway, vec![Some(Item::Touchpoint(other))]).await, conflict);
    let stale = trouble("ABORTED REVISION_MISMATCH", &["read the timeline and decide again"]);
    check("a revision that is over", record(gateway, fresh, Some(0)).await, stale);
}

/// Items of an import that are refused do not stop the others.
async fn good_among_bad(gateway: &Clients) -> HashMap<String, u64> {
    let sent = visit(KNOWN, EventId::from_u128(0xad), instant(VISITED));
    let items = vec![json("{"), Some(Item::Touchpoint(sent.clone())), json("[]"), Some(Item::Touchpoint(sent.clone()))];
    let imported = import(gateway, items).await;
    let [first, second, third, fourth]: [Told; 4] =
        imported.outcomes.iter().cloned().map(Told::from).collect::<Vec<_>>().try_into().unwrap();
    check("the first item", first, refused(&[("", "")]));
    check("the second item", second, trouble("recorded", &[]));
    check("the third item", third, refused(&[("", "no JSON object")]));
    check("the fourth item", fourth, trouble("recorded", &[]));
    let summary = imported.summary.unwrap();
    assert_eq!((summary.received, summary.recorded, summary.duplicates, summary.refused), (4, 1, 1, 2));
    HashMap::from([(sent.id, summary.last_position)])
}

/// Bytes that are no message of the method.
async fn damaged(gateway: &Clients) {
    let no_message = invalid(&[("", "failed to decode Protobuf message")]);
    for method in ["TouchpointService/Record", "TouchpointService/RecordBatch", "TimelineService/GetTimeline"] {
        // Its first field is a number where the methods have a message or a text.
        let answer = raw(gateway, method, v1::RecordResponse { position: 7, duplicate: true }).await;
        check(method, answer, no_message);
    }
}

async fn raw<M: Message + Default + 'static>(gateway: &Clients, method: &str, message: M) -> Result<(), Status> {
    let path = PathAndQuery::try_from(format!("/lifefold.v1.{method}")).unwrap();
    let mut client = tonic::client::Grpc::new(gateway.channel());
    client.ready().await.map_err(|error| Status::internal(error.to_string()))?;
    let codec = tonic_prost::ProstCodec::<M, v1::RecordResponse>::default();
    client.unary(tonic::Request::new(message), path, codec).await.map(drop)
}
