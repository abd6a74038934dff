//! One generation follows the log: fold, go live at the head, drain timers, commit. The same for a start, a restart
//! and a rebuild.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use touchpoint::Position;
use views::View;

use crate::Generation;
use crate::commit::Keeper;
use crate::error::StoreError;
use crate::source::{Batch, Checkpoint, Clock, Source, SourceError};

/// How often a live generation commits.
const COMMIT_EVERY: Duration = Duration::from_secs(2);
/// How often one that is behind commits: most of its pages change all the time.
const COMMIT_EVERY_BEHIND: Duration = Duration::from_secs(10);
/// Changed pages at which a live generation commits early.
const COMMIT_AT_PAGES: usize = 20_000;
/// How often timers are drained without anybody asking.
const DRAIN_EVERY: Duration = Duration::from_millis(500);
/// How often a log that is read is asked whether it is still the same: reliability demands 5 s.
const CHECK_EVERY: Duration = Duration::from_secs(3);
/// Pause before a log that does not answer is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// A generation that follows the log.
pub(crate) struct Follow<V: View> {
    pub(crate) generation: Arc<Generation<V>>,
    pub(crate) keeper: Keeper,
    pub(crate) source: Source,
    pub(crate) clock: Clock,
    /// The position that is durable.
    pub(crate) committed: watch::Sender<Position>,
    pub(crate) stop: CancellationToken,
}

/// A commit that runs on another thread.
type Committing = JoinHandle<Result<Checkpoint, StoreError>>;

impl<V: View> Follow<V> {
    /// Follows until it is told to stop, or the log is broken, and says so at once through `ended`. When this returns,
    /// what was folded is durable, if the disk allows.
    pub(crate) async fn run(self, ended: impl FnOnce(Result<(), SourceError>)) {
        let mut committing = None;
        ended(self.follow(&mut committing).await);
        // Never two commits beside each other: the later head must not come before the earlier pages.
        if committing.is_some() {
            self.note_commit(finished(&mut committing).await);
        }
        let last = || {
            self.generation.settle((self.clock)());
            self.keeper.commit(&self.generation)
        };
        match tokio::task::block_in_place(last) {
            Ok(checkpoint) => drop(self.committed.send_replace(checkpoint.position)),
            Err(error) => {
                tracing::error!(view = V::NAME, %error, "the last commit failed; its events will be folded again")
            }
        }
    }

    async fn follow(&self, committing: &mut Option<Committing>) -> Result<(), SourceError> {
        // Nothing is served of a log that was not recognised.
        let Some(target) = self.stop.run_until_cancelled(self.recognise()).await.transpose()? else { return Ok(()) };
        self.go_live_at(target);
        let mut batches = (self.source.tail)(self.generation.checkpoint());
        let mut drain = interval(DRAIN_EVERY);
        drain.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut broken = pin!(self.watch_log());
        let mut committed_at = Instant::now();
        let mut commit_now = false;
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(()),
                broken = &mut broken => return Err(broken),
                result = finished(committing) => {
                    self.note_commit(result);
                    committed_at = Instant::now();
                }
                _ = drain.tick(), if self.generation.is_live() => {
                    tokio::task::block_in_place(|| self.generation.drain((self.clock)()));
                }
                batch = batches.next() => match batch {
                    Some(batch) => {
                        let was_live = self.generation.is_live();
                        self.fold(&batch?, target);
                        // Whoever waits for this generation waits for it to be durable, too.
                        commit_now |= !was_live && self.generation.is_live();
                    }
                    None => return Err(SourceError::Unavailable("the log's tail ended".to_owned())),
                },
            }
            if committing.is_none() && (commit_now || self.is_commit_due(committed_at)) {
                commit_now = false;
                let (keeper, generation) = (self.keeper.clone(), self.generation.clone());
                *committing = Some(tokio::task::spawn_blocking(move || {
                    generation.digests();
                    keeper.commit(&generation)
                }));
            }
        }
    }

    /// The end of the log as it is at the start, once the log is recognised: when it is passed, the generation is live.
    async fn recognise(&self) -> Result<Position, SourceError> {
        loop {
            match (self.source.check)(self.generation.checkpoint()).await {
                Err(SourceError::Unavailable(reason)) => {
                    tracing::warn!(view = V::NAME, reason, "the log does not answer; asking again");
                    sleep(ASK_AGAIN).await;
                }
                answered => return answered,
            }
        }
    }

    /// Asks again and again whether the log is the one that is folded; returns only when it is not.
    async fn watch_log(&self) -> SourceError {
        loop {
            sleep(CHECK_EVERY).await;
            match (self.source.check)(self.generation.checkpoint()).await {
                Err(broken @ SourceError::Broken(_)) => return broken,
                // The tail tells of a log that does not answer.
                Ok(_) | Err(SourceError::Unavailable(_)) => {}
            }
        }
    }

    fn fold(&self, batch: &Batch, target: Position) {
        tokio::task::block_in_place(|| self.generation.fold(batch, (self.clock)()));
        metrics::counter!("lifefold_projector_events_total", "view" => V::NAME).increment(batch.entries.len() as u64);
        self.go_live_at(target);
    }

    fn go_live_at(&self, target: Position) {
        if !self.generation.is_live() && self.generation.taken_in() >= target {
            tokio::task::block_in_place(|| self.generation.go_live((self.clock)()));
            tracing::info!(view = V::NAME, position = target.0, "the head of the log is reached");
        }
    }

    fn is_commit_due(&self, committed_at: Instant) -> bool {
        let dirty = self.generation.dirty_pages();
        let moved = dirty > 0 || self.generation.position() > *self.committed.borrow();
        let every = if self.generation.is_live() { COMMIT_EVERY } else { COMMIT_EVERY_BEHIND };
        moved && (committed_at.elapsed() >= every || (self.generation.is_live() && dirty >= COMMIT_AT_PAGES))
    }

    fn note_commit(&self, result: Result<Checkpoint, StoreError>) {
        match result {
            Ok(checkpoint) => drop(self.committed.send_replace(checkpoint.position)),
            // Serving goes on from memory; the next commit takes these pages along.
            Err(error) => {
                metrics::counter!("lifefold_projector_commit_failures_total", "view" => V::NAME).increment(1);
                tracing::error!(view = V::NAME, %error, "commit failed; trying again");
            }
        }
    }
}

/// Waits for the commit that runs, for ever if there is none.
async fn finished(committing: &mut Option<Committing>) -> Result<Checkpoint, StoreError> {
    let Some(handle) = committing else { return std::future::pending().await };
    let result = handle.await;
    *committing = None;
    result.unwrap_or_else(|error| {
        let reason = format!("the commit panicked: {error}");
        Err(StoreError::Commit(view_store::CommitError::Damaged { reason }))
    })
}
