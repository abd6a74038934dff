//! How a rebuild ends.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::rebuilt::{SEED, copy, ended, is_saving, newest, phase, serving, until};
use crate::support::running::{PATIENCE, Running, start};
use crate::support::{Log, population};
use history::Order;
use projector::{Phase, Priority, RebuildOptions};
use tokio::task::yield_now;
use tokio::time::{Duration, Instant};
use touchpoint::Position;

/// Rebuilds that are tried until one is hit at the right moment.
const ATTEMPTS: u32 = 20;
/// Rebuilds that are cancelled too late, before a test has seen enough.
const TOO_LATE: u32 = 3;
const AT_ONCE: RebuildOptions = RebuildOptions { accept: false, max_rate: 0 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_is_read_beside_the_serving_generation_gives_way() {
    let dir = tempfile::tempdir().unwrap();
    let (log, running) = serving(dir.path(), 16).await;
    assert_eq!(log.manners(), [Priority::Normal], "whoever starts is waited for");
    running.projector.begin_rebuild(AT_ONCE).await.unwrap().carry_out();
    assert_eq!(ended(&running).await.ending.unwrap().given_up, None);
    assert_eq!(log.manners(), [Priority::Normal, Priority::Low, Priority::Normal], "what is to serve is not held up");
    assert_eq!(log.tails()[2], log.end(), "nothing is read twice");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_is_no_faster_than_it_may_be() {
    let dir = tempfile::tempdir().unwrap();
    let (log, running) = serving(dir.path(), 16).await;
    let (begun, max_rate) = (Instant::now(), log.end().0);
    running.projector.begin_rebuild(RebuildOptions { max_rate, ..AT_ONCE }).await.unwrap().finish().await.unwrap();
    assert!(begun.elapsed() > Duration::from_millis(500), "a second, but for the last batch: {:?}", begun.elapsed());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_new_generation_serves_before_it_is_durable_and_a_crash_in_between_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (live, crashed) = (dir.path().join("live"), dir.path().join("crashed"));
    let (log, running) = serving(&live, 64).await;
    let wanted = running.at(log.end()).await;
    let (before, begun) = crash_while_saving(&running, &live, &crashed).await;
    ended(&running).await;
    assert!(matches!(phase(&running), Some(Phase::Switched(Some(_)))));
    running.stop().await;

    let running = start(&log, &crashed).await;
    assert_eq!(running.projector.status().serving.generation, before, "what is durable");
    assert_eq!(running.at(log.end()).await, wanted);
    let rebuilt = ended(&running).await;
    assert_eq!((rebuilt.generation, rebuilt.resumed), (begun, 1));
    assert_eq!(running.projector.status().serving.generation, begun);
    assert_eq!(running.at(log.end()).await, wanted);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_cancel_answers_is_so() {
    let dir = tempfile::tempdir().unwrap();
    let (_log, running) = serving(dir.path(), 64).await;
    let serves = || running.projector.status().serving.generation;
    let (mut yields, mut in_time, mut too_late) = (0, 0, 0);
    // Ever later, until it was too late often enough: how late that is, depends on the machine.
    while too_late < TOO_LATE {
        let before = serves();
        running.projector.begin_rebuild(AT_ONCE).await.unwrap().carry_out();
        for _ in 0..yields {
            yield_now().await;
        }
        let is_cancelled = running.projector.cancel_rebuild().is_some();
        assert_eq!(ended(&running).await.ending.unwrap().given_up.is_some(), is_cancelled, "after {yields} yields");
        assert_eq!(serves() == before, is_cancelled, "after {yields} yields");
        *(if is_cancelled { &mut in_time } else { &mut too_late }) += 1;
        yields += yields / 4 + 1;
    }
    assert!(in_time > 0, "never in time");
    running.stop().await;
}

/// Rebuilds until it was fast enough to take the files while the new generation serves and is not durable. Gives the
/// generation that is durable, and the one that serves.
async fn crash_while_saving(running: &Running, live: &Path, crashed: &Path) -> (u64, u64) {
    for attempt in 0.. {
        assert!(attempt < ATTEMPTS, "never seen while it is saved");
        let before = running.projector.status().serving.generation;
        let begun = running.projector.begin_rebuild(AT_ONCE).await.unwrap().carry_out();
        until("the new generation to serve", || is_saving(running) || newest(running).ending.is_some()).await;
        let serving = running.projector.status();
        let is_cancelled = running.projector.cancel_rebuild().is_some();
        fs::remove_dir_all(crashed).ok();
        copy(live, crashed);
        if is_saving(running) {
            assert_eq!((serving.serving.generation, serving.building.is_none(), is_cancelled), (begun, true, false));
            return (before, begun);
        }
        ended(running).await;
    }
    unreachable!("the loop returns")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_sees_an_older_answer_after_the_switch() {
    let dir = tempfile::tempdir().unwrap();
    let (mut first, _) = population(SEED, 2_000, Order::Recorded);
    let mut second = first.split_off(first.len() / 8).into_iter();
    let log = Log::new(first, 16);
    let running = start(&log, dir.path()).await;
    running.at(log.end()).await;
    for _ in 0..4 {
        let before = running.projector.status().serving.generation;
        running.projector.begin_rebuild(AT_ONCE).await.unwrap().carry_out();
        // Appended and looked at without a pause, until after the switch: each event once the one before is served.
        let switched = Arc::new(AtomicBool::new(false));
        let looking = {
            let (projector, switched) = (running.projector.clone(), switched.clone());
            std::thread::spawn(move || {
                let mut seen = Position::ZERO;
                while !switched.load(Ordering::Relaxed) {
                    let position = projector.serving().unwrap().position();
                    assert!(position >= seen, "{position} after {seen}");
                    seen = position;
                }
            })
        };
        let mut appended = 0;
        while running.projector.status().serving.generation == before {
            log.append(second.by_ref().take(1));
            appended += 1;
            running.projector.reached(log.end(), Instant::now() + PATIENCE).await.unwrap();
        }
        switched.store(true, Ordering::Relaxed);
        looking.join().unwrap();
        assert!(appended > 10 && second.len() > 0, "{appended} appended, {} left", second.len());
        ended(&running).await;
    }
    running.at(log.end()).await;
    running.stop().await;
}
