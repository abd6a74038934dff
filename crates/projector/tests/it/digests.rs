//! Digests are always of the position that they are reported with, whoever folds meanwhile.

use std::collections::{HashMap, HashSet};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Weak};
use std::thread;

use crate::support::{batch_of, origin, population};
use history::Order;
use projector::{Checkpoint, Entry, Generation};
use touchpoint::{CustomerId, Event, Position, Recorded, Timestamp};
use views::churn::Churn;
use views::rules::Rules;
use views::{Digests, Record};

const CUSTOMERS: u64 = 800;
/// Of so many positions digests must have been asked for: a slip is rare.
const POSITIONS_AT_LEAST: usize = 2_000;
/// Threads that ask for digests.
const READERS: usize = 2;

/// A position, and the digests that were said to be of it.
type Answer = (Checkpoint, Digests);

/// Asks again and again while the other thread folds, and tells of every answer that is not the last one again.
fn ask(generation: &Generation<Churn>, folding: &Weak<()>, answers: &Sender<Answer>) {
    let mut last = None;
    while folding.strong_count() > 0 {
        let answer = generation.digests();
        if last != Some(answer) {
            last = Some(answer);
            if answers.send(answer).is_err() {
                return;
            }
        }
    }
}

/// Folds event by event while other threads ask; gives all answers that they got. After each event an answer is waited
/// for, so that none of the threads is far ahead of the others on a busy machine.
fn answers_while_folding(generation: &Generation<Churn>, entries: &[Entry]) -> Vec<Answer> {
    let end = entries.last().unwrap().position;
    thread::scope(|scope| {
        let folding = Arc::new(());
        let (sender, answers) = channel();
        for _ in 0..READERS {
            let (folding, sender) = (Arc::downgrade(&folding), sender.clone());
            scope.spawn(move || ask(generation, &folding, &sender));
        }
        drop(sender);
        let mut all = Vec::new();
        for entry in entries {
            generation.fold(&batch_of(vec![entry.clone()], end).unwrap(), Timestamp::MIN);
            all.push(answers.recv().unwrap());
            all.extend(answers.try_iter());
        }
        all
    })
}

/// What is to be said at each position: records that are filed one event after the other on this thread.
fn wanted(entries: &[Entry]) -> HashMap<Position, Answer> {
    let mut records: HashMap<CustomerId, Record> = HashMap::new();
    let mut sum = Digests::default();
    let mut answers = HashMap::from([(Position::ZERO, (origin(), sum))]);
    for entry in entries {
        let Entry { position, recorded_at, customer, body } = entry;
        if let Some(customer) = customer {
            let event = Event::decode(body).unwrap();
            let recorded = Recorded { position: *position, recorded_at: *recorded_at, event };
            let before = records.get(customer).map(|record| record.digests(*customer)).unwrap_or_default();
            let record = records.entry(*customer).or_default();
            record.file(&recorded);
            sum = sum.minus(before).plus(record.digests(*customer));
        }
        let digest = batch_of(vec![entry.clone()], *position).unwrap().digest;
        let checkpoint = Checkpoint { position: *position, digest, ..origin() };
        answers.insert(*position, (checkpoint, sum));
    }
    answers
}

#[test]
fn digests_are_of_their_position_while_another_thread_folds() {
    let (entries, _) = population(21, CUSTOMERS, Order::Recorded);
    let live = Generation::new(origin(), Arc::new(Rules::default()));
    live.go_live(Timestamp::MIN);
    let answers = answers_while_folding(&live, &entries);
    let wanted = wanted(&entries);
    for answer in &answers {
        let at = answer.0.position;
        assert_eq!(Some(answer), wanted.get(&at), "at {at}");
    }
    let positions: HashSet<_> = answers.iter().map(|answer| answer.0.position).collect();
    assert!(positions.len() >= POSITIONS_AT_LEAST, "asked while folding, but of {} positions only", positions.len());
}
