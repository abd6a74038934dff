//! Two rules beside each other: what is served, less who leaves their place, plus who takes one, is what the other rules
//! would serve.

use std::fmt::Debug;
use std::sync::Arc;

use crate::support::{batch_of, origin, population};
use history::Order;
use projector::{Entry, Generation};
use touchpoint::{CustomerId, Position, Timestamp};
use views::churn::Churn;
use views::rules::Rules;
use views::satisfaction::Satisfaction;
use views::segmentation::Segmentation;
use views::{Moment, Sign, View};

const POPULATIONS: u64 = 6;
const CUSTOMERS: u64 = 60;
const INSTANTS: usize = 12;

/// Rules under which many move, on every axis.
fn candidate() -> Rules {
    let text = "
        [lifecycle]
        lost_after_days = 20
        [service_levels.resolve_hours]
        HIGH = 2
        [satisfaction]
        window_days = 60
        satisfied_from = 70
        [segmentation]
        recency_days = [2, 9, 18, 36]
        monetary_from_fen = [6_000_000, 3_000_000, 1_500_000]
        [segmentation.tier.from]
        VIP = 40
        HIGH = 20
        MID = 10
        [churn.band_from]
        MEDIUM = 0.1
        [churn.reasons.SILENCE]
        points_per_gap = 0.1
        [[segments]]
        name = \"in_doubt\"
        when = { stage = [\"LEAD\", \"PROSPECT\", \"LOST\"] }
    ";
    Rules::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn fold<V: View>(entries: &[Entry], rules: Rules) -> Generation<V> {
    let generation = Generation::on_threads(2, origin(), Arc::new(rules));
    let last = entries.last().unwrap();
    generation.fold(&batch_of(entries.to_vec(), last.position).unwrap(), last.recorded_at);
    generation.go_live(last.recorded_at);
    generation
}

/// Who moves, from where, to where.
struct Moves<V: View>(Vec<(CustomerId, [V::Placement; 2])>);

impl<V: View> Default for Moves<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

fn beside<V: View<Answer: PartialEq>>(generation: &Generation<V>, other: &Rules, moment: &Moment) -> Moves<V> {
    let add = |moves: &mut Moves<V>, customer, answers: [&V::Answer; 2]| {
        if answers[0] != answers[1] {
            moves.0.push((customer, answers.map(V::placement)));
        }
    };
    generation.sum_beside([&Rules::default(), other], moment, add, |moves, more| moves.0.extend(more.0))
}

fn hold<V: View<Answer: PartialEq>>(seed: u64)
where
    V::Totals: PartialEq + Debug,
{
    let (entries, instants) = population(seed, CUSTOMERS, Order::Recorded);
    let (served, other) = (fold::<V>(&entries, Rules::default()), fold::<V>(&entries, candidate()));
    let step = (instants.len() / INSTANTS).max(1);
    let mut moved = 0;
    for at in instants.into_iter().step_by(step) {
        for known_at in [None, Some(at)] {
            let moment = Moment::new(at, known_at).up_to(served.position());
            let moves = beside(&served, &candidate(), &moment);
            let mut totals = served.totals_at(&Rules::default(), Moment::new(at, known_at));
            for (customer, [from, to]) in &moves.0 {
                V::place(&mut totals, *customer, from, Sign::Remove);
                V::place(&mut totals, *customer, to, Sign::Add);
            }
            moved += moves.0.len();
            assert_eq!(
                totals,
                other.totals_at(&candidate(), Moment::new(at, known_at)),
                "seed {seed} {} at {at} {known_at:?}",
                V::NAME
            );
            assert!(beside(&served, &Rules::default(), &moment).0.is_empty(), "the same rules move nobody");
        }
    }
    assert!(moved > 0, "somebody moves in {}", V::NAME);
}

#[test]
fn moves_of_churn_lead_to_the_other_totals() {
    (0..POPULATIONS).for_each(hold::<Churn>);
}

#[test]
fn moves_of_segmentation_lead_to_the_other_totals() {
    (0..POPULATIONS).for_each(hold::<Segmentation>);
}

#[test]
fn moves_of_satisfaction_lead_to_the_other_totals() {
    (0..POPULATIONS).for_each(hold::<Satisfaction>);
}

#[test]
fn nothing_after_the_position_counts() {
    let (entries, _) = population(3, CUSTOMERS, Order::Recorded);
    let generation = fold::<Churn>(&entries, Rules::default());
    let now = entries.last().unwrap().recorded_at;
    let count = |moment: &Moment| {
        let add = |count: &mut usize, _, _: [&_; 2]| *count += 1;
        generation.sum_beside([&Rules::default(), &candidate()], moment, add, |count, more| *count += more)
    };
    assert!(count(&Moment::now(now)) > 2);
    let early = count(&Moment::new(Timestamp::MAX, None).up_to(Position(2)));
    assert!(early <= 2, "{early}");
}
