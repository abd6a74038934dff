//! A believable history, imported through the gateway, and the oracle that has read the same log.

use std::collections::BTreeMap;

use history::believable::{Config, Population};
use oracle::{DEFAULT_SEGMENTS, Entry, History, Segment, parse_segments, population};
use tests::{CONTROL_MESSAGES, System, View, import, json};
use touchpoint::{CustomerId, Event, Timestamp};

use crate::views_e2e::question::{QUIET, Question, now};

/// Enough for ranks, few enough for the oracle.
const CUSTOMERS: u64 = 300;
const SEED: u64 = 21;
/// How far back is asked, in days.
const BACK: [i64; 2] = [1, 400];

/// Everything that runs, and everything that is known.
pub(crate) struct World {
    pub(crate) system: System,
    pub(crate) customers: BTreeMap<CustomerId, History>,
    pub(crate) segments: Vec<Segment>,
    until: Timestamp,
}

impl World {
    /// Imports the history of the five years until now: so that what is open is open now, too.
    pub(crate) async fn imported() -> Self {
        let mut system = System::start().await;
        let until = now().plus_micros(-Timestamp::HOUR);
        let (sent, totals) = Population::new(Config::new(CUSTOMERS, SEED, until)).sent();
        let items = sent.iter().map(|planned| json(planned.import_body())).collect();
        let summary = import(&system.writer(), items).await.summary.expect("an import to its end");
        assert_eq!((summary.recorded, summary.duplicates), (totals.events, totals.duplicates), "until {until}");
        for view in View::ALL {
            system.reader(view).reached(summary.last_position).await;
        }
        let customers = read(&system).await;
        let segments = parse_segments(DEFAULT_SEGMENTS).unwrap();
        Self { system, customers, segments, until }
    }

    /// Instants in the past, by all that is known now and by what was known then.
    pub(crate) fn past_questions(&self) -> Vec<Question> {
        let instants = BACK.map(|days| self.until.plus_days(-days));
        let ask = |as_of: Timestamp, known_at| Question::new(Some((as_of, known_at)), self.wanted(as_of, known_at));
        vec![ask(instants[0], None), ask(instants[1], None), ask(instants[1], Some(instants[1]))]
    }

    /// The present, at a time when time alone moves nobody.
    pub(crate) async fn live_question(&self) -> Question {
        tests::until("a quiet moment", async || {
            let now = now();
            let (wanted, later) = (self.wanted(now, None), now.plus_micros(QUIET.as_micros() as i64));
            let quiet = standing(&wanted) == standing(&self.wanted(later, None));
            quiet.then(|| Question::new(None, wanted))
        })
        .await
    }

    fn wanted(&self, as_of: Timestamp, known_at: Option<Timestamp>) -> oracle::Population {
        population(&self.customers, as_of, known_at, &self.segments)
    }
}

/// All that is said, but for the clocks of complaints: they run.
fn standing(population: &oracle::Population) -> String {
    let mut population = population.clone();
    population.complaints.iter_mut().for_each(|(_, complaint)| complaint.total_open = 0);
    format!("{population:?}")
}

/// The log, by customer.
async fn read(system: &System) -> BTreeMap<CustomerId, History> {
    let mut entries: BTreeMap<CustomerId, Vec<Entry>> = BTreeMap::new();
    for entry in &system.machine.log_entries().await[CONTROL_MESSAGES..] {
        let customer = Event::decode(&entry.body).unwrap().customer;
        let (position, recorded_at, body) = (entry.position.0, entry.recorded_at, entry.body.to_vec());
        entries.entry(customer).or_default().push(Entry { position, recorded_at, body });
    }
    entries.into_iter().map(|(customer, entries)| (customer, History::read(&entries))).collect()
}
