//! The gateway's rules: those that need to know when, and by which way, an event comes in, and those that keep personal
//! data out. What is in the log already is read without them.

use crate::undeclared::undeclared;
use crate::{AmendmentKind, Code, Event, Timestamp, Touchpoint, Violations};

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

impl<'a> Event<'a> {
    /// Reads an event that is to enter the log at this instant, if the log may take it; every violation at once.
    pub fn admit(body: &'a [u8], recorded_at: Timestamp, by: Intake) -> Result<Self, Violations> {
        let event = Self::decode(body)?;
        let mut broken = Violations { id: Some(event.id), ..Violations::default() };
        if event.occurred_at > recorded_at.plus_micros(MAX_CLOCK_LEAD) {
            let message = format!("expected at most 5 minutes after now ({recorded_at}), got {}", event.occurred_at);
            broken.add("time", message);
        }
        event.refuse_personal_data(body, &mut broken);
        event.judge_first_recorded_at(recorded_at, by, &mut broken);
        if broken.is_empty() { Ok(event) } else { Err(broken) }
    }

    /// Notes everything by which this event, read from this body, could carry personal data.
    pub fn refuse_personal_data(&self, body: &[u8], broken: &mut Violations) {
        if self.has_pii {
            broken.add("pii", PII_REFUSED);
        }
        if !self.says_nothing_more() {
            return;
        }
        for name in undeclared(self.body.kind(), body) {
            // What does not look like the name of a field could itself be personal data.
            match Code::new(name).filter(|name| name.as_str().starts_with(|first: char| first.is_ascii_alphabetic())) {
                Some(name) => broken.add(format!("data.{name}"), NOTHING_MORE),
                None => broken.add("data", format!("a field {NOTHING_MORE}")),
            }
        }
    }

    /// The event is about personal data, and may have the fields of the catalogue only: any other would be the place
    /// where that data is put.
    const fn says_nothing_more(&self) -> bool {
        match &self.body {
            Touchpoint::ProfileCorrected(_) => true,
            Touchpoint::ContractAmended(amended) => matches!(amended.kind, AmendmentKind::NameChange),
            _ => false,
        }
    }

    fn judge_first_recorded_at(&self, recorded_at: Timestamp, by: Intake, broken: &mut Violations) {
        match (self.first_recorded_at, by) {
            (Some(_), Intake::Record) => {
                broken.add("firstrecordedat", "is accepted by Import only: leave it out, or import the event");
            }
            (Some(first), Intake::Import) if first > recorded_at => {
                broken.add("firstrecordedat", format!("expected at most now ({recorded_at}), got {first}"));
            }
            _ => {}
        }
    }
}

const PII_REFUSED: &str = "personal data cannot be taken yet: it could never leave this log again, and encryption does \
                           not exist yet. Leave pii out and keep the personal data in the source system";
const NOTHING_MORE: &str = "is not of the catalogue: this event says that personal data changed, never what it is, so \
                            that nothing but its own fields may enter the log";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    const NOW: &str = "2025-03-31T17:30:00Z";

    /// The fields that are refused of a good event of this type with these attributes.
    fn refused_of(kind: Kind, by: Intake, attributes: &str) -> Vec<String> {
        let json = format!(
            r#"{{"specversion":"1.0","id":"0195e0c1-9a40-7000-8000-000000000001","source":"crm","type":"{kind}",
            "dataschema":"urn:lifefold:{kind}:1","subject":"6f1c2d3e-0000-4000-8000-000000000001",
            "channel":"SYSTEM",{attributes}}}"#
        );
        // What is in the log already is read in any case.
        let event = Event::decode(json.as_bytes()).unwrap();
        let list = Event::admit(json.as_bytes(), NOW.parse().unwrap(), by).map_err(|broken| {
            assert_eq!(broken.id, Some(event.id));
            assert!(!broken.to_string().contains("13800138000"), "{broken}");
            broken.list.into_iter().map(|violation| violation.field).collect()
        });
        list.err().unwrap_or_default()
    }

    fn refused(by: Intake, attributes: &str) -> Vec<String> {
        refused_of(Kind::CustomerErased, by, &format!(r#""data":{{}},{attributes}"#))
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

    #[test]
    fn an_event_about_personal_data_has_no_room_for_it() {
        let refused = |kind, data: &str| {
            refused_of(kind, Intake::Import, &format!(r#""time":"2025-03-31T17:30:00Z","data":{{{data}}}"#))
        };
        let corrected = |more: &str| refused(Kind::ProfileCorrected, &format!(r#""field":"phone"{more}"#));
        assert!(corrected("").is_empty());
        assert!(corrected(r#","note":null"#).is_empty(), "null is the same as left out");
        assert_eq!(corrected(r#","new":"13800138000","old":["13800138000"]"#), ["data.new", "data.old"]);
        assert_eq!(corrected(r#","n\u0065w":{"phone":"13800138000"}"#), ["data.new"]);
        for datum in ["tel 13800138000", "13800138000", ""] {
            assert_eq!(corrected(&format!(r#","{datum}":1"#)), ["data"], "a name may be a datum, too");
        }

        let amended = |kind: &str| {
            let own = if kind == "PRICE" { r#","price_fen":1"# } else { "" };
            let data = format!(r#""contract_id":"C","kind":"{kind}"{own},"new_name":"13800138000""#);
            refused(Kind::ContractAmended, &data)
        };
        assert_eq!(amended("NAME_CHANGE"), ["data.new_name"]);
        assert!(amended("PRICE").is_empty(), "elsewhere an unknown field is passed over");
        assert!(refused(Kind::CustomerErased, r#""why":"13800138000""#).is_empty());
    }

    #[test]
    fn of_thousands_of_fields_some_are_named() {
        let more: String = (0..4_000).map(|index| format!(r#","f{index}":1"#)).collect();
        let data = format!(r#""time":"2025-03-31T17:30:00Z","data":{{"field":"phone"{more}}}"#);
        let named = refused_of(Kind::ProfileCorrected, Intake::Import, &data);
        assert_eq!(named.len(), crate::undeclared::MAX_NAMED);
    }
}
