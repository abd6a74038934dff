//! The life of a projector: start, restart, rebuild, damage, a broken log, poison.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use history::Order;
use projector::{Entry, Options, Projector, State, Trouble, WaitError};
use support::{Log, genesis, population};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use touchpoint::{CustomerId, Position, Timestamp};
use views::churn::Churn;
use views::rules::Rules;
use views::{Digests, Moment};

const PATIENCE: Duration = Duration::from_secs(20);
/// After everything that the histories say.
const NOW: Timestamp = Timestamp::from_micros(1_900_000_000_000_000);

struct Running {
    projector: Projector<Churn>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

async fn start(log: &Log, dir: &Path) -> Running {
    let stop = CancellationToken::new();
    let options = Options {
        dir: dir.to_owned(),
        rules: Arc::new(Rules::default()),
        source: log.source(),
        clock: Arc::new(|| NOW),
    };
    let projector = Projector::start(options, stop.clone()).await.unwrap();
    let runs = projector.clone();
    let task = tokio::spawn(async move { runs.run().await });
    Running { projector, stop, task }
}

impl Running {
    async fn is(&self, wanted: impl FnMut(&State) -> bool) {
        let mut state = self.projector.state();
        tokio::time::timeout(PATIENCE, state.wait_for(wanted)).await.expect("the state in time").unwrap();
    }

    async fn at(&self, position: Position) -> Digests {
        self.is(|state| *state == State::Serving).await;
        let generation = self.projector.reached(position, Instant::now() + PATIENCE).await.unwrap();
        generation.digests().1
    }

    async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.task).await.expect("the end in time").unwrap();
    }
}

