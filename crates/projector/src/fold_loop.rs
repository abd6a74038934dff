//! One generation follows the log: fold, go live at the head, drain timers, commit. The same for a start, a restart
//! and a rebuild.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use touchpoint::Position;
use views::View;

use crate::Generation;
use crate::commit::GenerationStore;
use crate::cores::{Priority, giving_way};
use crate::due::{Due, Stage};
use crate::error::StoreError;
use crate::source::{Batch, Batches, Checkpoint, Clock, Source, SourceError, SourceFuture};
use crate::throttle::Throttle;

/// How often timers are drained without anybody asking.
const DRAIN_EVERY: Duration = Duration::from_millis(500);
/// How often a log that is read is asked whether it is still the same: reliability demands 5 s.
const CHECK_EVERY: Duration = Duration::from_secs(3);
/// Pause before a log that does not answer is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// A generation that follows the log.
pub(crate) struct FoldLoop<V: View> {
    pub(crate) generation: Arc<Generation<V>>,
    pub(crate) disk: GenerationStore,
    pub(crate) source: Arc<dyn Source>,
    pub(crate) clock: Clock,
    /// The position that is durable.
    pub(crate) committed: watch::Sender<Position>,
    pub(crate) stop: CancellationToken,
    /// How fast it catches up.
    pub(crate) throttle: Throttle,
}

/// A commit that runs on another thread.
type Committing = JoinHandle<Result<Checkpoint, StoreError>>;

impl<V: View> FoldLoop<V> {
    /// Follows until it is told to stop, or the log is broken, and says so at once through `ended`. When this returns,
    /// what was folded is durable, if the disk allows.
    pub(crate) async fn run(mut self, ended: impl FnOnce(Result<(), SourceError>)) {
        let mut committing = None;
        ended(self.follow(&mut committing).await);
        // Never two commits beside each other: the later head must not come before the earlier pages.
        if committing.is_some() {
            self.note_commit(finished(&mut committing).await);
        }
        let last = || {
            self.generation.settle((self.clock)());
            self.disk.commit(&self.generation)
        };
        match tokio::task::block_in_place(last) {
            Ok(checkpoint) => drop(self.committed.send_replace(checkpoint.position)),
            Err(error) => {
                tracing::error!(view = V::NAME, %error, "the last commit failed; its events will be folded again")
            }
        }
    }

