//! How a rebuild ends: the new generation is compared with the serving one, takes its place, and is made durable.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::task::{block_in_place, spawn_blocking};
use tokio::time::sleep;
use touchpoint::Position;
use views::View;

use crate::cores::{Priority, apart, giving_way};
use crate::error::{StoreError, Unfinished};
use crate::feed::RunningGeneration;
use crate::journal::{Ending, Origin};
use crate::phase::{Compared, Phase};
use crate::rebuild::{ActiveRebuild, Rebuild};
use crate::source::SourceError;
use crate::status::State;
use crate::throttle::Brake;
use crate::verify::{Findings, suspects};
use crate::{Generation, Projector};

/// How often it is looked whether the new generation is durable, and the log answers: it may be started anew meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// Pause before a disk that refused is asked again.
const SAVE_AGAIN: Duration = Duration::from_secs(2);

impl<V: View> Rebuild<V> {
    /// Switches to the new generation once it is as far as the serving one, and says the same or is accepted; returns
    /// when it is durable, too. The old one stays on disk as the previous one. After an error what was served is served
    /// on, or, where the process goes down, will be after a restart, and the rebuild goes on then.
    pub async fn finish(self) -> Result<(), Unfinished> {
        let Self { projector, active, .. } = &self;
        let built = tokio::select! {
            built = projector.built(active) => built,
            () = active.lifecycle.cancelled() => Err(Unfinished::Cancelled),
        };
        let switched = built.and_then(|compared| {
            let old = projector.switch(active, compared.clone()).ok_or(Unfinished::Cancelled)?;
            Ok((old, compared))
        });
        match switched {
            Ok((old, compared)) => projector.save(active, old, compared).await,
            Err(error) => {
                projector.give_up(active, &error).await?;
                Err(error)
            }
        }
    }
}

impl<V: View> Projector<V> {
    /// Waits until a new generation is live, as far as the serving one, and the same or accepted; then lets the serving
    /// one stand still until it is overtaken for good.
    async fn built(&self, active: &ActiveRebuild<V>) -> Result<Compared, Unfinished> {
        let running = &active.running;
        if !running.live().await {
            return Err(no_more(running.ended().await));
        }
        let (mut applied, mut state) = (running.generation.applied(), self.state());
        tokio::select! {
            _ = applied.wait_for(|applied| *applied >= self.position()) => {}
            // Then there is nothing to wait for.
            _ = state.wait_for(|state| matches!(state, State::Broken(_))) => {}
            ended = running.ended() => return Err(no_more(ended)),
        }
        let is_compared = active.origin == Origin::Fold && !self.is_broken();
        let compared = if is_compared { Some(Arc::new(self.verify(active).await?)) } else { None };
        if let Some(findings) = compared.as_ref().filter(|it| it.different > 0) {
            tracing::warn!(view = V::NAME, different = findings.different, "the new generation says something else");
            active.lifecycle.goes_on(Phase::Differs(findings.clone()));
            let mut accepted = active.accepted.subscribe();
            tokio::select! {
                ended = running.ended() => return Err(no_more(ended)),
                _ = accepted.wait_for(|accepted| *accepted) => {}
            }
        }
        self.overtaken_for_good(active).await?;
        Ok(compared)
    }

    /// Compares the new generation with the serving one.
    async fn verify(&self, active: &ActiveRebuild<V>) -> Result<Findings, Unfinished> {
        active.lifecycle.goes_on(Phase::Verifying);
        let (serving, new) = (self.inner.serving.borrow().generation.clone(), active.running.generation.clone());
        let (one, other, comparison) = (serving.clone(), new.clone(), active.comparison.clone());
        let (brake, stop) = (active.brake.clone(), active.running.stop.clone());
        let turn = move |log_end| {
            Brake::hold(&brake, log_end);
            !stop.is_cancelled()
        };
        let compare = move || suspects(&one, &other, &comparison, || turn(other.log_end()));
        let suspects = apart("comparing", compare).await?;
        let suspects = suspects.ok_or(Unfinished::Draining)?;
        // What is taken in may be in the records already.
        let seen = serving.taken_in().max(new.taken_in());
        for generation in [&serving, &new].into_iter().filter(|_| !suspects.is_empty()) {
            reached(&active.running, generation, seen).await?;
        }
        let compared = active.comparison.customers();
        Ok(apart("comparing", move || suspects.looked_at_again(compared, &serving, &new)).await?)
    }

    /// Nobody who has read an answer sees an older one after the switch: the serving generation runs no more, and the
    /// new one goes as far. Where that fails, the serving one is running again by itself.
    async fn overtaken_for_good(&self, active: &ActiveRebuild<V>) -> Result<(), Unfinished> {
        let running = &active.running;
        // What was folded of a broken log does not count; but the new one must be of the log as it is.
        if self.is_broken() {
            return self.is_of_the_log(running).await;
        }
        // First, so that nobody feeds it again.
        active.overtaking.store(true, Ordering::Relaxed);
        let serving = self.inner.serving.borrow().clone();
        serving.stop.cancel();
        // How it ended is of no matter now.
        drop(serving.ended().await);
        reached(running, &running.generation, serving.generation.position()).await
    }

