//! Laws of the satisfaction totals, over populations of nasty histories: totals moved event by event and timer by timer
//! equal those made afresh, and the report read from them equals the oracle's.

use std::collections::BTreeMap;

use history::nasty::{self, Config};
use history::{Arrival, Arrived, Order, arrange};
use proptest::prelude::*;
use touchpoint::{ComplaintSeverity, CustomerId, Event, Recorded, ServicePort, Timestamp};
use views::rules::Rules;
use views::satisfaction::{
    Class, Difference, LevelTally, Loyalty, Name, Narrow, Placement, Satisfaction, Scope, Score, Totals, Unit, UnitKind,
};
use views::{Moment, Record, Sign, View};

/// Populations that each law is tried on.
const POPULATIONS: u64 = 60;
/// Customers of one population.
const CUSTOMERS: u64 = 8;
/// Instants at which a population is looked at.
const INSTANTS: usize = 8;

/// What reached the log, and the instants that are looked at, in order.
fn population(seed: u64) -> (Vec<Arrived>, Vec<Timestamp>) {
    let histories =
        nasty::population(seed, CUSTOMERS, &Config { position_voids: seed.is_multiple_of(3), ..Config::default() });
    let mut interesting: Vec<_> = histories.iter().flat_map(|history| history.interesting.clone()).collect();
    interesting.sort_unstable();
    let step = (interesting.len() / INSTANTS).max(1);
    let instants = interesting.into_iter().skip(seed as usize % step).step_by(step).collect();
    let order = if seed.is_multiple_of(2) { Order::Shuffled(seed) } else { Order::Recorded };
    let arrival = Arrival { order, start: Timestamp::MIN, import: false };
    (arrange(&nasty::flatten(&histories), arrival), instants)
}

fn recorded(arrived: &Arrived) -> Recorded<'_> {
    let event = Event::decode(&arrived.body).unwrap();
    Recorded { position: arrived.position, recorded_at: arrived.recorded_at, event }
}

/// A customer's part of totals: the placement, and until when it holds.
type Placed = (Option<Placement>, Timestamp);

fn place(record: &Record, rules: &Rules, as_of: Timestamp) -> Placed {
    let mut moment = Moment::now(as_of);
    let answer = Satisfaction::answer(record, rules, &mut moment);
    (answer.map(|answer| Satisfaction::placement(&answer)), moment.valid_until())
}

/// Totals that follow events and time as a projector does.
#[derive(Default)]
struct Live {
    rules: Rules,
    totals: Totals,
    customers: BTreeMap<CustomerId, (Record, Option<Placed>)>,
}

impl Live {
    fn move_customer(&mut self, customer: CustomerId, as_of: Timestamp) {
        let (record, placed) = self.customers.entry(customer).or_default();
        if let Some((Some(old), _)) = placed {
            Satisfaction::place(&mut self.totals, customer, old, Sign::Remove);
        }
        let new = place(record, &self.rules, as_of);
        if let (Some(new), _) = &new {
            Satisfaction::place(&mut self.totals, customer, new, Sign::Add);
        }
        *placed = Some(new);
    }

    fn file(&mut self, arrived: &Arrived, as_of: Timestamp) {
        let recorded = recorded(arrived);
        let customer = recorded.event.customer;
        self.customers.entry(customer).or_default().0.file(&recorded);
        self.move_customer(customer, as_of);
    }

    /// Time passes: only those move whose placement has ended.
    fn pass(&mut self, as_of: Timestamp) {
        let ended = |(_, placed): &(Record, Option<Placed>)| placed.as_ref().is_some_and(|(_, until)| *until <= as_of);
        let due: Vec<_> = self.customers.iter().filter(|(_, it)| ended(it)).map(|(customer, _)| *customer).collect();
        due.into_iter().for_each(|customer| self.move_customer(customer, as_of));
    }

    fn fresh(&self, as_of: Timestamp) -> Totals {
        let mut totals = Totals::default();
        for (customer, (record, _)) in &self.customers {
            if let (Some(placement), _) = place(record, &self.rules, as_of) {
                Satisfaction::place(&mut totals, *customer, &placement, Sign::Add);
            }
        }
        totals
    }
}

