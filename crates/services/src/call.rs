//! One call: until when it is to be answered, and how long that took.

use std::future::Future;
use std::time::Duration;

use api::errors::Error;
use futures::FutureExt;
use projector::SourceError;
use tokio::time::{Instant, timeout_at};
use tonic::metadata::MetadataMap;
use tonic::{Response, Status};

use crate::limits::MAX_CALL_TIME;
use crate::metrics;

/// The header in which gRPC sends the time that a caller gives.
const TIMEOUT_HEADER: &str = "grpc-timeout";
/// What a caller gives who says nothing.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
/// An answer is to be on its way so long before the deadline.
const ANSWER_MARGIN: Duration = Duration::from_millis(50);
/// So long before the deadline an append gives up: it waits up to 100 ms longer for the true reason.
const APPEND_MARGIN: Duration = Duration::from_millis(150);
/// But never earlier than after this share of the time: the margin of a short deadline is short.
const MARGIN_SHARE: u32 = 4;

/// The instant at which a call must have its answer: just before the caller's deadline.
pub(crate) fn answer_by(metadata: &MetadataMap) -> Instant {
    before_deadline(metadata, ANSWER_MARGIN)
}

/// The instant until which an append may be tried: the log's last word may come a moment later.
pub(crate) fn append_by(metadata: &MetadataMap) -> Instant {
    before_deadline(metadata, APPEND_MARGIN)
}

fn before_deadline(metadata: &MetadataMap, margin: Duration) -> Instant {
    let given = given(metadata).unwrap_or(DEFAULT_TIMEOUT).min(MAX_CALL_TIME);
    Instant::now() + given - margin.min(given / MARGIN_SHARE)
}

/// The time that the caller gives, if it says.
pub(crate) fn given(metadata: &MetadataMap) -> Option<Duration> {
    timeout(metadata.get(TIMEOUT_HEADER)?.to_str().ok()?)
}

/// A time as gRPC writes it: one to eight digits and a unit. Anything else counts as none, as tonic has it.
fn timeout(text: &str) -> Option<Duration> {
    const MAX_DIGITS: usize = 8;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > MAX_DIGITS || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3_600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

/// Answers a call, and measures it. None takes longer than [`MAX_CALL_TIME`]; what is answered at once, as most calls
/// are, sets no timer for that.
pub(crate) fn answer<T>(
    service: &'static str,
    method: &'static str,
    call: impl Future<Output = Result<T, Error>>,
) -> impl Future<Output = Result<Response<T>, Status>> {
    let start = Instant::now();
    timeout_at(start + MAX_CALL_TIME, call).map(move |answer| {
        metrics::answered(service, method, start.elapsed());
        let answer = answer.map_err(|_| took_too_long())?;
        if let Err(Error::Internal(reason)) = &answer {
            tracing::error!(service, method, reason, "a call failed by a mistake of ours");
        }
        Ok(Response::new(answer?))
    })
}

fn took_too_long() -> Status {
    Status::deadline_exceeded(format!("no answer within {} s: send again", MAX_CALL_TIME.as_secs()))
}

/// What the log does not answer in time.
pub(crate) fn log_unavailable(message: String) -> Error {
    Error::Unavailable { reason: "LOG_UNAVAILABLE", message, retry_after: LOG_RETRY, position: None }
}

/// Why a log was not read, for an operator: one that is not the one that was folded does not come back by itself.
pub(crate) fn log_not_read(error: &SourceError, message: String) -> Error {
    match error {
        SourceError::Unavailable(_) => log_unavailable(message),
        SourceError::Broken(broken) => Error::Precondition { reason: broken.trouble.name(), message },
    }
}

/// When to ask a log again that did not answer.
pub(crate) const LOG_RETRY: Duration = Duration::from_millis(500);

/// The process goes down: another one, or the same one soon, answers.
pub(crate) fn draining() -> Error {
    const BACK: Duration = Duration::from_secs(2);
    let message = "this process is going down: send again, to another one or in a moment".to_owned();
    Error::Unavailable { reason: "DRAINING", message, retry_after: BACK, position: None }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn timeouts_are_read_as_grpc_writes_them() {
        for (text, expected) in [
            ("5S", Some(Duration::from_secs(5))),
            ("250m", Some(Duration::from_millis(250))),
            ("99999999n", Some(Duration::from_nanos(99_999_999))),
            ("2H", Some(Duration::from_secs(7_200))),
        ] {
            assert_eq!(timeout(text), expected, "{text}");
        }
        for text in ["", "S", "5", "5s", "-5S", "999999999S", "5度", "度"] {
            assert_eq!(timeout(text), None, "{text}");
        }
    }

    #[test]
    fn only_a_log_that_may_answer_again_is_asked_again() {
        let code = |error: SourceError| Status::from(log_not_read(&error, error.to_string())).code();
        assert_eq!(code(SourceError::Unavailable("down".to_owned())), tonic::Code::Unavailable);
        let broken = projector::Broken::new(projector::Trouble::Gap, "position 7");
        let error = log_not_read(&broken.clone().into(), broken.to_string());
        assert_eq!((error.code(), error.reason()), (tonic::Code::FailedPrecondition, "GAP"));
    }

    #[tokio::test(start_paused = true)]
    async fn no_call_takes_longer_than_two_minutes() {
        let (start, silent) = (Instant::now(), std::future::pending::<Result<(), Error>>());
        let status = answer("S", "M", silent).await.unwrap_err();
        assert_eq!((status.code(), start.elapsed().as_secs()), (tonic::Code::DeadlineExceeded, 120));
    }

    #[tokio::test]
    async fn a_mistake_of_ours_is_logged_with_each_key_once() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let logs = tracing_subscriber::fmt().json().with_writer(Mutex::new(file.reopen().unwrap())).finish();
        let _logging = tracing::subscriber::set_default(logs);
        let call = async { Err::<(), _>(Error::Internal("no table".to_owned())) };
        assert_eq!(answer("S", "M", call).await.unwrap_err().code(), tonic::Code::Internal);
        let line = std::fs::read_to_string(file.path()).unwrap();
        assert_eq!(line.matches("\"message\":").count(), 1, "{line}");
        assert!(line.contains(r#""service":"S","method":"M","reason":"no table""#), "{line}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_margin_of_a_short_deadline_is_short() {
        let by = |text: &str| {
            let mut metadata = MetadataMap::new();
            metadata.insert(TIMEOUT_HEADER, text.parse().unwrap());
            answer_by(&metadata) - Instant::now()
        };
        assert_eq!(by("1S"), Duration::from_millis(950));
        assert_eq!(by("20m"), Duration::from_millis(15));
        assert_eq!(by("99999999H"), MAX_CALL_TIME - ANSWER_MARGIN);
        assert_eq!(answer_by(&MetadataMap::new()) - Instant::now(), Duration::from_millis(4_950));
    }
}
