//! Nasty histories for property tests: short, with ids that collide, times that tie or hit the borders of windows to
//! the microsecond, and everything that the domain allows but nobody expects. Never the same id with other content,
//! unless [`with_conflicts`] adds that.

mod bodies;
mod draft;
mod moments;
mod scenes;
mod twists;

use touchpoint::{CustomerId, Timestamp};

use crate::{Planned, VoidTarget};
use draft::Draft;

pub use moments::interesting;
pub use twists::with_conflicts;

/// 2022-01-01T00:00:00Z: two months of February before a leap day.
const DEFAULT_START: Timestamp = Timestamp::from_micros(1_640_995_200_000_000);

/// How nasty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Config {
    /// The first events are about here.
    pub start: Timestamp,
    /// Most scenes (a courtship, a contract, a complaint, …) of a customer; at least 1.
    pub max_scenes: usize,
    /// Share of customers who are erased.
    pub erased: f64,
    /// Some events are up to 5 minutes after their recording.
    pub early: bool,
    /// Some events carry `firstrecordedat`, which only an import may.
    pub first_recorded: bool,
    /// Some voids name their target by position. Their bytes then depend on the order of arrival.
    pub position_voids: bool,
    /// Some prices are near the largest that is allowed.
    pub huge_money: bool,
    /// Share of events whose bodies nobody can read.
    pub unreadable: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            start: DEFAULT_START,
            max_scenes: 5,
            erased: 0.04,
            early: true,
            first_recorded: true,
            position_voids: false,
            huge_money: false,
            unreadable: 0.0,
        }
    }
}

/// A nasty history of one customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The customer.
    pub customer: CustomerId,
    /// The events in the order in which the company learned of them, exact duplicates included. Never empty.
    pub planned: Vec<Planned>,
    /// Instants at which an answer may change, and their neighbours one microsecond away; ascending.
    pub interesting: Vec<Timestamp>,
}

/// The nasty history of the customer with this number.
pub fn customer(seed: u64, number: u64, config: &Config) -> History {
    let mut draft = Draft::new(seed, number, *config);
    scenes::play(&mut draft);
    let planned = twists::twist(draft);
    let interesting = interesting(&planned);
    History { customer: customer_id(seed, number), planned, interesting }
}

/// The nasty histories of the customers 0 to `customers` − 1. Their codes collide with each other's, and they
/// recommend each other.
pub fn population(seed: u64, customers: u64, config: &Config) -> Vec<History> {
    (0..customers).map(|number| customer(seed, number, config)).collect()
}

/// The id of the customer with this number.
pub fn customer_id(seed: u64, number: u64) -> CustomerId {
    draft::dice(seed, number).customer_id()
}

/// All events of several histories in one list, one customer after the other, for [`arrange`](crate::arrange()).
pub fn flatten(histories: &[History]) -> Vec<Planned> {
    let mut all = Vec::with_capacity(histories.iter().map(|history| history.planned.len()).sum());
    for history in histories {
        let before = all.len();
        all.extend(history.planned.iter().cloned().map(|planned| match planned.target {
            VoidTarget::Index(index) => Planned { target: VoidTarget::Index(before + index), ..planned },
            VoidTarget::Copy(index) => Planned { target: VoidTarget::Copy(before + index), ..planned },
            VoidTarget::AsWritten => planned,
        }));
    }
    all
}
