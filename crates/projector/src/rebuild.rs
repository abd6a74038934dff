//! Building a generation beside the serving one, and switching to it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use view_store::{GenerationId, Store};
use views::View;
use views::rules::Rules;

use crate::commit::head;
use crate::error::{RebuildError, StoreError};
use crate::feed::Fed;
use crate::generation::lock;
use crate::source::{Checkpoint, SourceError};
use crate::verify::{Findings, suspects};
use crate::{Generation, Projector, cores, load};

/// How often a rebuild looks whether the serving generation is overtaken.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// What a rebuild does at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Folds the log, and makes it durable.
    Folding,
    /// Compares the new generation with the serving one.
    Verifying,
    /// They differ: it waits to be accepted or cancelled.
    Differs(Arc<Findings>),
    /// The new generation serves. What was compared; nothing where the serving generation was of a broken log, or the
    /// new one is the previous one.
    Switched(Option<Arc<Findings>>),
    /// It was given up, for this reason; what was served is served on.
    GivenUp(String),
}

/// A rebuild, as those who watch it see it.
pub(crate) struct Building<V: View> {
    pub(crate) fed: Arc<Fed<V>>,
    /// Before the switch it is compared with the serving one.
    is_compared: bool,
    pub(crate) phase: watch::Sender<Phase>,
    accepted: watch::Sender<bool>,
    cancelled: CancellationToken,
}

/// The rebuild that is under way, and the last one that ended since the start.
pub(crate) struct Rebuilding<V: View> {
    under_way: Option<Arc<Building<V>>>,
    ended: Option<(u64, Phase)>,
}

impl<V: View> Default for Rebuilding<V> {
    fn default() -> Self {
        Self { under_way: None, ended: None }
    }
}

/// A rebuild that has begun.
pub struct Rebuild<V: View> {
    projector: Projector<V>,
    building: Arc<Building<V>>,
    _turn: OwnedSemaphorePermit,
}

impl<V: View> Projector<V> {
    /// Begins to fold the log into a new generation beside the serving one. The previous one is dropped.
    pub async fn begin_rebuild(&self) -> Result<Rebuild<V>, RebuildError> {
        let inner = &self.inner;
        let turn = self.turn().await?;
        let origin = (inner.options.source.origin)().await?;
        let (id, generation) = tokio::task::block_in_place(|| {
            let in_use = inner.serving.borrow().id;
            begin(&inner.store, origin, &inner.options.rules, Some(in_use))
        })?;
        Ok(self.begun(turn, id, generation, true))
    }

    /// Begins to go back to the generation that served before: it is read from disk, and catches up.
    pub async fn begin_rollback(&self) -> Result<Rebuild<V>, RebuildError> {
        let (turn, inner) = (self.turn().await?, &self.inner);
        let previous = || -> Result<_, StoreError> {
            let Some(id) = inner.store.previous()? else { return Ok(None) };
            Ok(load::generation(&inner.store, id, &inner.options.rules)?.map(|generation| (id, generation)))
        };
        let (id, generation) = tokio::task::block_in_place(previous)?.ok_or(RebuildError::NoPrevious)?;
        Ok(self.begun(turn, id, generation, false))
    }

    /// Drops the generation that served before.
    pub async fn retire_previous(&self) -> Result<(), RebuildError> {
        let (_turn, store) = (self.turn().await?, &self.inner.store);
        tokio::task::block_in_place(|| -> Result<_, StoreError> {
            let Some(id) = store.previous()? else { return Ok(Err(RebuildError::NoPrevious)) };
            Ok(Ok(store.drop_generation(id)?))
        })?
    }

    /// One rebuild at a time.
    async fn turn(&self) -> Result<OwnedSemaphorePermit, RebuildError> {
        loop {
            match self.inner.rebuilds.clone().try_acquire_owned() {
                Ok(turn) => return Ok(turn),
                Err(_) if self.building().is_some() => return Err(RebuildError::Rebuilding),
                // Another one is about to begin, or the last one tidies up.
                Err(_) => sleep(LOOK_AGAIN).await,
            }
        }
    }

    fn begun(
        &self,
        turn: OwnedSemaphorePermit,
        id: GenerationId,
        generation: Arc<Generation<V>>,
        is_compared: bool,
    ) -> Rebuild<V> {
        let building = Arc::new(Building {
            fed: self.inner.feed(id, generation),
            is_compared,
            phase: watch::Sender::new(Phase::Folding),
            accepted: watch::Sender::new(false),
            cancelled: CancellationToken::new(),
        });
        lock(&self.inner.rebuilding).under_way = Some(building.clone());
        Rebuild { projector: self.clone(), building, _turn: turn }
    }

    /// The rebuild that is under way.
    pub(crate) fn building(&self) -> Option<Arc<Building<V>>> {
        lock(&self.inner.rebuilding).under_way.clone()
    }

    /// The last rebuild since the start, under way or ended: its generation's number, and what it does or did.
    pub fn last_rebuild(&self) -> Option<(u64, Phase)> {
        let Rebuilding { under_way, ended } = &*lock(&self.inner.rebuilding);
        under_way.as_ref().map(|it| (it.fed.id.get(), it.phase.borrow().clone())).or_else(|| ended.clone())
    }

    fn ended(&self, building: &Building<V>, phase: Phase) {
        *lock(&self.inner.rebuilding) = Rebuilding { under_way: None, ended: Some((building.fed.id.get(), phase)) };
    }

    /// Switches to the new generation even if it differs. False if no rebuild is under way.
    pub fn accept_rebuild(&self) -> bool {
        self.building().map(|building| building.accepted.send_replace(true)).is_some()
    }

