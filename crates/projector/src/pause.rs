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

/// A pause as it is noted in the store.
#[derive(Serialize, Deserialize)]
struct Noted {
    #[serde(flatten)]
    pause: Pause,
    /// Nothing where it could not be waited for, and in notes of earlier releases.
    end: Option<End>,
}

/// Where a view that is paused stands in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct End {
    position: u64,
    /// Of the message there.
    digest: [u8; 16],
}

/// Whether a view is paused.
pub(crate) struct Pausing {
    store: Arc<Store>,
    pause: watch::Sender<Option<Pause>>,
    /// Up to here the log is read in spite of a pause: what was committed of it before a restart may be less, or half.
    end: Option<End>,
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
            Some(bytes) => serde_json::from_slice::<Noted>(bytes).map(Some).map_err(|error| error.to_string()),
        });
        let noted = noted.unwrap_or_else(|error| {
            tracing::error!(error, "it cannot be read who paused this view: it stays paused");
            let reason = format!("{NOTE} cannot be read");
            Some(Noted { pause: Pause { at: now, by: "somebody".to_owned(), reason }, end: None })
        });
        let (pause, end) = noted.map(|Noted { pause, end }| (pause, end)).unzip();
        let (pause, stands) = (watch::Sender::new(pause), watch::Sender::new(false));
        Self { store, pause, end: end.flatten(), stands, changing: Mutex::default() }
    }

    pub(crate) fn now(&self) -> Option<Pause> {
        self.pause.borrow().clone()
    }

    /// Where the view stood when it was paused, before this process started.
    pub(crate) fn stood_at(&self) -> Option<Position> {
        self.end.map(|end| Position(end.position))
    }

    /// Holds the tail back, or lets it go on.
    fn set(&self, pause: Option<Pause>) {
        self.stands.send_replace(false);
        self.pause.send_replace(pause);
    }

    fn note(&self, noted: Option<&Noted>) -> Result<(), StoreError> {
        let bytes = noted.map_or(Ok(Vec::new()), serde_json::to_vec).map_err(std::io::Error::other)?;
        Ok(self.store.put_note(NOTE, &bytes)?)
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
            let is_paused = self.paused.borrow_and_update().is_some();
            let end = self.pausing.end.filter(|end| is_paused && self.after.position.0 < end.position);
            if is_paused && end.is_none() {
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
            let batch = match end {
                Some(end) => batch.map(|batch| up_to(end, batch)),
                None => batch,
            };
            if let Ok(batch) = &batch
                && let Some(last) = batch.entries.last()
            {
                (self.after.position, self.after.digest) = (last.position, batch.digest);
            }
            if end.is_some_and(|end| self.after.position.0 >= end.position) {
                // What is beyond the end is read again when the view goes on.
                self.open = None;
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
            self.hold(&pause);
        });
        let stands = self.stands(&pause).await;
        block_in_place(|| {
            let _changing = lock(&self.inner.pausing.changing);
            // Somebody may have let it go on already.
            if self.paused().as_ref() == Some(&pause) {
                let Checkpoint { position, digest, .. } = generation.checkpoint();
                let noted = Noted { pause: pause.clone(), end: stands.then_some(End { position: position.0, digest }) };
                self.inner.pausing.note(Some(&noted)).inspect_err(|_| self.let_go())?;
            }
            Ok::<_, StoreError>(())
        })?;
        tracing::warn!(view = V::NAME, by = pause.by, reason = pause.reason, "the view is paused");
        Ok(pause)
    }

    /// Lets a paused view go on, whatever its state is; gives the pause that is over.
    pub fn resume(&self) -> Result<Pause, PauseError> {
        let pause = block_in_place(|| {
            let _changing = lock(&self.inner.pausing.changing);
            let pause = self.paused().ok_or(PauseError::NotPaused)?;
            self.inner.pausing.note(None)?;
            self.let_go();
            Ok::<_, PauseError>(pause)
        })?;
        tracing::warn!(view = V::NAME, "the view goes on");
        Ok(pause)
    }

    /// From now on it stands still, as long as this process runs.
    fn hold(&self, pause: &Pause) {
        self.inner.pausing.set(Some(pause.clone()));
        self.inner.serving.borrow().generation.present.stand_still(Some(pause.at));
        self.inner.state.send_if_modified(|state| {
            let serves = *state == State::Serving;
            if serves {
                *state = State::Paused(pause.clone());
            }
            serves
        });
    }

    /// From now on it goes on.
    fn let_go(&self) {
        self.inner.pausing.set(None);
        self.inner.serving.borrow().generation.present.stand_still(None);
        self.inner.state.send_if_modified(|state| {
            let stands = matches!(state, State::Paused(_));
            if stands {
                *state = State::Serving;
            }
            stands
        });
    }

    /// Waits until what was read before this pause is folded; false if that takes long, or somebody ends the pause. The
    /// tail gives nothing more in any case.
    async fn stands(&self, pause: &Pause) -> bool {
        let pausing = &self.inner.pausing;
        let (mut stands, mut paused) = (pausing.stands.subscribe(), pausing.pause.subscribe());
        let over = async {
            tokio::select! {
                stands = stands.wait_for(|stands| *stands) => stands.is_ok(),
                _ = paused.wait_for(|now| now.as_ref() != Some(pause)) => false,
            }
        };
        timeout(STANDS_WITHIN, over).await.unwrap_or(false)
    }
}

/// Of a batch what is not beyond the end.
fn up_to(end: End, mut batch: Batch) -> Batch {
    if batch.entries.last().is_some_and(|last| last.position.0 > end.position) {
        batch.entries.retain(|entry| entry.position.0 <= end.position);
        batch.digest = end.digest;
    }
    batch
}
