//! A view's projector: serves one generation, and can build another one beside it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use touchpoint::{Position, Timestamp};
use view_store::{GenerationId, Store};
use views::rules::Rules;
use views::{FOLD_VERSION, View};

use crate::Generation;
use crate::cores::apart;
use crate::error::{NotServing, Panicked, StartError, StoreError, WaitError};
use crate::feed::RunningGeneration;
use crate::journal::Journal;
use crate::latency::Latencies;
use crate::load::{Loaded, known_loss, load};
use crate::pause::Pausing;
use crate::rebuild::{RebuildSlot, first};
use crate::scrub_progress::ScrubProgress;
use crate::source::{Checkpoint, Clock, Source, SourceError};
use crate::status::{Progress, State, Status};
use crate::throttle::{Bounds, Throttle};
use crate::watch::Names;

/// Whole-population queries that are evaluated at once; the others wait.
const SCANS_AT_ONCE: usize = 1;
/// Pause before a tail that ended is opened again.
const FOLLOW_AGAIN: Duration = Duration::from_millis(500);

/// What a projector needs.
#[derive(Clone)]
pub struct Options {
    /// The folder of this view's store.
    pub dir: PathBuf,
    /// The rules until the log activates others.
    pub rules: Arc<Rules>,
    /// Somebody has chosen these rules: it is worth saying where the log has others.
    pub rules_given: bool,
    /// The log.
    pub source: Arc<dyn Source>,
    /// The time.
    pub clock: Clock,
    /// What a rebuild must leave to those who are served beside it.
    pub bounds: Bounds,
}

/// A view's projector. Cloning it gives another handle.
pub struct Projector<V: View> {
    pub(crate) inner: Arc<Shared<V>>,
}

impl<V: View> Clone for Projector<V> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

pub(crate) struct Shared<V: View> {
    pub(crate) options: Options,
    pub(crate) store: Arc<Store>,
    pub(crate) serving: watch::Sender<Arc<RunningGeneration<V>>>,
    pub(crate) journal: Journal,
    pub(crate) rebuild_slot: Mutex<RebuildSlot<V>>,
    pub(crate) rebuilds: Arc<Semaphore>,
    pub(crate) latencies: Arc<Latencies>,
    scans: Semaphore,
    pub(crate) state: watch::Sender<State>,
    pub(crate) stop: CancellationToken,
    pub(crate) names: Names,
    pub(crate) scrub_progress: ScrubProgress,
    pub(crate) pausing: Arc<Pausing>,
}

impl<V: View> Shared<V> {
    /// Feeds a generation that is kept as far as this, until the projector stops.
    pub(crate) fn feed(
        &self,
        kept: (GenerationId, Position),
        generation: Arc<Generation<V>>,
        throttle: Throttle,
    ) -> Arc<RunningGeneration<V>> {
        RunningGeneration::start(&self.options, &self.store, kept, generation, self.stop.child_token(), throttle)
    }
}

impl<V: View> Projector<V> {
    /// Opens the store and reads it, blocking; then feeds it. Inside a runtime.
    pub async fn start(mut options: Options, stop: CancellationToken) -> Result<Self, StartError> {
        let (dir, rules) = (options.dir.clone(), options.rules.clone());
        let Loaded { store, generation } = tokio::task::block_in_place(|| load::<V>(&dir, &rules))?;
        let store = Arc::new(store);
        let (id, generation) = match generation {
            Some(found) => found,
            None => {
                // Only an operator's rebuild makes do with a log that has lost messages.
                let lost = tokio::task::block_in_place(|| known_loss(&store)).map_err(StoreError::from)?;
                let origin = Checkpoint { lost, ..options.source.origin().await? };
                tokio::task::block_in_place(|| first(&store, origin, &options.rules))?
            }
        };
        let pausing = Arc::new(Pausing::open(store.clone(), (options.clock)()));
        generation.present.stand_still(pausing.now().map(|pause| pause.at));
        generation.positions.stood_at(pausing.stood_at().unwrap_or(Position::ZERO));
        options.source = pausing.over(options.source);
        let names = Names::of((options.clock)());
        let kept = (id, generation.position());
        let running =
            RunningGeneration::start(&options, &store, kept, generation, stop.child_token(), Throttle::free());
        let inner = Arc::new(Shared {
            scrub_progress: ScrubProgress::new(store.clone()),
            pausing,
            names,
            options,
            journal: Journal::open(store.clone()),
            store,
            serving: watch::Sender::new(running),
            rebuild_slot: Mutex::default(),
            rebuilds: Arc::new(Semaphore::new(1)),
            latencies: Arc::default(),
            scans: Semaphore::new(SCANS_AT_ONCE),
            state: watch::Sender::new(State::CatchingUp),
            stop,
        });
        Ok(Self { inner })
    }

