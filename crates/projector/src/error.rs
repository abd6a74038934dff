//! What can go wrong, sorted by what the caller does next.

use touchpoint::Position;
use view_store::{CommitError, LoadError, OpenError};

use crate::pause::Pause;
use crate::source::SourceError;
use crate::status::State;

/// Not answering, for this reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the projector is not serving: {}", reason(.0))]
pub struct NotServing(pub State);

fn reason(state: &State) -> String {
    match state {
        State::Broken(reason) => format!("{reason}; run a rebuild once the log is right"),
        state => state.name().to_owned(),
    }
}

/// The wanted position is not reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WaitError {
    /// Not answering.
    #[error(transparent)]
    NotServing(#[from] NotServing),
    /// The log does not have that position.
    #[error("the log ends at position {end}")]
    Beyond {
        /// Where it ends.
        end: Position,
    },
    /// The view stands still before that position.
    #[error("the view stands at position {position}: {}", paused(.pause))]
    Paused {
        /// The applied position.
        position: Position,
        /// Who paused it.
        pause: Pause,
    },
    /// Not in time.
    #[error("applied up to position {position} so far")]
    Behind {
        /// The applied position just before the deadline.
        position: Position,
    },
}

/// Watching ends, or does not begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WatchError {
    /// Not answering.
    #[error(transparent)]
    NotServing(#[from] NotServing),
    /// Read the lists again: more happened since than is kept.
    #[error("the changes that come next are no longer kept")]
    Outrun,
    /// Read the lists again: what was watched is not what is served now.
    #[error("the cursor is of another process, or of lists that have been made anew")]
    Anew,
}

/// A piece of work panicked: a mistake of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} panicked; the log of this process says where")]
pub struct Panicked(pub(crate) &'static str);

/// A rebuild did not begin.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// One at a time.
    #[error("a rebuild of this view is running already")]
    Rebuilding,
    /// The view is to stand still.
    #[error("{}", paused(.0))]
    Paused(Pause),
    /// The log did not allow it.
    #[error("the log cannot be read: {0}")]
    Source(#[from] SourceError),
    /// The disk did not allow it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is none to go back to.
    #[error("there is no previous generation, or it is of another fold version")]
    NoPrevious,
    /// Nobody can do anything about it.
    #[error(transparent)]
    Panicked(#[from] Panicked),
}

/// Why a rebuild that had begun does not go on; what was served is served on.
#[derive(Debug, thiserror::Error)]
pub enum Unfinished {
    /// The process is going down: it goes on after the next start.
    #[error("the projector is going down")]
    Draining,
    /// Somebody wanted it no more.
    #[error("it was cancelled")]
    Cancelled,
    /// The log is not the one that was folded.
    #[error("the log cannot be read: {0}")]
    Source(#[from] SourceError),
    /// The disk did not allow it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nobody can do anything about it.
    #[error(transparent)]
    Panicked(#[from] Panicked),
}

/// A view was not paused, or does not go on.
#[derive(Debug, thiserror::Error)]
pub enum PauseError {
    /// Not answering.
    #[error(transparent)]
    NotServing(#[from] NotServing),
    /// A rebuild is under way, or it is paused already.
    #[error(transparent)]
    Rebuild(#[from] RebuildError),
    /// It does not stand still.
    #[error("the view is not paused")]
    NotPaused,
    /// The disk did not allow it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who paused a view, and what to do.
fn paused(pause: &Pause) -> String {
    let Pause { at, by, reason } = pause;
    let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
    format!("it is paused by {by} since {at}{reason}, and goes on when somebody resumes it")
}

/// A customer could not be folded again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefoldError {
    /// Not answering.
    #[error(transparent)]
    NotServing(#[from] NotServing),
    /// The log cannot be read; nothing changed.
    #[error("the log cannot be read: {0}")]
    Source(#[from] SourceError),
    /// Events of the customer came faster than they could be read.
    #[error("new events of the customer keep coming; nothing is known of the record")]
    Moving,
    /// The record is right in memory only.
    #[error("the record is right by now, but not durable: the store cannot be written")]
    NotDurable,
}

/// Why a projector did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The log cannot be read.
    #[error("the log cannot be read: {0}")]
    Source(#[from] SourceError),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The store cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be written.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// It cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// What is noted beside the records cannot be written.
    #[error("the store's notes cannot be written: {0}")]
    Note(#[from] std::io::Error),
}
