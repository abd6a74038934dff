//! A log that cannot be followed for a while.

use std::sync::Arc;

use crate::support::rebuilt::serving;
use crate::support::running::{NOW, options};
use projector::{Projector, RebuildOptions, State};
use tokio_util::sync::CancellationToken;
use views::churn::Churn;

/// Tails that end at once.
const IN_VAIN: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_goes_on_once_the_log_can_be_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (log, running) = serving(dir.path(), 16).await;
    let wanted = running.at(log.end()).await;
    running.stop().await;

    let options = options(&log, dir.path(), Arc::new(|| NOW));
    log.make_unavailable(IN_VAIN);
    let stop = CancellationToken::new();
    let projector = Projector::<Churn>::start(options, stop.clone()).await.unwrap();
    let runs = projector.clone();
    let task = tokio::spawn(async move { runs.run().await });
    projector.state().wait_for(|state| *state == State::Serving).await.unwrap();
    projector.begin_rebuild(RebuildOptions::default()).await.unwrap().finish().await.unwrap();
    assert_eq!(log.unavailable(), 0);
    assert_eq!(projector.serving().unwrap().digests().1, wanted);
    stop.cancel();
    task.await.unwrap();
}
