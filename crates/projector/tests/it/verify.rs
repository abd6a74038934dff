//! A rebuild compares the new generation with the serving one before it switches.

use std::path::Path;
use std::sync::Arc;

use crate::support::rebuilt::{phase, restart_without_a_page};
use crate::support::running::{PATIENCE, Running, start};
use crate::support::{Log, population};
use history::Order;
use projector::{Findings, Phase, RebuildError, RebuildOptions, Unfinished};
use tokio::time::{Duration, sleep, timeout};
use view_store::Store;

/// A projector whose store has lost records, a rebuild that found it, and how many customers were lost.
async fn found_wrong(log: &Log, dir: &Path) -> (Running, tokio::task::JoinHandle<Result<(), Unfinished>>, u64) {
    let running = start(log, dir).await;
    running.at(log.end()).await;
    let (running, lost) = restart_without_a_page(running, log, dir).await;
    let rebuild = running.projector.begin_rebuild(RebuildOptions::default()).await.unwrap();
    let finished = tokio::spawn(rebuild.finish());
    differs(&running).await;
    (running, finished, lost)
}

async fn differs(running: &Running) -> Arc<Findings> {
    let found = async {
        loop {
            if let Some(Phase::Differs(findings)) = phase(running) {
                return findings;
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, found).await.expect("the rebuild finds the difference")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_records_are_found_and_nothing_is_switched_before_somebody_accepts() {
    let dir = tempfile::tempdir().unwrap();
    let (entries, _) = population(11, 40, Order::Recorded);
    let log = Log::new(entries, 64);
    let (running, finished, lost) = found_wrong(&log, &dir.path().join("churn")).await;
    let findings = differs(&running).await;
    assert_eq!(findings.different, lost);
    assert_eq!(findings.position, log.end());
    let wrong = running.projector.status().serving.generation;
    let (customer, shown) = &findings.shown[0];
    assert!(!shown.is_empty(), "{customer}");
    assert!(matches!(running.projector.begin_rebuild(RebuildOptions::default()).await, Err(RebuildError::Rebuilding)));

    assert!(running.projector.accept_rebuild());
    timeout(PATIENCE, finished).await.unwrap().unwrap().unwrap();
    assert_ne!(running.projector.status().serving.generation, wrong);
    let fresh = start(&log, &dir.path().join("fresh")).await;
    assert_eq!(running.at(log.end()).await, fresh.at(log.end()).await);
    assert!(!running.projector.accept_rebuild(), "no rebuild is under way");
    running.stop().await;
    fresh.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_rebuild_leaves_what_was_served() {
    let dir = tempfile::tempdir().unwrap();
    let (entries, _) = population(12, 40, Order::Recorded);
    let log = Log::new(entries, 64);
    let (running, finished, _) = found_wrong(&log, &dir.path().join("churn")).await;
    let served = running.projector.status().serving.generation;
    assert!(running.projector.cancel_rebuild().is_some());
    assert!(matches!(timeout(PATIENCE, finished).await.unwrap().unwrap(), Err(Unfinished::Cancelled)));
    assert_eq!(running.projector.status().serving.generation, served);
    assert!(matches!(phase(&running), Some(Phase::GivenUp(_))));
    assert!(running.projector.status().building.is_none());
    running.stop().await;
    let store = Store::open(dir.path().join("churn")).unwrap();
    assert_eq!(store.generations().unwrap().len(), 1, "the cancelled generation is dropped");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_beside_live_appends_finds_no_difference() {
    let dir = tempfile::tempdir().unwrap();
    for seed in 0..4 {
        let (mut first, _) = population(seed, 60, Order::Shuffled(seed));
        let second = first.split_off(first.len() / 3);
        let log = Log::new(first, 16);
        let running = start(&log, &dir.path().join(format!("churn-{seed}"))).await;
        running.at(log.end()).await;
        let rebuild = running.projector.begin_rebuild(RebuildOptions::default()).await.unwrap();
        let (rebuilt, ()) = tokio::join!(rebuild.finish(), async {
            for entry in second {
                log.append([entry]);
                tokio::task::yield_now().await;
            }
        });
        rebuilt.unwrap();
        let Some(Phase::Switched(Some(findings))) = phase(&running) else { panic!("no findings") };
        assert_eq!((findings.different, findings.counts.len()), (0, 0), "{findings:?}");
        assert!(findings.compared > 10);
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_brings_the_previous_generation_back_and_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    let (mut entries, _) = population(13, 40, Order::Recorded);
    let later = entries.split_off(entries.len() / 2);
    let log = Log::new(entries, 64);
    let running = start(&log, &dir.path().join("churn")).await;
    running.at(log.end()).await;
    assert!(matches!(running.projector.begin_rollback().await, Err(RebuildError::NoPrevious)));
    let first = running.projector.status().serving.generation;
    running.projector.begin_rebuild(RebuildOptions::default()).await.unwrap().finish().await.unwrap();
    let second = running.projector.status().serving.generation;
    running.stop().await;

    log.append(later);
    let running = start(&log, &dir.path().join("churn")).await;
    let wanted = running.at(log.end()).await;
    running.projector.begin_rollback().await.unwrap().finish().await.unwrap();
    assert_eq!(running.projector.status().serving.generation, first);
    assert_eq!(running.at(log.end()).await, wanted);
    running.stop().await;

    let running = start(&log, &dir.path().join("churn")).await;
    assert_eq!(running.at(log.end()).await, wanted);
    running.projector.begin_rollback().await.unwrap().finish().await.unwrap();
    assert_eq!(running.projector.status().serving.generation, second, "there and back again");
    running.projector.retire_previous().await.unwrap();
    assert!(matches!(running.projector.begin_rollback().await, Err(RebuildError::NoPrevious)));
    assert!(matches!(running.projector.retire_previous().await, Err(RebuildError::NoPrevious)));
    running.stop().await;
}
