//! The gateway's rules: those that need to know when, and by which way, an event comes in.

use crate::{Event, Timestamp, Violations};

/// How far a producer's clock may be ahead of the log's, in microseconds.
pub const MAX_CLOCK_LEAD: i64 = 5 * Timestamp::MINUTE;

/// The way by which an event comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intake {
    /// As it happens.
    Record,
    /// History from another system.
    Import,
}

impl Event<'_> {
    /// Whether the log may take this event at this instant; every violation at once.
    pub fn admit(&self, recorded_at: Timestamp, by: Intake) -> Result<(), Violations> {
        let mut broken = Violations { id: Some(self.id), ..Violations::default() };
        if self.occurred_at > recorded_at.plus_micros(MAX_CLOCK_LEAD) {
            let message = format!("expected at most 5 minutes after now ({recorded_at}), got {}", self.occurred_at);
            broken.add("time", message);
        }
        if self.has_pii {
            broken.add("pii", PII_REFUSED);
        }
        match (self.first_recorded_at, by) {
            (Some(_), Intake::Record) => {
                broken.add("firstrecordedat", "is accepted by Import only: leave it out, or import the event");
            }
            (Some(first), Intake::Import) if first > recorded_at => {
                broken.add("firstrecordedat", format!("expected at most now ({recorded_at}), got {first}"));
            }
            _ => {}
        }
        if broken.is_empty() { Ok(()) } else { Err(broken) }
    }
}

const PII_REFUSED: &str = "personal data cannot be taken yet: it could never leave this log again, and encryption does \
                           not exist yet. Leave pii out and keep the personal data in the source system";

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2025-03-31T17:30:00Z";

    /// The fields that are refused of an event with these attributes.
    fn refused(by: Intake, attributes: &str) -> Vec<String> {
        let json = format!(
            r#"{{"specversion":"1.0","id":"0195e0c1-9a40-7000-8000-000000000001","source":"crm","type":"CustomerErased",
            "dataschema":"urn:lifefold:CustomerErased:1","subject":"6f1c2d3e-0000-4000-8000-000000000001",
            "channel":"SYSTEM","data":{{}},{attributes}}}"#
        );
        let event = Event::decode(json.as_bytes()).unwrap();
        let outcome = event.admit(NOW.parse().unwrap(), by);
        let list = outcome.map_err(|broken| {
            assert_eq!(broken.id, Some(event.id));
            assert!(!broken.to_string().contains("13800138000"), "{broken}");
            broken.list.into_iter().map(|violation| violation.field).collect()
        });
        list.err().unwrap_or_default()
    }

    #[test]
    fn a_clock_may_lead_by_five_minutes_and_the_past_is_open() {
        assert!(refused(Intake::Record, r#""time":"2025-03-31T17:35:00Z""#).is_empty());
        assert_eq!(refused(Intake::Record, r#""time":"2025-03-31T17:35:00.000001Z""#), ["time"]);
        assert!(refused(Intake::Record, r#""time":"0001-01-01T00:00:00Z""#).is_empty());
    }

    #[test]
    fn first_recorded_at_is_for_imported_history_and_not_after_now() {
        let json = r#""time":"2025-03-31T17:30:00Z","firstrecordedat":"2025-03-31T17:30:00Z""#;
        assert!(refused(Intake::Import, json).is_empty());
        assert_eq!(refused(Intake::Record, json), ["firstrecordedat"]);
        // A source system may even have learned of it before it happened: an appointment, a wrong clock.
        let before = r#""time":"2025-03-31T17:30:00Z","firstrecordedat":"2020-01-01T00:00:00Z""#;
        assert!(refused(Intake::Import, before).is_empty());
        let later = r#""time":"2025-03-31T17:30:00Z","firstrecordedat":"2025-03-31T17:30:00.000001Z""#;
        assert_eq!(refused(Intake::Import, later), ["firstrecordedat"]);
    }

    #[test]
    fn everything_is_refused_at_once_and_personal_data_is_not_quoted() {
        let json = r#""time":"2030-01-01T00:00:00Z","firstrecordedat":"2030-01-01T00:00:00Z","pii":"13800138000""#;
        assert_eq!(refused(Intake::Import, json), ["time", "pii", "firstrecordedat"]);
        assert_eq!(refused(Intake::Record, r#""time":"2020-01-01T00:00:00Z","pii":"""#), ["pii"]);
    }
}
