//! Rules that come in force in the course of a history: every answer is by those that were the default then, and lists
//! are as if they had been made with them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::activations::{fold, rules, with_activations};
use crate::support::population;
use history::Order;
use projector::{Entry, Generation};
use touchpoint::{CustomerId, MAX_CLOCK_LEAD, Position, Timestamp};
use views::churn::Churn;
use views::rules::Rules;
use views::satisfaction::Satisfaction;
use views::segmentation::Segmentation;
use views::{Moment, View};

const POPULATIONS: u64 = 4;
const CUSTOMERS: u64 = 40;
const ACTIVATIONS: u32 = 4;
const INSTANTS: usize = 8;

/// The default then, as it is told in the documents.
fn default_then(activations: &[Entry], known_at: Option<Timestamp>) -> Rules {
    let known = activations.iter().filter(|it| known_at.is_none_or(|known_at| it.recorded_at <= known_at)).count();
    rules(known.max(1) as u32)
}

fn customers(entries: &[Entry]) -> BTreeSet<CustomerId> {
    entries.iter().filter_map(|it| it.customer).collect()
}

/// The answers and totals at many instants, known at many others, are those of a plain evaluation with the rules that
/// were the default then.
fn answers_are_by_the_default_then<V: View<Answer: PartialEq + Debug>>(seed: u64)
where
    V::Totals: PartialEq + Debug,
{
    let (entries, mut instants) = population(seed, CUSTOMERS, Order::Recorded);
    let (entries, activations) = with_activations(entries, ACTIVATIONS);
    let plain: Vec<_> = entries.iter().filter(|it| !activations.contains(it)).cloned().collect();
    let told = fold::<V>(&entries, Rules::default(), 50, seed.is_multiple_of(2));
    let plain = fold::<V>(&plain, Rules::default(), plain.len(), false);
    assert_eq!(told.digests().1, plain.digests().1, "digests do not depend on rules");
    let known: Vec<_> = activations.iter().flat_map(|it| [it.recorded_at, it.recorded_at.plus_micros(-1)]).collect();
    instants = instants.iter().step_by((instants.len() / INSTANTS).max(1)).copied().collect();
    for as_of in instants {
        for known_at in known.iter().copied().map(Some).chain([None, Some(as_of)]) {
            let (edition, wanted) = (told.rules_at(known_at, Position::MAX), default_then(&activations, known_at));
            assert_eq!(edition.version, wanted.version().to_string(), "known at {known_at:?}");
            let answer = |generation: &Generation<V>, rules: &Rules, customer| {
                generation.answer(customer, rules, &mut Moment::new(as_of, known_at))
            };
            for customer in customers(&entries) {
                let [given, wanted] = [answer(&told, &edition.rules, customer), answer(&plain, &wanted, customer)];
                assert_eq!(given, wanted, "seed {seed} {} at {as_of} {known_at:?}", V::NAME);
            }
            let [given, wanted] = [(&told, &edition.rules), (&plain, &wanted)]
                .map(|(generation, rules)| generation.totals_at(rules, Moment::new(as_of, known_at)));
            assert_eq!(given, wanted, "seed {seed} {} at {as_of} {known_at:?}", V::NAME);
        }
    }
}

/// A log up to a position is answered from as a log that ends there, rules included; but for what is always present.
fn a_position_ends_the_log<V: View<Answer: PartialEq + Debug>>(seed: u64)
where
    V::Totals: PartialEq + Debug,
{
    let (entries, _) = population(seed, CUSTOMERS, Order::Shuffled(seed));
    let present = |it: &&Entry| {
        [&b"CustomerErased"[..], b"Consent"].iter().any(|kind| it.body.windows(kind.len()).any(|part| part == *kind))
    };
    let always: BTreeSet<_> = entries.iter().filter(present).filter_map(|it| it.customer).collect();
    let entries = entries.into_iter().filter(|it| it.customer.is_none_or(|customer| !always.contains(&customer)));
    let entries: Vec<_> = (1..).map(Position).zip(entries).map(|(position, it)| Entry { position, ..it }).collect();
    let (entries, activations) = with_activations(entries, ACTIVATIONS);
    let whole = fold::<V>(&entries, Rules::default(), 50, true);
    let now = entries.iter().map(|it| it.recorded_at).max().unwrap();
    let ends = activations.iter().flat_map(|it| [it.position, Position(it.position.0 - 1)]);
    for end in ends.chain((1..=entries.len() as u64).step_by(entries.len() / INSTANTS).map(Position)) {
        let short = fold::<V>(&entries[..end.0 as usize], Rules::default(), 50, true);
        for known_at in [None, Some(now.plus_days(-400))] {
            let editions = [whole.rules_at(known_at, end), short.rules_at(known_at, Position::MAX)];
            // Before the first activation it is asked for by the first one, as long as that is in the log.
            if activations[0].position <= end {
                assert_eq!(editions[0].version, editions[1].version, "up to {end}");
            }
            let rules = &editions[0].rules;
            let moment = Moment::new(now, known_at);
            let answer = |generation: &Generation<V>, moment: &Moment, customer| {
                generation.answer(customer, rules, &mut moment.clone())
            };
            for customer in customers(&entries) {
                let cut = answer(&whole, &moment.clone().up_to(end), customer);
                assert_eq!(cut, answer(&short, &moment, customer), "seed {seed} {} up to {end}", V::NAME);
            }
            let totals = [whole.totals_at(rules, moment.clone().up_to(end)), short.totals_at(rules, moment)];
            assert_eq!(totals[0], totals[1], "seed {seed} {} up to {end}", V::NAME);
        }
    }
}

