//! A rebuild as it begins, goes on after a restart, and is decided about. How it ends is in `switch.rs`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::block_in_place;
use tokio::time::{Instant, sleep};
use touchpoint::Position;
use view_store::{GenerationId, Store};
use views::View;
use views::rules::Rules;

use crate::commit::head;
use crate::cores::Priority;
use crate::error::{RebuildError, StoreError};
use crate::feed::RunningGeneration;
use crate::generation::lock;
use crate::journal::{Origin, RebuildOptions, Remembered};
use crate::phase::{Phase, RebuildLifecycle};
use crate::source::Checkpoint;
use crate::status::{RebuildProgress, RebuildStatus};
use crate::throttle::{Bounds, Brake, Throttle};
use crate::verify::Comparison;
use crate::{Generation, Projector, cores, load};

/// How often a rebuild looks whether it may begin.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// Before, a rate would be that of what was read ahead.
const RATE_AFTER: Duration = Duration::from_secs(1);

/// A rebuild that is under way: what those share who carry it out, watch it, and decide about it.
pub(crate) struct ActiveRebuild<V: View> {
    pub(crate) running: Arc<RunningGeneration<V>>,
    /// A fold is compared with what serves before the switch; what served before is not.
    pub(crate) origin: Origin,
    begun: Instant,
    /// Where folding began in this process.
    from: Position,
    options: RebuildOptions,
    pub(crate) brake: Arc<Mutex<Brake>>,
    pub(crate) comparison: Arc<Comparison>,
    pub(crate) lifecycle: RebuildLifecycle,
    pub(crate) accepted: watch::Sender<bool>,
    /// The serving generation is to stand still.
    pub(crate) overtaking: AtomicBool,
}

impl<V: View> ActiveRebuild<V> {
    /// How far it is, and how those who are served beside it do.
    fn progress(&self, bounds: Bounds) -> RebuildProgress {
        let (position, log_end) = (self.running.generation.taken_in(), self.running.generation.log_end());
        let (folded, took) = (position.0.saturating_sub(self.from.0), self.begun.elapsed());
        let rate = (took >= RATE_AFTER).then(|| folded as f64 / took.as_secs_f64());
        RebuildProgress {
            position,
            log_end,
            rate: rate.map(|rate| rate as u64),
            max_rate: self.options.max_rate,
            compared: self.comparison.customers(),
            compared_bp: self.comparison.done_bp(),
            vitals: lock(&self.brake).vitals(),
            bounds,
        }
    }

    /// The serving generation runs no more.
    pub(crate) fn overtakes(&self) -> bool {
        self.overtaking.load(Ordering::Relaxed)
    }
}

/// The rebuild that is under way, and the last one that ended since the start.
pub(crate) struct RebuildSlot<V: View> {
    under_way: Option<Arc<ActiveRebuild<V>>>,
    ended: Option<(u64, Phase)>,
}

impl<V: View> Default for RebuildSlot<V> {
    fn default() -> Self {
        Self { under_way: None, ended: None }
    }
}

/// A rebuild that has begun.
pub struct Rebuild<V: View> {
    pub(crate) projector: Projector<V>,
    pub(crate) active: Arc<ActiveRebuild<V>>,
    _turn: OwnedSemaphorePermit,
}

impl<V: View> Rebuild<V> {
    /// The number of the new generation.
    pub fn generation(&self) -> u64 {
        self.active.running.id.get()
    }

    /// Lets it go on by itself, whether or not anybody waits; gives the number of its generation.
    pub fn carry_out(self) -> u64 {
        let generation = self.generation();
        tokio::spawn(async move {
            match self.finish().await {
                Ok(()) => tracing::info!(view = V::NAME, generation, "the new generation is durable"),
                Err(error) => tracing::warn!(view = V::NAME, generation, %error, "no new generation"),
            }
        });
        generation
    }
}

impl<V: View> Projector<V> {
    /// Begins to fold the log into a new generation beside the serving one. The previous one is dropped.
    pub async fn begin_rebuild(&self, options: RebuildOptions) -> Result<Rebuild<V>, RebuildError> {
        let inner = &self.inner;
        let turn = self.turn_unless_paused().await?;
        let origin = inner.options.source.origin().await?;
        let (id, generation) = block_in_place(|| {
            let in_use = inner.serving.borrow().id;
            begin(&inner.store, origin, &inner.options.rules, Some(in_use))
        })?;
        self.remember(id, Origin::Fold, options)?;
        Ok(self.begun(turn, id, generation, Origin::Fold, options))
    }

    /// Begins to go back to the generation that served before: it is read from disk, and catches up.
    pub async fn begin_rollback(&self) -> Result<Rebuild<V>, RebuildError> {
        let (turn, inner) = (self.turn_unless_paused().await?, &self.inner);
        let previous = || -> Result<_, StoreError> {
            let Some(id) = inner.store.previous()? else { return Ok(None) };
            Ok(load::generation(&inner.store, id, &inner.options.rules, Priority::Low)?
                .map(|generation| (id, generation)))
        };
        let (id, generation) = block_in_place(previous)?.ok_or(RebuildError::NoPrevious)?;
        let options = RebuildOptions::default();
        self.remember(id, Origin::Previous, options)?;
        Ok(self.begun(turn, id, generation, Origin::Previous, options))
    }

