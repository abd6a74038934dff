//! The log as a projector's source.

use std::sync::{Arc, Mutex, PoisonError};

use event_log::{
    Broken as LogBroken, CheckError, Log, MAX_PAGE_ENTRIES, OpenError, Options, ReadError, Subject, TailError,
};
use futures::future::FutureExt;
use futures::stream::{self, StreamExt};
use projector::{Batch, Batches, Broken, Checkpoint, Entry, Priority, Source, SourceError, SourceFuture, Trouble};
use touchpoint::{CustomerId, Position};
use uuid::Uuid;

use crate::gauges::FOREIGN;
use crate::low_priority_reader;

/// The log that a projector folds, as event-log has it.
pub(crate) struct LogSource {
    link: Arc<Link>,
}

impl LogSource {
    /// Reads the log to which these options lead. Nothing is connected before it is asked for something.
    pub(crate) fn new(options: Options) -> Self {
        Self { link: Arc::new(Link::new(options)) }
    }
}

impl Source for LogSource {
    fn origin(&self) -> SourceFuture<'_, Checkpoint> {
        self.link.origin().boxed()
    }

    fn tail(&self, after: Checkpoint, priority: Priority) -> Batches {
        match priority {
            Priority::Normal => tail_after(self.link.clone(), after),
            Priority::Low => {
                // A connection belongs to the threads on which it was made.
                let own = Arc::new(Link::new(self.link.options.clone()));
                low_priority_reader::read(move || tail_after(own, after))
            }
        }
    }

    fn check(&self, checkpoint: Checkpoint) -> SourceFuture<'_, Position> {
        self.link.check(checkpoint).boxed()
    }

    fn end(&self) -> SourceFuture<'_, Position> {
        self.link.end().boxed()
    }

    fn entries(&self, after: Position, limit: usize) -> SourceFuture<'_, Vec<Entry>> {
        self.link.entries(after, limit).boxed()
    }

    fn control(&self, through: Position) -> SourceFuture<'_, Vec<Entry>> {
        self.link.control(through).boxed()
    }

    fn timeline(&self, customer: CustomerId, through: Position) -> SourceFuture<'_, Vec<Entry>> {
        self.link.timeline(customer, through).boxed()
    }
}

/// The connection that all questions share.
struct Link {
    options: Options,
    log: Mutex<Option<Log>>,
    /// Held while a connection is made, so that one is made at a time.
    opening: tokio::sync::Mutex<()>,
}

impl Link {
    fn new(options: Options) -> Self {
        Self { options, log: Mutex::new(None), opening: tokio::sync::Mutex::new(()) }
    }

    fn current(&self) -> Option<Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn log(&self) -> Result<Log, Unopened> {
        let _turn = self.opening.lock().await;
        match self.current() {
            Some(log) => Ok(log),
            None => self.open().await,
        }
    }

    async fn open(&self) -> Result<Log, Unopened> {
        let log = Log::open(&self.options).await?;
        *self.log.lock().unwrap_or_else(PoisonError::into_inner) = Some(log.clone());
        Ok(log)
    }

    /// Before the first message of the log as it is now: a stream that was made again is opened again.
    async fn origin(&self) -> Result<Checkpoint, SourceError> {
        let log = self.log().await?;
        let origin = match log.origin().await {
            Err(CheckError::Broken(_)) => {
                let _turn = self.opening.lock().await;
                self.open().await?.origin().await
            }
            answered => answered,
        };
        let origin = origin.map_err(unanswered)?;
        if origin.lost > 0 {
            tracing::warn!(lost = origin.lost, "the log has lost messages: what is left is folded");
        }
        Ok(ours(origin))
    }

    /// Whether the log still holds what this checkpoint read. A log that was read once and has gone, or is no log any
    /// more, is broken; before anything was read it may still have to be made.
    async fn check(&self, checkpoint: Checkpoint) -> Result<Position, SourceError> {
        let log = match self.log().await {
            Err(Unopened::Unfit(broken)) if checkpoint.position > Position::ZERO => return Err(broken.into()),
            opened => opened?,
        };
        log.check(&theirs(checkpoint)).await.map(|head| head.last).map_err(unanswered)
    }

    async fn end(&self) -> Result<Position, SourceError> {
        let log = self.log().await?;
        log.last().await.map_err(|error| SourceError::Unavailable(error.to_string()))
    }

    async fn entries(&self, after: Position, limit: usize) -> Result<Vec<Entry>, SourceError> {
        let entries = self.log().await?.entries(after, limit).await;
        let entries = entries.map_err(|error| SourceError::Unavailable(error.to_string()))?;
        Ok(entries.into_iter().map(entry_of).collect())
    }

