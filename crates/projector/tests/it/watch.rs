//! Who lists and then follows has, at every mark, exactly what a fresh evaluation of everybody gives: no move is lost,
//! and none is told twice.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::support::running::{Running, start_by};
use crate::support::{Log, population};
use history::Order;
use projector::{Cause, Clock, Cursor, Entry, Generation, Projector, RebuildOptions, Trouble, Watch, WatchError};
use tempfile::TempDir;
use touchpoint::{CustomerId, Position, Timestamp};
use views::churn::Churn;
use views::segmentation::Segmentation;
use views::{Moment, View};

const POPULATIONS: u64 = 8;
const CUSTOMERS: u64 = 40;
const STEPS: usize = 60;
const BATCH: usize = 13;

/// Chance that is the same in every run: splitmix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) % bound) as usize
    }
}

/// A clock that the test sets.
#[derive(Clone)]
struct Hands(Arc<AtomicI64>);

impl Hands {
    fn at(time: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(time.micros())))
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }

    fn forward_to(&self, time: Timestamp) {
        self.0.fetch_max(time.micros(), Ordering::Relaxed);
    }

    fn set(&self, time: Timestamp) {
        self.0.store(time.micros(), Ordering::Relaxed);
    }

    fn clock(&self) -> Clock {
        let hands = self.clone();
        Arc::new(move || hands.now())
    }
}

/// A view of a log that has the first events of a population, and those that are to come.
struct Scene<V: View> {
    running: Running<V>,
    log: Log,
    hands: Hands,
    rest: std::vec::IntoIter<Entry>,
    dir: TempDir,
}

impl<V: View> Scene<V> {
    async fn new(seed: u64) -> Self {
        let (mut first, _) = population(seed, CUSTOMERS, Order::Recorded);
        let rest = first.split_off(first.len() / 3).into_iter();
        let hands = Hands::at(first.last().unwrap().recorded_at);
        let (log, dir) = (Log::new(first, BATCH), tempfile::tempdir().unwrap());
        let running = start_by(&log, &dir.path().join("view"), hands.clock()).await;
        running.at(log.end()).await;
        Self { running, log, hands, rest, dir }
    }

    /// More events, with the time at which the log took them.
    fn append(&mut self, events: usize) {
        let more: Vec<_> = self.rest.by_ref().take(events).collect();
        if let Some(last) = more.last() {
            self.hands.forward_to(last.recorded_at);
            self.log.append(more);
        }
    }

    async fn serving(&self) -> Arc<Generation<V>> {
        self.running.at(self.log.end()).await;
        self.running.projector.serving().unwrap()
    }
}

/// A client: what it has been told.
struct Client<V: View> {
    watch: Watch<V>,
    state: BTreeMap<CustomerId, V::Placement>,
    /// Parts of the lists that were read.
    read: usize,
    wanted: fn(CustomerId) -> bool,
    causes: Vec<Cause>,
    /// Moves to a place, and those of which the answer that led there was found again.
    explained: [usize; 2],
}

impl<V: View<Placement: Debug>> Client<V> {
    fn new(projector: &Projector<V>, wanted: fn(CustomerId) -> bool) -> Self {
        let watch = projector.watch().unwrap();
        Self { watch, state: BTreeMap::new(), read: 0, wanted, causes: Vec::new(), explained: [0; 2] }
    }

    /// Reads more parts of the lists.
    fn read(&mut self, parts: usize) {
        let until = Watch::<V>::PARTS.min(self.read + parts);
        let pick = |customer, placement: &V::Placement| (self.wanted)(customer).then(|| (customer, placement.clone()));
        let listed = (self.read..until).flat_map(|part| self.watch.listed(part, pick)).collect::<Vec<_>>();
        self.state.extend(listed);
        self.read = until;
    }

    fn is_listed(&self) -> bool {
        self.read == Watch::<V>::PARTS
    }

