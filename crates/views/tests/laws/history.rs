//! Nasty histories, folded into records and given to the oracle.

use history::nasty::{self, Config};
use history::{Arrival, Arrived, Order, arrange};
use touchpoint::{CustomerId, Event, Recorded, Timestamp};
use views::{Filing, Record};

/// Instants of one history that are looked at; the borders of windows are among the candidates.
const INSTANTS: usize = 12;

/// One customer's history in a log.
pub(crate) struct Case {
    pub(crate) seed: u64,
    pub(crate) customer: CustomerId,
    pub(crate) planned: Vec<history::Planned>,
    pub(crate) arrived: Vec<Arrived>,
    pub(crate) record: Record,
    pub(crate) interesting: Vec<Timestamp>,
}

impl Case {
    /// The history of this seed, in an order of arrival that depends on it.
    pub(crate) fn new(seed: u64) -> Self {
        let history =
            nasty::customer(seed, seed % 7, &Config { position_voids: seed.is_multiple_of(5), ..Config::default() });
        let order = match seed % 4 {
            0 => Order::Recorded,
            1 => Order::Shuffled(seed),
            2 => Order::Reversed,
            _ => Order::Occurred,
        };
        let arrived =
            arrange(&history.planned, Arrival { order, start: Timestamp::MIN, import: seed.is_multiple_of(3) });
        let record = fold(&arrived);
        let (customer, planned, interesting) = (history.customer, history.planned, history.interesting);
        Self { seed, customer, planned, arrived, record, interesting }
    }

    /// Some of the interesting instants, other ones for every seed.
    pub(crate) fn instants(&self) -> impl Iterator<Item = Timestamp> {
        let count = self.interesting.len();
        let step = (count / INSTANTS).max(1);
        let offset = (self.seed as usize).wrapping_mul(7919) % step;
        self.interesting.iter().copied().skip(offset).step_by(step)
    }

    /// Pairs of as_of and known_at: by everything, and by what was known then and somewhat earlier.
    pub(crate) fn moments(&self) -> impl Iterator<Item = (Timestamp, Option<Timestamp>)> {
        let known = |at: Timestamp| [None, Some(at), Some(at.plus_days(-20))];
        self.instants().flat_map(move |at| known(at).map(|known_at| (at, known_at)))
    }

    /// The history as the oracle reads it.
    pub(crate) fn for_oracle(&self) -> oracle::History {
        let entry = |it: &Arrived| oracle::Entry {
            position: it.position.0,
            recorded_at: it.recorded_at,
            body: it.body.clone(),
        };
        oracle::History::read(&self.arrived.iter().map(entry).collect::<Vec<_>>())
    }
}

/// A record of these events.
pub(crate) fn fold<'a>(arrived: impl IntoIterator<Item = &'a Arrived>) -> Record {
    let mut record = Record::default();
    for it in arrived {
        let event = Event::decode(&it.body).unwrap();
        let filing = record.file(&Recorded { position: it.position, recorded_at: it.recorded_at, event });
        assert_ne!(filing, Filing::Conflict, "nasty histories have no conflicts");
    }
    record
}
