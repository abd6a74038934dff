//! Errors as gRPC Status: a code, a sentence, and details that a program can read.
//!
//! Details are `google.rpc.ErrorInfo` (a reason, and metadata such as positions), `BadRequest` and `RetryInfo`.

use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};
use touchpoint::{CustomerId, EventId, Position, Violation, Violations};

/// `domain` of every ErrorInfo.
pub const DOMAIN: &str = "lifefold.v1";
/// Most violations in one status.
pub const MAX_VIOLATIONS: usize = 20;
/// Most bytes of violations in one status: details travel in a header, which clients bound at 8 KiB.
const MAX_VIOLATION_BYTES: usize = 4 * 1024;
/// Most characters of one text in a status.
const MAX_TEXT_CHARS: usize = 240;

/// Why a call fails, by what its caller does next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Mend the request: each violation names a field of it.
    #[error("{}", summary(.0))]
    Invalid(Vec<Violation>),
    /// No event of this customer counts.
    #[error("customer {0} is not known at this instant")]
    CustomerNotFound(CustomerId),
    /// No event is parked there.
    #[error("nothing is parked there")]
    NotParked,
    /// The event id is taken by other content of the same customer; give the event an id of its own.
    #[error("event {event} is recorded at position {position} with other content: give this event another id")]
    EventConflict {
        /// The id.
        event: EventId,
        /// Where the first event of that id is.
        position: Position,
    },
    /// The customer's revision is another one; read, decide again, send again.
    #[error("the customer's revision is {current}: read the timeline and decide again")]
    RevisionMismatch {
        /// The present revision.
        current: Position,
    },
    /// Other rules are in force than the caller expects; look at them, decide again, send again.
    #[error("the rules in force are {current}: look at them and decide again")]
    RulesChanged {
        /// Their version; empty if the log has none.
        current: String,
    },
    /// The log has no rules, or none of this version.
    #[error("the log has no such rules")]
    RulesNotFound,
    /// Send the same call again after a while.
    #[error("{message}")]
    Unavailable {
        /// What is not there, in capitals, for example `LOG_UNAVAILABLE`.
        reason: &'static str,
        /// In a sentence.
        message: String,
        /// When to try again.
        retry_after: Duration,
        /// The position applied at present, where a view lags.
        position: Option<Position>,
    },
    /// The position lies beyond the end of the log; nothing to wait for.
    #[error("{field}: position {asked} is beyond the end of the log, {head}")]
    BeyondHead {
        /// The field that names the position.
        field: &'static str,
        /// The position.
        asked: Position,
        /// The last position of the log.
        head: Position,
    },
    /// The caller reads too slowly; go on from there.
    #[error("the caller reads too slowly: resume at position {resume_at}")]
    SlowReader {
        /// The position to resume at.
        resume_at: Position,
    },
    /// The caller reads an export too slowly; go on with the token of the last message.
    #[error("the caller reads too slowly: go on with the last next_page_token")]
    SlowExport,
    /// A watcher reads too slowly; go on after that cursor, or list again if there is none yet.
    #[error("the caller reads too slowly: {}", after(.resume_at.as_deref()))]
    SlowWatcher {
        /// The cursor to resume after.
        resume_at: Option<String>,
    },
    /// There is no going on after a cursor: list again.
    #[error("{message}: call without a cursor, to list again")]
    ListAgain {
        /// Why, in capitals, for example `CURSOR_OUTRUN`.
        reason: &'static str,
        /// In a sentence.
        message: String,
    },
    /// Too many such calls at once.
    #[error("{what}: at most {limit} at once, try again later")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The bound.
        limit: u64,
        /// When to try again.
        retry_after: Duration,
    },
    /// The state does not allow it; somebody has to change that first.
    #[error("{message}")]
    Precondition {
        /// What stands against it, in capitals, for example `REBUILD_RUNNING`.
        reason: &'static str,
        /// In a sentence, with what to do.
        message: String,
    },
    /// A mistake of ours.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// One broken field.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![Violation { field: field.into(), message: message.into() }])
    }

    /// Nothing, if nothing is broken.
    pub fn check(broken: Violations) -> Result<(), Self> {
        if broken.is_empty() { Ok(()) } else { Err(Self::Invalid(broken.list)) }
    }

    /// The gRPC code.
    pub const fn code(&self) -> Code {
        match self {
            Self::Invalid(_) => Code::InvalidArgument,
            Self::CustomerNotFound(_) | Self::NotParked | Self::RulesNotFound => Code::NotFound,
            Self::EventConflict { .. } => Code::AlreadyExists,
            Self::RevisionMismatch { .. } | Self::RulesChanged { .. } => Code::Aborted,
            Self::Unavailable { .. } => Code::Unavailable,
            Self::BeyondHead { .. } | Self::ListAgain { .. } => Code::OutOfRange,
            Self::SlowReader { .. } | Self::SlowExport | Self::SlowWatcher { .. } | Self::TooMany { .. } => {
                Code::ResourceExhausted
            }
            Self::Precondition { .. } => Code::FailedPrecondition,
            Self::Internal(_) => Code::Internal,
        }
    }

    /// `reason` of the ErrorInfo.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "INVALID_FIELDS",
            Self::CustomerNotFound(_) => "CUSTOMER_NOT_FOUND",
            Self::NotParked => "NOT_PARKED",
            Self::EventConflict { .. } => "EVENT_CONFLICT",
            Self::RevisionMismatch { .. } => "REVISION_MISMATCH",
            Self::RulesChanged { .. } => "RULES_VERSION_MISMATCH",
            Self::RulesNotFound => "RULES_NOT_FOUND",
            Self::BeyondHead { .. } => "BEYOND_HEAD",
            Self::SlowReader { .. } | Self::SlowExport | Self::SlowWatcher { .. } => "SLOW_READER",
            Self::TooMany { .. } => "TOO_MANY_CALLS",
            Self::Unavailable { reason, .. } | Self::Precondition { reason, .. } | Self::ListAgain { reason, .. } => {
                reason
            }
            Self::Internal(_) => "INTERNAL",
        }
    }

    fn metadata(&self) -> HashMap<String, String> {
        let pairs = match self {
            Self::CustomerNotFound(customer) => vec![("customer_id", customer.to_string())],
            Self::EventConflict { event, position } => {
                vec![("event_id", event.to_string()), ("position", position.to_string())]
            }
            Self::RulesChanged { current } => vec![("current_version", current.clone())],
            Self::RevisionMismatch { current } => vec![("current_revision", current.to_string())],
            Self::Unavailable { position: Some(position), .. } => vec![("position", position.to_string())],
            Self::BeyondHead { asked, head, .. } => vec![("asked", asked.to_string()), ("head", head.to_string())],
            Self::SlowReader { resume_at } => vec![("resume_at", resume_at.to_string())],
            Self::SlowWatcher { resume_at: Some(cursor) } => vec![("resume_at", cursor.clone())],
            Self::TooMany { limit, .. } => vec![("limit", limit.to_string())],
            Self::NotParked
            | Self::SlowExport
            | Self::RulesNotFound
            | Self::Invalid(_)
            | Self::Unavailable { .. }
            | Self::SlowWatcher { .. }
            | Self::ListAgain { .. }
            | Self::Precondition { .. }
            | Self::Internal(_) => vec![],
        };
        pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } | Self::TooMany { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }

    fn fields(&self) -> Vec<FieldViolation> {
        let violation = |field: &str, message: &str| FieldViolation::new(shorten(field), shorten(message));
        match self {
            Self::Invalid(list) => {
                let mut room = MAX_VIOLATION_BYTES;
                let fields = list.iter().take(MAX_VIOLATIONS).map(|one| violation(&one.field, &one.message));
                fields.take_while(|one| take_room(&mut room, one)).collect()
            }
            Self::BeyondHead { field, head, .. } => {
                vec![violation(field, &format!("expected at most {head}, where the log ends"))]
            }
            _ => vec![],
        }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let mut details = ErrorDetails::with_error_info(error.reason(), DOMAIN, error.metadata());
        let fields = error.fields();
        if !fields.is_empty() {
            details.set_bad_request(fields);
        }
        if let Some(delay) = error.retry_after() {
            details.set_retry_info(Some(delay));
        }
        Self::with_error_details(error.code(), error.to_string(), details)
    }
}