    /// Applies the moves that are there. Once `exact`, each leads on from where the customer is.
    fn follow(&mut self, exact: bool) {
        while let Some(moves) = self.watch.after().unwrap() {
            for (number, it) in moves.from(self.watch.cursor().told) {
                self.watch.tell(number + 1);
                if !(self.wanted)(it.customer) {
                    continue;
                }
                self.causes.push(it.cause);
                if it.after.is_some() {
                    self.explained[0] += 1;
                    self.explained[1] += usize::from(self.watch.answer(&moves, it).is_some());
                }
                let before = match &it.after {
                    Some(after) => self.state.insert(it.customer, after.clone()),
                    None => self.state.remove(&it.customer),
                };
                assert!(!exact || before == it.before, "a gap before {number}: {before:?} → {it:?}");
            }
        }
    }

    /// Leaves, and comes back.
    fn come_back(&mut self, projector: &Projector<V>) {
        self.watch = projector.watch_after(self.watch.cursor()).unwrap();
    }
}

/// Everybody, evaluated afresh.
fn fresh<V: View>(
    generation: &Generation<V>,
    as_of: Timestamp,
    wanted: fn(CustomerId) -> bool,
) -> BTreeMap<CustomerId, V::Placement> {
    let add = |all: &mut Vec<_>, customer, answer: &V::Answer| {
        all.extend(wanted(customer).then(|| (customer, V::placement(answer))));
    };
    generation
        .sum_at(
            &generation.rules_at(None, Position::MAX).rules,
            Moment::now(as_of),
            add,
            |all| all,
            |all: &mut Vec<_>, more| all.extend(more),
        )
        .into_iter()
        .collect()
}

fn everybody(_: CustomerId) -> bool {
    true
}

fn every_other(customer: CustomerId) -> bool {
    customer.as_u128().is_multiple_of(2)
}

