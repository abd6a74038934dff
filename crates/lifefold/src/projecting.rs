//! The projector of one view: folds the log and answers.

use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::Arc;

use anyhow::{Context, anyhow};
use projector::{Options, Projector, Source, SourceError, StartError, State};
use services::Served;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cli::View;
use crate::clock;
use crate::gateway::{log_options, serve, until_opened};
use crate::gauges;
use crate::listener::Listener;
use crate::settings::Settings;
use crate::source::LogSource;

/// Serves until it is told to stop. Until the head of the log is reached it is NOT_SERVING.
pub(crate) async fn run<V: Served>(
    view: View,
    settings: Settings,
    dir: PathBuf,
    listener: Listener,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let source: Arc<dyn Source> = Arc::new(LogSource::new(log_options(&settings, view.process())));
    let rules_given = settings.is_given("rules");
    let Settings { rules, bounds, scrub_rate, .. } = settings;
    let options = Options { dir, rules, rules_given, source: source.clone(), clock: clock::clock(), bounds };
    let opening = async { until_opened(V::NAME, &stop, || start::<V>(&options, &stop)).await.transpose() };
    let Some(projector) = listener.wait_for(&[V::SERVICE], opening).await? else { return Ok(()) };
    tracing::info!(view = V::NAME, address = %listener.address(), "the projector folds and listens");
    let mut beside = JoinSet::new();
    beside.spawn(gauges::watch(projector.clone(), source));
    beside.spawn(tell_state(V::NAME, projector.state()));
    let scrubbed = projector.clone();
    beside.spawn(async move { scrubbed.scrub(scrub_rate).await });
    let both =
        pin!(async { tokio::join!(serve(listener, services::view(&projector), stop.clone()), projector.run()).0 });
    while_none_panics(both, beside, &stop).await
}

/// Does this to its end, where the others are aborted. A gauge or a scrub that has died silently would be worse than a
/// restart: if one of them panics, all stop in order.
async fn while_none_panics(
    mut work: Pin<&mut impl Future<Output = anyhow::Result<()>>>,
    mut beside: JoinSet<()>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    tokio::select! {
        done = &mut work => done,
        panicked = first_panic(&mut beside) => {
            stop.cancel();
            work.await.and(Err(panicked))
        }
    }
}

/// Waits for a panic. Whoever ends otherwise has nothing more to do, as a scrub that is turned off.
async fn first_panic(tasks: &mut JoinSet<()>) -> anyhow::Error {
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            return anyhow!("a task beside the projector ended: {error}");
        }
    }
    std::future::pending().await
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    async fn beside(task: impl Future<Output = ()> + Send + 'static, stop: &CancellationToken) -> anyhow::Result<()> {
        let mut beside = JoinSet::new();
        beside.spawn(std::future::pending());
        beside.spawn(task);
        let stopped = stop.clone();
        let told = Cell::new(false);
        let work = pin!(async {
            stopped.cancelled().await;
            told.set(true);
            Ok(())
        });
        let done = while_none_panics(work, beside, stop).await;
        assert!(told.get(), "what was to be done is done in order");
        done
    }

    #[tokio::test]
    async fn who_panics_beside_the_projector_ends_it_in_order() {
        let stop = CancellationToken::new();
        let error = beside(async { panic!("by the test") }, &stop).await.unwrap_err();
        assert!(error.to_string().contains("panicked") && stop.is_cancelled(), "{error}");
    }

    #[tokio::test]
    async fn who_has_nothing_more_to_do_ends_nothing() {
        let stop = CancellationToken::new();
        let (ended, told) = (async {}, stop.clone());
        let (done, ()) = tokio::join!(beside(ended, &stop), async move {
            tokio::task::yield_now().await;
            told.cancel();
        });
        done.unwrap();
    }
}
