//! Appends judged events, counts what became of them, and says it as an error of the API.

use std::time::Duration;

use api::errors::Error;
use event_log::{AppendError, Appended, Appender, Draft};
use tokio::time::Instant;
use touchpoint::{EventId, Position};

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
    count(&appended, 1, start.elapsed());
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
        count(&appended, 1, start.elapsed());
        appended
    }
}

/// Appends all events or none; an error says which one it is about.
pub(crate) async fn all(
    appender: &Appender,
    drafts: Vec<Draft>,
    until: Instant,
) -> Result<Vec<Appended>, (usize, AppendError)> {
    let (start, events) = (Instant::now(), drafts.len());
    match appender.append_all(drafts, until).await {
        Ok(appended) => {
            metrics::append_took(start.elapsed());
            appended.iter().for_each(|one| metrics::appended(outcome(&Ok(*one)), 1));
            Ok(appended)
        }
        Err(refused) => {
            count(&Err(refused.error.clone()), events as u64, start.elapsed());
            Err((refused.index, refused.error))
        }
    }
}

fn count(appended: &Result<Appended, AppendError>, events: u64, took: Duration) {
    metrics::append_took(took);
    metrics::appended(outcome(appended), events);
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

/// Why the event was not appended, for its sender; `field` is what was sent.
pub(crate) fn error(error: AppendError, event: EventId, field: &str) -> Error {
    match error {
        AppendError::AlreadyExists { position } => Error::EventConflict { event, position },
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
    use touchpoint::CustomerId;

    #[test]
    fn every_append_error_has_its_code() {
        let (customer, event) = (CustomerId::from_u128(5), EventId::from_u128(7));
        for (append, code, reason) in [
            (AppendError::AlreadyExists { position: Position(3) }, Code::AlreadyExists, "EVENT_CONFLICT"),
            (AppendError::RevisionConflict { current: Position(3) }, Code::Aborted, "REVISION_MISMATCH"),
            (AppendError::Unavailable("down".to_owned()), Code::Unavailable, "LOG_UNAVAILABLE"),
            (AppendError::OutcomeUnknown("cut".to_owned()), Code::Unavailable, "OUTCOME_UNKNOWN"),
            (AppendError::CustomerFull { customer, events: 10_000 }, Code::FailedPrecondition, "CUSTOMER_FULL"),
            (AppendError::TooLarge { size: 2, max: 1, unit: "bytes" }, Code::InvalidArgument, "INVALID_FIELDS"),
        ] {
            let error = error(append, event, "touchpoint");
            assert_eq!(error.reason(), reason);
            assert_eq!(Status::from(error).code(), code);
        }
    }
}
