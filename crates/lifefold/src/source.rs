//! The log as a projector's source.

use std::sync::{Arc, Mutex, PoisonError};

use event_log::{CheckError, Log, OpenError, Options, Subject, TailError};
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use projector::{Batch, Checkpoint, Entry, Source, SourceError};
use touchpoint::Position;
use uuid::Uuid;

/// The source that reads this log. Nothing is connected before it is asked for something.
pub(crate) fn source(options: Options) -> Source {
    let link = Arc::new(Link { options, log: Mutex::new(None), opening: tokio::sync::Mutex::new(()) });
    let (origin, tail, end) = (link.clone(), link.clone(), link);
    Source {
        origin: Arc::new(move || -> BoxFuture<'static, _> { Box::pin(origin.clone().origin()) }),
        tail: Arc::new(move |after| tail_after(tail.clone(), after)),
        end: Arc::new(move || -> BoxFuture<'static, _> { Box::pin(end.clone().end()) }),
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
    fn current(&self) -> Option<Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn log(&self) -> Result<Log, SourceError> {
        let _turn = self.opening.lock().await;
        match self.current() {
            Some(log) => Ok(log),
            None => self.open().await,
        }
    }

    async fn open(&self) -> Result<Log, SourceError> {
        let log = Log::open(&self.options).await.map_err(unopened)?;
        *self.log.lock().unwrap_or_else(PoisonError::into_inner) = Some(log.clone());
        Ok(log)
    }

    /// Before the first message of the log as it is now: a stream that was made again is opened again.
    async fn origin(self: Arc<Self>) -> Result<Checkpoint, SourceError> {
        let mut log = self.log().await?;
        match log.check(&event_log::Checkpoint::start(log.identity())).await {
            Ok(_) => {}
            Err(CheckError::Unavailable(reason)) => return Err(SourceError::Unavailable(reason)),
            Err(CheckError::Broken(_)) => {
                let _turn = self.opening.lock().await;
                log = self.open().await?;
            }
        }
        Ok(ours(event_log::Checkpoint::start(log.identity())))
    }

    async fn end(self: Arc<Self>) -> Result<Position, SourceError> {
        let log = self.log().await?;
        log.last().await.map_err(|error| SourceError::Unavailable(error.to_string()))
    }
}

fn tail_after(link: Arc<Link>, after: Checkpoint) -> BoxStream<'static, Result<Batch, SourceError>> {
    let opened = async move {
        match link.log().await {
            Ok(log) => log.tail_after(theirs(after)).map(|batch| batch.map(batch_of).map_err(broken)).boxed(),
            Err(error) => stream::iter([Err(error)]).boxed(),
        }
    };
    stream::once(opened).flatten().boxed()
}

fn batch_of(batch: event_log::Batch) -> Batch {
    let digest = batch.entries.last().map(event_log::Entry::digest).unwrap_or_default().0;
    Batch { digest, log_end: batch.last, entries: batch.entries.into_iter().map(entry_of).collect() }
}

fn entry_of(entry: event_log::Entry) -> Entry {
    let customer = match entry.subject {
        Subject::Customer(customer) => Some(customer),
        Subject::Control | Subject::Foreign(_) => None,
    };
    Entry { position: entry.position, recorded_at: entry.recorded_at, customer, body: entry.body }
}

fn broken(TailError::Broken(reason): TailError) -> SourceError {
    SourceError::Broken(reason.to_string())
}

/// Everything here can be put right without a rebuild, so asking again is worth it.
fn unopened(error: OpenError) -> SourceError {
    SourceError::Unavailable(error.to_string())
}

fn ours(checkpoint: event_log::Checkpoint) -> Checkpoint {
    let event_log::Checkpoint { epoch, created, position, digest } = checkpoint;
    Checkpoint { epoch: epoch.as_u128(), created, position, digest: digest.0 }
}

fn theirs(checkpoint: Checkpoint) -> event_log::Checkpoint {
    let Checkpoint { epoch, created, position, digest } = checkpoint;
    event_log::Checkpoint { epoch: Uuid::from_u128(epoch), created, position, digest: event_log::Digest(digest) }
}
