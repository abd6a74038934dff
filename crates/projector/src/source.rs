//! Where events come from: plain values, so that the loop knows no log in particular.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use touchpoint::{CustomerId, Position, Timestamp};

use crate::cores::Priority;

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
    /// The event as its producer sent it; empty for a message that is neither a customer's nor of the log about itself.
    pub body: Bytes,
}

/// Messages that follow each other in the log, at least one.
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
    /// How many messages the log had lost when the generation was begun: it is a fold of what was left, and only a
    /// further loss is a trouble.
    pub lost: u64,
}

/// What is wrong with a log, or with folding it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It ends before what was folded, or has another event there.
    RolledBack,
    /// It is another log, or gone.
    Recreated,
    /// It has lost messages.
    Gap,
    /// Its stream has other options than a log needs.
    Options,
    /// Folding it ended in a panic.
    FoldPanicked,
}

impl Trouble {
    /// The name that callers and operators are told.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RolledBack => "ROLLED_BACK",
            Self::Recreated => "RECREATED",
            Self::Gap => "GAP",
            Self::Options => "OPTIONS",
            Self::FoldPanicked => "FOLD_PANICKED",
        }
    }
}

/// An operator must look, and rebuild.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", .trouble.name())]
pub struct Broken {
    /// What is wrong.
    pub trouble: Trouble,
    /// In words.
    pub message: String,
}

impl Broken {
    /// This trouble, in these words.
    pub fn new(trouble: Trouble, message: impl Into<String>) -> Self {
        Self { trouble, message: message.into() }
    }
}

/// Why a source ended. A cut connection is none of the reasons: sources reconnect by themselves.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The log is not the one that was folded, or has lost something: an operator must look.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// The log does not answer; asking again may help.
    #[error("{0}")]
    Unavailable(String),
}

/// What a log will answer.
pub type SourceFuture<'a, T> = BoxFuture<'a, Result<T, SourceError>>;

/// Batches that follow each other.
pub type Batches = BoxStream<'static, Result<Batch, SourceError>>;

/// A log to fold. Shared by all who read it, as `Arc<dyn Source>`.
pub trait Source: Send + Sync {
    /// Before the first message of the log as it is now, whatever it has lost so far.
    fn origin(&self) -> SourceFuture<'_, Checkpoint>;

    /// Everything after a checkpoint, in order, without gaps but those that it knows of, for ever. An error is the last
    /// item. Read at this priority: who reads much beside those who serve gives way to them.
    fn tail(&self, after: Checkpoint, priority: Priority) -> Batches;

    /// Whether the log still holds what a checkpoint read, and its last position now.
    fn check(&self, checkpoint: Checkpoint) -> SourceFuture<'_, Position>;

    /// The last position of the log now.
    fn end(&self) -> SourceFuture<'_, Position>;

    /// The first messages after a position, so many at most.
    fn entries(&self, after: Position, limit: usize) -> SourceFuture<'_, Vec<Entry>>;

    /// The messages of the log about itself, all up to this position.
    fn control(&self, through: Position) -> SourceFuture<'_, Vec<Entry>>;

    /// The messages about a customer in the order of the log: all of them up to this position, and perhaps later ones.
    /// What is not among them is taken for not recorded.
    fn timeline(&self, customer: CustomerId, through: Position) -> SourceFuture<'_, Vec<Entry>>;
}
