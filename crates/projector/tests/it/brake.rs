//! A rebuild gives way to those who are served beside it, while it folds and while it compares.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::support::rebuilt::{ended, phase, serving, until};
use crate::support::running::Running;
use projector::{Bounds, Phase, RebuildOptions, Vitals};

/// More than the default bound.
const SLOW: Duration = Duration::from_millis(80);
const FAST: Duration = Duration::from_millis(1);

/// Answers all the time, until it is dropped.
struct Answering {
    /// How long each takes, in milliseconds; 0: nobody asks any more.
    millis: Arc<AtomicU64>,
}

impl Answering {
    fn start(running: &Running, took: Duration) -> Self {
        let (projector, millis) = (running.projector.clone(), Arc::new(AtomicU64::new(0)));
        let answering = Self { millis: millis.clone() };
        answering.takes(took);
        thread::spawn(move || {
            while let took @ 1.. = millis.load(Ordering::Relaxed) {
                projector.answered(Duration::from_millis(took));
                thread::yield_now();
            }
        });
        answering
    }

    fn takes(&self, took: Duration) {
        self.millis.store(took.as_millis() as u64, Ordering::Relaxed);
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.takes(Duration::ZERO);
    }
}

fn vitals(running: &Running) -> Vitals {
    running.projector.last_rebuild().and_then(|it| it.progress).map(|it| it.vitals).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_answers_hold_back_the_folding_and_the_comparing() {
    let dir = tempfile::tempdir().unwrap();
    let (log, running) = serving(dir.path(), 256).await;
    let answering = Answering::start(&running, SLOW);
    let options = RebuildOptions { max_rate: log.end().0, ..RebuildOptions::default() };
    running.projector.begin_rebuild(options).await.unwrap().carry_out();
    let is_held_back_more = |before: Duration, wanted: Phase| {
        let held = vitals(&running).held_back > before;
        let now = phase(&running).unwrap();
        assert!(!matches!(now, Phase::Saving(_) | Phase::Switched(_)), "held back in {wanted:?} only: {now:?}");
        held && now == wanted
    };
    until("folding to be held back", || is_held_back_more(Duration::ZERO, Phase::Folding)).await;
    until("the comparison", || phase(&running) == Some(Phase::Verifying)).await;
    let before = vitals(&running).held_back;
    until("comparing to be held back", || is_held_back_more(before, Phase::Verifying)).await;
    assert!(vitals(&running).p99.is_some_and(|p99| p99 > Bounds::default().p99), "{:?}", vitals(&running));
    answering.takes(FAST);
    assert_eq!(ended(&running).await.ending.unwrap().given_up, None);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_comparison_that_is_held_back_can_be_cancelled() {
    let dir = tempfile::tempdir().unwrap();
    let (log, running) = serving(dir.path(), 256).await;
    let before = running.projector.status().serving.generation;
    let _answering = Answering::start(&running, SLOW);
    let options = RebuildOptions { max_rate: log.end().0, ..RebuildOptions::default() };
    running.projector.begin_rebuild(options).await.unwrap().carry_out();
    until("the comparison", || phase(&running) == Some(Phase::Verifying)).await;
    assert!(running.projector.cancel_rebuild().is_some());
    assert!(ended(&running).await.ending.unwrap().given_up.is_some());
    assert_eq!(running.projector.status().serving.generation, before);
    running.stop().await;
}
