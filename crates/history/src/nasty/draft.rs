//! A nasty history while it is being written: the cursor in time, the pools of ids, and how an event is put down.

use std::borrow::Cow;

use touchpoint::{Channel, Code, CustomerId, Date, Event, EventId, Timestamp, Touchpoint};

use super::{Config, customer_id};
use crate::Planned;
use crate::dice::{Dice, code};

/// How far `occurred_at` may be after `recorded_at`.
const CLOCK_SKEW_MICROS: i64 = 5 * Timestamp::MINUTE;
/// Customers who may be recommended: few, so that recommendations collide.
const ACQUAINTANCES: i64 = 8;
/// The windows of the domain, in days.
const WINDOWS: [i64; 10] = [14, 30, 31, 45, 90, 180, 181, 365, 366, 730];
/// The limits of the domain for complaints, in minutes.
const LIMITS: [i64; 5] = [60, 24 * 60, 72 * 60, 120 * 60, 168 * 60];
/// A microsecond before, at, and after a border.
const NEIGHBOURS: [i64; 4] = [0, 0, -1, 1];

/// How fast a scene goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// Days to years.
    Slow,
    /// Minutes to days.
    Fast,
}

/// A nasty history while it is being written.
pub(super) struct Draft {
    pub(super) dice: Dice,
    pub(super) config: Config,
    seed: u64,
    number: u64,
    pub(super) customer: CustomerId,
    /// When the next event happens.
    pub(super) now: Timestamp,
    pub(super) planned: Vec<Planned>,
    /// Where the scene plays.
    pub(super) place: Place,
    serial: u64,
}

/// Company and project of an event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    company: Option<&'static str>,
    project: Option<&'static str>,
}

/// The dice of a customer; the first throw is the customer's id.
pub(super) fn dice(seed: u64, number: u64) -> Dice {
    Dice::new(seed, number)
}

impl Draft {
    pub(super) fn new(seed: u64, number: u64, config: Config) -> Self {
        let mut dice = dice(seed, number);
        let customer = dice.customer_id();
        let now = config.start.plus_micros(dice.between(0, 400 * Timestamp::DAY));
        let place = Place { company: Some("C1"), project: Some("P1") };
        Self { dice, config, seed, number, customer, now, planned: Vec::new(), place, serial: 0 }
    }

    /// Puts down an event at the cursor.
    pub(super) fn put(&mut self, body: Touchpoint<'static>) {
        let place = if self.dice.chance(0.1) { self.any_place() } else { self.place };
        let (id, recorded_at) = (self.event_id(), self.learned());
        let early = self.dice.pick(&[0, 1, Timestamp::MINUTE, 90 * Timestamp::DAY]);
        let stamped = self.config.first_recorded && self.dice.chance(0.2);
        let event = Event {
            id,
            source: Cow::Borrowed("nasty"),
            customer: self.customer,
            occurred_at: self.now,
            channel: self.dice.pick(Channel::ALL),
            company: place.company.map(code),
            project: place.project.map(code),
            actor: None,
            correlation: None,
            causation: None,
            has_pii: false,
            first_recorded_at: stamped.then(|| recorded_at.plus_micros(-early)),
            body,
        };
        self.planned.push(Planned::new(event, recorded_at));
    }

    /// An id that no other event of the customer has, and that says nothing about its time.
    pub(super) fn event_id(&mut self) -> EventId {
        self.serial += 1;
        EventId::from_u128(u128::from(self.dice.bits()) << 64 | u128::from(self.serial))
    }

    /// When the company learns of what happens at the cursor.
    pub(super) fn learned(&mut self) -> Timestamp {
        let delay = match self.dice.between(0, 9) {
            0..=2 => 0,
            3 if self.config.early => -self.dice.pick(&[1, Timestamp::MINUTE, CLOCK_SKEW_MICROS]),
            4 => self.dice.pick(&WINDOWS) * Timestamp::DAY,
            5 | 6 => self.dice.between(0, 60 * Timestamp::DAY),
            _ => self.dice.between(1, Timestamp::MINUTE),
        };
        self.now.plus_micros(delay)
    }

