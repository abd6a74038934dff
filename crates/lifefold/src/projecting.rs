//! The projector of one view: folds the log and answers.

use std::path::PathBuf;

use anyhow::Context;
use projector::{Options, Projector, SourceError, StartError, State};
use services::Served;
use tokio_util::sync::CancellationToken;

use crate::cli::View;
use crate::clock;
use crate::door::Door;
use crate::gateway::{log_options, serve, until_opened};
use crate::gauges;
use crate::settings::Settings;
use crate::source;

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
    let opening = async { until_opened(V::NAME, &stop, || start::<V>(&options, &stop)).await.transpose() };
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

/// A projector, or why it cannot start; an error where there is no log yet.
async fn start<V: Served>(options: &Options, stop: &CancellationToken) -> Result<anyhow::Result<Projector<V>>, String> {
    match Projector::<V>::start(options.clone(), stop.clone()).await {
        Err(StartError::Source(SourceError::Unavailable(reason))) => Err(reason),
        started => Ok(started.with_context(|| format!("the {} projector cannot start", V::NAME))),
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