    /// Watches over the feeding until it is told to stop; what was folded is durable when it returns.
    pub async fn run(&self) {
        let inner = &self.inner;
        let mut serving = inner.serving.subscribe();
        let going_on = tokio::spawn(self.clone().go_on());
        while !inner.stop.is_cancelled() {
            let running = serving.borrow_and_update().clone();
            if running.live().await {
                self.serve();
            }
            if let Err(SourceError::Broken(reason)) = running.ended().await {
                tracing::error!(view = V::NAME, %reason, "not serving until a rebuild");
                inner.state.send_replace(State::Broken(reason));
            }
            tokio::select! {
                () = inner.stop.cancelled() => {}
                _ = serving.changed() => {}
                () = tokio::time::sleep(FOLLOW_AGAIN), if !self.is_broken() => self.feed_again(&running).await,
            }
        }
        inner.state.send_replace(State::Draining);
        let running = inner.serving.borrow().clone();
        running.kept().await;
        going_on.abort();
        drop(going_on.await);
        // What a rebuild has folded is durable, too: it goes on after the next start.
        drop(inner.rebuilds.acquire().await);
    }

    /// From catching up, or from a broken log, to serving.
    pub(crate) fn serve(&self) {
        self.inner.state.send_if_modified(|state| {
            let changes = matches!(state, State::CatchingUp | State::Broken(_));
            if changes {
                *state = self.paused().map_or(State::Serving, State::Paused);
            }
            changes
        });
    }

    /// Feeds a generation whose feeding has ended, unless a rebuild has put another one in its place, or is about to.
    async fn feed_again(&self, running: &Arc<RunningGeneration<V>>) {
        running.kept().await;
        self.inner.serving.send_if_modified(|serving| {
            let same = Arc::ptr_eq(serving, running) && !self.active_rebuild().is_some_and(|it| it.overtakes());
            if same {
                let kept = (running.id, *running.committed.borrow());
                *serving = self.inner.feed(kept, running.generation.clone(), Throttle::free());
            }
            same
        });
    }

    pub(crate) fn is_broken(&self) -> bool {
        matches!(*self.inner.state.borrow(), State::Broken(_))
    }

    /// Whether it answers, as it changes.
    pub fn state(&self) -> watch::Receiver<State> {
        self.inner.state.subscribe()
    }

    /// The serving generation.
    pub fn serving(&self) -> Result<Arc<Generation<V>>, NotServing> {
        match &*self.inner.state.borrow() {
            state if state.answers() => Ok(self.inner.serving.borrow().generation.clone()),
            state => Err(NotServing(state.clone())),
        }
    }

    /// The serving generation if it has applied this position.
    pub fn at(&self, position: Position) -> Result<Option<Arc<Generation<V>>>, NotServing> {
        Ok(Some(self.serving()?).filter(|generation| generation.position() >= position))
    }

    /// The serving generation once it has applied this position.
    pub async fn reached(&self, position: Position, until: Instant) -> Result<Arc<Generation<V>>, WaitError> {
        if let Some(generation) = self.at(position)? {
            return Ok(generation);
        }
        if let Ok(end) = self.inner.options.source.end().await
            && position > end
        {
            return Err(WaitError::Beyond { end });
        }
        let mut serving = self.inner.serving.subscribe();
        loop {
            let generation = self.serving()?;
            if let Some(pause) = self.paused() {
                return Err(WaitError::Paused { position: generation.position(), pause });
            }
            let mut applied = generation.applied();
            let wait = async {
                tokio::select! {
                    reached = applied.wait_for(|applied| *applied >= position) => reached.is_ok(),
                    _ = serving.changed() => false,
                }
            };
            match timeout_at(until, wait).await {
                Ok(true) => return Ok(generation.clone()),
                Ok(false) => {}
                Err(_) => return Err(WaitError::Behind { position: generation.position() }),
            }
        }
    }

    /// Runs a whole-population query, one at a time, away from the threads that serve.
    pub async fn scan<T: Send + 'static>(
        &self,
        generation: Arc<Generation<V>>,
        query: impl FnOnce(&Generation<V>) -> T + Send + 'static,
    ) -> Result<T, Panicked> {
        // Never closed.
        let _turn = self.inner.scans.acquire().await;
        apart("a scan", move || query(&generation)).await
    }

    /// A live answer took so long: a rebuild beside it takes heed.
    pub fn answered(&self, took: Duration) {
        self.inner.latencies.count(took);
    }

    /// The time, as this projector sees it.
    pub fn now(&self) -> Timestamp {
        (self.inner.options.clock)()
    }

    /// How far the serving generation is, or the one that is to serve. Cheap; waits only while lists are built.
    pub fn progress(&self) -> Progress {
        let serving = self.inner.serving.borrow().clone();
        serving.progress()
    }

    /// How it is. Sums up the digests of what changed since the last time.
    pub fn status(&self) -> Status {
        let serving = self.inner.serving.borrow().clone();
        let building = self.active_rebuild().filter(|it| !it.lifecycle.serves());
        let book = serving.generation.book();
        Status {
            view: V::NAME,
            state: self.inner.state.borrow().clone(),
            fold_version: FOLD_VERSION,
            rules: book.last().clone(),
            rules_notice: book.notice(self.inner.options.rules_given),
            serving: serving.status(),
            building: building.map(|building| building.running.status()),
            store_bytes: self.inner.store.size_on_disk().unwrap_or_default(),
        }
    }
}
