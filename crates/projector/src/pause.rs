//! Pausing: a view that stands still, in the log and in time, until somebody lets it go on; also across restarts.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::block_in_place;
use tokio::time::timeout;
use touchpoint::{CustomerId, Position, Timestamp};
use view_store::Store;
use views::View;

use crate::cores::Priority;
use crate::error::{PauseError, StoreError};
use crate::generation::lock;
use crate::journal::micros;
use crate::projector::Projector;
use crate::source::{Batch, Batches, Checkpoint, Entry, Source, SourceError, SourceFuture};
use crate::status::State;

const NOTE: &str = "pause.json";
/// How long what is being folded may take to be folded, before a pause is answered all the same.
const STANDS_WITHIN: Duration = Duration::from_secs(5);

/// A view stands still.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Since when: its "now" is never after this.
    #[serde(with = "micros")]
    pub at: Timestamp,
    /// Who wanted it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// Whether a view is paused.
pub(crate) struct Pausing {
    store: Arc<Store>,
    pause: watch::Sender<Option<Pause>>,
    /// The tail was asked for more while paused, and gives none: all that it gave before is folded.
    stands: watch::Sender<bool>,
    /// Held while a pause begins or ends: note, time and state change together.
    changing: Mutex<()>,
}

impl Pausing {
    /// As the store has it noted. A note that cannot be read says at least that there is a pause.
    pub(crate) fn open(store: Arc<Store>, now: Timestamp) -> Self {
        let noted = store.note(NOTE).map_err(|error| error.to_string()).and_then(|note| match note.as_deref() {
            None | Some([]) => Ok(None),
            Some(bytes) => serde_json::from_slice(bytes).map(Some).map_err(|error| error.to_string()),
        });
        let pause = noted.unwrap_or_else(|error| {
            tracing::error!(error, "it cannot be read who paused this view: it stays paused");
            Some(Pause { at: now, by: "somebody".to_owned(), reason: format!("{NOTE} cannot be read") })
        });
        Self { store, pause: watch::Sender::new(pause), stands: watch::Sender::new(false), changing: Mutex::default() }
    }

    pub(crate) fn now(&self) -> Option<Pause> {
        self.pause.borrow().clone()
    }

    /// Notes a pause, or that there is none, before it takes effect.
    fn set(&self, pause: Option<Pause>) -> Result<(), StoreError> {
        let bytes = pause.as_ref().map_or(Ok(Vec::new()), serde_json::to_vec).map_err(std::io::Error::other)?;
        self.store.put_note(NOTE, &bytes)?;
        self.stands.send_replace(false);
        self.pause.send_replace(pause);
        Ok(())
    }

    /// This log, as it is read while the view may be paused.
    pub(crate) fn over(self: &Arc<Self>, log: Arc<dyn Source>) -> Arc<dyn Source> {
        Arc::new(PausableLog { log, pausing: self.clone() })
    }
}

/// A log whose tail gives nothing while the view is paused. What the log is, is asked all the same.
struct PausableLog {
    log: Arc<dyn Source>,
    pausing: Arc<Pausing>,
}

impl Source for PausableLog {
    fn tail(&self, after: Checkpoint, priority: Priority) -> Batches {
        let (log, pausing, paused) = (self.log.clone(), self.pausing.clone(), self.pausing.pause.subscribe());
        let tail = PausableTail { log, pausing, paused, after, priority, open: None };
        stream::unfold(tail, |mut tail| async move { Some((tail.next().await?, tail)) }).boxed()
    }

    fn origin(&self) -> SourceFuture<'_, Checkpoint> {
        self.log.origin()
    }

    fn check(&self, checkpoint: Checkpoint) -> SourceFuture<'_, Position> {
        self.log.check(checkpoint)
    }

    fn end(&self) -> SourceFuture<'_, Position> {
        self.log.end()
    }

    fn entries(&self, after: Position, limit: usize) -> SourceFuture<'_, Vec<Entry>> {
        self.log.entries(after, limit)
    }

    fn control(&self, through: Position) -> SourceFuture<'_, Vec<Entry>> {
        self.log.control(through)
    }

    fn timeline(&self, customer: CustomerId, through: Position) -> SourceFuture<'_, Vec<Entry>> {
        self.log.timeline(customer, through)
    }
}

/// A tail that is let go of while the view is paused, and opened again where it was.
struct PausableTail {
    log: Arc<dyn Source>,
    pausing: Arc<Pausing>,
    paused: watch::Receiver<Option<Pause>>,
    after: Checkpoint,
    priority: Priority,
    open: Option<Batches>,
}

impl PausableTail {
    async fn next(&mut self) -> Option<Result<Batch, SourceError>> {
        loop {
            if self.paused.borrow_and_update().is_some() {
                self.open = None;
                self.pausing.stands.send_replace(true);
                self.paused.changed().await.ok()?;
                continue;
            }
            let batches = self.open.get_or_insert_with(|| self.log.tail(self.after, self.priority));
            let batch = tokio::select! {
                biased;
                changed = self.paused.changed() => {
                    changed.ok()?;
                    continue;
                }
                batch = batches.next() => batch?,
            };
            if let Ok(batch) = &batch
                && let Some(last) = batch.entries.last()
            {
                (self.after.position, self.after.digest) = (last.position, batch.digest);
            }
            return Some(batch);
        }
    }
}

impl<V: View> Projector<V> {
    /// Who paused the view, if it is paused.
    pub fn paused(&self) -> Option<Pause> {
        self.inner.pausing.now()
    }

    /// Lets the view stand still, durably; when this returns it does.
    pub async fn pause(&self, by: String, reason: String) -> Result<Pause, PauseError> {
        // Held, so that no rebuild begins meanwhile: it would serve what the pause keeps away.
        let _turn = self.turn_unless_paused().await?;
        let generation = self.serving()?;
        let pause = Pause { at: generation.at_least(self.now()), by, reason };
        block_in_place(|| {
            let _changing = lock(&self.inner.pausing.changing);
            self.inner.pausing.set(Some(pause.clone()))?;
            generation.present.stand_still(Some(pause.at));
            self.inner.state.send_if_modified(|state| {
                let serves = *state == State::Serving;
                if serves {
                    *state = State::Paused(pause.clone());
                }
                serves
            });
            Ok::<_, StoreError>(())
        })?;
        let mut stands = self.inner.pausing.stands.subscribe();
        let mut paused = self.inner.pausing.pause.subscribe();
        let over = async {
            tokio::select! {
                stands = stands.wait_for(|stands| *stands) => drop(stands),
                resumed = paused.wait_for(|now| now.as_ref() != Some(&pause)) => drop(resumed),
            }
        };
        // Whether in time or not: the tail gives nothing more.
        drop(timeout(STANDS_WITHIN, over).await);
        tracing::warn!(view = V::NAME, by = pause.by, reason = pause.reason, "the view is paused");
        Ok(pause)
    }

    /// Lets a paused view go on, whatever its state is; gives the pause that is over.
    pub fn resume(&self) -> Result<Pause, PauseError> {
        let pause = block_in_place(|| {
            let _changing = lock(&self.inner.pausing.changing);
            let pause = self.paused().ok_or(PauseError::NotPaused)?;
            self.inner.pausing.set(None)?;
            self.inner.serving.borrow().generation.present.stand_still(None);
            self.inner.state.send_if_modified(|state| {
                let stands = matches!(state, State::Paused(_));
                if stands {
                    *state = State::Serving;
                }
                stands
            });
            Ok::<_, PauseError>(pause)
        })?;
        tracing::warn!(view = V::NAME, "the view goes on");
        Ok(pause)
    }
}
