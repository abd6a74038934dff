//! The life of a projector: start, restart, rebuild, damage, poison.

use std::path::Path;

use crate::support::running::{NOW, PATIENCE, start};
use crate::support::{Log, genesis, population};
use bytes::Bytes;
use history::Order;
use projector::{Entry, RebuildOptions, State, WaitError};
use tokio::time::Instant;
use touchpoint::{CustomerId, Position};
use view_store::{EncodedPage, PageNumber, Store};
use views::Moment;
use views::rules::Rules;

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
    let rebuild = running.projector.begin_rebuild(RebuildOptions::default()).await.unwrap();
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
    assert_eq!(set_aside(dir.path()), 1);
    running.stop().await;
}

/// How many stores were set aside here.
fn set_aside(dir: &Path) -> usize {
    let names = std::fs::read_dir(dir).unwrap().map(|it| it.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().starts_with("churn.damaged")).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_whose_records_are_none_is_not_served() {
    let dir = tempfile::tempdir().unwrap();
    let (entries, _) = population(4, 40, Order::Recorded);
    let log = Log::new(entries, 64);
    let churn = dir.path().join("churn");
    let running = start(&log, &churn).await;
    let wanted = running.at(log.end()).await;
    running.stop().await;
    spoil_a_record(&churn);
    let running = start(&log, &churn).await;
    assert_eq!(running.at(log.end()).await, wanted);
    assert_eq!(set_aside(dir.path()), 1);
    running.stop().await;
}

/// Under a checksum that is right: to the store one record is as good as another.
fn spoil_a_record(dir: &Path) {
    let store = Store::open(dir).unwrap();
    let serving = store.serving().unwrap().unwrap();
    let page = store.pages(serving, PageNumber::all()).unwrap().next().unwrap().unwrap();
    let (customer, _) = page.records().next().unwrap();
    let spoiled = EncodedPage::new(page.number(), [(customer, "no record")]).unwrap();
    store.commit(serving, [Ok(spoiled)], &store.head(serving).unwrap()).unwrap();
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
    let answer = generation.answer(customer, &Rules::default(), &mut Moment::now(NOW));
    assert_eq!(answer.expect("the customer has other events, too").standing.parked, 1);
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
    let unknown =
        running.projector.serving().unwrap().answer(CustomerId::from_u128(1), &Rules::default(), &mut Moment::now(NOW));
    assert!(unknown.is_none());
    running.stop().await;
}