    /// Gives the rebuild that is under way up. False if none is.
    pub fn cancel_rebuild(&self) -> bool {
        self.building().map(|building| building.cancelled.cancel()).is_some()
    }
}

impl<V: View> Rebuild<V> {
    /// The number of the new generation.
    pub fn generation(&self) -> u64 {
        self.building.fed.id.get()
    }

    /// Switches to the new generation once it is durable, at least as far as the serving one, and says the same or is
    /// accepted. The old one stays on disk as the previous one. After an error what was served is served on.
    pub async fn finish(self) -> Result<(), RebuildError> {
        let Self { projector, building, _turn } = &self;
        let (inner, fed) = (&projector.inner, &building.fed);
        let built = tokio::select! {
            built = projector.built(building) => built,
            () = building.cancelled.cancelled() => Err(RebuildError::Cancelled),
        };
        let findings = match built {
            Ok(findings) => findings,
            Err(error) => {
                projector.ended(building, Phase::GivenUp(error.to_string()));
                fed.stop.cancel();
                fed.kept().await;
                // What was previous stays so.
                if building.is_compared {
                    inner.store.drop_generation(fed.id).map_err(StoreError::from)?;
                }
                return Err(error);
            }
        };
        let old = inner.serving.send_replace(fed.clone());
        projector.serve();
        projector.ended(building, Phase::Switched(findings));
        old.stop.cancel();
        old.kept().await;
        // Millions of records are given back: away from the threads that serve.
        spawn_blocking(move || drop(old));
        Ok(())
    }
}

impl<V: View> Projector<V> {
    /// Waits until a new generation is live, durable, as far as the serving one, and the same or accepted; then marks
    /// it on disk.
    async fn built(&self, building: &Building<V>) -> Result<Option<Arc<Findings>>, RebuildError> {
        let fed = &building.fed;
        if !fed.live().await {
            fed.ended().await?;
            return Err(RebuildError::Draining);
        }
        let live_at = fed.generation.position();
        let mut committed = fed.committed.clone();
        while *committed.borrow_and_update() < live_at || !self.is_overtaken_by(&fed.generation) {
            tokio::select! {
                ended = fed.ended() => return Err(no_more(ended)),
                _ = tokio::time::timeout(LOOK_AGAIN, committed.changed()) => {}
            }
        }
        let findings =
            if self.is_broken() || !building.is_compared { None } else { Some(Arc::new(self.verify(building).await?)) };
        if let Some(findings) = findings.as_ref().filter(|it| it.different > 0) {
            tracing::warn!(view = V::NAME, different = findings.different, "the new generation says something else");
            building.phase.send_replace(Phase::Differs(findings.clone()));
            let mut accepted = building.accepted.subscribe();
            tokio::select! {
                ended = fed.ended() => return Err(no_more(ended)),
                _ = accepted.wait_for(|accepted| *accepted) => {}
            }
        }
        tokio::task::block_in_place(|| self.inner.store.set_serving(fed.id)).map_err(StoreError::from)?;
        Ok(findings)
    }

    /// Compares the new generation with the serving one.
    async fn verify(&self, building: &Building<V>) -> Result<Findings, RebuildError> {
        building.phase.send_replace(Phase::Verifying);
        let (serving, new) = (self.inner.serving.borrow().generation.clone(), building.fed.generation.clone());
        let (one, other) = (serving.clone(), new.clone());
        let suspects = spawn_blocking(move || suspects(&one, &other)).await.map_err(|_| RebuildError::Draining)?;
        let seen = serving.position().max(new.position());
        for generation in [&serving, &new].into_iter().filter(|_| !suspects.is_empty()) {
            let mut applied = generation.applied();
            tokio::select! {
                _ = applied.wait_for(|applied| *applied >= seen) => {}
                ended = building.fed.ended() => return Err(no_more(ended)),
            }
        }
        spawn_blocking(move || suspects.looked_at_again(&serving, &new)).await.map_err(|_| RebuildError::Draining)
    }

    /// Nothing that is served now would be missing. What is folded of a broken log does not count.
    fn is_overtaken_by(&self, generation: &Generation<V>) -> bool {
        self.is_broken() || generation.position() >= self.inner.serving.borrow().generation.position()
    }
}

/// A generation that is not fed any more will not serve.
fn no_more(ended: Result<(), SourceError>) -> RebuildError {
    ended.map_or_else(RebuildError::from, |()| RebuildError::Draining)
}

type Begun<V> = (GenerationId, Arc<Generation<V>>);

/// The first generation of a store, serving from the start.
pub(crate) fn first<V: View>(store: &Store, origin: Checkpoint, rules: &Arc<Rules>) -> Result<Begun<V>, StoreError> {
    let of_another_fold = store.serving()?;
    let begun = begin(store, origin, rules, None)?;
    store.set_serving(begun.0)?;
    of_another_fold.into_iter().try_for_each(|id| store.drop_generation(id))?;
    Ok(begun)
}

/// An empty generation, in the store and in memory. Leftovers of a rebuild that was cut off are dropped.
fn begin<V: View>(
    store: &Store,
    origin: Checkpoint,
    rules: &Arc<Rules>,
    in_use: Option<GenerationId>,
) -> Result<Begun<V>, StoreError> {
    let serving = store.serving()?;
    let leftovers = store.generations()?.into_iter().filter(|id| Some(*id) != serving && Some(*id) != in_use);
    leftovers.into_iter().try_for_each(|id| store.drop_generation(id))?;
    let id = store.create_generation(&head::<V>(origin))?;
    Ok((id, Arc::new(Generation::on_threads(cores::count(), origin, rules.clone()))))
}
