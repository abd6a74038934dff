//! Parked events as tables.

use api::v1;

use super::super::format;
use super::super::output::{self, Screen};

/// What becomes of events that cannot be read.
const STILL_PARKED: &str =
    "\na projector of a newer release may read them; `lifefold parked drop <position>` gives one up, in all views\n";

/// The list.
pub(super) fn events(screen: Screen, events: &[v1::ParkedEvent]) -> String {
    if events.is_empty() {
        return "nothing is parked\n".to_owned();
    }
    let mut table = screen.table(&[">Position", "Reason", "Recorded (Shanghai)", "Customer"]);
    for it in events {
        let recorded = format::clock(it.recorded_at.as_ref());
        table.add_row([&format::count(it.position), &it.reason, &recorded, &it.customer_id]);
    }
    output::text(&table)
}

/// One event.
pub(super) fn event(screen: Screen, found: &v1::GetParkedResponse) -> String {
    let it = found.event.clone().unwrap_or_default();
    let id = if it.event_id.is_empty() { "(not readable)".to_owned() } else { it.event_id };
    screen.pairs([
        ("position", format::count(it.position)),
        ("reason", it.reason),
        ("recorded", format::local(it.recorded_at.as_ref())),
        ("event id", id),
        ("customer", it.customer_id),
    ])
}

/// What came of a retry.
pub(super) fn retried(screen: Screen, events: &[v1::RetriedEvent]) -> String {
    if events.is_empty() {
        return "nothing is parked\n".to_owned();
    }
    let mut table = screen.table(&[">Position", "Outcome", "Reason"]);
    for it in events {
        table.add_row([&format::count(it.position), word(it.outcome()), &it.reason]);
    }
    let mut text = output::text(&table);
    if events.iter().any(|it| it.outcome() == v1::RetryOutcome::StillParked) {
        text += STILL_PARKED;
    }
    text
}

const fn word(outcome: v1::RetryOutcome) -> &'static str {
    match outcome {
        v1::RetryOutcome::Read => "read",
        v1::RetryOutcome::StillParked => "still parked",
        v1::RetryOutcome::NotParked => "not parked",
        v1::RetryOutcome::Unspecified => "(not known to this build)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_fits_on_a_screen() {
        let recorded_at = Some(prost_types::Timestamp { seconds: 1_743_442_200, nanos: 0 });
        let it = v1::ParkedEvent {
            position: 1_077_231,
            customer_id: "0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11".to_owned(),
            reason: "UNKNOWN_VERSION".to_owned(),
            recorded_at,
            ..Default::default()
        };
        let text = events(Screen::plain(), std::slice::from_ref(&it));
        assert!(text.contains("1,077,231  UNKNOWN_VERSION  2025-04-01 01:30:00  0190a5c8-7e4b-7cc3"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        let text = event(Screen::plain(), &v1::GetParkedResponse { event: Some(it) });
        assert!(text.contains("event id  (not readable)"), "{text}");
        assert_eq!(events(Screen::plain(), &[]), "nothing is parked\n");
    }

    #[test]
    fn what_still_cannot_be_read_says_why() {
        let one = |position, outcome: v1::RetryOutcome, reason: &str| v1::RetriedEvent {
            position,
            outcome: outcome.into(),
            reason: reason.to_owned(),
        };
        let all = [one(7, v1::RetryOutcome::Read, ""), one(9, v1::RetryOutcome::StillParked, "MALFORMED")];
        let text = retried(Screen::plain(), &all);
        assert!(text.contains("7  read\n") && text.contains("9  still parked  MALFORMED\n"), "{text}");
        assert!(text.ends_with(STILL_PARKED), "{text}");
        assert!(!retried(Screen::plain(), &all[..1]).contains(STILL_PARKED));
    }
}
