//! Pausing a view, and letting it go on. For operators.

use api::errors::Error;
use api::{names, v1};
use projector::{Pause, PauseError, Projector};
use touchpoint::Position;
use views::View;

use crate::operate::{not_rebuilt, store_unavailable};
use crate::view_reader::not_serving;

/// Most bytes of who wants a pause, and of why.
const MAX_TEXT_BYTES: usize = 200;

/// Lets the view stand still.
pub(crate) async fn pause<V: View>(
    projector: &Projector<V>,
    request: v1::PauseRequest,
) -> Result<v1::PauseResponse, Error> {
    let v1::PauseRequest { by, reason } = request;
    if by.is_empty() || by.len() > MAX_TEXT_BYTES {
        return Err(Error::field("by", format!("expected 1 to {MAX_TEXT_BYTES} bytes")));
    }
    if reason.len() > MAX_TEXT_BYTES {
        return Err(Error::field("reason", format!("expected at most {MAX_TEXT_BYTES} bytes")));
    }
    let pause = projector.pause(by, reason).await.map_err(refused)?;
    Ok(v1::PauseResponse { pause: Some(message(pause, projector.progress().position)) })
}

/// Lets the view go on.
pub(crate) fn resume<V: View>(projector: &Projector<V>) -> Result<v1::ResumeResponse, Error> {
    let position = projector.progress().position;
    let pause = projector.resume().map_err(refused)?;
    Ok(v1::ResumeResponse { pause: Some(message(pause, position)) })
}

/// The pause, if there is one.
pub(crate) fn present<V: View>(projector: &Projector<V>) -> Option<v1::PauseDetails> {
    projector.paused().map(|pause| message(pause, projector.progress().position))
}

/// What a status says of it.
pub(crate) fn words(pause: &Pause) -> String {
    let Pause { at, by, reason } = pause;
    let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    format!("paused by {by} since {at}{reason}; it answers as of then, and goes on when it is resumed")
}

fn message(pause: Pause, position: Position) -> v1::PauseDetails {
    let Pause { at, by, reason } = pause;
    v1::PauseDetails { at: Some(names::timestamp(at)), by, reason, position: position.0 }
}

fn refused(error: PauseError) -> Error {
    match error {
        PauseError::NotServing(state) => not_serving(state),
        PauseError::Rebuild(error) => not_rebuilt(error),
        PauseError::NotPaused => Error::Precondition { reason: "NOT_PAUSED", message: error.to_string() },
        PauseError::Store(error) => store_unavailable(error.to_string()),
    }
}
