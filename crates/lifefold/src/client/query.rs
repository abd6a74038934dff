//! What read commands have in common: the instant, the scope, the customer; and the line that says what an answer
//! rests on.

use api::{names, v1};
use chrono::{DateTime, Utc};
use prost_types::Timestamp;
use touchpoint::{CustomerId, Date};

use super::format;

/// The instant that a view is asked for.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Instant")]
pub(crate) struct Query {
    /// Ask for this instant instead of now: RFC 3339, or a date for the end of that day in Shanghai
    #[arg(long, global = true, value_name = "INSTANT", value_parser = instant)]
    as_of: Option<Timestamp>,
    /// Only what was recorded by then: "what did we believe"; RFC 3339, or a date for the end of that day in Shanghai
    #[arg(long, global = true, value_name = "INSTANT", value_parser = instant)]
    known_at: Option<Timestamp>,
    /// Wait until the view has applied the log up to this position, for example the one that `record` printed
    #[arg(long, global = true, value_name = "POSITION", value_parser = position)]
    min_position: Option<u64>,
    /// Ignore the log after this position, so that the same question gives the same answer
    #[arg(long, global = true, value_name = "POSITION", value_parser = last_position)]
    max_position: Option<u64>,
    /// By these rules instead of those in force: a version that `rules history` lists
    #[arg(long, global = true, value_name = "VERSION")]
    rules_version: Option<String>,
}

impl Query {
    /// As a part of a request.
    pub(crate) fn message(&self) -> v1::ViewQuery {
        let [min_position, max_position] = [self.min_position, self.max_position].map(Option::unwrap_or_default);
        let rules_version = self.rules_version.clone().unwrap_or_default();
        v1::ViewQuery { as_of: self.as_of, known_at: self.known_at, min_position, max_position, rules_version }
    }
}

/// Narrows lists and totals.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Scope")]
pub(crate) struct Scope {
    /// Only customers of this city company
    #[arg(long, value_name = "CODE")]
    company: Option<String>,
    /// Only customers of this project
    #[arg(long, value_name = "CODE")]
    project: Option<String>,
    /// Only customers of this consultant
    #[arg(long, value_name = "CODE")]
    consultant: Option<String>,
}

impl Scope {
    /// As a part of a request.
    pub(crate) fn message(&self) -> Option<v1::Scope> {
        let text = |code: &Option<String>| code.clone().unwrap_or_default();
        Some(v1::Scope {
            company_id: text(&self.company),
            project_id: text(&self.project),
            consultant_id: text(&self.consultant),
        })
    }
}

/// An instant from RFC 3339, or from a date, which means its last microsecond in Shanghai.
pub(crate) fn instant(text: &str) -> Result<Timestamp, String> {
    let time = DateTime::parse_from_rfc3339(text).ok().map(|time| timestamp(time.to_utc()));
    let time = text.parse().ok().map(end_of_day).or(time);
    Ok(time.ok_or("expected an instant such as 2025-04-01T09:30:00+08:00, or a date such as 2025-04-01")?)
}

/// The last microsecond of a date in Shanghai.
pub(crate) fn end_of_day(date: Date) -> Timestamp {
    names::timestamp(date.plus_days(1).start().plus_micros(-1))
}

/// The first instant of a date in Shanghai; nothing for what is no date.
pub(crate) fn start_of_day(text: &str) -> Option<Timestamp> {
    text.parse().ok().map(|date: Date| names::timestamp(date.start()))
}

fn timestamp(time: DateTime<Utc>) -> Timestamp {
    // Below 2·10⁹ even in a leap second, so that it fits.
    Timestamp { seconds: time.timestamp(), nanos: time.timestamp_subsec_nanos().cast_signed() }
}

/// A position, also with thousands apart, as tables show it.
pub(crate) fn position(text: &str) -> Result<u64, String> {
    let plain = text.replace(',', "");
    plain.parse().map_err(|_| "expected a position in the log such as 77231 or 77,231".to_owned())
}

