//! Events as the log has them: as JSON, and in short for tables.

use api::v1;
use api::v1::recorded_touchpoint::Content;
use serde_json::{Map, Value, json};
use touchpoint::Kind;

use super::{failure::Failure, format, json, words};

/// The one optional field that says what an event is about: of a survey's answer.
const SCORE: &str = "score";
/// What a survey's answer is about, and the port that it is named within.
const ITEM: (&str, &str) = ("item_code", "port");
/// Characters of an id in a table.
const SHORT_ID: usize = 13;

/// The type of an event, by its name in the catalogue.
pub(crate) fn kind(touchpoint: &v1::Touchpoint) -> &'static str {
    use v1::touchpoint::Event;
    macro_rules! kinds {
        ($($name:ident)+) => {
            match &touchpoint.event {
                $(Some(Event::$name(_)) => stringify!($name),)+
                None => "(unknown)",
            }
        };
    }
    kinds! {
        VisitRecorded LeadRegistered LeadLost ConsultantReassigned SubscriptionPlaced SubscriptionCancelled
        ContractSigned ContractAmended ContractCancelled HandoverCompleted HandoverNotified HandoverRefused
        DefectLogged DefectRectified MovedIn UnitResold ComplaintLodged ComplaintAcknowledged ComplaintAssessed
        ComplaintAssigned ComplaintEscalated ComplaintResolved ComplaintReopened ComplaintClosed ComplaintWithdrawn
        RevisitCompleted RevisitScheduled RevisitMissed FaceToFaceFollowUp SurveyAnswered ReferralMade
        ReferralConverted ProfileCorrected ConsentGranted ConsentWithdrawn CustomerErased EventVoided
    }
}

/// The stored bytes on one line, without any other change; nothing if they are no JSON.
pub(crate) fn line(event: &v1::RecordedTouchpoint) -> Option<String> {
    serde_json::from_slice::<&serde_json::value::RawValue>(&event.cloud_event_json).ok()?;
    let text = std::str::from_utf8(&event.cloud_event_json).ok()?;
    // A line break of JSON can only stand between its parts, where a space is as good.
    Some(text.replace(['\n', '\r'], " "))
}

/// The event with what the log gave it. Bytes that are no JSON are left out, and why stands beside.
pub(crate) fn with_position(event: &v1::RecordedTouchpoint) -> Result<Value, Failure> {
    let stored: Option<Value> = serde_json::from_slice(&event.cloud_event_json).ok();
    let mut shown = json!({
        "position": event.position,
        "recorded_at": format::rfc3339(event.recorded_at.as_ref()),
        "event": stored,
    });
    if let Some(Content::Unreadable(unreadable)) = &event.content {
        shown["unreadable"] = json::value(unreadable)?;
    }
    Ok(shown)
}

/// The main fields of an event, as `price ¥3,200,000, payment MORTGAGE`: what its type requires, and a survey's score,
/// in the order of the catalogue; of a type that this build does not know everything.
pub(crate) fn main_fields(cloud_event_json: &[u8]) -> String {
    let stored: Value = serde_json::from_slice(cloud_event_json).unwrap_or_default();
    let empty = Map::new();
    let data = stored.get("data").and_then(Value::as_object).unwrap_or(&empty);
    let kind = stored.get("type").and_then(Value::as_str).and_then(Kind::from_name);
    let port = data.get(ITEM.1).and_then(Value::as_str).unwrap_or_default();
    let field = |name: &str, value: &Value| match value {
        Value::String(code) if name == ITEM.0 => format!("item {}", words::item(port, code)),
        other => field(name, other),
    };
    let main = kind.map(|kind| kind.fields().iter().filter(|spec| spec.required || spec.name == SCORE));
    let shown: Vec<_> = match main {
        Some(main) => main.filter_map(|spec| Some(field(spec.name, data.get(spec.name)?))).collect(),
        None => data.iter().map(|(name, value)| field(name, value)).collect(),
    };
    shown.join(", ")
}

fn field(name: &str, value: &Value) -> String {
    if let (Some(name), Some(fen)) = (name.strip_suffix("_fen"), value.as_i64()) {
        return format!("{} {}", name.replace('_', " "), format::yuan(fen));
    }
    let name = name.strip_suffix("_id").unwrap_or(name).replace('_', " ");
    match value {
        // A whole id would fill the line; the event has it in full in the other formats.
        Value::String(text) if text.parse::<touchpoint::EventId>().is_ok() => {
            format!("{name} {}…", text.get(..SHORT_ID).unwrap_or(text))
        }
        Value::String(text) => format!("{name} {text}"),
        other => format!("{name} {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(body: &str) -> v1::RecordedTouchpoint {
        v1::RecordedTouchpoint { position: 7, cloud_event_json: body.as_bytes().to_vec(), ..Default::default() }
    }

    #[test]
    fn stored_bytes_stay_as_they_are_but_for_line_breaks() {
        assert_eq!(line(&event("{\"b\":1.50,\n \"a\":\"x\\n\"}")).as_deref(), Some(r#"{"b":1.50,  "a":"x\n"}"#));
        assert_eq!(line(&event("not JSON")), None);
    }

    #[test]
    fn what_the_log_gave_stands_beside_the_event() {
        let mut it = event(r#"{"id":"a"}"#);
        it.recorded_at = Some(prost_types::Timestamp { seconds: 0, nanos: 0 });
        let expect = json!({"position": 7, "recorded_at": "1970-01-01T00:00:00Z", "event": {"id": "a"}});
        assert_eq!(with_position(&it).unwrap(), expect);
        let unreadable = v1::UnreadableEvent { reason: 1, message: "no JSON".to_owned(), event_id: String::new() };
        let it = v1::RecordedTouchpoint { content: Some(Content::Unreadable(unreadable)), ..event("?") };
        assert_eq!(with_position(&it).unwrap()["unreadable"]["reason"], "UNREADABLE_REASON_MALFORMED");
    }

    #[test]
    fn main_fields_read_well() {
        let body = br#"{"type":"ContractSigned","data":{"price_fen":320000000,"area":8900,"contract_id":"K1"}}"#;
        assert_eq!(main_fields(body), "contract K1, price ¥3,200,000");
        let answer = br#"{"type":"SurveyAnswered","data":{"survey_id":"D1","wave_id":"2025","port":"REPAIR_SERVICE",
            "item_code":"REPAIR_SERVICE_SPEED","metric":"CSAT","score":4}}"#;
        assert_eq!(main_fields(answer), "survey D1, wave 2025, port REPAIR_SERVICE, item SPEED, metric CSAT, score 4");
        let newer = br#"{"type":"HouseBlessed","data":{"by":"A","minutes":40}}"#;
        assert_eq!(main_fields(newer), "by A, minutes 40");
        let void = br#"{"data":{"target_event_id":"0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11"}}"#;
        assert_eq!(main_fields(void), "target event 0190a5c8-7e4b…");
        assert_eq!(main_fields(b"?"), "");
    }
}
