//! Appends judged events, counts what became of them, and says it as an error of the API.

use std::time::Duration;

use api::errors::Error;
use event_log::{AppendError, Appended, Appender, Draft, Refused};
use tokio::time::Instant;
use touchpoint::Position;

use crate::call::LOG_RETRY;
use crate::metrics::{self, Outcome};

/// Appends one event.
pub(crate) async fn one(
    appender: &Appender,
    draft: Draft,
    expected: Option<Position>,
    until: Instant,
) -> Result<Appended, AppendError> {
    let start = Instant::now();
    let appended = appender.append(draft, expected, until).await;
    count(&appended, start.elapsed());
    appended
}

/// Hands one event over to the log, in the order of the calls; what this gives waits for what becomes of it.
pub(crate) async fn hand_over(
    appender: &Appender,
    draft: Draft,
    until: Instant,
) -> impl Future<Output = Result<Appended, AppendError>> + use<> {
    let start = Instant::now();
    let queued = appender.enqueue(draft, until).await;
    async move {
        let appended = match queued {
            Ok(queued) => queued.outcome().await,
            Err(error) => Err(error),
        };
        count(&appended, start.elapsed());
        appended
    }
}

/// Appends all events or none.
pub(crate) async fn all(appender: &Appender, drafts: Vec<Draft>, until: Instant) -> Result<Vec<Appended>, Refused> {
    let (start, events) = (Instant::now(), drafts.len() as u64);
    let appended = appender.append_all(drafts, until).await;
    metrics::append_took(start.elapsed());
    match &appended {
        Ok(appended) => appended.iter().for_each(|one| metrics::appended(outcome(&Ok(*one)), 1)),
        Err(refused) => metrics::appended(outcome_of_all(refused), events),
    }
    appended
}

fn count(appended: &Result<Appended, AppendError>, took: Duration) {
    metrics::append_took(took);
    metrics::appended(outcome(appended), 1);
}

const fn outcome(appended: &Result<Appended, AppendError>) -> Outcome {
    match appended {
        Ok(Appended { duplicate: false, .. }) => Outcome::Recorded,
        Ok(Appended { duplicate: true, .. }) => Outcome::Duplicate,
        Err(AppendError::AlreadyExists { .. }) => Outcome::Conflict,
        Err(AppendError::RevisionConflict { .. }) => Outcome::Revision,
        Err(AppendError::Unavailable(_)) => Outcome::Unavailable,
        Err(AppendError::OutcomeUnknown(_)) => Outcome::Unknown,
        Err(AppendError::CustomerFull { .. }) => Outcome::Full,
        Err(AppendError::TooLarge { .. }) => Outcome::Invalid,
    }
}

fn outcome_of_all(refused: &Refused) -> Outcome {
    match refused {
        Refused::Batch(error) | Refused::Event { error, .. } => outcome(&Err(error.clone())),
        Refused::Repeated { .. } => Outcome::Conflict,
    }
}

/// Why no event of a batch was appended, for its sender; `field` is the list that was sent.
pub(crate) fn refused(refused: Refused, field: &str) -> Error {
    let item = |index| format!("{field}[{index}]");
    match refused {
        Refused::Batch(error) => self::error(error, field),
        Refused::Event { index, error } => self::error(error, &item(index)),
        Refused::Repeated { index, first } => {
            let message = format!("{} has the same id and other content: give one of them another id", item(first));
            Error::field(format!("{}.id", item(index)), message)
        }
    }
}

/// Why the event was not appended, for its sender; `field` is what was sent.
pub(crate) fn error(error: AppendError, field: &str) -> Error {
    match error {
        AppendError::AlreadyExists { event, position } => Error::EventConflict { event, position },
        AppendError::RevisionConflict { current } => Error::RevisionMismatch { current },
        AppendError::TooLarge { .. } => Error::field(field, error.to_string()),
        AppendError::CustomerFull { .. } => {
            Error::Precondition { reason: "CUSTOMER_FULL", message: format!("{field}: subject (customer_id): {error}") }
        }
        AppendError::Unavailable(_) => unavailable("LOG_UNAVAILABLE", error.to_string()),
        AppendError::OutcomeUnknown(_) => {
            unavailable("OUTCOME_UNKNOWN", format!("{error}; send it again with the same id"))
        }
    }
}

pub(crate) fn unavailable(reason: &'static str, message: String) -> Error {
    Error::Unavailable { reason, message, retry_after: LOG_RETRY, position: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::{Code, Status};
    use touchpoint::{CustomerId, EventId};

    #[test]
    fn every_append_error_has_its_code() {
        let (customer, event) = (CustomerId::from_u128(5), EventId::from_u128(7));
        for (append, code, reason) in [
            (AppendError::AlreadyExists { event, position: Position(3) }, Code::AlreadyExists, "EVENT_CONFLICT"),
            (AppendError::RevisionConflict { current: Position(3) }, Code::Aborted, "REVISION_MISMATCH"),
            (AppendError::Unavailable("down".to_owned()), Code::Unavailable, "LOG_UNAVAILABLE"),
            (AppendError::OutcomeUnknown("cut".to_owned()), Code::Unavailable, "OUTCOME_UNKNOWN"),
            (AppendError::CustomerFull { customer, events: 10_000 }, Code::FailedPrecondition, "CUSTOMER_FULL"),
            (AppendError::TooLarge { size: 2, max: 1, unit: "bytes" }, Code::InvalidArgument, "INVALID_FIELDS"),
        ] {
            let error = error(append, "touchpoint");
            assert_eq!(error.reason(), reason);
            assert_eq!(Status::from(error).code(), code);
        }
    }
}
