//! Lists and totals at t equal evaluating every customer at t, for many t with no event in between; and any split into
//! batches gives the same.

use std::fmt::Debug;
use std::sync::Arc;

use crate::support::{batch_of, origin, population};
use history::Order;
use projector::{Entry, Generation};
use touchpoint::{Position, Timestamp};
use views::churn::Churn;
use views::rules::Rules;
use views::satisfaction::Satisfaction;
use views::segmentation::Segmentation;
use views::{Moment, View};

const POPULATIONS: u64 = 12;
const SPLIT_POPULATIONS: u64 = 4;
const CUSTOMERS: u64 = 60;
const INSTANTS: usize = 60;

fn fold<'e, V: View>(batches: impl Iterator<Item = &'e [Entry]>, live: bool) -> Generation<V> {
    let generation = Generation::on_threads(if live { 1 } else { 2 }, origin(), Arc::new(Rules::default()));
    let mut now = Timestamp::MIN;
    if live {
        generation.go_live(now);
    }
    for part in batches {
        now = recorded(part);
        generation.fold(&batch_of(part.to_vec(), part.last().unwrap().position).unwrap(), now);
    }
    if !live {
        generation.go_live(now);
    }
    generation
}

/// When the last of these was recorded.
fn recorded(entries: &[Entry]) -> Timestamp {
    entries.last().unwrap().recorded_at
}

fn hold<V: View>(seed: u64)
where
    V::Totals: PartialEq + Debug,
{
    let (entries, instants) = population(seed, CUSTOMERS, Order::Recorded);
    let moved = fold::<V>(entries.chunks(7 + seed as usize), true);
    let built = fold::<V>(entries.chunks(1_000), false);
    let now = recorded(&entries);
    let later: Vec<_> = instants.into_iter().filter(|at| *at >= now).collect();
    let step = (later.len() / INSTANTS).max(1);
    for at in std::iter::once(now).chain(later.into_iter().step_by(step)) {
        let fresh = built.totals_at(&Rules::default(), Moment::now(at));
        moved.totals(at, |totals, as_of, _| {
            assert_eq!(as_of, at);
            assert_eq!(*totals, fresh, "moved one by one, seed {seed} {} at {at}", V::NAME);
        });
        built.totals(at, |totals, _, _| assert_eq!(*totals, fresh, "built at once, seed {seed} {} at {at}", V::NAME));
    }
}

#[test]
fn lists_and_totals_of_churn_hold_at_every_instant() {
    (0..POPULATIONS).for_each(hold::<Churn>);
}

#[test]
fn lists_and_totals_of_segmentation_hold_at_every_instant() {
    (0..POPULATIONS).for_each(hold::<Segmentation>);
}

#[test]
fn lists_and_totals_of_satisfaction_hold_at_every_instant() {
    (0..POPULATIONS).for_each(hold::<Satisfaction>);
}

/// Batches of equal sizes, and of one size after the other, over and over.
const SPLITS: [&[usize]; 5] = [&[1], &[2], &[17], &[100], &[1, 40, 3, 250, 2]];

fn split<'e>(entries: &'e [Entry], sizes: &'static [usize]) -> impl Iterator<Item = &'e [Entry]> {
    let (mut rest, mut sizes) = (entries, sizes.iter().cycle());
    std::iter::from_fn(move || {
        let (part, after) = rest.split_at((*sizes.next()?).min(rest.len()));
        rest = after;
        (!part.is_empty()).then_some(part)
    })
}

fn any_split<V: View>(seed: u64)
where
    V::Totals: PartialEq + Debug,
{
    let (entries, instants) = population(seed, CUSTOMERS, Order::Shuffled(seed));
    let whole = fold::<V>(std::iter::once(&entries[..]), true);
    let now = recorded(&entries);
    let later: Vec<_> = instants.into_iter().filter(|at| *at > now).collect();
    let instants: Vec<_> = later.iter().copied().step_by((later.len() / 6).max(1)).collect();
    for sizes in SPLITS {
        let parts = fold::<V>(split(&entries, sizes), true);
        assert_eq!(parts.digests(), whole.digests(), "seed {seed} {} {sizes:?}", V::NAME);
        for at in std::iter::once(now).chain(instants.iter().copied()) {
            whole.totals(at, |one, _, _| {
                parts.totals(at, |other, _, _| assert_eq!(one, other, "seed {seed} {} {sizes:?} at {at}", V::NAME));
            });
        }
    }
}

#[test]
fn any_split_into_batches_gives_the_same_digests_lists_and_totals() {
    (100..100 + SPLIT_POPULATIONS).for_each(|seed| {
        any_split::<Churn>(seed);
        any_split::<Segmentation>(seed);
        any_split::<Satisfaction>(seed);
    });
}

#[test]
fn many_threads_fold_as_one_does() {
    let (entries, _) = population(7, 1_000, Order::Recorded);
    let end = entries.last().unwrap().position;
    let on_threads = |threads, batch| {
        let generation = Generation::<Churn>::on_threads(threads, origin(), Arc::new(Rules::default()));
        entries.chunks(batch).for_each(|part| generation.fold(&batch_of(part.to_vec(), end).unwrap(), recorded(part)));
        generation.go_live(recorded(&entries));
        generation
    };
    let one = on_threads(1, 10);
    assert!(entries.len() > 10_000, "enough for several threads, not {}", entries.len());
    for many in [on_threads(2, entries.len()), on_threads(5, 6_000)] {
        assert_eq!(many.digests(), one.digests());
        let now = recorded(&entries);
        assert!(one.totals(now, |totals, _, _| many.totals(now, |others, _, _| totals == others)), "other lists");
    }
}

#[test]
fn any_order_of_arrival_gives_the_same_content_digest() {
    let digest = |order| fold::<Churn>(population(5, CUSTOMERS, order).0.chunks(50), true).digests().1.content;
    let in_order = digest(Order::Occurred);
    for order in [Order::Recorded, Order::Reversed, Order::Shuffled(1), Order::Shuffled(2)] {
        assert_eq!(digest(order), in_order);
    }
}

#[test]
fn an_event_again_has_no_second_effect() {
    let (entries, _) = population(6, CUSTOMERS, Order::Recorded);
    let end = entries.last().unwrap().position.0;
    let again = entries.iter().map(|entry| Entry { position: Position(end + entry.position.0), ..entry.clone() });
    let twice: Vec<_> = entries.iter().cloned().chain(again).collect();
    let (once, twice) = (fold::<Churn>(entries.chunks(50), true), fold::<Churn>(twice.chunks(50), true));
    assert_eq!(once.digests().1, twice.digests().1);
}
