//! A view that is paused: what it answers, and what it does not.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::support::running::{start, start_by};
use crate::support::{Log, population};
use history::Order;
use projector::{RebuildOptions, State};
use touchpoint::Timestamp;
use views::Digests;
use views::churn::Churn;

const SEED: u64 = 33;
const CUSTOMERS: u64 = 40;
/// Pauses that are ended while they begin.
const ROUNDS: usize = 30;

fn log() -> Log {
    Log::new(population(SEED, CUSTOMERS, Order::Recorded).0, 16)
}

/// Pauses a view at the end of the log; gives its digest there.
async fn paused_at_the_end(log: &Log, dir: &Path) -> Digests {
    let running = start(log, dir).await;
    let wanted = running.at(log.end()).await;
    running.projector.pause("wang".to_owned(), "a test".to_owned()).await.unwrap();
    running.is(|state| matches!(state, State::Paused(_))).await;
    running.stop().await;
    wanted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_was_never_folded_answers_nothing_until_it_is_resumed() {
    let dir = tempfile::tempdir().unwrap();
    let (log, paused) = (log(), r#"{"at":1700000000000000,"by":"wang","reason":"of an earlier release"}"#);
    fs::write(dir.path().join("pause.json"), paused).unwrap();
    let running = start(&log, dir.path()).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(*running.projector.state().borrow(), State::CatchingUp);
    assert!(running.projector.paused().is_some() && running.projector.serving().is_err());
    running.projector.resume().unwrap();
    assert_eq!(running.at(log.end()).await, start(&log, tempfile::tempdir().unwrap().path()).await.at(log.end()).await);
    running.stop().await;
}

/// After kill -9 a store may be of before the pause; after an upgrade to another fold it is empty.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_it_stands_where_it_stood_whatever_was_kept() {
    let [paused, earlier, empty] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let (entries, _) = population(SEED, CUSTOMERS, Order::Recorded);
    let [third, half] = [entries.len() / 3, entries.len() / 2];
    let log = Log::new(entries[..third].to_vec(), 16);
    let running = start(&log, earlier.path()).await;
    running.at(log.end()).await;
    running.stop().await;
    // Not at the end of a batch.
    log.append(entries[third..=half].to_vec());
    let (end, wanted) = (log.end(), paused_at_the_end(&log, paused.path()).await);
    log.append(entries[half + 1..].to_vec());
    for dir in [&earlier, &empty] {
        fs::copy(paused.path().join("pause.json"), dir.path().join("pause.json")).unwrap();
        let running = start(&log, dir.path()).await;
        running.is(|state| matches!(state, State::Paused(_))).await;
        let generation = running.projector.serving().unwrap();
        assert_eq!((generation.position(), generation.digests().1), (end, wanted));
        running.projector.resume().unwrap();
        let whole = running.at(log.end()).await;
        assert_eq!(whole, start(&log, tempfile::tempdir().unwrap().path()).await.at(log.end()).await);
        // The pause is over for whatever is read from then on.
        running.projector.begin_rebuild(RebuildOptions::default()).await.unwrap().finish().await.unwrap();
        assert_eq!(running.at(log.end()).await, whole);
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_that_is_ended_while_it_begins_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let log = log();
    let running = start(&log, dir.path()).await;
    running.at(log.end()).await;
    for _ in 0..ROUNDS {
        let projector = running.projector.clone();
        let pausing = tokio::spawn(async move { projector.pause("wang".to_owned(), "a test".to_owned()).await });
        while running.projector.paused().is_none() {
            tokio::task::yield_now().await;
        }
        running.projector.resume().unwrap();
        pausing.await.unwrap().unwrap();
        assert_eq!(*running.projector.state().borrow(), State::Serving);
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_stands_still_until_it_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let (log, at) = (log(), Arc::new(AtomicI64::new(1_900_000_000_000_000)));
    let clock = at.clone();
    let clock = Arc::new(move || Timestamp::from_micros(clock.fetch_add(1, Ordering::Relaxed)));
    let running = start_by::<Churn>(&log, dir.path(), clock).await;
    running.at(log.end()).await;
    let generation = running.projector.serving().unwrap();
    let now = || generation.at_least(running.projector.now());
    let pause = running.projector.pause("wang".to_owned(), "a test".to_owned()).await.unwrap();
    assert_eq!((now(), now()), (pause.at, pause.at));
    running.projector.resume().unwrap();
    assert!(pause.at < now() && now() < now());
    running.stop().await;
}