    /// Drops the generation that served before, and gives its number.
    pub async fn retire_previous(&self) -> Result<u64, RebuildError> {
        let (_turn, store) = (self.turn().await?, &self.inner.store);
        let retired = block_in_place(|| -> Result<_, StoreError> {
            let previous = store.previous()?;
            previous.map_or(Ok(()), |id| store.drop_generation(id))?;
            Ok(previous.map(|id| id.get()))
        })?;
        retired.ok_or(RebuildError::NoPrevious)
    }

    /// One rebuild at a time.
    pub(crate) async fn turn(&self) -> Result<OwnedSemaphorePermit, RebuildError> {
        loop {
            match self.inner.rebuilds.clone().try_acquire_owned() {
                Ok(turn) => return Ok(turn),
                Err(_) if self.active_rebuild().is_some() => return Err(RebuildError::Rebuilding),
                // Another one is about to begin, or the last one tidies up.
                Err(_) => sleep(LOOK_AGAIN).await,
            }
        }
    }

    /// What a rebuild would serve, a pause keeps away.
    pub(crate) async fn turn_unless_paused(&self) -> Result<OwnedSemaphorePermit, RebuildError> {
        let turn = self.turn().await?;
        self.paused().map_or(Ok(turn), |pause| Err(RebuildError::Paused(pause)))
    }

    fn remember(&self, id: GenerationId, origin: Origin, options: RebuildOptions) -> Result<(), StoreError> {
        let (generation, replaces, begun) = (id.get(), self.inner.serving.borrow().id.get(), self.now());
        let (resumed, ending) = (0, None);
        let rebuild = Remembered { generation, replaces, origin, options, begun, resumed, ending };
        block_in_place(|| self.inner.journal.begin(rebuild))
    }

    pub(crate) fn begun(
        &self,
        turn: OwnedSemaphorePermit,
        id: GenerationId,
        generation: Arc<Generation<V>>,
        origin: Origin,
        options: RebuildOptions,
    ) -> Rebuild<V> {
        generation.prioritise(Priority::Low);
        let brake = Arc::new(Mutex::new(self.brake()));
        let active = Arc::new(ActiveRebuild {
            begun: Instant::now(),
            from: generation.position(),
            overtaking: AtomicBool::new(false),
            options,
            running: self.inner.feed(
                (id, generation.position()),
                generation,
                Throttle::beside(options.max_rate, brake.clone()),
            ),
            brake,
            origin,
            comparison: Arc::default(),
            lifecycle: RebuildLifecycle::default(),
            accepted: watch::Sender::new(options.accept),
        });
        lock(&self.inner.rebuild_slot).under_way = Some(active.clone());
        Rebuild { projector: self.clone(), active, _turn: turn }
    }

    /// Holds a rebuild back for the sake of those who are served.
    fn brake(&self) -> Brake {
        let (serving, state) = (self.inner.serving.subscribe(), self.state());
        let served = move || {
            let goes_on = state.borrow().answers();
            goes_on.then(|| serving.borrow().generation.position())
        };
        Brake::new(self.inner.options.bounds, self.inner.latencies.clone(), served)
    }

    /// The rebuild that is under way.
    pub(crate) fn active_rebuild(&self) -> Option<Arc<ActiveRebuild<V>>> {
        lock(&self.inner.rebuild_slot).under_way.clone()
    }

    /// The rebuild that is under way, or the last one that is remembered.
    pub fn last_rebuild(&self) -> Option<RebuildStatus> {
        // Held, so that phase and progress are of the same moment.
        let slot = lock(&self.inner.rebuild_slot);
        if let Some(active) = &slot.under_way {
            let progress = Some(active.progress(self.inner.options.bounds));
            return Some(RebuildStatus {
                generation: active.running.id.get(),
                phase: active.lifecycle.phase(),
                progress,
            });
        }
        let ended = || slot.ended.clone();
        let remembered = || self.inner.journal.newest().map(|it| (it.generation, Phase::remembered(&it)));
        let (generation, phase) = ended().or_else(remembered)?;
        Some(RebuildStatus { generation, phase, progress: None })
    }

    /// All rebuilds that are remembered, newest first.
    pub fn rebuilds(&self) -> Vec<Remembered> {
        self.inner.journal.newest_first()
    }

    pub(crate) fn ended(&self, active: &ActiveRebuild<V>, phase: Phase) {
        *lock(&self.inner.rebuild_slot) =
            RebuildSlot { under_way: None, ended: Some((active.running.id.get(), phase)) };
    }

    /// Switches to the new generation even if it differs. False if no rebuild is under way.
    pub fn accept_rebuild(&self) -> bool {
        let Some(active) = self.active_rebuild() else { return false };
        // Also after a restart.
        block_in_place(|| self.inner.journal.change(|it| it.options.accept = true));
        active.accepted.send_replace(true);
        true
    }

    /// Gives the rebuild that is under way up, and says which generation that made. Nothing if none is, or the new
    /// generation serves already.
    pub fn cancel_rebuild(&self) -> Option<u64> {
        self.active_rebuild().filter(|active| active.lifecycle.cancel()).map(|active| active.running.id.get())
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