    /// Moves the cursor on, often exactly to a border.
    pub(super) fn step(&mut self, pace: Pace) {
        let neighbour = self.dice.pick(&NEIGHBOURS);
        self.now = match (pace, self.dice.between(0, 19)) {
            (_, 0 | 1) => self.now,
            (_, 2) => self.now.plus_micros(1),
            (Pace::Fast, 3..=9) => self.now.plus_micros(self.dice.pick(&LIMITS) * Timestamp::MINUTE + neighbour),
            (Pace::Fast, _) => self.now.plus_micros(self.dice.between(1, 3 * Timestamp::DAY)),
            (Pace::Slow, 3..=6) => self.now.plus_micros(self.dice.pick(&WINDOWS) * Timestamp::DAY + neighbour),
            (Pace::Slow, 7) => self.border_day().start().plus_micros(neighbour),
            (Pace::Slow, 8) => self.now.shanghai_date().plus_months(12).start().plus_micros(neighbour),
            (Pace::Slow, 9..=11) => self.now.plus_micros(self.dice.between(1, Timestamp::DAY)),
            (Pace::Slow, _) => self.now.plus_micros(self.dice.between(1, 25 * Timestamp::DAY)),
        };
    }

    /// A day near the cursor on which calendars go wrong: the end of a month, or 29 February.
    fn border_day(&mut self) -> Date {
        let today = self.now.shanghai_date();
        let (year, next) = (today.year(), today.plus_months(1));
        let leap = Date::from_ymd(year + 1, 2, 29).or_else(|| Date::from_ymd(year, 2, 29));
        let first = Date::from_ymd(next.year(), next.month(), 1);
        let last = first.and_then(|first| Date::from_days(first.days() - 1));
        let choice = self.dice.pick(&[leap, last, first]);
        choice.unwrap_or(today)
    }

    /// A date that an event at the cursor may name as past.
    pub(super) fn past_date(&mut self) -> Date {
        let today = self.now.shanghai_date();
        let back = self.dice.weighted(&[(5, 0), (1, 1), (1, 30), (1, 365), (1, 731)]);
        let leap = Date::from_ymd(2024, 2, 29).filter(|leap| *leap <= today && self.dice.chance(0.15));
        leap.or_else(|| Date::from_days(today.days() - back)).unwrap_or(today)
    }

    /// A date around the cursor.
    pub(super) fn any_date(&mut self) -> Date {
        let today = self.now.shanghai_date();
        let days = self.dice.pick(&[-31, -30, -1, 0, 1, 30, 60, 200, 400]);
        Date::from_days(today.days() + days).unwrap_or(today)
    }

    /// Somebody else, out of few.
    pub(super) fn acquaintance(&mut self) -> CustomerId {
        let number = self.dice.between(0, ACQUAINTANCES - 1) as u64;
        customer_id(self.seed, if number == self.number { ACQUAINTANCES as u64 } else { number })
    }

    /// A place out of few; or none.
    pub(super) fn any_place(&mut self) -> Place {
        Place {
            company: self.dice.weighted(&[(5, Some("C1")), (3, Some("C2")), (2, None)]),
            project: self.dice.weighted(&[(5, Some("P1")), (2, Some("P2")), (2, Some("P3")), (2, None)]),
        }
    }

    /// The code of a thing out of few.
    pub(super) fn few(&mut self, prefix: &str) -> Code<'static> {
        let number = self.number();
        thing(prefix, number)
    }

    /// The number of a thing: few, so that they collide.
    pub(super) fn number(&mut self) -> u32 {
        self.dice.weighted(&[(16, 1), (8, 2), (4, 3), (1, 4), (1, 5), (1, 6)])
    }
}

/// The code of the thing with this number.
pub(super) fn thing(prefix: &str, number: u32) -> Code<'static> {
    code(format!("{prefix}{number}"))
}