    /// The messages of the log about itself, all up to a position.
    async fn control(&self, through: Position) -> Result<Vec<Entry>, SourceError> {
        let log = self.log().await?;
        let entries = log.control(through).await.map_err(|error| SourceError::Unavailable(error.to_string()))?;
        Ok(entries.into_iter().map(entry_of).collect())
    }

    /// All messages about a customer up to a position. The stream bounds how many there can be. Pages may come from a
    /// copy of the stream that lags behind: its leader says which message is the last one.
    async fn timeline(&self, customer: CustomerId, through: Position) -> Result<Vec<Entry>, SourceError> {
        let log = self.log().await?;
        let unread = |error: ReadError| SourceError::Unavailable(error.to_string());
        let last = log.last_of(customer).await.map_err(unread)?.unwrap_or(Position::ZERO).min(through);
        let (mut entries, mut after) = (Vec::new(), Position::ZERO);
        while after < last {
            let page = log.timeline(customer, after, MAX_PAGE_ENTRIES).await.map_err(unread)?;
            let end = page.last().map(|entry| entry.position);
            after = end.ok_or_else(|| SourceError::Unavailable("a copy of the stream lags behind".to_owned()))?;
            entries.extend(page.into_iter().map(entry_of));
        }
        Ok(entries)
    }
}

fn tail_after(link: Arc<Link>, after: Checkpoint) -> Batches {
    let opened = async move {
        match link.log().await {
            Ok(log) => log.tail_after(theirs(after)).map(|batch| batch.map(batch_of).map_err(ended)).boxed(),
            Err(error) => stream::iter([Err(error.into())]).boxed(),
        }
    };
    stream::once(opened).flatten().boxed()
}

fn batch_of(batch: event_log::Batch) -> Batch {
    let digest = batch.entries.last().map(event_log::Entry::digest).unwrap_or_default().0;
    Batch { digest, log_end: batch.last, entries: batch.entries.into_iter().map(entry_of).collect() }
}

fn entry_of(entry: event_log::Entry) -> Entry {
    let (customer, body) = match entry.subject {
        Subject::Customer(customer) => (Some(customer), entry.body),
        Subject::Control => (None, entry.body),
        Subject::Foreign(_) => {
            // Nobody's: no view can miss it, but somebody writes to the log who should not.
            metrics::counter!(FOREIGN).increment(1);
            tracing::warn!(position = entry.position.0, "a message on a subject that is no customer's");
            (None, Default::default())
        }
    };
    Entry { position: entry.position, recorded_at: entry.recorded_at, customer, body }
}

fn ended(TailError::Broken(reason): TailError) -> SourceError {
    broken(reason).into()
}

fn unanswered(error: CheckError) -> SourceError {
    match error {
        CheckError::Broken(reason) => broken(reason).into(),
        CheckError::Unavailable(reason) => SourceError::Unavailable(reason),
    }
}

fn broken(reason: LogBroken) -> Broken {
    match reason {
        LogBroken::RolledBack { position, found } => {
            Broken::new(Trouble::RolledBack, format!("position {position} was read, but {found}"))
        }
        LogBroken::Recreated(reason) => Broken::new(Trouble::Recreated, reason),
        LogBroken::Gap(reason) => Broken::new(Trouble::Gap, reason),
    }
}

/// The log could not be opened.
enum Unopened {
    /// Asking again is worth it.
    Unavailable(String),
    /// There is no stream, or it is not the one that the log needs.
    Unfit(Broken),
}

impl From<OpenError> for Unopened {
    fn from(error: OpenError) -> Self {
        let reason = error.to_string();
        match error {
            OpenError::Unreachable { .. }
            | OpenError::NotLetIn { .. }
            | OpenError::Refused { .. }
            | OpenError::OldServer { .. } => Self::Unavailable(reason),
            OpenError::NoStream(_) | OpenError::NoGenesis { .. } => {
                Self::Unfit(Broken::new(Trouble::Recreated, reason))
            }
            OpenError::Options { .. } => Self::Unfit(Broken::new(Trouble::Options, reason)),
        }
    }
}

impl From<Unopened> for SourceError {
    fn from(unopened: Unopened) -> Self {
        match unopened {
            Unopened::Unavailable(reason) => Self::Unavailable(reason),
            Unopened::Unfit(broken) => Self::Unavailable(broken.to_string()),
        }
    }
}

fn ours(checkpoint: event_log::Checkpoint) -> Checkpoint {
    let event_log::Checkpoint { epoch, created, position, digest, lost } = checkpoint;
    Checkpoint { epoch: epoch.as_u128(), created, position, digest: digest.0, lost }
}

fn theirs(checkpoint: Checkpoint) -> event_log::Checkpoint {
    let Checkpoint { epoch, created, position, digest, lost } = checkpoint;
    event_log::Checkpoint { epoch: Uuid::from_u128(epoch), created, position, digest: event_log::Digest(digest), lost }
}