fn two_halves(seed: u64) -> (Vec<Entry>, Vec<Entry>) {
    let (mut entries, _) = population(seed, 40, Order::Recorded);
    let second = entries.split_off(entries.len() / 2);
    (entries, second)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_resumes_and_reaches_what_a_fold_from_the_start_reaches() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = two_halves(1);
    let log = Log::new(first, 16);
    let running = start(&log, &dir.path().join("churn")).await;
    running.at(log.end()).await;
    running.stop().await;
    log.append(second);
    let running = start(&log, &dir.path().join("churn")).await;
    let resumed = running.at(log.end()).await;
    assert!(running.projector.status().serving.folded < log.end().0, "only the second half is folded again");
    let fresh = start(&log, &dir.path().join("fresh")).await;
    assert_eq!(resumed, fresh.at(log.end()).await);
    running.stop().await;
    fresh.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_beside_live_appends_reaches_the_same_digests_and_serves() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = two_halves(2);
    let log = Log::new(first, 16);
    let running = start(&log, &dir.path().join("churn")).await;
    running.at(log.end()).await;
    let before = running.projector.status().serving.generation;
    let rebuild = running.projector.begin_rebuild().await.unwrap();
    let generation = rebuild.generation();
    let (rebuilt, ()) = tokio::join!(rebuild.finish(), async {
        for entry in second {
            log.append([entry]);
            tokio::task::yield_now().await;
        }
    });
    rebuilt.unwrap();
    assert_ne!(generation, before);
    assert_eq!(running.projector.status().serving.generation, generation);
    let fresh = start(&log, &dir.path().join("fresh")).await;
    assert_eq!(running.at(log.end()).await, fresh.at(log.end()).await);
    running.stop().await;
    let again = start(&log, &dir.path().join("churn")).await;
    assert_eq!(again.at(log.end()).await, fresh.at(log.end()).await);
    again.stop().await;
    fresh.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_store_is_set_aside_and_folded_again() {
    let dir = tempfile::tempdir().unwrap();
    let (entries, _) = population(3, 40, Order::Recorded);
    let log = Log::new(entries, 64);
    let running = start(&log, &dir.path().join("churn")).await;
    let wanted = running.at(log.end()).await;
    running.stop().await;
    for file in std::fs::read_dir(dir.path().join("churn").join("sled")).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            std::fs::write(path, vec![0x77; 70_000]).unwrap();
        }
    }
    let running = start(&log, &dir.path().join("churn")).await;
    assert_eq!(running.at(log.end()).await, wanted);
    let kept = std::fs::read_dir(dir.path())
        .unwrap()
        .filter(|it| it.as_ref().unwrap().file_name().to_string_lossy().starts_with("churn.damaged"));
    assert_eq!(kept.count(), 1);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_log_is_not_served_until_a_rebuild() {
    let dir = tempfile::tempdir().unwrap();
    let (entries, _) = population(4, 10, Order::Recorded);
    let log = Log::new(entries, 64);
    let running = start(&log, &dir.path().join("churn")).await;
    running.at(log.end()).await;
    log.break_down(Some(Trouble::RolledBack));
    running.is(|state| matches!(state, State::Broken(broken) if broken.trouble == Trouble::RolledBack)).await;
    assert!(running.projector.serving().is_err());
    log.break_down(None);
    running.projector.begin_rebuild().await.unwrap().finish().await.unwrap();
    running.at(log.end()).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_breaks_in_the_middle_of_a_commit_leaves_the_position_behind_the_records() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::new(vec![genesis()], 5_000);
    let running = start(&log, &dir.path().join("churn")).await;
    running.at(Position(1)).await;
    // So many pages change that a commit begins at once, and takes longer than the log needs to break.
    log.append((2..30_000).map(lead));
    running.at(log.end()).await;
    log.break_down(Some(Trouble::Gap));
    running.is(|state| matches!(state, State::Broken(_))).await;
    running.stop().await;
    log.break_down(None);
    let again = start(&log, &dir.path().join("churn")).await;
    let fresh = start(&log, &dir.path().join("fresh")).await;
    assert_eq!(again.at(log.end()).await, fresh.at(log.end()).await);
    again.stop().await;
    fresh.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_ends_before_the_store_is_never_served() {
    let dir = tempfile::tempdir().unwrap();
    let (entries, _) = population(7, 10, Order::Recorded);
    let short = Log::new(entries[..5].to_vec(), 64);
    let log = Log::new(entries, 64);
    let running = start(&log, &dir.path().join("churn")).await;
    running.at(log.end()).await;
    running.stop().await;
    let running = start(&short, &dir.path().join("churn")).await;
    let mut state = running.projector.state();
    let first = tokio::time::timeout(PATIENCE, state.wait_for(|state| *state != State::CatchingUp)).await;
    assert!(matches!(&*first.unwrap().unwrap(), State::Broken(broken) if broken.trouble == Trouble::RolledBack));
    running.stop().await;
}

/// Somebody becomes known.
fn lead(position: u64) -> Entry {
    let customer = CustomerId::from_u128(u128::from(position));
    let body = serde_json::json!({
        "specversion": "1.0", "id": customer, "source": "test", "type": "LeadRegistered", "subject": customer,
        "dataschema": "urn:lifefold:LeadRegistered:1", "time": "2026-01-01T00:00:00Z", "channel": "SYSTEM",
        "data": { "lead_source": "WALK_IN" },
    });
    let recorded_at = "2026-01-01T00:00:00Z".parse().unwrap();
    Entry { position: Position(position), recorded_at, customer: Some(customer), body: body.to_string().into() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poison_event_is_parked_and_nothing_waits() {
    let dir = tempfile::tempdir().unwrap();
    let (mut entries, _) = population(5, 4, Order::Recorded);
    let customer = entries.iter().find_map(|entry| entry.customer).unwrap();
    let position = entries.last().unwrap().position.next();
    let recorded_at = entries.last().unwrap().recorded_at;
    let poison = Bytes::from_static(b"{\"type\":");
    entries.push(Entry { position, recorded_at, customer: Some(customer), body: poison });
    let log = Log::new(entries, 8);
    let running = start(&log, &dir.path().join("churn")).await;
    let digests = running.at(position).await;
    let status = running.projector.status().serving;
    assert_eq!((status.parked, status.last_parked.unwrap().reason), (1, "MALFORMED"));
    let generation = running.projector.serving().unwrap();
    let answer = generation.answer(customer, &mut Moment::now(NOW));
    assert!(answer.is_none_or(|answer| answer.standing.parked == 1));
    running.stop().await;
    let again = start(&log, &dir.path().join("churn")).await;
    assert_eq!(again.at(position).await, digests);
    assert_eq!(again.projector.status().serving.parked, 1);
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_is_waited_for_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::new(vec![genesis()], 8);
    let running = start(&log, &dir.path().join("churn")).await;
    running.is(|state| *state == State::Serving).await;
    let beyond = running.projector.reached(Position(5), Instant::now() + PATIENCE).await;
    assert_eq!(beyond.err(), Some(WaitError::Beyond { end: Position(1) }));
    let unknown = running.projector.serving().unwrap().answer(CustomerId::from_u128(1), &mut Moment::now(NOW));
    assert!(unknown.is_none());
    running.stop().await;
}
