//! `parked drop`: an EventVoided for an event that nobody can read.

use api::v1;
use api::v1::get_parked_request::Event;
use tonic::Code;
use touchpoint::{Code as Word, EventId};

use super::super::asking::Call;
use super::super::failure::{Failure, Outcome};
use super::super::link::{Link, VIEWS};
use super::super::output::{self, Format};
use super::super::{format, query};
use super::get;
use crate::clock;

/// Who records it.
const SOURCE: &str = "cli";

/// Which event: a position or an id.
pub(super) fn target(text: &str) -> Result<Event, String> {
    match (text.parse::<EventId>(), query::position(text)) {
        (Ok(id), _) => Ok(Event::EventId(id.to_string())),
        (_, Ok(position)) if position > 0 => Ok(Event::Position(position)),
        _ => Err("expected a position in the log such as 77231, or the event's id".to_owned()),
    }
}

/// A code of the catalogue.
pub(super) fn reason(text: &str) -> Result<String, String> {
    Word::new(text).map(|word| word.as_str().to_owned()).ok_or_else(|| "expected a code such as UNREADABLE".to_owned())
}

/// Runs `parked drop`.
pub(super) async fn run(call: &Call, link: &Link, event: Event, reason: String) -> Result<Outcome, Failure> {
    let parked = find(link, event).await?;
    let at = format::count(parked.position);
    let touchpoint = void(parked, reason, clock::fresh_event_id().to_string(), clock::now());
    let request = v1::RecordRequest { touchpoint: Some(touchpoint), expected_revision: None };
    let answer = link.touchpoints().await?.record(link.request(request)).await?.into_inner();
    if call.output.output == Format::Table {
        let void = format::count(answer.position);
        output::print(&format!("the event at position {at} is void, by the event at position {void}\n"))?;
    } else {
        call.output.show(&answer, |_| String::new())?;
    }
    Ok(Outcome::Done)
}

/// The event, as the first view says that has it parked: each may have parked what another build of it could read.
async fn find(link: &Link, event: Event) -> Result<v1::ParkedEvent, Failure> {
    let mut unreached = None;
    for view in VIEWS {
        match get(link, view, event.clone()).await {
            Ok(found) => return found.event.ok_or_else(|| Failure::Other("the projector names no event".to_owned())),
            Err(Failure::Refused(status)) if status.code() == Code::NotFound => {}
            Err(failure) => unreached = Some(failure),
        }
    }
    // Where one of them did not answer, it may be the one that has it.
    Err(unreached.unwrap_or_else(|| {
        Failure::Other("no view has such an event parked: `lifefold parked list <view>` shows what is".to_owned())
    }))
}

/// Names the event by its id, and by its position where that is unreadable.
fn void(parked: v1::ParkedEvent, reason: String, id: String, now: touchpoint::Timestamp) -> v1::Touchpoint {
    let by_id = !parked.event_id.is_empty();
    let voided = v1::EventVoided {
        target_event_id: by_id.then_some(parked.event_id),
        target_position: (!by_id).then_some(parked.position),
        reason,
    };
    v1::Touchpoint {
        id,
        source: SOURCE.to_owned(),
        customer_id: parked.customer_id,
        occurred_at: Some(api::names::timestamp(now)),
        channel: v1::Channel::System.into(),
        event: Some(v1::touchpoint::Event::EventVoided(voided)),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c12";

    #[test]
    fn a_target_is_a_position_or_an_id() {
        assert_eq!(target("77,231"), Ok(Event::Position(77_231)));
        assert_eq!(target(ID), Ok(Event::EventId(ID.to_owned())));
        assert!(target("0").is_err() && target("the last").is_err());
        assert!(reason("ENTERED_TWICE").is_ok() && reason("he said so, twice").is_err());
    }

    #[test]
    fn an_event_is_voided_by_its_id_or_else_by_its_position() {
        let named = |event_id: &str| {
            let parked = v1::ParkedEvent { position: 7, event_id: event_id.to_owned(), ..Default::default() };
            let void = void(parked, "UNREADABLE".to_owned(), ID.to_owned(), touchpoint::Timestamp::from_micros(0));
            match void.event {
                Some(v1::touchpoint::Event::EventVoided(it)) => (it.target_event_id, it.target_position),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(named(ID), (Some(ID.to_owned()), None));
        assert_eq!(named(""), (None, Some(7)));
    }
}
