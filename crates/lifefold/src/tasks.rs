//! Who owns the tasks: the first essential one to end ends the process, and the others drain under a deadline.

use std::future::Future;
use std::time::Duration;

use anyhow::{Context, anyhow};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

/// How long everything may take to go down: calls are finished, what was folded is committed.
const DRAIN: Duration = Duration::from_secs(8);

type Ended = (&'static str, anyhow::Result<()>);

/// The essential tasks of this process. Each ends by itself only if something is wrong.
pub(crate) struct Tasks {
    running: JoinSet<Ended>,
    stop: CancellationToken,
}

impl Tasks {
    /// None yet; cancelling the token tells them all to stop.
    pub(crate) fn new(stop: CancellationToken) -> Self {
        Self { running: JoinSet::new(), stop }
    }

    /// Starts one.
    pub(crate) fn start(
        &mut self,
        name: &'static str,
        task: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        self.running.spawn(async move { (name, task.await) });
    }

    /// Waits until one ends or the process is told to stop; then all stop. The error is that of the first one to fail.
    pub(crate) async fn run(mut self) -> anyhow::Result<()> {
        let first = tokio::select! {
            () = self.stop.cancelled() => None,
            ended = self.running.join_next() => ended,
        };
        let asked = self.stop.is_cancelled();
        self.stop.cancel();
        let outcome = first.map_or(Ok(()), |ended| reason(ended, asked));
        let drained = self.drain().await;
        outcome.and(drained)
    }

    async fn drain(&mut self) -> anyhow::Result<()> {
        let until = Instant::now() + DRAIN;
        let mut outcome = Ok(());
        loop {
            match timeout_at(until, self.running.join_next()).await {
                Ok(None) => return outcome,
                Ok(Some(ended)) => outcome = outcome.and(reason(ended, true)),
                Err(_) => return outcome.and(Err(anyhow!("not everything could be finished within {DRAIN:?}"))),
            }
        }
    }
}

fn reason(ended: Result<Ended, JoinError>, asked: bool) -> anyhow::Result<()> {
    match ended {
        Ok((_, Ok(()))) if asked => Ok(()),
        Ok((name, Ok(()))) => Err(anyhow!("the {name} ended, though nobody asked it to")),
        Ok((name, Err(error))) => Err(error).with_context(|| format!("the {name} has failed")),
        Err(error) => Err(anyhow!("a task of this process ended: {error}")),
    }
}

/// A token that is cancelled by Ctrl-C and SIGTERM.
pub(crate) fn stop_on_signal() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let told = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("told to stop; draining");
        told.cancel();
    });
    Ok(stop)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn until_stopped(stop: CancellationToken) -> anyhow::Result<()> {
        stop.cancelled().await;
        Ok(())
    }

    async fn run(task: impl Future<Output = anyhow::Result<()>> + Send + 'static) -> Result<(), String> {
        let stop = CancellationToken::new();
        let mut tasks = Tasks::new(stop.clone());
        tasks.start("other", until_stopped(stop.clone()));
        tasks.start("one", task);
        let outcome = tasks.run().await.map_err(|error| format!("{error:#}"));
        assert!(stop.is_cancelled(), "the others were told to stop");
        outcome
    }

    #[tokio::test]
    async fn the_first_to_end_ends_all_with_its_reason() {
        let failed = run(async { Err(anyhow!("no disk")) }).await;
        assert_eq!(failed, Err("the one has failed: no disk".to_owned()));
        let ended = run(async { Ok(()) }).await;
        assert_eq!(ended, Err("the one ended, though nobody asked it to".to_owned()));
    }

    #[tokio::test]
    async fn a_panic_ends_the_process_in_order() {
        let told = run(async { panic!("by the test") }).await.unwrap_err();
        assert!(told.contains("panicked"), "{told}");
    }

    #[tokio::test]
    async fn stopping_when_asked_is_no_error() {
        let stop = CancellationToken::new();
        let mut tasks = Tasks::new(stop.clone());
        tasks.start("one", until_stopped(stop.clone()));
        stop.cancel();
        tasks.run().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_drain_is_left_behind_in_time() {
        let stop = CancellationToken::new();
        let mut tasks = Tasks::new(stop.clone());
        tasks.start("stuck", std::future::pending());
        stop.cancel();
        assert!(tasks.run().await.unwrap_err().to_string().contains("8s"));
    }
}