#[test]
fn a_position_ends_the_log_for_churn() {
    (0..POPULATIONS).for_each(a_position_ends_the_log::<Churn>);
}

#[test]
fn a_position_ends_the_log_for_segmentation() {
    (0..POPULATIONS).for_each(a_position_ends_the_log::<Segmentation>);
}

#[test]
fn a_position_ends_the_log_for_satisfaction() {
    (0..POPULATIONS).for_each(a_position_ends_the_log::<Satisfaction>);
}

#[test]
fn answers_of_churn_are_by_the_default_then() {
    (0..POPULATIONS).for_each(answers_are_by_the_default_then::<Churn>);
}

#[test]
fn answers_of_segmentation_are_by_the_default_then() {
    (0..POPULATIONS).for_each(answers_are_by_the_default_then::<Segmentation>);
}

#[test]
fn answers_of_satisfaction_are_by_the_default_then() {
    (0..POPULATIONS).for_each(answers_are_by_the_default_then::<Satisfaction>);
}

/// Lists that went over to other rules are those that a fresh start with these rules makes; at once, and ever after.
fn lists_are_as_of_a_fresh_start<V: View>(seed: u64)
where
    V::Totals: PartialEq + Debug,
{
    let (entries, _) = population(seed, CUSTOMERS, Order::Recorded);
    let (entries, _) = with_activations(entries, ACTIVATIONS);
    let told = fold::<V>(&entries[..1], Rules::default(), 1, true);
    let mut seen = BTreeSet::new();
    // Activations are inside of batches, and at both ends of them.
    for (index, part) in entries[1..].chunks(7).enumerate() {
        let last = part.last().unwrap();
        told.fold(&crate::support::batch_of(part.to_vec(), last.position).unwrap(), last.recorded_at);
        if index % 20 > 0 && part.iter().all(|it| it.customer.is_some()) {
            continue;
        }
        let own = told.rules_at(None, Position::MAX);
        let plain: Vec<_> = entries[..last.position.0 as usize].iter().filter(|it| it.customer.is_some()).collect();
        let plain: Vec<_> = plain.into_iter().cloned().collect();
        let fresh = fold::<V>(&plain, own.rules.clone(), plain.len(), false);
        for at in [last.recorded_at, last.recorded_at.plus_days(40)] {
            let wanted = fresh.totals_at(&own.rules, Moment::now(at));
            told.totals(at, |totals, as_of, edition| {
                assert_eq!((as_of, &edition.version), (at, &own.version));
                assert_eq!(*totals, wanted, "seed {seed} {} at {at}", V::NAME);
            });
        }
        seen.insert(own.version.clone());
    }
    assert_eq!(seen.len(), 1 + ACTIVATIONS as usize);
}

#[test]
fn lists_of_churn_are_as_of_a_fresh_start() {
    (0..POPULATIONS).for_each(lists_are_as_of_a_fresh_start::<Churn>);
}

#[test]
fn lists_of_segmentation_are_as_of_a_fresh_start() {
    (0..POPULATIONS).for_each(lists_are_as_of_a_fresh_start::<Segmentation>);
}

#[test]
fn lists_of_satisfaction_are_as_of_a_fresh_start() {
    (0..POPULATIONS).for_each(lists_are_as_of_a_fresh_start::<Satisfaction>);
}

/// Who reads all the time, and lets time pass, sees totals of one version's rules or of another's, never a half.
#[test]
fn no_reader_sees_a_half() {
    let (entries, _) = population(11, 200, Order::Recorded);
    let now = entries.last().unwrap().recorded_at;
    // As far ahead as clocks may be.
    let then = now.plus_micros(MAX_CLOCK_LEAD);
    let end = entries.last().unwrap().position;
    let told = fold::<Churn>(&entries, Rules::default(), entries.len(), false);
    let all: Vec<_> = (0..8).map(|number| if number == 0 { Rules::default() } else { rules(number) }).collect();
    let wanted: BTreeMap<_, _> =
        all.iter().map(|rules| (rules.version().to_string(), told.totals_at(rules, Moment::now(then)))).collect();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let read = || {
            let (mut reads, mut versions) = (0_u32, BTreeSet::new());
            while !done.load(Ordering::Relaxed) || reads == 0 {
                told.totals(then, |totals, as_of, edition| {
                    assert_eq!(as_of, then);
                    assert_eq!(totals, &wanted[&edition.version]);
                    versions.insert(edition.version.clone());
                });
                reads += 1;
            }
            versions.len()
        };
        let readers = [scope.spawn(read), scope.spawn(read)];
        for (position, rules) in (end.0 + 1..).zip(&all[1..]) {
            let entry = crate::support::activations::activation(Position(position), now, rules);
            // Its clock is behind the readers': what they have seen does not go back.
            told.fold(&crate::support::batch_of(vec![entry], Position(position)).unwrap(), now);
        }
        done.store(true, Ordering::Relaxed);
        let seen: Vec<_> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
        assert!(seen.iter().all(|versions| *versions > 0), "{seen:?}");
    });
    assert_eq!(told.rules_at(None, Position::MAX).version, all[7].version().to_string());
}
