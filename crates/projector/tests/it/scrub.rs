//! The scrub finds what is wrong in a view, puts it right, and says how far it came.

use std::path::Path;

use crate::support::rebuilt::phase;
use crate::support::running::{PATIENCE, Running, start};
use crate::support::{Log, population};
use history::Order;
use projector::{Entry, MAX_SCRUB_RATE, Phase, RebuildOptions, ScrubStatus, WaitReason};
use tokio::task::JoinHandle;
use tokio::time::{Duration, sleep, timeout};
use touchpoint::Position;
use view_store::{EncodedPage, PageNumber, Store};

fn scrub(running: &Running) -> JoinHandle<()> {
    let projector = running.projector.clone();
    tokio::spawn(async move { projector.scrub(MAX_SCRUB_RATE).await })
}

/// Waits until the scrub is so.
async fn until(running: &Running, what: &str, wanted: impl Fn(&ScrubStatus) -> bool) -> ScrubStatus {
    let reached = async {
        loop {
            let status = running.projector.scrub_status();
            if wanted(&status) {
                return status;
            }
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, reached).await.unwrap_or_else(|_| panic!("{what}: {:?}", running.projector.scrub_status()))
}

/// In a store that nobody has open: the first page loses its records, and the records of the last one are those of
/// another customer. Gives how many customers are wrong.
fn spoil(dir: &Path) -> u64 {
    let store = Store::open(dir).unwrap();
    let serving = store.serving().unwrap().unwrap();
    let all: Vec<_> = store.pages(serving, PageNumber::all()).unwrap().map(Result::unwrap).collect();
    let (first, last) = (&all[0], &all[all.len() - 1]);
    let (_, other) = all[1].records().next().unwrap();
    let lost = EncodedPage::new(first.number(), [(0, ""); 0]).unwrap();
    let wrong = EncodedPage::new(last.number(), last.records().map(|(customer, _)| (customer, other))).unwrap();
    store.commit(serving, [Ok(lost), Ok(wrong)], &store.head(serving).unwrap()).unwrap();
    (first.records().count() + last.records().count()) as u64
}

/// A projector of this log whose store has been spoiled, and how many customers are wrong.
async fn spoiled(log: &Log, dir: &Path) -> (Running, u64) {
    let running = start(log, dir).await;
    running.at(log.end()).await;
    running.stop().await;
    let wrong = spoil(dir);
    let running = start(log, dir).await;
    running.at(log.end()).await;
    (running, wrong)
}

fn history(seed: u64) -> Vec<Entry> {
    population(seed, 40, Order::Shuffled(seed)).0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_found_once_and_put_right() {
    for seed in 1..=3 {
        let dir = tempfile::tempdir().unwrap();
        let log = Log::new(history(seed), 64);
        let fresh = start(&log, &dir.path().join("fresh")).await;
        let right = fresh.at(log.end()).await;
        let (running, wrong) = spoiled(&log, &dir.path().join("churn")).await;
        assert_ne!(running.at(log.end()).await, right);

        let scrubbing = scrub(&running);
        let after = until(&running, "a whole round", |it| it.round == 2).await;
        assert_eq!((after.different, after.repaired), (wrong, wrong), "seed {seed}");
        assert_eq!(running.at(log.end()).await, right, "seed {seed}");
        assert!(after.last_round.is_some() && after.last_found.is_some_and(|it| !it.what.is_empty()));
        let later = until(&running, "another round", |it| it.round == 3).await;
        assert_eq!(later.different, wrong, "what is right is not found again");
        running.stop().await;
        timeout(PATIENCE, scrubbing).await.expect("the scrub ends with the projector").unwrap();
        fresh.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_folded_meanwhile_is_no_difference() {
    let dir = tempfile::tempdir().unwrap();
    let (mut entries, log) = (history(7).into_iter(), Log::new(Vec::new(), 4));
    log.append(entries.by_ref().take(5));
    let running = start(&log, dir.path()).await;
    running.at(log.end()).await;
    let scrubbing = scrub(&running);
    for entry in entries {
        let position = entry.position;
        log.append([entry]);
        running.at(position).await;
    }
    let round = running.projector.scrub_status().round;
    let status = until(&running, "a whole round of everybody", |it| it.round >= round + 2).await;
    assert_eq!(status.different, 0, "{status:?}");
    assert!(status.checked > 20, "{status:?}");
    running.stop().await;
    scrubbing.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_waits_while_the_view_is_paused() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::new(history(10), 64);
    let (running, wrong) = spoiled(&log, &dir.path().join("churn")).await;
    running.projector.pause("wang".to_owned(), "a test".to_owned()).await.unwrap();
    let scrubbing = scrub(&running);
    let status = until(&running, "the scrub to wait", |it| it.waiting == Some(WaitReason::Paused)).await;
    assert_eq!((status.checked, status.different), (0, 0));
    running.projector.resume().unwrap();
    let status = until(&running, "a whole round", |it| it.round == 2).await;
    assert_eq!((status.different, status.waiting), (wrong, None));
    running.stop().await;
    scrubbing.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_waits_while_the_view_is_more_than_a_thousand_events_behind() {
    let dir = tempfile::tempdir().unwrap();
    let mut entries = history(11);
    let last_two = entries.split_off(entries.len() - 2);
    let log = Log::new(entries, 64);
    let (running, wrong) = spoiled(&log, &dir.path().join("churn")).await;
    log.announce(Position(last_two[0].position.0 + 1_001));
    log.append([last_two[0].clone()]);
    running.at(log.end()).await;
    let scrubbing = scrub(&running);
    let status = until(&running, "the scrub to wait", |it| it.waiting == Some(WaitReason::Behind)).await;
    assert_eq!((status.checked, status.different), (0, 0));
    log.append([last_two[1].clone()]);
    let status = until(&running, "a whole round", |it| it.round == 2).await;
    assert!((1..=wrong).contains(&status.different) && status.waiting.is_none(), "{status:?}");
    running.stop().await;
    scrubbing.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_cannot_be_read_is_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::new(history(9), 64);
    let running = start(&log, dir.path()).await;
    running.at(log.end()).await;
    log.make_unreadable(history(9).into_iter().find_map(|entry| entry.customer).unwrap());
    let scrubbing = scrub(&running);
    until(&running, "the scrub to wait", |it| it.waiting == Some(WaitReason::Log)).await;
    let status = until(&running, "a whole round", |it| it.round == 2).await;
    assert_eq!((status.different, status.waiting), (0, None));
    running.stop().await;
    scrubbing.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_waits_while_a_rebuild_is_under_way() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::new(history(8), 64);
    let (running, wrong) = spoiled(&log, &dir.path().join("churn")).await;
    let rebuild = running.projector.begin_rebuild(RebuildOptions::default()).await.unwrap();
    let finished = tokio::spawn(rebuild.finish());
    let scrubbing = scrub(&running);
    until(&running, "the scrub to wait", |it| it.waiting == Some(WaitReason::Rebuild)).await;
    // The rebuild differs, and waits for somebody.
    let differs = async {
        while !matches!(phase(&running), Some(Phase::Differs(_))) {
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, differs).await.unwrap();
    assert_eq!(running.projector.scrub_status().checked, 0);
    assert!(running.projector.cancel_rebuild().is_some());
    timeout(PATIENCE, finished).await.unwrap().unwrap().unwrap_err();
    let status = until(&running, "a whole round", |it| it.round == 2).await;
    assert_eq!((status.different, status.waiting), (wrong, None));
    running.stop().await;
    scrubbing.await.unwrap();
}
