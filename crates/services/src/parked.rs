//! The parked events of a projector: listed, shown, read once more.

use api::errors::Error;
use api::page::Page;
use api::{names, v1};
use projector::{MAX_RETRIED, ParkedEvent, Projector, Retried};
use tokio::time::Instant;
use touchpoint::{EventId, Position};
use views::View;

use crate::refold::not_refolded;
use crate::view_reader::not_serving;

/// A parked event as a message.
pub(crate) fn message(it: &ParkedEvent) -> v1::ParkedEvent {
    v1::ParkedEvent {
        position: it.position.0,
        customer_id: it.customer.to_string(),
        event_id: it.id.map(|id| id.to_string()).unwrap_or_default(),
        recorded_at: Some(names::timestamp(it.recorded_at)),
        reason: it.reason.to_owned(),
    }
}

/// A page of the parked events.
pub(crate) fn list<V: View>(
    projector: &Projector<V>,
    request: &v1::ListParkedRequest,
) -> Result<v1::ListParkedResponse, Error> {
    let page = Page::of(request)?;
    let after = page.after_position()?.unwrap_or(Position::ZERO);
    let generation = projector.serving().map_err(not_serving)?;
    // One more than fits says whether there is a next page.
    let mut found = generation.parked_after(after, page.size + 1);
    let more = found.len() > page.size;
    found.truncate(page.size);
    let last = found.last().filter(|_| more);
    let next_page_token = last.map_or_else(String::new, |it| page.token_after(it.position));
    Ok(v1::ListParkedResponse { events: found.iter().map(message).collect(), next_page_token })
}

/// One parked event.
pub(crate) fn get<V: View>(
    projector: &Projector<V>,
    request: &v1::GetParkedRequest,
) -> Result<v1::GetParkedResponse, Error> {
    use v1::get_parked_request::Event;
    let event = request.event.as_ref();
    let event = event.ok_or_else(|| Error::field("event", "expected a position or an event id"))?;
    let generation = projector.serving().map_err(not_serving)?;
    let found = match event {
        Event::Position(position) => generation.parked_at(position_of("position", *position)?),
        Event::EventId(id) => {
            let id: EventId = id.parse().map_err(|_| Error::field("event_id", "expected a UUID"))?;
            generation.parked_by(id)
        }
    };
    let found = found.ok_or(Error::NotParked)?;
    Ok(v1::GetParkedResponse { event: Some(message(&found)) })
}

/// Reads parked events once more, and answers when what was read is durable.
pub(crate) async fn retry<V: View>(
    projector: &Projector<V>,
    request: &v1::RetryParkedRequest,
    until: Instant,
) -> Result<v1::RetryParkedResponse, Error> {
    if request.positions.len() > MAX_RETRIED {
        return Err(Error::field("positions", format!("expected at most {MAX_RETRIED} positions")));
    }
    let positions: Vec<_> =
        request.positions.iter().map(|it| position_of("positions", *it)).collect::<Result<_, _>>()?;
    let retried = projector.retry_parked(&positions, until).await.map_err(not_refolded)?;
    Ok(v1::RetryParkedResponse { events: retried.into_iter().map(|(position, it)| outcome(position, it)).collect() })
}

fn position_of(field: &str, position: u64) -> Result<Position, Error> {
    match position {
        0 => Err(Error::field(field, "expected a position of the log, 1 or more")),
        some => Ok(Position(some)),
    }
}

fn outcome(position: Position, retried: Retried) -> v1::RetriedEvent {
    let (outcome, reason) = match retried {
        Retried::Read => (v1::RetryOutcome::Read, ""),
        Retried::StillParked(reason) => (v1::RetryOutcome::StillParked, reason),
        Retried::NotParked => (v1::RetryOutcome::NotParked, ""),
    };
    v1::RetriedEvent { position: position.0, outcome: outcome.into(), reason: reason.to_owned() }
}