async fn hold<V: View<Placement: Debug>>(seed: u64) {
    let mut scene = Scene::<V>::new(seed).await;
    let mut dice = Dice(seed);
    let projector = scene.running.projector.clone();
    let mut clients = vec![Client::new(&projector, everybody)];
    let (mut marks, mut causes) = (0, Vec::new());
    for _ in 0..STEPS {
        match dice.below(6) {
            0 | 1 => scene.append(1 + dice.below(9)),
            2 => scene.hands.forward_to(scene.hands.now().plus_micros(1 + dice.below(20) as i64 * Timestamp::DAY)),
            3 => clients.push(Client::new(&projector, if dice.below(2) == 0 { everybody } else { every_other })),
            4 => clients.iter_mut().for_each(|client| {
                client.read(dice.below(200));
                client.follow(false);
                client.come_back(&projector);
            }),
            _ => {
                let generation = scene.serving().await;
                for client in clients.iter_mut().filter(|client| client.is_listed()) {
                    let (position, as_of) = client.watch.reached();
                    assert_eq!(position, scene.log.end());
                    client.follow(false);
                    assert_eq!(client.state, fresh(&generation, as_of, client.wanted), "seed {seed} at {position}");
                    marks += 1;
                }
            }
        }
    }
    // From here on each client has it all, and every move leads on from what it has.
    scene.serving().await;
    for client in &mut clients {
        client.read(Watch::<V>::PARTS);
        client.watch.reached();
        client.follow(false);
        client.causes.clear();
    }
    while scene.rest.len() > 0 {
        scene.append(1 + dice.below(60));
        scene.hands.forward_to(scene.hands.now().plus_days(2));
        let generation = scene.serving().await;
        for client in &mut clients {
            let (_, as_of) = client.watch.reached();
            client.follow(true);
            client.come_back(&projector);
            assert_eq!(client.state, fresh(&generation, as_of, client.wanted), "seed {seed}");
        }
    }
    // All but those whose consent was given or taken since, or who were erased.
    let [moved, explained] = clients.iter().fold([0; 2], |sum, it| [0, 1].map(|side| sum[side] + it.explained[side]));
    assert!(explained * 10 > moved * 9, "seed {seed}: {explained} of {moved} moves are explained");
    causes.extend(clients.into_iter().flat_map(|client| client.causes));
    let ends = causes.iter().filter(|cause| matches!(cause, Cause::Time(_))).count();
    assert!(marks > 0 && ends > 0 && ends < causes.len(), "seed {seed}: {marks} marks, {ends} of {}", causes.len());
    scene.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn list_and_moves_of_churn_are_the_lists() {
    for seed in 0..POPULATIONS {
        hold::<Churn>(seed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn list_and_moves_of_segmentation_are_the_lists() {
    for seed in 0..POPULATIONS {
        hold::<Segmentation>(seed).await;
    }
}

/// Why anybody moved since the cursor; the watch has told it then.
fn causes(watch: &mut Watch<Churn>) -> Vec<Cause> {
    let mut causes = Vec::new();
    watch.reached();
    while let Some(moves) = watch.after().unwrap() {
        causes.extend(moves.from(watch.cursor().told).map(|(_, it)| it.cause));
        watch.tell(moves.end());
    }
    causes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_names_the_event_or_the_instant() {
    let mut scene = Scene::<Churn>::new(3).await;
    let mut watch = scene.running.projector.watch().unwrap();
    let before = scene.hands.now();
    scene.hands.forward_to(before.plus_days(1));
    let alone = causes(&mut watch);
    let is_due = |cause: &Cause| matches!(cause, Cause::Time(due) if *due > before && *due <= before.plus_days(1));
    assert!(!alone.is_empty() && alone.iter().all(is_due), "{alone:?}");
    // One event after the other: each move names its own.
    let mut moved = 0;
    while moved < 20 {
        scene.append(1);
        scene.serving().await;
        for cause in causes(&mut watch).into_iter().filter(|cause| !matches!(cause, Cause::Time(_))) {
            assert_eq!(cause, Cause::Event(scene.log.end()));
            moved += 1;
        }
    }
    scene.running.stop().await;
}

fn refused(projector: &Projector<Churn>, cursor: Cursor) -> WatchError {
    projector.watch_after(cursor).err().expect("no watch")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_ends_with_the_generation_and_with_the_process() {
    let scene = Scene::<Churn>::new(4).await;
    let projector = &scene.running.projector;
    let watch = projector.watch().unwrap();
    let cursor = watch.cursor();
    assert!(projector.watch_after(cursor).is_ok());
    projector.begin_rebuild(RebuildOptions::default()).await.unwrap().finish().await.unwrap();
    assert_eq!(watch.after().unwrap_err(), WatchError::Anew);
    assert_eq!(refused(projector, cursor), WatchError::Anew);
    let of_new = projector.watch().unwrap().cursor();
    assert_eq!(of_new.told, cursor.told, "it counts from the start again");

    drop(watch);
    scene.running.stop().await;
    scene.hands.forward_to(scene.hands.now().plus_micros(1));
    let again = start_by(&scene.log, &scene.dir.path().join("view"), scene.hands.clock()).await;
    again.at(scene.log.end()).await;
    let _others = [again.projector.watch().unwrap(), again.projector.watch().unwrap()];
    assert_eq!([cursor, of_new].map(|it| refused(&again.projector, it)), [WatchError::Anew, WatchError::Anew]);
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_log_ends_it_and_so_do_lists_that_are_made_anew() {
    let scene = Scene::<Churn>::new(5).await;
    let projector = &scene.running.projector;
    let ahead = scene.hands.now();
    scene.hands.forward_to(ahead.plus_days(30));
    let watch = projector.watch().unwrap();
    watch.reached();
    scene.hands.set(ahead);
    watch.reached();
    assert_eq!(watch.after().unwrap_err(), WatchError::Anew, "the clock was put right");
    let watch = projector.watch().unwrap();
    scene.log.break_down(Some(Trouble::Gap));
    scene.running.is(|state| state.name() == "GAP").await;
    assert!(matches!(watch.after(), Err(WatchError::NotServing(_))));
    assert!(watch.cursor().told == 0 && scene.log.end() > Position(1));
    scene.running.stop().await;
}