#[test]
fn totals_moved_by_events_and_time_equal_fresh_ones() {
    for seed in 0..POPULATIONS {
        let (arrived, instants) = population(seed);
        let mut live = Live::default();
        let batch = arrived.len().div_ceil(instants.len()).max(1);
        let mut batches = arrived.chunks(batch);
        for as_of in instants {
            live.pass(as_of);
            assert_eq!(live.totals, live.fresh(as_of), "seed {seed}, time passed to {as_of}");
            batches.next().into_iter().flatten().for_each(|arrived| live.file(arrived, as_of));
            assert_eq!(live.totals, live.fresh(as_of), "seed {seed}, events at {as_of}");
        }
        for (customer, (_, placed)) in std::mem::take(&mut live.customers) {
            if let Some((Some(old), _)) = placed {
                Satisfaction::place(&mut live.totals, customer, &old, Sign::Remove);
            }
        }
        assert_eq!(live.totals, Totals::default(), "seed {seed}: nothing is left of nobody");
    }
}

/// The totals and the oracle's population at an instant.
fn both(arrived: &[Arrived], as_of: Timestamp, known_at: Option<Timestamp>) -> (Totals, oracle::Population) {
    let mut records: BTreeMap<CustomerId, (Record, Vec<oracle::Entry>)> = BTreeMap::new();
    for it in arrived {
        let recorded = recorded(it);
        let (record, entries) = records.entry(recorded.event.customer).or_default();
        record.file(&recorded);
        entries.push(oracle::Entry { position: it.position.0, recorded_at: it.recorded_at, body: it.body.clone() });
    }
    let (rules, mut totals) = (Rules::default(), Totals::default());
    for (customer, (record, _)) in &records {
        if let Some(answer) = Satisfaction::answer(record, &rules, &mut Moment::new(as_of, known_at)) {
            Satisfaction::place(&mut totals, *customer, &Satisfaction::placement(&answer), Sign::Add);
        }
    }
    let histories = records.iter().map(|(customer, (_, entries))| (*customer, oracle::History::read(entries)));
    (totals, oracle::population(&histories.collect(), as_of, known_at, &[]))
}

#[test]
fn the_report_agrees_with_the_oracle() {
    for seed in 0..POPULATIONS {
        let (arrived, instants) = population(seed);
        for (index, as_of) in instants.into_iter().enumerate() {
            let known_at = (index % 3 == 2).then(|| as_of.plus_days(-10));
            let (totals, wanted) = both(&arrived, as_of, known_at);
            let context = format!("seed {seed}, at {as_of}, known at {known_at:?}");
            scores_agree(&totals, &wanted.surveys, &context);
            rankings_agree(&totals, &wanted.surveys, &context);
            answers_agree(&totals, &wanted.surveys, &context);
            service_levels_agree(&totals, &wanted.surveys, &context);
            classes_agree(&totals, &wanted, &context);
            open_complaints_agree(&totals, &wanted, &context);
            assert_eq!(totals.unresolved as i64, wanted.unresolved, "{context}");
        }
    }
}

fn unit(unit: &oracle::Unit) -> Unit {
    match unit {
        oracle::Unit::Group => Unit::Group,
        oracle::Unit::Company(id) => Unit::Company(Name::from(id.as_str())),
        oracle::Unit::Project(id) => Unit::Project(Name::from(id.as_str())),
    }
}

fn key(place: &oracle::Place) -> (Unit, ServicePort, Name) {
    (unit(&place.unit), ServicePort::from_name(&place.port).unwrap(), Name::from(place.wave.as_str()))
}

fn same_score(given: &Score, wanted: &oracle::Score, context: &str) {
    let counts = [given.n, given.satisfied, given.top, given.sum].map(|count| count as i64);
    assert_eq!(counts, [wanted.n, wanted.yes, wanted.top, wanted.sum], "{context}");
    assert_eq!(given.rate_bp().map(i64::from), wanted.rate_bp(), "{context}");
    assert_eq!(given.top_box_bp().map(i64::from), wanted.top_bp(), "{context}");
    assert_eq!(given.mean_index_hundredths().map(i64::from), wanted.mean_index(), "{context}");
}

fn same_difference(given: Option<Difference>, wanted: Option<oracle::Comparison>, context: &str) {
    let given = given.map(|it| (i64::from(it.bp), it.z_hundredths, it.trend.name()));
    assert_eq!(given, wanted.map(|it| (it.delta, it.z, it.verdict)), "{context}");
}

