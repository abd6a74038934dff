//! A generation and the task that feeds it.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use touchpoint::Position;
use view_store::{GenerationId, Store};
use views::View;

use crate::Generation;
use crate::commit::GenerationStore;
use crate::counters::Counts;
use crate::fold_loop::FoldLoop;
use crate::projector::Options;
use crate::source::{Broken, SourceError, Trouble};
use crate::status::{GenerationStatus, Progress};
use crate::throttle::Throttle;

/// How feeding ended; nothing while it goes on.
type Outcome = Option<Result<(), SourceError>>;

/// A generation and the task that feeds it.
pub(crate) struct RunningGeneration<V: View> {
    pub(crate) id: GenerationId,
    pub(crate) generation: Arc<Generation<V>>,
    pub(crate) committed: watch::Receiver<Position>,
    pub(crate) stop: CancellationToken,
    outcome: watch::Receiver<Outcome>,
    /// Closed when the last commit is over.
    kept: watch::Receiver<()>,
}

impl<V: View> RunningGeneration<V> {
    /// Begins to feed a generation that is kept under this id, as far as this.
    pub(crate) fn start(
        options: &Options,
        store: &Arc<Store>,
        (id, committed): (GenerationId, Position),
        generation: Arc<Generation<V>>,
        stop: CancellationToken,
        throttle: Throttle,
    ) -> Arc<Self> {
        let committed = watch::Sender::new(committed);
        let receiver = committed.subscribe();
        let follow = FoldLoop {
            generation: generation.clone(),
            disk: GenerationStore { store: store.clone(), id },
            source: options.source.clone(),
            clock: options.clock.clone(),
            committed,
            stop: stop.clone(),
            throttle,
        };
        let (ended, outcome) = watch::channel(None);
        let (keeping, kept) = watch::channel(());
        tokio::spawn(async move {
            follow.run(|outcome| drop(ended.send_replace(Some(outcome)))).await;
            drop(keeping);
        });
        Arc::new(Self { id, generation, committed: receiver, stop, outcome, kept })
    }

    /// Waits until feeding has ended and what was folded is durable, if the disk allows.
    pub(crate) async fn kept(&self) {
        // Nothing is ever sent: the channel closes.
        _ = self.kept.clone().changed().await;
    }

    /// Waits until feeding has ended, and says how.
    pub(crate) async fn ended(&self) -> Result<(), SourceError> {
        match self.outcome.clone().wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or(Ok(())),
            // Without an outcome.
            Err(_) => Err(Broken::new(Trouble::FoldPanicked, "see the log of this process").into()),
        }
    }

    /// Waits until the generation is live; false if feeding ended before.
    pub(crate) async fn live(&self) -> bool {
        let mut live = self.generation.live();
        tokio::select! {
            live = live.wait_for(|live| *live) => live.is_ok(),
            _ = self.ended() => self.generation.is_live(),
        }
    }

    /// How far the generation is.
    pub(crate) fn progress(&self) -> Progress {
        Progress {
            // Before it is live, what is taken in is filed in large buckets: that it goes on should be seen.
            position: if self.generation.is_live() { self.generation.position() } else { self.generation.taken_in() },
            committed: *self.committed.borrow(),
            log_end: self.generation.log_end(),
            customers: self.generation.sizes().0,
            parked: self.generation.parked().0 as u64,
            conflicts: self.generation.counts().conflicts,
        }
    }

    /// How the generation is.
    pub(crate) fn status(&self) -> GenerationStatus {
        let generation = &self.generation;
        let digests = generation.is_live().then(|| generation.digests());
        let Progress { position, committed, log_end, customers, parked, conflicts } = self.progress();
        let Counts { erased, record_bytes, folded, duplicates, .. } = generation.counts();
        GenerationStatus {
            generation: self.id.get(),
            position,
            committed,
            log_end,
            digest_position: digests.map_or(Position::ZERO, |(checkpoint, _)| checkpoint.position),
            digests: digests.map(|(_, digests)| digests),
            customers,
            erased,
            timers: generation.sizes().1 as u64,
            record_bytes,
            parked,
            last_parked: generation.parked().1,
            folded,
            duplicates,
            conflicts,
            last_recorded_at: generation.last_recorded_at(),
        }
    }
}
