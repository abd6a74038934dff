//! An answer holds up to its valid_until.

use touchpoint::Timestamp;
use views::churn::Churn;
use views::satisfaction::Satisfaction;
use views::segmentation::Segmentation;
use views::{Moment, View};

use crate::laws::history::Case;

const HISTORIES: u64 = 1_500;

fn holds<V: View>(case: &Case)
where
    V::Answer: PartialEq + std::fmt::Debug,
{
    for (as_of, known_at) in case.moments() {
        let mut moment = Moment::new(as_of, known_at);
        let answer = V::answer(&case.record, &case.rules, &mut moment);
        let until = moment.valid_until();
        let span = until.since(as_of).clamp(1, 4_000 * Timestamp::DAY);
        let inside = [0, span / 7, span / 2, span - 1].map(|after| as_of.plus_micros(after));
        let borders = case.interesting.iter().copied().filter(|at| (as_of..until).contains(at)).take(5);
        for later in inside.into_iter().chain(borders) {
            let again = V::answer(&case.record, &case.rules, &mut Moment::new(later, known_at));
            let seed = case.seed;
            assert_eq!(again, answer, "seed {seed} {} at {as_of} until {until}, but at {later}", V::NAME);
        }
    }
}

#[test]
fn an_answer_is_constant_up_to_valid_until() {
    for case in (0..HISTORIES).map(Case::new) {
        holds::<Churn>(&case);
        holds::<Segmentation>(&case);
        holds::<Satisfaction>(&case);
    }
}