    async fn is_of_the_log(&self, running: &RunningGeneration<V>) -> Result<(), Unfinished> {
        loop {
            let checkpoint = block_in_place(|| running.generation.checkpoint());
            match self.inner.options.source.check(checkpoint).await {
                Ok(_) => return Ok(()),
                Err(SourceError::Unavailable(_)) => sleep(LOOK_AGAIN).await,
                Err(broken) => return Err(broken.into()),
            }
        }
    }

    fn position(&self) -> Position {
        self.inner.serving.borrow().generation.position()
    }

    async fn give_up(&self, active: &ActiveRebuild<V>, error: &Unfinished) -> Result<(), StoreError> {
        let ActiveRebuild { running, origin, .. } = active;
        // Where the process goes down, the rebuild goes on after the next start.
        let goes_on = matches!(error, Unfinished::Draining);
        self.ended(active, if goes_on { Phase::Interrupted } else { Phase::GivenUp(error.to_string()) });
        running.stop.cancel();
        running.kept().await;
        if goes_on {
            return Ok(());
        }
        self.note_end(running, Some(error.to_string()), None);
        // What was previous stays so.
        match origin {
            Origin::Fold => Ok(self.inner.store.drop_generation(running.id)?),
            Origin::Previous => Ok(()),
        }
    }

    /// Lets the new generation serve, and gives the old one; nothing if the rebuild was cancelled before.
    fn switch(&self, active: &ActiveRebuild<V>, compared: Compared) -> Option<Arc<RunningGeneration<V>>> {
        let running = &active.running;
        running.generation.prioritise(Priority::Normal);
        let old = active.lifecycle.take_place(compared, || self.inner.serving.send_replace(running.clone()))?;
        self.serve();
        tracing::info!(view = V::NAME, generation = running.id.get(), "the new generation serves, and is made durable");
        Some(old)
    }

    /// Makes the new generation, which serves, durable, and lets go of the old one.
    async fn save(
        &self,
        active: &ActiveRebuild<V>,
        old: Arc<RunningGeneration<V>>,
        compared: Compared,
    ) -> Result<(), Unfinished> {
        let running = &active.running;
        old.stop.cancel();
        old.kept().await;
        // Millions of records are given back: away from the threads that serve.
        spawn_blocking(move || giving_way(move || drop(old)));
        if let Err(error) = self.saved(running).await {
            // Where the process goes down, the rebuild goes on after the next start.
            if !matches!(error, Unfinished::Draining) {
                self.note_end(running, Some(error.to_string()), None);
                self.ended(active, Phase::GivenUp(error.to_string()));
            }
            return Err(error);
        }
        self.note_end(running, None, compared.as_deref());
        self.ended(active, Phase::Switched(compared));
        Ok(())
    }

    /// Waits until the new generation, which serves, is durable as far as it is now, and marks it on disk: from then on
    /// a restart serves it.
    async fn saved(&self, running: &RunningGeneration<V>) -> Result<(), Unfinished> {
        let (stop, position) = (&self.inner.stop, running.generation.position());
        let committed = || *self.inner.serving.borrow().committed.borrow();
        while committed() < position {
            tokio::select! {
                // Nothing more will be committed of it.
                Err(SourceError::Broken(broken)) = running.ended() => {
                    running.kept().await;
                    if committed() < position {
                        return Err(SourceError::Broken(broken).into());
                    }
                }
                () = sleep(LOOK_AGAIN) => {}
                () = stop.cancelled() => return Err(Unfinished::Draining),
            }
        }
        while let Err(error) = block_in_place(|| self.inner.store.set_serving(running.id)) {
            tracing::error!(view = V::NAME, %error, "the new generation serves, but not after a restart");
            stop.run_until_cancelled(sleep(SAVE_AGAIN)).await.ok_or(Unfinished::Draining)?;
        }
        Ok(())
    }

    fn note_end(&self, running: &RunningGeneration<V>, given_up: Option<String>, compared: Option<&Findings>) {
        let (at, position) = (self.now(), running.generation.position().0);
        let compared = compared.map(|it| (it.compared, it.different));
        let ending = Ending { at, position, given_up, compared };
        block_in_place(|| self.inner.journal.change(|it| it.ending = Some(ending)));
    }
}

/// Waits until a generation is as far as this, as long as the new one is running.
async fn reached<V: View>(
    new: &RunningGeneration<V>,
    generation: &Generation<V>,
    position: Position,
) -> Result<(), Unfinished> {
    let mut applied = generation.applied();
    tokio::select! {
        _ = applied.wait_for(|applied| *applied >= position) => Ok(()),
        ended = new.ended() => Err(no_more(ended)),
    }
}

/// A generation that is not running any more will not serve.
fn no_more(ended: Result<(), SourceError>) -> Unfinished {
    ended.map_or_else(Unfinished::from, |()| Unfinished::Draining)
}
