//! The laws of the domain, docs/views.md section 1, on nasty histories: the oracle must obey what it judges by.

use history::nasty::{self, Config};
use history::{Arrival, Order, Planned, arrange};
use oracle::{
    Churn, Customer, DEFAULT_SEGMENTS, Entry, History, Satisfaction, Segmentation, churn, customer, parse_segments,
    satisfaction, segmentation, stage_began,
};
use touchpoint::{Event, EventId, Timestamp, Touchpoint};

/// Customers that are tried by each law.
const CUSTOMERS: u64 = 120;
/// Of the instants at which an answer may change, every so many-th is tried.
const STRIDE: usize = 23;

/// Everything that is said about one customer.
type Answers = (Option<Customer>, Option<Segmentation>, Option<Churn>, Option<Satisfaction>);

fn answers(history: &History, as_of: Timestamp, known_at: Option<Timestamp>) -> Answers {
    let segments = parse_segments(DEFAULT_SEGMENTS).unwrap();
    (
        customer(history, as_of, known_at),
        segmentation(history, as_of, known_at, &segments),
        churn(history, as_of, known_at),
        satisfaction(history, as_of, known_at),
    )
}

/// The entries of a history that was imported after the last event happened.
fn entries(planned: &[Planned], order: Order) -> Vec<Entry> {
    let start = planned.iter().map(|item| item.recorded_at.max(item.event.occurred_at)).max().unwrap();
    let arrived = arrange(planned, Arrival { order, start, import: true });
    let entry =
        |one: history::Arrived| Entry { position: one.position.0, recorded_at: one.recorded_at, body: one.body };
    arrived.into_iter().map(entry).collect()
}

/// Calls the check with each customer's history and some instants.
fn for_each_customer(mut check: impl FnMut(&[Planned], &[Timestamp])) {
    for number in 0..CUSTOMERS {
        let told = nasty::customer(1, number, &Config::default());
        let instants: Vec<Timestamp> = told.interesting.iter().copied().step_by(STRIDE).collect();
        check(&told.planned, &instants);
    }
}

#[test]
fn any_order_of_arrival_gives_the_same_answers() {
    for_each_customer(|planned, instants| {
        let given = History::read(&entries(planned, Order::Given));
        let shuffled = History::read(&entries(planned, Order::Shuffled(7)));
        let reversed = History::read(&entries(planned, Order::Reversed));
        for as_of in instants {
            let expected = answers(&given, *as_of, None);
            assert_eq!(answers(&shuffled, *as_of, None), expected);
            assert_eq!(answers(&reversed, *as_of, None), expected);
        }
    });
}

#[test]
fn as_of_and_known_at_equal_a_history_of_what_they_admit() {
    let mut compared = 0;
    for_each_customer(|planned, instants| {
        let all = entries(planned, Order::Recorded);
        // Consent to profiling is always the present one, which the smaller history does not know.
        if all.iter().any(|entry| String::from_utf8_lossy(&entry.body).contains("PROFILING")) {
            return;
        }
        for (as_of, known_at) in instants.iter().zip(instants.iter().rev()) {
            let admitted: Vec<Entry> = all.iter().filter(|entry| admits(entry, *as_of, *known_at)).cloned().collect();
            let expected = answers(&History::read(&admitted), *as_of, None);
            assert_eq!(answers(&History::read(&all), *as_of, Some(*known_at)), expected);
            compared += usize::from(expected.0.is_some());
        }
    });
    assert!(compared > 100, "only {compared} were found");
}

fn admits(entry: &Entry, as_of: Timestamp, known_at: Timestamp) -> bool {
    let event = Event::decode(&entry.body).unwrap();
    let known = event.first_recorded_at.unwrap_or(entry.recorded_at) <= known_at;
    match event.body {
        Touchpoint::CustomerErased(_) => true,
        Touchpoint::EventVoided(_) => known,
        _ => known && event.occurred_at.min(entry.recorded_at) <= as_of,
    }
}

#[test]
fn a_voided_event_counts_for_nothing() {
    let mut voided = 0;
    for_each_customer(|planned, instants| {
        let all = entries(planned, Order::Given);
        let targets: Vec<EventId> = planned.iter().filter_map(target).collect();
        let is_target = |entry: &&Entry| {
            let event = Event::decode(&entry.body).unwrap();
            let untouchable = matches!(event.body, Touchpoint::EventVoided(_) | Touchpoint::CustomerErased(_));
            targets.contains(&event.id) && !untouchable
        };
        let left: Vec<Entry> = all.iter().filter(|entry| !is_target(entry)).cloned().collect();
        voided += all.len() - left.len();
        for as_of in instants {
            let expected = answers(&History::read(&left), *as_of, None);
            assert_eq!(answers(&History::read(&all), *as_of, None), expected);
        }
    });
    assert!(voided > 20, "only {voided} events were voided");
}

fn target(planned: &Planned) -> Option<EventId> {
    match &planned.event.body {
        Touchpoint::EventVoided(void) => void.target_event_id,
        _ => None,
    }
}

#[test]
fn a_stage_began_when_it_says() {
    for_each_customer(|planned, instants| {
        let history = History::read(&entries(planned, Order::Given));
        for as_of in instants {
            let Some(now) = customer(&history, *as_of, None) else {
                continue;
            };
            let stage_at = |micros| customer(&history, Timestamp::from_micros(micros), None).map(|found| found.stage);
            let began = stage_began(&history, *as_of, None).unwrap();
            assert!(began <= as_of.micros());
            assert_eq!(stage_at(began), Some(now.stage));
            assert_ne!(stage_at(began - 1), Some(now.stage));
        }
    });
}

#[test]
fn a_late_record_with_another_content_is_a_conflict() {
    let mut conflicts = 0;
    for number in 0..CUSTOMERS {
        let told = nasty::customer(2, number, &Config::default());
        let (planned, added) = nasty::with_conflicts(&told.planned, number);
        let history = History::read(&entries(&planned, Order::Given));
        assert_eq!(history.conflicts, added);
        conflicts += added;
    }
    assert!(conflicts > 20, "only {conflicts} conflicts");
}
