//! The history that is told while things break: believable and nasty customers, late and shuffled, with duplicates and with
//! ids that come twice with other content.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use history::believable::{Config as Believable, Population};
use history::nasty::{self, Config as Nasty};
use history::{Arrival, Order, Planned, arrange};
use touchpoint::{CustomerId, Event, Timestamp};

use crate::dice::Dice;
use crate::ledger::silences;

/// Believable customers and nasty ones of a minute.
const CUSTOMERS_A_MINUTE: [u64; 2] = [150, 120];
/// Bodies of one import at most.
const IMPORTED_AT_ONCE: u64 = 250;
/// How many of the bodies that were sent are kept to be sent again.
const KEPT: usize = 2_000;

/// Bodies that wait to be imported.
pub(crate) struct Story {
    bodies: VecDeque<Vec<u8>>,
    /// Sent before.
    told: VecDeque<Vec<u8>>,
    /// Customers of whom nothing is ever told that changes answers about the past.
    pub(crate) still: Vec<CustomerId>,
}

impl Story {
    /// For so many minutes, up to this instant.
    pub(crate) fn new(seed: u64, minutes: u64, until: Timestamp) -> Self {
        let [believable, nasty] = CUSTOMERS_A_MINUTE.map(|a_minute| a_minute * minutes.max(1));
        let (sent, _) = Population::new(Believable::new(believable, seed, until)).sent();
        let nasty = nasty::flatten(&nasty::population(seed, nasty, &Nasty { early: false, ..Nasty::default() }));
        let (nasty, _) = nasty::with_conflicts(&nasty, seed);
        let parts = [late(&sent, seed), late(&nasty, seed + 1)];
        let mut dice = Dice::new(seed, 1);
        let bodies = mixed(parts, &mut dice);
        let still = still(&bodies);
        Self { bodies, told: VecDeque::new(), still }
    }

    /// What is imported next: new bodies, or some again.
    pub(crate) fn next(&mut self, dice: &mut Dice) -> Vec<Vec<u8>> {
        let size = dice.between(1, IMPORTED_AT_ONCE) as usize;
        if self.bodies.is_empty() || (dice.once_in(6) && !self.told.is_empty()) {
            let from = dice.between(0, self.told.len() as u64 - 1) as usize;
            return self.told.iter().skip(from).take(size).cloned().collect();
        }
        let next: Vec<_> = self.bodies.drain(..size.min(self.bodies.len())).collect();
        self.told.extend(next.iter().cloned());
        self.told.drain(..self.told.len().saturating_sub(KEPT));
        next
    }
}

fn late(planned: &[Planned], seed: u64) -> VecDeque<Vec<u8>> {
    let arrival = Arrival { order: Order::Shuffled(seed), start: Timestamp::MIN, import: true };
    arrange(planned, arrival).into_iter().map(|arrived| arrived.body).collect()
}

fn mixed([mut one, mut other]: [VecDeque<Vec<u8>>; 2], dice: &mut Dice) -> VecDeque<Vec<u8>> {
    let mut mixed = VecDeque::with_capacity(one.len() + other.len());
    while !one.is_empty() || !other.is_empty() {
        let takes_one = dice.between(1, (one.len() + other.len()) as u64) <= one.len() as u64;
        mixed.extend(if takes_one { one.pop_front() } else { other.pop_front() });
    }
    mixed
}

fn still(bodies: &VecDeque<Vec<u8>>) -> Vec<CustomerId> {
    let (mut all, mut silenced) = (BTreeMap::new(), BTreeSet::new());
    for body in bodies {
        let Ok(event) = Event::decode(body) else { continue };
        *all.entry(event.customer).or_insert(0) += 1;
        if silences(body) {
            silenced.insert(event.customer);
        }
    }
    all.into_keys().filter(|customer| !silenced.contains(customer)).collect()
}
