//! Any order of arrival, any duplication: the same facts, the same content digest, the same answers.

use history::{Arrival, Arrived, Order, arrange, nasty};
use touchpoint::{Event, Recorded, Timestamp};
use views::churn::Churn;
use views::satisfaction::Satisfaction;
use views::segmentation::Segmentation;
use views::{Filing, Moment, Record, View};

use crate::laws::history::{Case, fold};

const HISTORIES: u64 = 1_500;

/// The same events under import, so that known_at asks the history and not the order of arrival.
fn arrived(case: &Case, order: Order) -> Record {
    let after_all = case.planned.iter().map(|it| it.recorded_at.max(it.event.occurred_at)).max();
    let start = after_all.unwrap_or(Timestamp::MIN);
    fold(&arrange(&case.planned, Arrival { order, start, import: true }))
}

fn same_answers<V: View>(one: &Record, other: &Record, case: &Case)
where
    V::Answer: PartialEq + std::fmt::Debug,
{
    for (as_of, known_at) in case.moments() {
        let answer = |record| V::answer(record, &case.rules, &mut Moment::new(as_of, known_at));
        assert_eq!(answer(one), answer(other), "seed {} {} at {as_of} known at {known_at:?}", case.seed, V::NAME);
    }
}

#[test]
fn any_order_of_arrival_gives_the_same_answers_and_content_digest() {
    for case in (0..HISTORIES).filter(|seed| seed % 5 != 0).map(Case::new) {
        let in_order = arrived(&case, Order::Occurred);
        for order in [Order::Reversed, Order::Shuffled(case.seed), Order::Shuffled(case.seed + 1)] {
            let other = arrived(&case, order);
            let digests = [&in_order, &other].map(|record| record.digests(case.customer).content);
            assert_eq!(digests[0], digests[1], "seed {}", case.seed);
            same_answers::<Churn>(&in_order, &other, &case);
            same_answers::<Segmentation>(&in_order, &other, &case);
            same_answers::<Satisfaction>(&in_order, &other, &case);
        }
    }
}

#[test]
fn the_same_log_twice_over_has_no_second_effect() {
    for case in (0..HISTORIES).map(Case::new) {
        let twice = fold(case.arrived.iter().chain(&case.arrived));
        assert_eq!(twice, case.record, "seed {}", case.seed);
    }
}

#[test]
fn a_record_is_read_back_from_its_bytes() {
    for case in (0..HISTORIES).map(Case::new) {
        assert_eq!(Record::from_bytes(case.record.as_bytes()), Ok(case.record), "seed {}", case.seed);
    }
}

/// A view judges whether the content is another one by what it keeps of it.
#[test]
fn another_content_under_an_id_changes_nothing() {
    let simple = |seed: &u64| seed % 5 > 1;
    let mut seen = [0; 2];
    for case in (0..HISTORIES).filter(simple).map(Case::new).filter(|case| !case.record.is_erased()) {
        let (all, added) = nasty::with_conflicts(&case.planned, case.seed);
        let log = arrange(&all, Arrival { order: Order::Recorded, start: Timestamp::MIN, import: true });
        let mut record = Record::default();
        for it in &log {
            let event = Event::decode(&it.body).unwrap();
            let first = &case.planned.iter().find(|first| first.event.id == event.id).unwrap().event;
            let same_is_kept = event.occurred_at == first.occurred_at;
            let filing = record.file(&Recorded { position: it.position, recorded_at: it.recorded_at, event });
            if it.index >= case.planned.len() {
                assert_eq!(
                    filing,
                    if same_is_kept { Filing::Duplicate } else { Filing::Conflict },
                    "seed {}",
                    case.seed
                );
                seen[usize::from(same_is_kept)] += 1;
            }
        }
        let entry = |it: &Arrived| oracle::Entry {
            position: it.position.0,
            recorded_at: it.recorded_at,
            body: it.body.clone(),
        };
        let seen_by_all = oracle::History::read(&log.iter().map(entry).collect::<Vec<_>>()).conflicts;
        assert_eq!(seen_by_all, added, "seed {}", case.seed);
        let without = fold(&log.into_iter().filter(|it| it.index < case.planned.len()).collect::<Vec<_>>());
        same_answers::<Churn>(&without, &record, &case);
        same_answers::<Segmentation>(&without, &record, &case);
        same_answers::<Satisfaction>(&without, &record, &case);
    }
    assert!(seen.iter().all(|count| *count > 100), "{seen:?}");
}
