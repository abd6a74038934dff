//! Believable histories: two city companies, eight projects, five years, from the first lead to the resale.
//!
//! Each customer's history depends on the configuration and the customer's number only, so that any part of a
//! population can be made on its own, in constant memory.

mod calls;
mod care;
mod deal;
mod home;
mod person;
mod sales;
mod story;
mod survey;
mod totals;
mod world;

use touchpoint::{CustomerId, Timestamp};

use crate::Planned;
use crate::dice::Dice;
use story::Story;
use world::World;

pub use totals::Totals;

/// The stream of randomness for what all customers share; customers have 1 and up.
const WORLD_STREAM: u64 = 0;

/// What to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// How many customers.
    pub customers: u64,
    /// The same seed gives the same history.
    pub seed: u64,
    /// Nothing happens or is recorded after this instant.
    pub until: Timestamp,
    /// How many years before `until` the first customers come.
    pub years: u32,
}

impl Config {
    /// The default: so many customers over the five years before `until`.
    pub const fn new(customers: u64, seed: u64, until: Timestamp) -> Self {
        Self { customers, seed, until, years: 5 }
    }
}

/// One customer's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The customer.
    pub id: CustomerId,
    /// The events, each once, in the order in which the company learned of them.
    pub planned: Vec<Planned>,
    /// Events that are sent once more, byte for byte.
    pub resent: Vec<Resent>,
}

/// An event that is sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resent {
    /// When it is sent again.
    pub at: Timestamp,
    /// The same event with the same time of recording as before.
    pub planned: Planned,
}

/// The customers of a configuration, made when they are asked for.
#[derive(Debug, Clone)]
pub struct Population {
    config: Config,
    world: World,
}

impl Population {
    /// Prepares what all customers share; makes none yet.
    pub fn new(config: Config) -> Self {
        let world = World::new(&mut Dice::new(config.seed, WORLD_STREAM), config.until, config.years);
        Self { config, world }
    }

    /// How many customers there are.
    pub fn customers_count(&self) -> u64 {
        self.config.customers
    }

    /// The id of the customer with this number, counted from 0.
    pub fn customer_id(&self, number: u64) -> CustomerId {
        self.dice(number).customer_id()
    }

    /// The history of the customer with this number, counted from 0.
    pub fn customer(&self, number: u64) -> Customer {
        let mut dice = self.dice(number);
        let id = dice.customer_id();
        Story::new(self, &self.world, dice, id, number).live()
    }

    /// All customers, one after the other, in constant memory.
    pub fn customers(&self) -> impl Iterator<Item = Customer> + '_ {
        (0..self.config.customers).map(|number| self.customer(number))
    }

    /// Everything that is sent, in the order of sending, with its totals. Holds the whole population in memory: for
    /// some 10,000 customers, not for a million.
    pub fn sent(&self) -> (Vec<Planned>, Totals) {
        let mut totals = Totals::default();
        let mut sent = Vec::new();
        for customer in self.customers() {
            totals.add(&customer);
            sent.extend(customer.planned.into_iter().map(|planned| (planned.recorded_at, planned)));
            sent.extend(customer.resent.into_iter().map(|again| (again.at, again.planned)));
        }
        // Stable: what is sent at the same instant stays in the order of customers, copies behind their originals.
        sent.sort_by_key(|(at, _)| *at);
        (sent.into_iter().map(|(_, planned)| planned).collect(), totals)
    }

    /// The totals of the whole population, in constant memory.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        self.customers().for_each(|customer| totals.add(&customer));
        totals
    }

    fn dice(&self, number: u64) -> Dice {
        Dice::new(self.config.seed, WORLD_STREAM + 1 + number)
    }
}