fn scores_agree(totals: &Totals, wanted: &oracle::Surveys, context: &str) {
    let rules = Rules::default().satisfaction;
    for (place, score) in &wanted.scores {
        let (unit, port, wave) = key(place);
        same_score(&totals.score(&unit, port, &wave), score, context);
        let change = totals.change(&unit, &wave, None, port, &rules);
        let earlier = change.as_ref().map(|change| change.wave.to_string());
        assert_eq!(earlier, wanted.earlier_wave(&place.wave, &place.port), "{context}");
        let wanted_change = wanted.year_on_year(&place.unit, &place.wave, None, &place.port);
        same_difference(change.and_then(|change| change.difference), wanted_change, context);
    }
    for ((place, item), score) in &wanted.indicators {
        let (unit, port, wave) = key(place);
        let indicators = totals.indicators(&unit, &wave, None, &[port], &rules);
        let given = indicators.iter().find(|it| it.item.as_str() == item).unwrap();
        same_score(&given.score, score, context);
    }
}

fn rankings_agree(totals: &Totals, wanted: &oracle::Surveys, context: &str) {
    let rules = Rules::default().satisfaction;
    for place in wanted.scores.keys().filter(|place| place.unit == oracle::Unit::Group) {
        let (_, port, wave) = key(place);
        let rankings = [
            (UnitKind::Project, wanted.rank_projects(&place.wave, &place.port)),
            (UnitKind::Company, wanted.rank_companies(&place.wave, &place.port)),
        ];
        for (kind, wanted) in rankings {
            let given = totals.rank(kind, port, &wave, &rules);
            let given: Vec<_> =
                given.iter().map(|it| (it.unit.to_string(), it.rank.map(|rank| rank as usize))).collect();
            assert_eq!(given, wanted.into_iter().map(|it| (it.id, it.rank)).collect::<Vec<_>>(), "{context}");
        }
    }
}

fn answers_agree(totals: &Totals, wanted: &oracle::Surveys, context: &str) {
    for (place, nps) in &wanted.nps {
        let (unit, port, wave) = key(place);
        let given = totals.nps(&unit, port, &wave);
        let counts = [given.n(), given.promoters, given.detractors].map(|count| count as i64);
        assert_eq!(counts, [nps.n, nps.promoters, nps.detractors], "{context}");
        assert_eq!(given.bp().map(i64::from), nps.points(), "{context}");
    }
    for (place, ces) in &wanted.ces {
        let (unit, port, wave) = key(place);
        let given = totals.ces(&unit, port, &wave);
        assert_eq!((given.n as i64, given.easy as i64), (ces.n, ces.easy), "{context}");
        assert_eq!(given.bp().map(i64::from), ces.rate_bp(), "{context}");
    }
}

fn same_tally(given: &LevelTally, wanted: &oracle::Outcomes, context: &str) {
    let counts = [given.met, given.breached, given.pending, given.withdrawn].map(|count| count as i64);
    assert_eq!(counts, [wanted.met, wanted.breached, wanted.pending, wanted.withdrawn], "{context}");
    assert_eq!(given.rate_bp().map(i64::from), wanted.rate_bp(), "{context}");
}

fn service_levels_agree(totals: &Totals, wanted: &oracle::Surveys, context: &str) {
    for ((of, port), wanted) in &wanted.service_levels {
        let port = port.as_ref().map(|port| ServicePort::from_name(port).unwrap());
        let given = totals.service_levels(&unit(of), port, None);
        same_tally(&given.acknowledgement, &wanted.acknowledge, context);
        same_tally(&given.first_resolution, &wanted.first, context);
        same_tally(&given.total, &wanted.total, context);
        let by_severity = ComplaintSeverity::ALL.iter().map(|it| totals.service_levels(&unit(of), port, Some(*it)));
        assert_eq!(by_severity.map(|it| it.complaints).sum::<u64>(), given.complaints, "{context}");
    }
}

