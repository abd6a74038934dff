//! Any order of arrival, any duplication: the same facts, the same content digest, the same answers.

use history::{Arrival, Order, arrange};
use touchpoint::Timestamp;
use views::churn::Churn;
use views::rules::Rules;
use views::satisfaction::Satisfaction;
use views::segmentation::Segmentation;
use views::{Moment, Record, View};

use crate::history::{Case, fold};

const HISTORIES: u64 = 1_500;

/// The same events under import, so that known_at asks the history and not the order of arrival.
fn arrived(case: &Case, order: Order) -> Record {
    let after_all = case.planned.iter().map(|it| it.recorded_at.max(it.event.occurred_at)).max();
    let start = after_all.unwrap_or(Timestamp::MIN);
    fold(&arrange(&case.planned, Arrival { order, start, import: true }))
}

fn same_answers<V: View>(one: &Record, other: &Record, case: &Case, rules: &Rules)
where
    V::Answer: PartialEq + std::fmt::Debug,
{
    for (as_of, known_at) in case.moments() {
        let answer = |record| V::answer(record, rules, &mut Moment::new(as_of, known_at));
        assert_eq!(answer(one), answer(other), "seed {} {} at {as_of} known at {known_at:?}", case.seed, V::NAME);
    }
}

#[test]
fn any_order_of_arrival_gives_the_same_answers_and_content_digest() {
    let rules = Rules::default();
    for case in (0..HISTORIES).filter(|seed| seed % 5 != 0).map(Case::new) {
        let in_order = arrived(&case, Order::Occurred);
        for order in [Order::Reversed, Order::Shuffled(case.seed), Order::Shuffled(case.seed + 1)] {
            let other = arrived(&case, order);
            let digests = [&in_order, &other].map(|record| record.digests(case.customer).content);
            assert_eq!(digests[0], digests[1], "seed {}", case.seed);
            same_answers::<Churn>(&in_order, &other, &case, &rules);
            same_answers::<Segmentation>(&in_order, &other, &case, &rules);
            same_answers::<Satisfaction>(&in_order, &other, &case, &rules);
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
