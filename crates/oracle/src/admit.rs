//! Which events count at (as_of, known_at): docs/views.md section 1.

use touchpoint::Timestamp;

use crate::clock::DAY;
use crate::event::{Event, History, Parked};
use crate::numbers::Numbers;

/// The events of one customer that count, in order, and the instant of the question.
#[derive(Debug, Clone)]
pub(crate) struct Admitted<'a> {
    /// Never empty; voids and erasures are not in it.
    pub(crate) events: Vec<&'a Event>,
    /// The instant of the question, in microseconds.
    pub(crate) as_of: i64,
    /// What a business tunes.
    pub(crate) numbers: &'a Numbers,
}

impl History {
    /// What counts at (as_of, known_at). Nothing if the customer is not found or erased.
    pub(crate) fn at(&self, as_of: Timestamp, known_at: Option<Timestamp>) -> Option<Admitted<'_>> {
        if self.is_erased() {
            return None;
        }
        let mut events = Vec::new();
        for event in &self.events {
            // "A void is ... itself no event of the customer."
            if event.kind == "EventVoided" {
                continue;
            }
            // "min(occurred_at, recorded_at) decides ... from when an event is admitted by as_of."
            let occurred = event.at.min(event.recorded_at) <= as_of.micros();
            // "known_at: events recorded after it do not count."
            if occurred && known(event, known_at) && !self.is_voided(Some(event.id), event.position, known_at) {
                events.push(event);
            }
        }
        events.sort_by_key(|event| event.order());
        // "NOT_FOUND: no event of the customer counts at (as_of, known_at)."
        if events.is_empty() {
            return None;
        }
        Some(Admitted { events, as_of: as_of.micros(), numbers: &self.numbers })
    }

    /// The customer was erased. "CustomerErased: from then on the customer has no view ..., at any as_of and known_at." "An erasure cannot be
    /// voided."
    pub fn is_erased(&self) -> bool {
        self.events.iter().any(|event| event.kind == "CustomerErased")
    }

    /// "A voided event counts for nothing, at every as_of; only known_at limits a void."
    fn is_voided(&self, id: Option<u128>, position: u64, known_at: Option<Timestamp>) -> bool {
        self.events.iter().any(|void| {
            let by_id = void.text("target_event_id").and_then(|text| text.parse::<touchpoint::EventId>().ok());
            let names = match by_id {
                Some(target) => Some(target.as_u128()) == id,
                None => void.int("target_position") == i64::try_from(position).ok(),
            };
            void.kind == "EventVoided" && known(void, known_at) && names
        })
    }

    /// How many bodies nobody could read, without those that were voided. "known_at: events recorded after it do not
    /// count"; when they happened nobody can read, so that as_of does not limit them.
    pub(crate) fn parked(&self, known_at: Option<Timestamp>) -> usize {
        let known = |parked: &&Parked| known_at.is_none_or(|known_at| parked.recorded_at <= known_at.micros());
        let counts = |parked: &&Parked| !self.is_voided(parked.id, parked.position, known_at);
        self.parked.iter().filter(known).filter(counts).count()
    }

    /// "Who withdrew consent to PROFILING (the latest consent event counts)." "Consent to PROFILING is always the
    /// present one": neither as_of nor known_at limits it.
    pub(crate) fn withheld(&self) -> bool {
        let mut consents: Vec<&Event> = Vec::new();
        for event in &self.events {
            let consent = event.kind == "ConsentGranted" || event.kind == "ConsentWithdrawn";
            let profiling = event.text("purpose") == Some("PROFILING");
            if consent && profiling && !self.is_voided(Some(event.id), event.position, None) {
                consents.push(event);
            }
        }
        let latest = consents.into_iter().max_by_key(|event| event.order());
        latest.is_some_and(|event| event.kind == "ConsentWithdrawn")
    }
}

fn known(event: &Event, known_at: Option<Timestamp>) -> bool {
    known_at.is_none_or(|known_at| event.learned_at <= known_at.micros())
}

impl<'a> Admitted<'a> {
    /// The events of one type, in order.
    pub(crate) fn of(&self, kind: &str) -> Vec<&'a Event> {
        self.events.iter().copied().filter(|event| event.kind == kind).collect()
    }

    /// The events of one type whose field has this text, in order.
    pub(crate) fn naming(&self, kind: &str, field: &str, text: &str) -> Vec<&'a Event> {
        self.of(kind).into_iter().filter(|event| event.text(field) == Some(text)).collect()
    }

    /// The events of one type without those that name an id which an earlier one has: "the first event by order opens
    /// ...; a further opening event with that id changes nothing".
    pub(crate) fn openings(&self, kind: &str, id_field: &str) -> Vec<&'a Event> {
        let mut first: Vec<&Event> = Vec::new();
        for event in self.of(kind) {
            if first.iter().all(|earlier| earlier.text(id_field) != event.text(id_field)) {
                first.push(event);
            }
        }
        first
    }

    /// "Windows end there: (as_of − N days, as_of]"; "an admitted event is never after as_of".
    pub(crate) fn within(&self, micros: i64, days: i64) -> bool {
        micros > self.as_of - days * DAY
    }

    /// "Whole days, floor((as_of − t) / 24 h)"; "an admitted event is never after as_of".
    pub(crate) fn days_since(&self, micros: i64) -> i64 {
        self.since(micros).div_euclid(DAY)
    }

    /// Microseconds from an instant to as_of; "an admitted event is never after as_of".
    pub(crate) fn since(&self, micros: i64) -> i64 {
        (self.as_of - micros).max(0)
    }

    /// The same customer at an earlier instant, as the events admitted now tell it.
    pub(crate) fn earlier(&self, as_of: i64) -> Option<Self> {
        let events: Vec<&Event> = self.events.iter().copied().filter(|event| event.at <= as_of).collect();
        if events.is_empty() { None } else { Some(Self { events, as_of, numbers: self.numbers }) }
    }
}
