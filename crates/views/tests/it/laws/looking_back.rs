//! Looking back is exact: as_of and known_at give what a fresh fold of only the admitted events gives.

use touchpoint::{ConsentPurpose, Event, Timestamp, Touchpoint};
use views::churn::Churn;
use views::satisfaction::Satisfaction;
use views::segmentation::Segmentation;
use views::{Moment, Record, View};

use crate::laws::history::{Case, fold};

const HISTORIES: u64 = 1_500;

/// Only what is admitted at that moment, and what the domain exempts: voids from as_of, erasures from both.
fn admitted(case: &Case, as_of: Timestamp, known_at: Option<Timestamp>) -> Record {
    let keep = case.arrived.iter().filter(|it| {
        let Ok(event) = Event::decode(&it.body) else {
            return known_at.is_none_or(|limit| it.recorded_at <= limit);
        };
        let known = known_at.is_none_or(|limit| event.first_recorded_at.unwrap_or(it.recorded_at) <= limit);
        match &event.body {
            Touchpoint::CustomerErased(_) => true,
            Touchpoint::EventVoided(_) => known,
            _ => known && event.occurred_at.min(it.recorded_at) <= as_of,
        }
    });
    fold(keep)
}

/// Consent to profiling is always the present one; who ever answered about it is left to the oracle.
fn asked_about_profiling(case: &Case) -> bool {
    case.planned.iter().any(|it| match &it.event.body {
        Touchpoint::ConsentGranted(it) => it.purpose == ConsentPurpose::Profiling,
        Touchpoint::ConsentWithdrawn(it) => it.purpose == ConsentPurpose::Profiling,
        _ => false,
    })
}

fn same<V: View>(case: &Case)
where
    V::Answer: PartialEq + std::fmt::Debug,
{
    for (as_of, known_at) in case.moments() {
        let back = V::answer(&case.record, &case.rules, &mut Moment::new(as_of, known_at));
        let fresh = V::answer(&admitted(case, as_of, known_at), &case.rules, &mut Moment::now(as_of));
        assert_eq!(back, fresh, "seed {} {} at {as_of} known at {known_at:?}", case.seed, V::NAME);
    }
}

#[test]
fn looking_back_equals_a_fresh_fold_of_the_admitted_events() {
    for case in (0..HISTORIES).map(Case::new).filter(|case| !asked_about_profiling(case)) {
        same::<Churn>(&case);
        same::<Segmentation>(&case);
        same::<Satisfaction>(&case);
    }
}

#[test]
fn a_log_cut_short_is_what_up_to_sees() {
    for case in (0..HISTORIES).map(Case::new).filter(|case| !asked_about_profiling(case) && !case.record.is_erased()) {
        let cut = case.arrived.len() / 2;
        let Some(last) = case.arrived[..cut].last() else { continue };
        let short = fold(&case.arrived[..cut]);
        for as_of in case.instants() {
            let whole = Churn::answer(&case.record, &case.rules, &mut Moment::now(as_of).up_to(last.position));
            assert_eq!(whole, Churn::answer(&short, &case.rules, &mut Moment::now(as_of)), "seed {}", case.seed);
        }
    }
}