/// Where the log is to end: at 0 there is no log, and in a request 0 means that all of it counts.
fn last_position(text: &str) -> Result<u64, String> {
    position(text).and_then(|last| if last > 0 { Ok(last) } else { Err("positions count from 1".to_owned()) })
}

/// A customer's id.
pub(crate) fn customer(text: &str) -> Result<String, String> {
    let id: CustomerId = text.parse().map_err(|error: touchpoint::InvalidId| error.to_string())?;
    Ok(id.to_string())
}

/// What an answer rests on, in one line; what makes it incomplete in a second one.
pub(crate) fn basis(meta: Option<&v1::AnswerMeta>) -> String {
    let Some(meta) = meta else { return String::new() };
    let mut parts = vec![format!("as of {}", format::local(meta.as_of.as_ref()))];
    if meta.known_at.is_some() {
        parts.push(format!("known at {}", format::local(meta.known_at.as_ref())));
    }
    if meta.valid_until.is_some() {
        parts.push(format!("unchanged until {}", format::local(meta.valid_until.as_ref())));
    }
    let mut second = vec![position_and_rules(meta.position, &meta.rules_version)];
    if meta.lag_events > 0 {
        second.push(format!("{} behind the log", format::events(meta.lag_events)));
    }
    if meta.unresolved_references > 0 {
        second.push(format!("{} unresolved references", format::count(meta.unresolved_references)));
    }
    if meta.parked > 0 {
        second.push(format!("INCOMPLETE: {} events set aside", format::count(meta.parked)));
    }
    format!("\n{}\n{}\n", parts.join(" · "), second.join(" · "))
}

/// The end of the log that answers count, and the rules that they are by.
pub(crate) fn position_and_rules(position: u64, rules: &str) -> String {
    format!("position {} · rules {rules}", format::count(position))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_the_end_of_that_day_in_shanghai() {
        let shown = |text| format::rfc3339(Some(&instant(text).unwrap())).unwrap();
        assert_eq!(shown("2025-04-01"), "2025-04-01T15:59:59.999999Z");
        assert_eq!(shown("1988-07-01"), "1988-07-01T14:59:59.999999Z");
        assert_eq!(shown("2025-04-01T09:30:00+08:00"), "2025-04-01T01:30:00Z");
        assert_eq!(shown("2024-02-29"), "2024-02-29T15:59:59.999999Z");
        assert_eq!(shown("2025-12-31 23:59:59+08:00"), "2025-12-31T15:59:59Z", "as tables show it");
        for wrong in ["yesterday", "25-04-01", "2025-4-1", "2025-02-29", "20250401", "2025-04-01T09:30:00", ""] {
            assert!(instant(wrong).unwrap_err().starts_with("expected an instant"), "{wrong}");
        }
    }

    #[test]
    fn a_customer_is_a_uuid() {
        assert_eq!(customer("0190A5C8-7E4B-7CC3-8A5E-2F1F8A5F0C11").unwrap(), "0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11");
        assert!(customer("Mr Wang").is_err());
    }

    #[test]
    fn a_position_is_taken_as_it_is_shown() {
        assert_eq!([position("77231"), position("77,231")], [Ok(77_231), Ok(77_231)]);
        assert_eq!(position(&format::count(1_234_567)), Ok(1_234_567));
        assert_eq!([last_position("1"), last_position("0")], [Ok(1), Err("positions count from 1".to_owned())]);
        for wrong in ["", "-1", "soon", "7.5"] {
            assert!(position(wrong).unwrap_err().starts_with("expected a position"), "{wrong}");
        }
    }

    #[test]
    fn an_incomplete_answer_says_so() {
        let meta = v1::AnswerMeta {
            as_of: instant("2025-04-01T09:30:00+08:00").ok(),
            position: 77_231,
            rules_version: "abc".to_owned(),
            unresolved_references: 2,
            parked: 1,
            ..Default::default()
        };
        let expect = "\nas of 2025-04-01 09:30:00+08:00\nposition 77,231 · rules abc · 2 unresolved references · \
                      INCOMPLETE: 1 events set aside\n";
        assert_eq!(basis(Some(&meta)), expect);
    }
}
