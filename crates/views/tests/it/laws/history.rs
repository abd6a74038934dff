//! Nasty histories, folded into records and given to the oracle.

use std::sync::{Arc, LazyLock};

use history::nasty::{self, Config};
use history::{Arrival, Arrived, Order, arrange};
use touchpoint::{CustomerId, Event, Recorded, Timestamp, Violations};
use views::rules::Rules;
use views::{Filing, Parked, Record};

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
    /// The rules to judge it by.
    pub(crate) rules: Rules,
    by_others: bool,
}

/// The numbers of the rules, all other than the domain's.
const OTHER_RULES: &str = include_str!("other_rules.toml");
/// Of the histories, one in so many is judged by other rules.
const BY_OTHER_RULES: u64 = 4;
/// Where histories begin that do not begin now: before Shanghai kept UTC+8, twice before a summer time, far ahead.
const OTHER_STARTS: [&str; 4] =
    ["1900-06-01T00:00:00Z", "1939-06-01T00:00:00Z", "1985-06-01T00:00:00Z", "9000-01-01T00:00:00Z"];
/// Of the histories, one in so many begins at one of them.
const ELSEWHEN: u64 = 6;

/// How nasty the history of this seed is.
fn config(seed: u64) -> Config {
    let plain = Config::default();
    let start = OTHER_STARTS[(seed / ELSEWHEN) as usize % OTHER_STARTS.len()].parse().unwrap();
    Config {
        start: if seed.is_multiple_of(ELSEWHEN) { start } else { plain.start },
        position_voids: seed.is_multiple_of(5),
        unreadable: if seed % 5 == 1 { 0.1 } else { 0.0 },
        huge_money: seed % 9 == 2,
        ..plain
    }
}

/// The other rules and the domain's, read once: that takes longer than to judge by them.
static RULES: LazyLock<[Rules; 2]> = LazyLock::new(|| [Rules::parse(OTHER_RULES).unwrap(), Rules::default()]);
/// The other numbers as the oracle reads them.
static OTHER_NUMBERS: LazyLock<Arc<oracle::Numbers>> = LazyLock::new(|| oracle::Numbers::parse(OTHER_RULES).unwrap());

impl Case {
    /// The history of this seed, in an order of arrival that depends on it.
    pub(crate) fn new(seed: u64) -> Self {
        let history = nasty::customer(seed, seed % 7, &config(seed));
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
        let by_others = (seed / 4).is_multiple_of(BY_OTHER_RULES);
        let rules = RULES[usize::from(!by_others)].clone();
        Self { seed, customer, planned, arrived, record, interesting, rules, by_others }
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

    /// The history as the oracle reads it, to be judged by the same rules.
    pub(crate) fn for_oracle(&self) -> oracle::History {
        let history = self.for_oracle_by_domain();
        if self.by_others { history.by(&OTHER_NUMBERS) } else { history }
    }

    /// The same, to be judged by the domain's numbers.
    pub(crate) fn for_oracle_by_domain(&self) -> oracle::History {
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
        let (position, recorded_at) = (it.position, it.recorded_at);
        match Event::decode(&it.body) {
            Ok(event) => {
                let filing = record.file(&Recorded { position, recorded_at, event });
                assert_ne!(filing, Filing::Conflict, "nasty histories have no conflicts");
            }
            Err(Violations { reason, id, .. }) => _ = record.park(Parked { position, recorded_at, reason, id }),
        }
    }
    record
}
