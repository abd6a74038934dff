//! A rebuild whose process has ended goes on after the next start.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::block_in_place;
use tokio::time::sleep;
use view_store::GenerationId;
use views::View;

use crate::cores::Priority;
use crate::error::{RebuildError, StoreError};
use crate::journal::Ending;
use crate::rebuild::Rebuild;
use crate::status::State;
use crate::{Generation, Projector, load};

/// Pause before a store that could not be read is asked again.
const GO_ON_AGAIN: Duration = Duration::from_secs(5);

/// What a rebuild that was cut off has left.
enum Left<V: View> {
    /// A generation to go on with.
    There(GenerationId, Arc<Generation<V>>),
    /// It was over, or cannot go on for this reason.
    Ended { given_up: Option<String>, position: u64 },
}

impl<V: View> Projector<V> {
    /// Goes on, from its last commit, with the rebuild that was under way when the process ended, if one was.
    pub async fn resume_rebuild(&self) -> Result<Option<Rebuild<V>>, RebuildError> {
        let (turn, journal) = (self.turn_unless_paused().await?, &self.inner.journal);
        let Some(rebuild) = journal.under_way() else { return Ok(None) };
        match block_in_place(|| self.left_behind(rebuild.generation))? {
            Left::There(id, generation) => {
                let position = generation.position().0;
                tracing::info!(view = V::NAME, generation = id.get(), position, "a rebuild that was cut off goes on");
                journal.change(|it| it.resumed += 1);
                Ok(Some(self.begun(turn, id, generation, rebuild.origin, rebuild.options)))
            }
            Left::Ended { given_up, position } => {
                let ending = Ending { at: self.now(), position, given_up, compared: None };
                journal.change(|it| it.ending = Some(ending));
                Ok(None)
            }
        }
    }

    /// What a rebuild that was cut off has left in the store.
    fn left_behind(&self, number: u64) -> Result<Left<V>, StoreError> {
        let (store, rules) = (&self.inner.store, &self.inner.options.rules);
        let ended = |reason: &str| Left::Ended { given_up: Some(reason.to_owned()), position: 0 };
        let Some(id) = store.generations()?.into_iter().find(|id| id.get() == number) else {
            return Ok(ended("its process ended before anything of it was on disk"));
        };
        if store.serving()? == Some(id) {
            return Ok(Left::Ended { given_up: None, position: store.head(id)?.position });
        }
        match load::generation(store, id, rules, Priority::Low) {
            Ok(Some(generation)) => Ok(Left::There(id, generation)),
            Ok(None) => Ok(ended("its process ended, and the new one folds in another way")),
            Err(error) if error.is_damage() => Ok(ended(&error.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    /// Once it is known what serves, and while the view is not to stand still, goes on with what was cut off.
    pub(crate) async fn go_on(self) {
        let may_go_on = |state: &State| !matches!(state, State::CatchingUp | State::Paused(_));
        loop {
            if self.state().wait_for(may_go_on).await.is_err() || self.inner.stop.is_cancelled() {
                return;
            }
            match self.resume_rebuild().await {
                Ok(rebuild) => {
                    rebuild.map(Rebuild::carry_out);
                    return;
                }
                // Another one has begun.
                Err(RebuildError::Rebuilding) => return,
                // Meanwhile. It goes on when the view does.
                Err(RebuildError::Paused(_)) => {}
                Err(error) => tracing::error!(view = V::NAME, %error, "a rebuild that was cut off cannot go on yet"),
            }
            sleep(GO_ON_AGAIN).await;
        }
    }
}
