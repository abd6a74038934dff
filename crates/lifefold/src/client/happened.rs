//! A customer's events with the instants at which answers change because of them.

use api::v1;
use api::v1::recorded_touchpoint::Content;
use prost_types::Timestamp;
use serde_json::{Value, json};

use super::facts::{Basis, Reader};
use super::failure::Failure;
use super::link::Link;
use super::timeline::{self, Voided};
use super::{format, output, stored};

const MICROS_PER_SECOND: i64 = 1_000_000;
const NANOS_PER_MICRO: i64 = 1_000;

/// Microseconds since 1970: instants that can be compared and stepped.
pub(crate) type Micros = i64;

/// An event that counted at least once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Happened {
    /// From this instant on it is admitted: when it happened, or was recorded if that was earlier.
    pub(crate) effect: Micros,
    /// When it became known: to the source system if that is on record, else to the log.
    pub(crate) known: Micros,
    pub(crate) occurred: Micros,
    pub(crate) id: String,
    pub(crate) kind: &'static str,
    pub(crate) position: u64,
    /// An event that is known too took it back: it counts at no instant.
    pub(crate) voided: bool,
    /// Its main fields in words.
    pub(crate) fields: String,
}

impl Happened {
    fn of(event: &v1::RecordedTouchpoint, voided: &Voided) -> Option<Self> {
        let Some(Content::Touchpoint(it)) = &event.content else { return None };
        let occurred = micros(it.occurred_at.as_ref()?);
        let recorded = micros(event.recorded_at.as_ref()?);
        Some(Self {
            effect: occurred.min(recorded),
            known: known(event)?,
            occurred,
            id: it.id.clone(),
            kind: stored::kind(it),
            position: event.position,
            voided: voided.has(event),
            fields: stored::main_fields(&event.cloud_event_json),
        })
    }

    /// It holds at every instant once it is known: voids and erasures.
    pub(crate) fn holds_always(&self) -> bool {
        ["EventVoided", "CustomerErased"].contains(&self.kind)
    }

    /// As JSON.
    pub(crate) fn json(&self) -> Value {
        json!({
            "event_id": self.id, "type": self.kind, "position": self.position, "voided": self.voided,
            "occurred_at": format::rfc3339(Some(&stamp(self.occurred))),
            "known_at": format::rfc3339(Some(&stamp(self.known))),
        })
    }
}

/// A customer's events, and the question about them whose answers are all of the log up to one position, and so by the
/// rules of then, whatever is recorded meanwhile.
pub(crate) struct Past {
    pub(crate) events: Vec<Happened>,
    pub(crate) asked: v1::ViewQuery,
    /// Nothing if the customer is not known at the instant that is asked for.
    pub(crate) basis: Option<Basis>,
}

/// Reads the past of a customer as far as all these views have folded the log, and at least what it has of the customer.
pub(crate) async fn past(
    link: &Link,
    reader: &mut Reader,
    customer: &str,
    mut asked: v1::ViewQuery,
) -> Result<Past, Failure> {
    let (mut events, mut unreadable) = read(link, customer, &asked).await?;
    asked.min_position = events.iter().map(|event| event.position).max().unwrap_or(0).max(asked.min_position);
    let basis = reader.at(link, customer, asked.clone()).await?.map(|answered| answered.basis);
    if let Some(Basis { position, .. }) = &basis {
        (asked.min_position, asked.max_position) = (*position, *position);
        // What was recorded since counts, too.
        (events, unreadable) = read(link, customer, &asked).await?;
    }
    if unreadable > 0 {
        output::note(&format!("{unreadable} events cannot be read and are left out"));
    }
    Ok(Past { events, asked, basis })
}

/// When an event became known.
fn known(event: &v1::RecordedTouchpoint) -> Option<Micros> {
    let Some(Content::Touchpoint(it)) = &event.content else { return None };
    it.first_recorded_at.as_ref().or(event.recorded_at.as_ref()).map(micros)
}

/// The readable events of a customer that `asked` admits, whatever its `as_of`, in the order in which they count. Of those
/// with one id the first in the log counts. And how many cannot be read.
async fn read(link: &Link, customer: &str, asked: &v1::ViewQuery) -> Result<(Vec<Happened>, usize), Failure> {
    let answer = timeline::read(link, customer).await?;
    let end = asked.known_at.as_ref().map_or(Micros::MAX, micros);
    let last = if asked.max_position > 0 { asked.max_position } else { u64::MAX };
    // An event is voided from when that is known, and by what stands in the log that is asked about.
    let counts = |event: &&v1::RecordedTouchpoint| event.position <= last && known(event).is_some_and(|at| at <= end);
    let voided = Voided::of(answer.events.iter().filter(counts));
    let unreadable = answer.events.iter().filter(|event| matches!(event.content, Some(Content::Unreadable(_)))).count();
    let mut seen = std::collections::HashSet::new();
    let events = answer.events.iter().filter_map(|event| Happened::of(event, &voided));
    let mut events: Vec<_> = events.filter(|event| seen.insert(event.id.clone())).collect();
    if events.is_empty() {
        return Err(Failure::Other(format!("{customer}: the log has no event of this customer; check the id")));
    }
    events.retain(|event| event.known <= end && event.position <= last);
    events.sort_by(|a, b| (a.effect, a.occurred, &a.id).cmp(&(b.effect, b.occurred, &b.id)));
    Ok((events, unreadable))
}

/// Whole microseconds.
pub(crate) fn micros(time: &Timestamp) -> Micros {
    time.seconds.saturating_mul(MICROS_PER_SECOND).saturating_add(i64::from(time.nanos) / NANOS_PER_MICRO)
}

/// As a part of a message.
pub(crate) fn stamp(micros: Micros) -> Timestamp {
    let nanos = micros.rem_euclid(MICROS_PER_SECOND) * NANOS_PER_MICRO;
    // Below 10⁹, so that it fits.
    Timestamp { seconds: micros.div_euclid(MICROS_PER_SECOND), nanos: i32::try_from(nanos).unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_steps_by_a_microsecond_also_before_1970() {
        for time in [Timestamp { seconds: 1_743_442_200, nanos: 0 }, Timestamp { seconds: -5, nanos: 0 }] {
            assert_eq!(stamp(micros(&time)), time);
            let before = stamp(micros(&time) - 1);
            assert_eq!((before.seconds, before.nanos), (time.seconds - 1, 999_999_000));
        }
    }
}
