//! Building a generation beside the serving one, and switching to it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep;
use view_store::{GenerationId, Store};
use views::View;
use views::rules::Rules;

use crate::commit::head;
use crate::error::{RebuildError, StoreError};
use crate::feed::Fed;
use crate::source::Checkpoint;
use crate::status::State;
use crate::{Generation, Projector, cores};

/// How often a rebuild looks whether the serving generation is overtaken.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A rebuild that has begun.
pub struct Rebuild<V: View> {
    projector: Projector<V>,
    fed: Arc<Fed<V>>,
    _turn: OwnedSemaphorePermit,
}

impl<V: View> Projector<V> {
    /// Begins to fold the log into a new generation beside the serving one.
    pub async fn begin_rebuild(&self) -> Result<Rebuild<V>, RebuildError> {
        let inner = &self.inner;
        let turn = loop {
            match inner.rebuilds.clone().try_acquire_owned() {
                Ok(turn) => break turn,
                Err(_) if self.building().is_some() => return Err(RebuildError::Rebuilding),
                // Another one is about to begin, or the last one tidies up.
                Err(_) => sleep(LOOK_AGAIN).await,
            }
        };
        let origin = (inner.options.source.origin)().await?;
        let (id, generation) = tokio::task::block_in_place(|| {
            let in_use = inner.serving.borrow().id;
            begin(&inner.store, origin, &inner.options.rules, Some(in_use))
        })?;
        let fed = inner.feed(id, generation);
        *self.building() = Some(fed.clone());
        Ok(Rebuild { projector: self.clone(), fed, _turn: turn })
    }
}

impl<V: View> Rebuild<V> {
    /// The number of the new generation.
    pub fn generation(&self) -> u64 {
        self.fed.id.get()
    }

    /// Switches to the new generation once it is durable and at least as far as the serving one, and drops the old
    /// one. After an error what was served is served on.
    pub async fn finish(self) -> Result<(), RebuildError> {
        let Self { projector, fed, _turn } = &self;
        let inner = &projector.inner;
        let built = projector.built(fed).await;
        *projector.building() = None;
        if let Err(error) = built {
            fed.stop.cancel();
            fed.kept().await;
            inner.store.drop_generation(fed.id).map_err(StoreError::from)?;
            return Err(error);
        }
        let old = inner.serving.send_replace(fed.clone());
        projector.serve();
        old.stop.cancel();
        old.kept().await;
        let store = inner.store.clone();
        // Millions of records are given back: away from the threads that serve.
        tokio::task::spawn_blocking(move || {
            // The switch is made; what is left of the old one is dropped by the next rebuild at the latest.
            if let Err(error) = store.drop_generation(old.id) {
                tracing::warn!(view = V::NAME, generation = %old.id, %error, "the old generation could not be dropped");
            }
            drop(old);
        });
        Ok(())
    }
}

impl<V: View> Projector<V> {
    /// Waits until a new generation is live, durable, and as far as the serving one; then marks it on disk.
    async fn built(&self, fed: &Fed<V>) -> Result<(), RebuildError> {
        if !fed.live().await {
            fed.ended().await?;
            return Err(RebuildError::Draining);
        }
        let live_at = fed.generation.position();
        let mut committed = fed.committed.clone();
        while *committed.borrow_and_update() < live_at || !self.is_overtaken_by(&fed.generation) {
            tokio::select! {
                ended = fed.ended() => return Err(ended.map_or_else(RebuildError::from, |()| RebuildError::Draining)),
                _ = tokio::time::timeout(LOOK_AGAIN, committed.changed()) => {}
            }
        }
        tokio::task::block_in_place(|| self.inner.store.set_serving(fed.id)).map_err(StoreError::from)?;
        Ok(())
    }

    /// Nothing that is served now would be missing. What is folded of a broken log does not count.
    fn is_overtaken_by(&self, generation: &Generation<V>) -> bool {
        let broken = matches!(*self.inner.state.borrow(), State::Broken(_));
        broken || generation.position() >= self.inner.serving.borrow().generation.position()
    }
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
