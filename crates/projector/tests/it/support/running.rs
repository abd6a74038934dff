//! A projector of a log in memory, running.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use projector::{Bounds, Clock, Options, Projector, State};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use touchpoint::{Position, Timestamp};
use views::churn::Churn;
use views::rules::Rules;
use views::{Digests, View};

use super::Log;

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// After everything that the histories say.
pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_900_000_000_000_000);

/// A projector and the task that runs it.
pub(crate) struct Running<V: View = Churn> {
    pub(crate) projector: Projector<V>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

pub(crate) async fn start(log: &Log, dir: &Path) -> Running {
    start_by(log, dir, Arc::new(|| NOW)).await
}

/// What a projector of this log needs.
pub(crate) fn options(log: &Log, dir: &Path, clock: Clock) -> Options {
    let (dir, rules) = (dir.to_owned(), Arc::new(Rules::default()));
    Options { dir, rules, rules_given: true, source: log.source(), clock, bounds: Bounds::default() }
}

/// The projector of a view, by this clock.
pub(crate) async fn start_by<V: View>(log: &Log, dir: &Path, clock: Clock) -> Running<V> {
    let stop = CancellationToken::new();
    let projector = Projector::start(options(log, dir, clock), stop.clone()).await.unwrap();
    let runs = projector.clone();
    let task = tokio::spawn(async move { runs.run().await });
    Running { projector, stop, task }
}

impl<V: View> Running<V> {
    pub(crate) async fn is(&self, wanted: impl FnMut(&State) -> bool) {
        let mut state = self.projector.state();
        tokio::time::timeout(PATIENCE, state.wait_for(wanted)).await.expect("the state in time").unwrap();
    }

    pub(crate) async fn at(&self, position: Position) -> Digests {
        self.is(|state| *state == State::Serving).await;
        let generation = self.projector.reached(position, Instant::now() + PATIENCE).await.unwrap();
        generation.digests().1
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.task).await.expect("the end in time").unwrap();
    }
}
