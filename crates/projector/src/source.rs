//! Where events come from: plain values, so that the loop knows no log in particular.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use touchpoint::{CustomerId, Position, Timestamp};

/// Tells the time. Comes in from outside, so that tests can hold it still.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// One message of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the log.
    pub position: Position,
    /// When the log took it.
    pub recorded_at: Timestamp,
    /// Whom it is about; nothing for messages that are no customer's.
    pub customer: Option<CustomerId>,
    /// The event as its producer sent it.
    pub body: Bytes,
}

/// Consecutive messages, at least one.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The messages, by position.
    pub entries: Vec<Entry>,
    /// The digest of the last one, by which the log is recognised after a restart.
    pub digest: [u8; 16],
    /// The last position of the log as far as is known.
    pub log_end: Position,
}

/// How far a generation has folded, and of which log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// The random number of the log's genesis.
    pub epoch: u128,
    /// When the stream was created.
    pub created: Timestamp,
    /// The last position that was folded.
    pub position: Position,
    /// The digest of the message there.
    pub digest: [u8; 16],
}

/// Why a source ended. A cut connection is none of the reasons: sources reconnect by themselves.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The log is not the one that was folded, or has lost something: an operator must look.
    #[error("{0}")]
    Broken(String),
    /// The log does not answer; asking again may help.
    #[error("{0}")]
    Unavailable(String),
}

/// A log to fold.
#[derive(Clone)]
pub struct Source {
    /// Before the first message of the log as it is now.
    pub origin: Arc<dyn Fn() -> BoxFuture<'static, Result<Checkpoint, SourceError>> + Send + Sync>,
    /// Everything after a checkpoint, in order, without gaps, for ever. An error is the last item.
    pub tail: Arc<dyn Fn(Checkpoint) -> BoxStream<'static, Result<Batch, SourceError>> + Send + Sync>,
    /// Whether the log still holds what a checkpoint read, and its last position now.
    pub check: Arc<dyn Fn(Checkpoint) -> BoxFuture<'static, Result<Position, SourceError>> + Send + Sync>,
    /// The last position of the log now.
    pub end: Arc<dyn Fn() -> BoxFuture<'static, Result<Position, SourceError>> + Send + Sync>,
}