    async fn follow(&mut self, committing: &mut Option<Committing>) -> Result<(), SourceError> {
        let Some(target) = self.stop.run_until_cancelled(self.prepare()).await.transpose()? else { return Ok(()) };
        let mut batches = self.tail();
        let mut drain = interval(DRAIN_EVERY);
        drain.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut broken = pin!(watch_log(self.source.clone(), self.generation.clone()));
        let mut priority = self.generation.watch_priority();
        let (mut due, mut begun) = (Due::new(), Instant::now());
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(()),
                broken = &mut broken => return Err(broken),
                result = finished(committing) => {
                    self.note_commit(result);
                    due.committed(begun, self.generation.is_live());
                }
                _ = drain.tick(), if self.generation.is_live() => {
                    tokio::task::block_in_place(|| self.generation.drain((self.clock)()));
                }
                // Who serves from now on is committed at once.
                Ok(()) = priority.changed() => {}
                () = self.throttle.wait(), if self.is_held_back() => {}
                batch = batches.next(), if !self.is_held_back() => match batch {
                    Some(Err(SourceError::Unavailable(reason))) => batches = self.tail_again(&reason).await,
                    Some(batch) => if self.take(&batch?, target) {
                        due.went_live();
                        if self.generation.priority() == Priority::Low {
                            batches = self.tail();
                        }
                    }
                    None => return Err(SourceError::Unavailable("the log's tail ended".to_owned())),
                },
            }
            if committing.is_none() && self.is_commit_due(&due) {
                begun = Instant::now();
                *committing = Some(self.begin_commit());
            }
        }
    }

    /// Recognises the log, of which nothing is served before, and learns its rules; gives the position at which the
    /// generation is live.
    async fn prepare(&self) -> Result<Position, SourceError> {
        let end = answered::<V, _>(|| self.source.check(self.generation.checkpoint())).await?;
        self.generation.positions.saw_end(end);
        let control = answered::<V, _>(|| self.source.control(self.generation.position())).await?;
        self.generation.learn(&control);
        // One that is paused serves as of where it stands, if it stands anywhere.
        let stands_at = self.generation.positions.stands_at().filter(|_| self.generation.present.stands());
        let target = stands_at.map_or(end, |at| at.min(end));
        self.go_live_at(target);
        Ok(target)
    }

    /// Folds a batch; true if the generation is live by that.
    fn take(&mut self, batch: &Batch, target: Position) -> bool {
        let was_live = self.generation.is_live();
        tokio::task::block_in_place(|| self.generation.fold(batch, (self.clock)()));
        metrics::counter!("lifefold_projector_events_total", "view" => V::NAME).increment(batch.entries.len() as u64);
        self.go_live_at(target);
        // One that is live keeps up, however fast the log grows.
        if !was_live {
            self.throttle.folded(batch.entries.len(), batch.log_end);
        }
        !was_live && self.generation.is_live()
    }

    fn begin_commit(&self) -> Committing {
        if !self.generation.is_live() {
            tokio::task::block_in_place(|| self.generation.settle((self.clock)()));
        }
        let (disk, generation) = (self.disk.clone(), self.generation.clone());
        let commit = move || {
            generation.sum_up();
            disk.commit(&generation)
        };
        let gives_way = self.generation.priority() == Priority::Low;
        spawn_blocking(move || if gives_way { giving_way(commit) } else { commit() })
    }

    /// What follows. Who is live goes before others, whoever serves.
    fn tail(&self) -> Batches {
        let priority = if self.generation.is_live() { Priority::Normal } else { self.generation.priority() };
        self.source.tail(self.generation.checkpoint(), priority)
    }

    /// As [`Self::tail`], after one that ended for this reason: nobody else feeds a generation again that is built beside
    /// the one that serves.
    async fn tail_again(&self, reason: &str) -> Batches {
        tracing::warn!(view = V::NAME, reason, "the log cannot be followed; trying again");
        sleep(ASK_AGAIN).await;
        self.tail()
    }

    /// One that is live keeps up, however fast the log grows.
    fn is_held_back(&self) -> bool {
        !self.generation.is_live() && !self.throttle.is_free()
    }

    fn go_live_at(&self, target: Position) {
        if !self.generation.is_live() && self.generation.taken_in() >= target {
            tokio::task::block_in_place(|| self.generation.go_live((self.clock)()));
            tracing::info!(view = V::NAME, position = target.0, "the head of the log is reached");
        }
    }

    fn is_commit_due(&self, due: &Due) -> bool {
        let Some(dirty) = self.generation.dirty_pages() else { return false };
        let moved = dirty > 0 || self.generation.taken_in() > *self.committed.borrow();
        moved && due.is_now(self.stage(), dirty)
    }

    fn stage(&self) -> Stage {
        match (self.generation.is_live(), self.generation.priority()) {
            // While it is held back there is time to commit.
            (false, _) if self.is_held_back() => Stage::Standby,
            (false, _) => Stage::Behind,
            (true, Priority::Low) => Stage::Standby,
            (true, Priority::Normal) => Stage::Serving,
        }
    }

    fn note_commit(&self, result: Result<Checkpoint, StoreError>) {
        match result {
            Ok(checkpoint) => drop(self.committed.send_replace(checkpoint.position)),
            // Serving goes on from memory, which is right; the next commit takes these pages along. Also where the store
            // is damaged: to set it aside means to fold the whole log again, which can wait for a restart of the
            // operator's choosing. Until then the log of this process and the age of the last commit tell of it.
            Err(error) => {
                metrics::counter!("lifefold_projector_commit_failures_total", "view" => V::NAME).increment(1);
                tracing::error!(view = V::NAME, %error, "commit failed; trying again");
            }
        }
    }
}

/// Asks the log until it answers.
async fn answered<'a, V: View, T>(ask: impl Fn() -> SourceFuture<'a, T>) -> Result<T, SourceError> {
    loop {
        match ask().await {
            Err(SourceError::Unavailable(reason)) => {
                tracing::warn!(view = V::NAME, reason, "the log does not answer; asking again");
                sleep(ASK_AGAIN).await;
            }
            answered => return answered,
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

/// Asks again and again whether the log is the one that is folded; returns only when it is not.
async fn watch_log<V: View>(source: Arc<dyn Source>, generation: Arc<Generation<V>>) -> SourceError {
    loop {
        sleep(CHECK_EVERY).await;
        let checkpoint = tokio::task::block_in_place(|| generation.checkpoint());
        match source.check(checkpoint).await {
            Err(broken @ SourceError::Broken(_)) => return broken,
            Ok(end) => generation.positions.saw_end(end),
            // The tail tells of a log that does not answer.
            Err(SourceError::Unavailable(_)) => {}
        }
    }
}
