//! Events as the log has them, readable or not; and what an import says of an item.

use touchpoint::{Event, Kind, Position, Timestamp, Unreadable, Violation, Violations};

use crate::errors::Error;
use crate::{names, touchpoints, v1};

/// An event of the log from its bytes; with the bytes themselves if `include_json`.
pub fn recorded(position: Position, recorded_at: Timestamp, body: &[u8], include_json: bool) -> v1::RecordedTouchpoint {
    shown(position, recorded_at, &Event::decode(body), if include_json { body } else { &[] })
}

/// An event of the log that was read already, or could not be; with these bytes.
pub fn shown(
    position: Position,
    recorded_at: Timestamp,
    read: &Result<Event<'_>, Violations>,
    bytes: &[u8],
) -> v1::RecordedTouchpoint {
    let shown = stored(position, recorded_at, read.as_ref().err(), bytes);
    match read {
        Ok(event) => v1::RecordedTouchpoint {
            content: Some(v1::recorded_touchpoint::Content::Touchpoint(touchpoints::from_event(event))),
            ..shown
        },
        Err(_) => shown,
    }
}

/// The bytes of the log alone, and why they cannot be read if so.
pub fn stored(
    position: Position,
    recorded_at: Timestamp,
    broken: Option<&Violations>,
    bytes: &[u8],
) -> v1::RecordedTouchpoint {
    v1::RecordedTouchpoint {
        position: position.0,
        recorded_at: Some(names::timestamp(recorded_at)),
        content: broken.map(|broken| v1::recorded_touchpoint::Content::Unreadable(unreadable(broken))),
        cloud_event_json: bytes.to_vec(),
    }
}

/// Reads `event_types` of a replay; nothing for "all".
pub fn kinds(texts: &[String]) -> Result<Option<Vec<Kind>>, Error> {
    let mut broken = Violations::default();
    let mut kinds = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        match Kind::from_name(text) {
            Some(kind) => kinds.push(kind),
            None => {
                let message = "expected an event type of the catalogue, such as SurveyAnswered";
                broken.add(format!("event_types[{index}]"), message);
            }
        }
    }
    Error::check(broken).map(|()| Some(kinds).filter(|kinds| !kinds.is_empty()))
}

/// The violations of an item of an import.
pub fn field_violations(list: &[Violation]) -> Vec<v1::FieldViolation> {
    let twin = |it: &Violation| v1::FieldViolation { field: it.field.clone(), message: it.message.clone() };
    list.iter().map(twin).collect()
}

fn unreadable(broken: &Violations) -> v1::UnreadableEvent {
    let reason = match broken.reason {
        Unreadable::Malformed => v1::UnreadableReason::Malformed,
        Unreadable::UnknownType => v1::UnreadableReason::UnknownType,
        Unreadable::UnknownVersion => v1::UnreadableReason::UnknownVersion,
        Unreadable::Invalid => v1::UnreadableReason::Invalid,
    };
    v1::UnreadableEvent {
        reason: reason.into(),
        message: broken.to_string(),
        event_id: broken.id.map(|id| id.to_string()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_shown_with_its_reason_and_bytes() {
        let body = br#"{"type":"HouseBurnt","id":"0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11"}"#;
        let shown = recorded(Position(7), Timestamp::from_micros(1), body, true);
        let Some(v1::recorded_touchpoint::Content::Unreadable(unreadable)) = shown.content else { panic!() };
        assert_eq!(unreadable.reason(), v1::UnreadableReason::UnknownType);
        assert_eq!(unreadable.event_id, "0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11");
        assert_eq!(shown.cloud_event_json, body);
        assert!(recorded(Position(7), Timestamp::from_micros(1), body, false).cloud_event_json.is_empty());
    }

    #[test]
    fn unknown_event_types_are_named() {
        let types = |texts: &[&str]| kinds(&texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>());
        assert_eq!(types(&[]), Ok(None));
        assert_eq!(types(&["MovedIn"]), Ok(Some(vec![Kind::MovedIn])));
        let Err(Error::Invalid(list)) = types(&["MovedIn", "moved_in"]) else { panic!() };
        assert_eq!(list[0].field, "event_types[1]");
    }
}
