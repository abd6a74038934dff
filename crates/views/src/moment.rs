//! The instant of an answer, and until when the answer holds.

use touchpoint::{Date, Position, Timestamp};

use crate::Filed;

/// The instant at which a customer is looked at. Every question about time goes through it, and it notes the nearest
/// instant ahead at which one of its answers would change.
#[derive(Debug, Clone)]
pub struct Moment {
    as_of: Timestamp,
    known_at: Option<Timestamp>,
    up_to: Position,
    next: Timestamp,
}

impl Moment {
    /// What is true at `as_of`, by everything that is known.
    pub const fn now(as_of: Timestamp) -> Self {
        Self::new(as_of, None)
    }

    /// What was true at `as_of`, by what was known at `known_at`; nothing means: by everything.
    pub const fn new(as_of: Timestamp, known_at: Option<Timestamp>) -> Self {
        Self { as_of, known_at, up_to: Position::MAX, next: Timestamp::MAX }
    }

    /// The instant.
    pub const fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// The same moment in a shorter log: nothing after this position is known.
    pub fn up_to(mut self, position: Position) -> Self {
        self.up_to = self.up_to.min(position);
        self
    }

    /// The event was known then.
    pub fn knows(&self, fact: &Filed<'_>) -> bool {
        self.knew(fact.position, fact.known_at())
    }

    /// What the log took at this position, or was learned at that time, was known.
    pub(crate) fn knew(&self, position: Position, known_at: Timestamp) -> bool {
        position <= self.up_to && self.known_at.is_none_or(|limit| known_at <= limit)
    }

    /// The answers hold on [as_of, valid_until); [`Timestamp::MAX`] means for ever.
    pub const fn valid_until(&self) -> Timestamp {
        self.next
    }

    /// `instant` has come.
    pub fn reached(&mut self, instant: Timestamp) -> bool {
        if instant <= self.as_of {
            return true;
        }
        self.next = self.next.min(instant);
        false
    }

    /// `event` is in (as_of − days × 24 h, as_of]. An admitted event is never after as_of, so that this asks only
    /// whether it has left the window, which happens exactly at event + days × 24 h.
    pub fn within_days(&mut self, event: Timestamp, days: u32) -> bool {
        !self.reached(event.plus_days(i64::from(days)))
    }

    /// More than `micros` have passed since `event`: limits are included.
    pub fn passed(&mut self, event: Timestamp, micros: i64) -> bool {
        self.reached(event.plus_micros(micros).plus_micros(1))
    }

    /// Whole days of 24 hours since `event`, at least 0.
    pub fn whole_days_since(&mut self, event: Timestamp) -> i64 {
        let days = self.as_of.since(event).div_euclid(Timestamp::DAY).max(0);
        self.reached(event.plus_days(days + 1));
        days
    }

    /// The Shanghai date is `date` or later.
    pub fn reached_date(&mut self, date: Date) -> bool {
        self.reached(date.start())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_fact_leaves_a_window_of_n_days_exactly_then() {
        let event = at("2025-01-01T09:00:00Z");
        let leaves = at("2025-01-31T09:00:00Z");
        let mut before = Moment::now(leaves.plus_micros(-1));
        assert!(before.within_days(event, 30));
        assert_eq!(before.valid_until(), leaves);
        let mut then = Moment::now(leaves);
        assert!(!then.within_days(event, 30));
        assert_eq!(then.valid_until(), Timestamp::MAX);
    }

    #[test]
    fn limits_are_included() {
        let event = at("2025-01-01T09:00:00Z");
        let mut moment = Moment::now(event.plus_micros(60));
        assert!(!moment.passed(event, 60));
        assert_eq!(moment.valid_until(), event.plus_micros(61));
    }

    #[test]
    fn whole_days_are_never_negative() {
        let event = at("2025-01-01T09:00:00Z");
        let mut moment = Moment::now(event.plus_micros(-Timestamp::MINUTE));
        assert_eq!(moment.whole_days_since(event), 0);
        assert_eq!(moment.valid_until(), event.plus_days(1));
    }
}
