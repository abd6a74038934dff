//! Believable histories: the same every time, valid throughout, and sane enough to make good reports.

use std::collections::{BTreeMap, HashMap, HashSet};

use history::believable::{Config, Customer, Population};
use history::{Order, Planned};
use touchpoint::{Event, Kind, Metric, ServicePort, Timestamp, Touchpoint};

/// 2026-01-01T00:00:00Z.
const UNTIL: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);
/// An answer for this many customers says something about a project.
const ENOUGH_ANSWERS: u32 = 60;

fn population(customers: u64, seed: u64) -> Population {
    Population::new(Config::new(customers, seed, UNTIL))
}

fn bytes(customer: &Customer) -> Vec<Vec<u8>> {
    customer.planned.iter().map(Planned::import_body).collect()
}

#[test]
fn totals_of_the_demo_are_frozen() {
    let totals = population(10_000, 1).totals();
    insta::assert_debug_snapshot!(totals);
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let (one, same, other) = (population(200, 1), population(200, 1), population(200, 2));
    let all = |population: &Population| population.customers().map(|customer| bytes(&customer)).collect::<Vec<_>>();
    assert_eq!(all(&one), all(&same));
    assert_ne!(all(&one), all(&other));
}

#[test]
fn a_customer_is_the_same_in_any_part_of_the_population() {
    let population = population(300, 7);
    let in_order: Vec<_> = population.customers().collect();
    for number in [299, 0, 150] {
        assert_eq!(population.customer(number), in_order[number as usize]);
        assert_eq!(population.customer_id(number), in_order[number as usize].id);
    }
}

#[test]
fn every_event_is_valid_and_read_back_as_it_was() {
    for customer in population(3_000, 3).customers() {
        for planned in &customer.planned {
            let body = planned.import_body();
            let event = Event::decode(&body).unwrap_or_else(|broken| panic!("{broken}"));
            assert_eq!(event, planned.imported());
            assert_eq!(event.customer, customer.id);
        }
    }
}

#[test]
fn nothing_is_after_the_end_nor_recorded_before_it_happened() {
    for planned in population(3_000, 4).sent().0 {
        assert!(planned.event.occurred_at <= planned.recorded_at, "{planned:?}");
        assert!(planned.recorded_at <= UNTIL, "{planned:?}");
    }
}

#[test]
fn all_event_types_occur_in_a_demo() {
    let totals = population(10_000, 1).totals();
    let missing: Vec<_> = Kind::ALL.iter().filter(|kind| !totals.by_kind.contains_key(kind)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn totals_say_what_is_sent() {
    let population = population(2_000, 5);
    let (sent, totals) = population.sent();
    assert_eq!(sent.len() as u64, totals.sent());
    assert_eq!(totals, population.totals());
    let mut bodies: HashMap<_, Vec<u8>> = HashMap::new();
    let mut duplicates = 0;
    for planned in &sent {
        let body = planned.import_body();
        if let Some(first) = bodies.insert((planned.event.customer, planned.event.id), body.clone()) {
            assert_eq!(first, body, "a duplicate has the same bytes");
            duplicates += 1;
        }
    }
    assert_eq!(duplicates, totals.duplicates);
    assert_eq!(bodies.len() as u64, totals.events);
    assert!(totals.duplicates > 0 && totals.voided > 0 && totals.erased > 0 && totals.late > 0);
}

#[test]
fn what_is_sent_is_in_the_order_of_recording_but_for_duplicates() {
    let (sent, _) = population(1_000, 6).sent();
    let mut seen = HashSet::new();
    let first: Vec<_> = sent.iter().filter(|planned| seen.insert((planned.event.customer, planned.event.id))).collect();
    assert!(first.is_sorted_by_key(|planned| planned.recorded_at));
}

#[test]
fn customers_have_about_eight_events_with_a_long_tail() {
    let lengths: Vec<usize> = population(5_000, 8).customers().map(|customer| customer.planned.len()).collect();
    let mean = lengths.iter().sum::<usize>() as f64 / lengths.len() as f64;
    assert!((7.0..9.0).contains(&mean), "{mean}");
    assert!(lengths.iter().all(|length| *length >= 1));
    assert!(lengths.iter().any(|length| *length >= 60), "no long tail");
    assert!(lengths.iter().filter(|length| **length <= 4).count() * 2 > lengths.len(), "too few short ones");
}

#[test]
fn satisfaction_is_between_70_and_95_percent_and_differs_between_projects() {
    let mut answers: BTreeMap<(String, String), (u32, u32)> = BTreeMap::new();
    for planned in population(10_000, 1).customers().flat_map(|customer| customer.planned) {
        let project = planned.event.project.clone();
        if let Touchpoint::SurveyAnswered(answer) = planned.event.body
            && (answer.metric, answer.port) == (Metric::Csat, ServicePort::Overall)
            && let Some(score) = answer.score
        {
            let unit = (project.unwrap().to_string(), answer.wave_id.to_string());
            let (satisfied, all) = answers.entry(unit).or_default();
            *satisfied += u32::from(score.0 >= 4);
            *all += 1;
        }
    }
    let waves: HashSet<_> = answers.keys().map(|(_, wave)| wave.clone()).collect();
    assert_eq!(waves.len(), 5, "{waves:?}");
    let known = answers.into_iter().filter(|(_, (_, all))| *all >= ENOUGH_ANSWERS);
    let rates: Vec<_> = known.map(|(unit, (yes, all))| (unit, f64::from(yes) / f64::from(all))).collect();
    assert!(rates.len() >= 8, "{rates:?}");
    assert!(rates.iter().all(|(_, rate)| (0.62..=0.98).contains(rate)), "{rates:?}");
    let (low, high) = rates.iter().fold((1.0, 0.0), |(low, high), (_, rate)| (rate.min(low), rate.max(high)));
    assert!(high - low > 0.08, "{rates:?}");
}

#[test]
fn a_demo_can_be_arranged_into_a_log() {
    let (sent, _) = population(200, 9).sent();
    let arrival = history::Arrival { order: Order::Given, start: UNTIL, import: true };
    let log = history::arrange(&sent, arrival);
    assert_eq!(log.len(), sent.len());
    assert!(log.iter().all(|arrived| arrived.recorded_at == UNTIL));
}
