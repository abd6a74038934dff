//! A view that is paused: what it answers, and what it does not.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod support;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use history::Order;
use projector::State;
use support::running::{start, start_by};
use support::{Log, population};
use touchpoint::Timestamp;
use views::churn::Churn;

const SEED: u64 = 33;
const CUSTOMERS: u64 = 40;
/// Pauses that are ended while they begin.
const ROUNDS: usize = 30;

fn log() -> Log {
    Log::new(population(SEED, CUSTOMERS, Order::Recorded).0, 16)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_was_never_folded_answers_nothing_until_it_is_resumed() {
    let (paused, empty) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let log = log();
    let running = start(&log, paused.path()).await;
    let wanted = running.at(log.end()).await;
    running.projector.pause("wang".to_owned(), "a test".to_owned()).await.unwrap();
    running.is(|state| matches!(state, State::Paused(_))).await;
    running.stop().await;
    // As after an upgrade to another fold: the note is there, and no records.
    fs::copy(paused.path().join("pause.json"), empty.path().join("pause.json")).unwrap();
    let running = start(&log, empty.path()).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(*running.projector.state().borrow(), State::CatchingUp);
    assert!(running.projector.paused().is_some() && running.projector.serving().is_err());
    running.projector.resume().unwrap();
    assert_eq!(running.at(log.end()).await, wanted);
    running.stop().await;
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
