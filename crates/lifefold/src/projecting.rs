//! The projector of one view: folds the log and answers.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use projector::{Options, Projector, SourceError, StartError, State};
use services::Served;
use tokio_util::sync::CancellationToken;

use crate::cli::View;
use crate::clock;
use crate::door::Door;
use crate::gateway::{log_options, serve};
use crate::gauges;
use crate::settings::Settings;
use crate::source;

/// Pause before a log that could not be opened is tried again.
const OPEN_AGAIN: Duration = Duration::from_secs(3);

/// Serves until it is told to stop. Until the head of the log is reached it is NOT_SERVING.
pub(crate) async fn run<V: Served>(
    view: View,
    settings: Settings,
    dir: PathBuf,
    door: Door,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let source = source::source(log_options(&settings, view.process()));
    let rules_given = settings.is_given("rules");
    let Settings { rules, bounds, scrub_rate, .. } = settings;
    let options = Options { dir, rules, rules_given, source: source.clone(), clock: clock::clock(), bounds };
    let opening = start::<V>(&options, &stop);
    let Some(projector) = door.wait_for(&[V::SERVICE], opening).await? else { return Ok(()) };
    tracing::info!(view = V::NAME, address = %door.address(), "the projector folds and listens");
    let watching = tokio::spawn(gauges::watch(projector.clone(), source));
    let scrubbed = projector.clone();
    let scrubbing = tokio::spawn(async move { scrubbed.scrub(scrub_rate).await });
    let telling = tokio::spawn(tell_state(V::NAME, projector.state()));
    let (served, ()) = tokio::join!(serve(door, services::view(&projector), stop), projector.run());
    watching.abort();
    telling.abort();
    scrubbing.abort();
    served
}

/// Tries for ever while there is no log. Nothing if it is told to stop.
async fn start<V: Served>(options: &Options, stop: &CancellationToken) -> anyhow::Result<Option<Projector<V>>> {
    loop {
        let started = async {
            match Projector::<V>::start(options.clone(), stop.clone()).await {
                Err(StartError::Source(SourceError::Unavailable(reason))) => {
                    tracing::warn!(view = V::NAME, reason, "not serving: no log; trying again in {OPEN_AGAIN:?}");
                    tokio::time::sleep(OPEN_AGAIN).await;
                    None
                }
                started => Some(started.with_context(|| format!("the {} projector cannot start", V::NAME))),
            }
        };
        match stop.run_until_cancelled(started).await {
            Some(None) => {}
            Some(Some(projector)) => return projector.map(Some),
            None => return Ok(None),
        }
    }
}

/// Logs how the state changes.
async fn tell_state(view: &'static str, mut state: tokio::sync::watch::Receiver<State>) {
    loop {
        let now = state.borrow_and_update().clone();
        tracing::info!(view, state = now.name(), "state");
        if state.changed().await.is_err() {
            return;
        }
    }
}