/// Where a slow watcher goes on.
const fn after(cursor: Option<&str>) -> &'static str {
    match cursor {
        Some(_) => "resume at the cursor in resume_at",
        None => "the list was not complete, list again",
    }
}

/// Takes the room of this violation, if there is so much.
fn take_room(room: &mut usize, one: &FieldViolation) -> bool {
    let left = room.checked_sub(one.field.len() + one.description.len());
    *room = left.unwrap_or(0);
    left.is_some()
}

/// The first violation, and how many more there are.
fn summary(list: &[Violation]) -> String {
    match list {
        [] => "the request is invalid".to_owned(),
        [one] => shorten(&one.to_string()),
        [first, rest @ ..] => format!("{} (and {} more)", shorten(&first.to_string()), rest.len()),
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn violations_are_named_field_by_field() {
        let status = Status::from(Error::field("touchpoint.survey_answered.score", "expected 1 to 5 for CSAT, got 9"));
        assert_eq!(status.code(), Code::InvalidArgument);
        let details = status.get_error_details();
        assert_eq!(details.bad_request().unwrap().field_violations[0].field, "touchpoint.survey_answered.score");
        assert_eq!(details.error_info().unwrap().domain, DOMAIN);
    }

    #[test]
    fn a_thousand_violations_still_fit_a_header() {
        let one = Violation { field: "touchpoints[0].id".to_owned(), message: "度".repeat(5_000) };
        let status = Status::from(Error::Invalid(vec![one; 1_000]));
        assert!(!status.get_error_details().bad_request().unwrap().field_violations.is_empty());
        assert!(status.message().ends_with("(and 999 more)"), "{}", status.message());
        let headers = status.into_http::<()>();
        assert!(headers.headers().values().map(|value| value.len()).sum::<usize>() < 8 * 1024);
    }

    #[test]
    fn of_many_small_violations_the_first_twenty_are_named() {
        let list = (0..50).map(|index| Violation { field: format!("f{index}"), message: "is required".to_owned() });
        let status = Status::from(Error::Invalid(list.collect()));
        let details = status.get_error_details();
        assert_eq!(details.bad_request().unwrap().field_violations.len(), MAX_VIOLATIONS);
    }

    #[test]
    fn an_unavailable_view_says_when_and_where() {
        let status = Status::from(Error::Unavailable {
            reason: "BEHIND",
            message: "the view is at position 7".to_owned(),
            retry_after: Duration::from_millis(250),
            position: Some(Position(7)),
        });
        let details = status.get_error_details();
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(details.retry_info().unwrap().retry_delay, Some(Duration::from_millis(250)));
        assert_eq!(details.error_info().unwrap().metadata["position"], "7");
    }

    /// Callers decide by the reason: it is said where they look for it, with its metadata.
    #[test]
    fn every_reason_is_said_in_the_protos() {
        let said = include_str!("../../../proto/lifefold/v1/common.proto");
        let (customer, event, position) = (CustomerId::from_u128(1), EventId::from_u128(2), Position(3));
        for error in [
            Error::Invalid(vec![]),
            Error::CustomerNotFound(customer),
            Error::NotParked,
            Error::EventConflict { event, position },
            Error::RevisionMismatch { current: position },
            Error::RulesChanged { current: String::new() },
            Error::RulesNotFound,
            Error::BeyondHead { field: "query.min_position", asked: position, head: position },
            Error::SlowReader { resume_at: position },
            Error::SlowExport,
            Error::SlowWatcher { resume_at: Some(String::new()) },
            Error::TooMany { what: "replays", limit: 64, retry_after: Duration::ZERO },
            Error::Internal(String::new()),
        ] {
            assert!(said.contains(error.reason()), "{}", error.reason());
            for name in error.metadata().keys() {
                assert!(said.contains(name), "{name} of {}", error.reason());
            }
        }
    }

    #[test]
    fn a_revision_mismatch_carries_the_present_one() {
        let status = Status::from(Error::RevisionMismatch { current: Position(42) });
        assert_eq!(status.code(), Code::Aborted);
        assert_eq!(status.get_error_details().error_info().unwrap().metadata["current_revision"], "42");
    }
}
