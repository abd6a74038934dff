//! An entry of the log as the API shows it.

use api::{names, touchpoints, v1};
use event_log::{Entry, Subject};
use touchpoint::{Event, Kind, Unreadable, Violations};

/// A customer's entry, read.
pub(crate) struct Read {
    /// The event's type; nothing if it could not be read.
    pub(crate) kind: Option<Kind>,
    content: v1::recorded_touchpoint::Content,
}

/// Reads an entry; nothing for those that are no customer's, the genesis for example.
pub(crate) fn read(entry: &Entry) -> Option<Read> {
    use v1::recorded_touchpoint::Content;
    let event = match &entry.subject {
        Subject::Control => return None,
        Subject::Foreign(_) => Err(elsewhere("the subject of the log is no customer's")),
        Subject::Customer(customer) => match Event::decode(&entry.body) {
            Ok(event) if event.customer != *customer => Err(elsewhere("is not the customer whose timeline it is in")),
            event => event,
        },
    };
    Some(match event {
        Ok(event) => {
            let content = Content::Touchpoint(touchpoints::from_event(&event));
            Read { kind: Some(event.body.kind()), content }
        }
        Err(broken) => Read { kind: None, content: Content::Unreadable(unreadable(&broken)) },
    })
}

impl Read {
    /// The message for this entry.
    pub(crate) fn message(self, entry: &Entry, include_json: bool) -> v1::RecordedTouchpoint {
        v1::RecordedTouchpoint {
            position: entry.position.0,
            recorded_at: Some(names::timestamp(entry.recorded_at)),
            content: Some(self.content),
            cloud_event_json: if include_json { entry.body.to_vec() } else { Vec::new() },
        }
    }
}

fn elsewhere(message: &str) -> Violations {
    let mut broken = Violations::default();
    broken.add("subject", message);
    broken
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
    use touchpoint::{CustomerId, Position, Timestamp};

    fn entry(subject: Subject, body: &str) -> Entry {
        let recorded_at = Timestamp::from_micros(1_743_442_200_000_000);
        Entry { position: Position(7), recorded_at, subject, body: body.as_bytes().to_vec().into() }
    }

    const ERASED: &str = r#"{"specversion":"1.0","id":"0195e0c1-9a40-7000-8000-000000000001","source":"crm",
        "type":"CustomerErased","dataschema":"urn:lifefold:CustomerErased:1","time":"2025-03-31T17:30:00Z",
        "subject":"00000000-0000-0000-0000-000000000001","channel":"SYSTEM","data":{}}"#;

    #[test]
    fn an_event_is_shown_with_its_place_and_its_bytes_if_asked() {
        let entry = entry(Subject::Customer(CustomerId::from_u128(1)), ERASED);
        let read = read(&entry).unwrap();
        assert_eq!(read.kind, Some(Kind::CustomerErased));
        let message = read.message(&entry, true);
        assert_eq!((message.position, message.cloud_event_json.as_slice()), (7, ERASED.as_bytes()));
    }

    #[test]
    fn what_cannot_be_read_or_is_misplaced_is_shown_as_such() {
        let customer = || Subject::Customer(CustomerId::from_u128(2));
        for (subject, body, reason) in [
            (customer(), "{", v1::UnreadableReason::Malformed),
            (customer(), ERASED, v1::UnreadableReason::Invalid),
            (Subject::Foreign("touchpoint.x".to_owned()), ERASED, v1::UnreadableReason::Invalid),
        ] {
            let entry = entry(subject, body);
            let read = read(&entry).unwrap();
            assert_eq!(read.kind, None);
            let Some(v1::recorded_touchpoint::Content::Unreadable(it)) = read.message(&entry, false).content else {
                panic!("{body} is read");
            };
            assert_eq!(it.reason(), reason);
        }
        assert!(read(&entry(Subject::Control, "{}")).is_none());
    }
}
