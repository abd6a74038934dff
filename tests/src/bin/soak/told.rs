//! What callers may be told while things break, and what never.

use tests::may_pass;
use tonic::{Code, Response, Status};

/// What an operator may be told besides: it is too late or too early for that.
const NOT_NOW: [Code; 4] = [Code::FailedPrecondition, Code::NotFound, Code::Aborted, Code::AlreadyExists];

/// The answer, or nothing where there was none and may be none.
///
/// # Panics
/// If it is an answer that nobody should get.
pub(crate) fn answer<T>(what: &str, told: Result<Response<T>, Status>) -> Option<T> {
    match told {
        Ok(answer) => Some(answer.into_inner()),
        Err(status) => {
            assert!(may_pass(&status), "{what}: {status:?}");
            None
        }
    }
}

/// As [`answer`], for what may be refused at this time: then in words why.
///
/// # Panics
/// If it is an answer that nobody should get.
pub(crate) fn done<T>(what: &str, told: Result<Response<T>, Status>) -> Result<T, String> {
    match told {
        Err(status) if NOT_NOW.contains(&status.code()) => Err(status.message().to_owned()),
        told => answer(what, told).ok_or_else(|| "no answer".to_owned()),
    }
}
