//! An entry of the log, read as the API shows it.

use api::{timeline, v1};
use event_log::{Entry, Subject};
use touchpoint::{Code, Event, Kind, Timestamp, Violations};

/// A customer's entry: the event, or why it is none.
pub(crate) struct Read<'e> {
    entry: &'e Entry,
    event: Result<Event<'e>, Violations>,
}

/// Reads an entry; nothing for those that are no customer's, the genesis for example.
pub(crate) fn read(entry: &Entry) -> Option<Read<'_>> {
    let event = match &entry.subject {
        Subject::Control => return None,
        Subject::Foreign(_) => Err(elsewhere("the subject of the log is no customer's")),
        Subject::Customer(customer) => match Event::decode(&entry.body) {
            Ok(event) if event.customer != *customer => Err(elsewhere("is not the customer whose timeline it is in")),
            event => event,
        },
    };
    Some(Read { entry, event })
}

impl Read<'_> {
    /// The event's type; nothing if it could not be read.
    pub(crate) fn kind(&self) -> Option<Kind> {
        self.event.as_ref().ok().map(|event| event.body.kind())
    }

    /// The project that the event names; nothing if it names none or could not be read.
    pub(crate) fn project(&self) -> Option<&Code<'_>> {
        self.event.as_ref().ok().and_then(|event| event.project.as_ref())
    }

    /// From when on views admit it: when it happened, or was recorded if that was earlier or nothing else is known.
    pub(crate) fn admitted_from(&self) -> Timestamp {
        let recorded = self.entry.recorded_at;
        self.event.as_ref().map_or(recorded, |event| event.occurred_at.min(recorded))
    }

    /// The message without the typed event: its bytes, and why they cannot be read if so.
    pub(crate) fn bytes(&self) -> v1::RecordedTouchpoint {
        timeline::stored(self.entry.position, self.entry.recorded_at, self.event.as_ref().err(), &self.entry.body)
    }

    /// The message.
    pub(crate) fn message(&self, include_json: bool) -> v1::RecordedTouchpoint {
        let bytes: &[u8] = if include_json { &self.entry.body } else { &[] };
        timeline::shown(self.entry.position, self.entry.recorded_at, &self.event, bytes)
    }
}

fn elsewhere(message: &str) -> Violations {
    let mut broken = Violations::default();
    broken.add("subject", message);
    broken
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchpoint::{CustomerId, Position};

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
        assert_eq!(read.kind(), Some(Kind::CustomerErased));
        let message = read.message(true);
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
            assert_eq!(read.kind(), None);
            let Some(v1::recorded_touchpoint::Content::Unreadable(it)) = read.message(false).content else {
                panic!("{body} is read");
            };
            assert_eq!(it.reason(), reason);
        }
        assert!(read(&entry(Subject::Control, "{}")).is_none());
    }
}
