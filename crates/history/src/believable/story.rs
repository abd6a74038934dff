//! One customer's history while it is being told.

use std::borrow::Cow;

use touchpoint::{Channel, Code, CustomerId, Event, Family, Kind, Timestamp, Touchpoint};

use super::world::{CONSULTANTS, Project, World};
use super::{Customer, Population, person, sales};
use crate::Planned;
use crate::dice::{Dice, code};

/// Share of events that the company learns of days or weeks later.
const LATE: f64 = 0.03;
/// The latest that it learns of one.
const LATEST_DAYS: i64 = 45;
/// Otherwise it learns of an event within so many seconds.
const PROMPT_SECONDS: i64 = 90;
const SECOND: i64 = 1_000_000;
/// Most events after which customers are not followed further: a bound on memory.
const MAX_EVENTS: usize = 400;

/// One customer's history while it is being told.
pub(super) struct Story<'p> {
    population: &'p Population,
    pub(super) world: &'p World,
    pub(super) dice: Dice,
    pub(super) id: CustomerId,
    number: u64,
    pub(super) project: &'static Project,
    /// The number of the present consultant within the project.
    consultant: i64,
    codes: u32,
    pub(super) planned: Vec<Planned>,
}

impl<'p> Story<'p> {
    pub(super) fn new(
        population: &'p Population,
        world: &'p World,
        mut dice: Dice,
        id: CustomerId,
        number: u64,
    ) -> Self {
        let project = dice.weighted(&world.popular);
        let consultant = dice.between(1, CONSULTANTS);
        Self { population, world, dice, id, number, project, consultant, codes: 0, planned: Vec::with_capacity(8) }
    }

    /// Tells the whole history.
    pub(super) fn live(mut self) -> Customer {
        let span = self.world.until.since(self.world.since);
        // The first day is never the last one: everybody has at least one event.
        let start = self.world.since.plus_micros(self.dice.between(0, span - 2 * Timestamp::DAY));
        let start = self.daytime(start);
        sales::from_first_contact(&mut self, start);
        person::corrections(&mut self);
        let resent = person::resent(&mut self);
        self.planned.sort_by_key(|planned| (planned.recorded_at, planned.event.occurred_at, planned.event.id));
        Customer { id: self.id, planned: self.planned, resent }
    }

    /// The customer did or met this, unless it is after the end of the history. An event of the present project.
    pub(super) fn tell(&mut self, at: Timestamp, channel: Channel, body: Touchpoint<'static>) {
        if at > self.world.until || self.planned.len() >= MAX_EVENTS {
            return;
        }
        let recorded_at = self.learned(at);
        let kind = body.kind();
        let of_project = kind.family() != Family::Person;
        let event = Event {
            id: self.dice.event_id(at),
            source: Cow::Borrowed(source(kind)),
            customer: self.id,
            occurred_at: at,
            channel,
            company: of_project.then(|| code(self.project.company)),
            project: of_project.then(|| code(self.project.id)),
            actor: (kind.family() == Family::Visit).then(|| self.consultant()),
            correlation: None,
            causation: None,
            has_pii: false,
            first_recorded_at: None,
            body,
        };
        self.planned.push(Planned::new(event, recorded_at));
    }

    /// When the company learns of what happens now: never after the end of the history.
    fn learned(&mut self, at: Timestamp) -> Timestamp {
        let delay = if self.dice.chance(LATE) {
            self.dice.between(2 * Timestamp::DAY, LATEST_DAYS * Timestamp::DAY)
        } else {
            self.dice.between(0, PROMPT_SECONDS * SECOND)
        };
        at.plus_micros(delay).min(self.world.until)
    }

    /// A moment of the same day in Shanghai when people are at work.
    pub(super) fn daytime(&mut self, day: Timestamp) -> Timestamp {
        let after_midnight = self.dice.between(9 * Timestamp::HOUR, 20 * Timestamp::HOUR);
        day.shanghai_date().start().plus_micros(after_midnight)
    }

    /// A moment so many days later, in daytime.
    pub(super) fn days_later(&mut self, at: Timestamp, low: i64, high: i64) -> Timestamp {
        let days = self.dice.between(low, high);
        self.daytime(at.plus_days(days))
    }

    /// A moment so many minutes later.
    pub(super) fn minutes_later(&mut self, at: Timestamp, low: i64, high: i64) -> Timestamp {
        at.plus_micros(self.dice.between(low * Timestamp::MINUTE, high * Timestamp::MINUTE))
    }

    /// A code that nothing else has.
    pub(super) fn code(&mut self, prefix: &str) -> Code<'static> {
        self.codes += 1;
        code(format!("{prefix}-{:07}-{}", self.number, self.codes))
    }

    /// The code of a unit that nobody else buys: building, floor and door follow from the customer's number.
    pub(super) fn unit(&mut self) -> Code<'static> {
        self.codes += 1;
        let door = self.number * 4 + u64::from(self.codes % 4);
        code(format!("U-{}-{}{:02}", door / 120 + 1, door % 120 / 4 + 1, door % 4 + 1))
    }

    /// The present consultant.
    pub(super) fn consultant(&self) -> Code<'static> {
        code(format!("S-{}-{:02}", self.project.id, self.consultant))
    }

    /// Another consultant takes over: the one before and the new one.
    pub(super) fn reassign(&mut self) -> (Code<'static>, Code<'static>) {
        let from = self.consultant();
        let step = self.dice.between(1, CONSULTANTS - 1);
        self.consultant = (self.consultant - 1 + step) % CONSULTANTS + 1;
        (from, self.consultant())
    }

    /// Another customer, if there is one.
    pub(super) fn acquaintance(&mut self) -> Option<CustomerId> {
        let others = self.population.customers_count() - 1;
        if others == 0 {
            return None;
        }
        let step = self.dice.between(1, others as i64) as u64;
        Some(self.population.customer_id((self.number + step) % (others + 1)))
    }
}

/// The system that an event comes from.
fn source(kind: Kind) -> &'static str {
    match kind.family() {
        Family::Visit | Family::Sign => "crm/sales",
        Family::Handover => "property/handover",
        Family::Complaint | Family::Revisit => "crm/service",
        Family::Survey => "survey/platform",
        Family::Loyalty => "app/owners",
        Family::Person | Family::Record => "crm/master",
    }
}
