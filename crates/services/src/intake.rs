//! What was sent, judged: an event that may be appended, or everything that is wrong with it.

use api::{touchpoints, v1};
use bytes::Bytes;
use event_log::Draft;
use touchpoint::{Event, Intake, Timestamp, Violation, Violations};

use crate::metrics::{self, Outcome};

/// Judges a message. Violations are worded for the message, with paths below `prefix`.
pub(crate) fn message(
    sent: &v1::Touchpoint,
    prefix: &str,
    now: Timestamp,
    by: Intake,
) -> Result<Draft, Vec<Violation>> {
    let body = Bytes::from(touchpoints::to_json(sent));
    judge(body, now, by).map_err(|broken| touchpoints::violations(prefix, sent, &broken))
}

/// Judges CloudEvents JSON, which is kept as it is.
pub(crate) fn json(body: Vec<u8>, now: Timestamp, by: Intake) -> Result<Draft, Vec<Violation>> {
    judge(Bytes::from(body), now, by).map_err(|broken| broken.list)
}

fn judge(body: Bytes, now: Timestamp, by: Intake) -> Result<Draft, Violations> {
    read(body, now, by).inspect_err(|_| metrics::appended(Outcome::Invalid, 1))
}

fn read(body: Bytes, now: Timestamp, by: Intake) -> Result<Draft, Violations> {
    let event = Event::admit(&body, now, by)?;
    let (customer, event) = (event.customer, event.id);
    Ok(Draft { customer, event, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2025-03-31T17:30:00Z";

    fn erasure() -> v1::Touchpoint {
        v1::Touchpoint {
            id: "0195e0c1-9a40-7000-8000-000000000001".to_owned(),
            source: "crm".to_owned(),
            customer_id: "6f1c2d3e-0000-4000-8000-000000000001".to_owned(),
            occurred_at: Some(api::names::timestamp(NOW.parse().unwrap())),
            channel: v1::Channel::System.into(),
            event: Some(v1::touchpoint::Event::CustomerErased(v1::CustomerErased {})),
            ..Default::default()
        }
    }

    #[test]
    fn a_message_and_its_json_become_the_same_draft() {
        let now = NOW.parse().unwrap();
        let sent = message(&erasure(), "touchpoint", now, Intake::Record).unwrap();
        let again = json(sent.body.to_vec(), now, Intake::Record).unwrap();
        assert_eq!((sent.customer, sent.event, sent.body), (again.customer, again.event, again.body));
    }

    #[test]
    fn what_is_wrong_is_named_in_the_words_of_the_form() {
        let now = "2025-03-31T17:00:00Z".parse().unwrap();
        let fields = |list: Vec<Violation>| list.into_iter().map(|one| one.field).collect::<Vec<_>>();
        let broken = message(&erasure(), "touchpoints[3]", now, Intake::Record).unwrap_err();
        assert_eq!(fields(broken), ["touchpoints[3].occurred_at"]);
        assert_eq!(fields(json(touchpoints::to_json(&erasure()), now, Intake::Record).unwrap_err()), ["time"]);
        let broken = json(b"{".to_vec(), now, Intake::Record).unwrap_err();
        assert_eq!(broken.len(), 1);
    }
}