fn classes_agree(totals: &Totals, wanted: &oracle::Population, context: &str) {
    let given = totals.classes(&Scope::default());
    let wanted_on = |axis: &str, value: &str| {
        wanted.totals.get(axis).and_then(|axis| axis.get(value)).copied().unwrap_or_default() as u64
    };
    assert_eq!(given.customers as i64, wanted.customers, "{context}");
    assert_eq!(given.withheld as i64, wanted.withheld, "{context}");
    for class in Class::ALL {
        assert_eq!(given.class(class), wanted_on("class", class.name()), "{context}");
    }
    for loyalty in Loyalty::ALL {
        assert_eq!(given.loyalty(loyalty), wanted_on("loyalty", loyalty.name()), "{context}");
    }
}

fn open_complaints_agree(totals: &Totals, wanted: &oracle::Population, context: &str) {
    let any = Narrow::default();
    let listed: Vec<_> = totals.open_complaints(&any, None).collect();
    assert!(listed.is_sorted_by_key(|(place, _)| *place), "{context}");
    let mut given: Vec<_> =
        listed.iter().map(|(place, it)| (place.customer, place.complaint.to_string(), it.case.is_overdue())).collect();
    given.sort();
    let open = wanted.open_complaints().into_iter();
    let mut wanted: Vec<_> = open.map(|(customer, it)| (customer, it.complaint_id.clone(), it.overdue())).collect();
    wanted.sort();
    assert_eq!(given, wanted, "{context}");
}

/// Counts of up to a million values, often close to each other; the oracle multiplies four of them in 128 bits.
fn counts() -> impl Strategy<Value = (u64, u64)> {
    (0_u32..20, 0_u64..1_000_000, 0.0..=1.0).prop_map(|(bits, n, share)| {
        let n = n >> bits;
        ((n as f64 * share) as u64, n)
    })
}

fn same_change(earlier: (u64, u64), later: (u64, u64)) {
    let given = |(satisfied, n)| Score { n, satisfied, top: 0, sum: 0 };
    let wanted = |(yes, n): (u64, u64)| oracle::Score { n: n as i64, yes: yes as i64, top: 0, sum: 0 };
    let difference = Difference::between(&given(earlier), &given(later), &Rules::default().satisfaction);
    let context = format!("{earlier:?} to {later:?}");
    same_difference(difference, oracle::compare(wanted(earlier), wanted(later)), &context);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn changes_agree_with_the_oracle(earlier in counts(), later in counts(), nudge in 0_u64..50) {
        same_change(earlier, later);
        same_change(earlier, ((earlier.0 + nudge).min(earlier.1), earlier.1));
    }
}

#[test]
fn the_histories_reach_what_the_laws_are_about() {
    let mut reached: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 0..POPULATIONS {
        let (arrived, instants) = population(seed);
        let (totals, wanted) = both(&arrived, *instants.last().unwrap(), None);
        *reached.entry("scores").or_default() += wanted.surveys.scores.len();
        *reached.entry("NPS").or_default() += wanted.surveys.nps.len();
        *reached.entry("CES").or_default() += wanted.surveys.ces.len();
        *reached.entry("service levels").or_default() += wanted.surveys.service_levels.len();
        *reached.entry("open complaints").or_default() += totals.open_complaints(&Narrow::default(), None).count();
        *reached.entry("withheld").or_default() += totals.classes(&Scope::default()).withheld as usize;
        *reached.entry("unresolved").or_default() += totals.unresolved as usize;
    }
    println!("{reached:?}");
    assert!(reached.values().all(|count| *count > 0), "{reached:?}");
}

#[test]
fn no_timer_is_without_effect() {
    let rules = Rules::default();
    for seed in 0..POPULATIONS {
        let (arrived, instants) = population(seed);
        let mut records: BTreeMap<CustomerId, Record> = BTreeMap::new();
        for recorded in arrived.iter().map(recorded) {
            records.entry(recorded.event.customer).or_default().file(&recorded);
        }
        for (record, as_of) in records.values().flat_map(|record| instants.iter().map(move |as_of| (record, *as_of))) {
            let mut moment = Moment::now(as_of);
            let answer = Satisfaction::answer(record, &rules, &mut moment);
            let until = moment.valid_until();
            // Not every event that comes to count changes something.
            if until < Timestamp::MAX && record.facts().all(|fact| fact.admitted_at() != until) {
                let then = Satisfaction::answer(record, &rules, &mut Moment::now(until));
                assert_ne!(answer, then, "seed {seed}, from {as_of} until {until}");
            }
        }
    }
}
