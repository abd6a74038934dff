//! The loop of a view: events → facts → records → lists and totals → commit.
//!
//! A [`Generation`] is one folding of the log in memory. A [`Projector`] feeds one from a [`Source`], keeps it on disk,
//! serves it once the head of the log is reached, and builds another one beside it on demand. Restart, rebuild and
//! catching up are the same code on a fuller or emptier generation.
//!
//! **Architecture Invariant:** no NATS here (a source is a stream of batches), no gRPC, no clock of its own.

mod changes;
mod commit;
mod cores;
mod counters;
mod due;
mod error;
mod feed;
mod fold_loop;
mod folding;
mod generation;
mod journal;
mod latency;
mod lists;
mod load;
mod low_priority;
mod moves;
mod page_set;
mod pages;
mod parking;
mod pause;
mod phase;
mod plan;
mod positions;
mod present;
mod projector;
mod rebuild;
mod refold;
mod resume;
mod retry;
mod rules;
mod scanning;
mod scrub;
mod scrub_progress;
mod source;
mod staging;
mod status;
mod switch;
mod throttle;
mod upkeep;
mod verify;
mod walk;
mod watch;

pub use cores::Priority;
pub use error::{
    NotServing, Panicked, PauseError, RebuildError, RefoldError, StartError, StoreError, Unfinished, WaitError,
    WatchError,
};
pub use generation::Generation;
pub use journal::{Ending, Origin, RebuildOptions, Remembered};
pub use lists::Placements;
pub use low_priority::LowPriorityThreads;
pub use moves::{Cause, Cursor, KEPT_MOVES, Move, Moves, RingId};
pub use parking::ParkedEvent;
pub use pause::Pause;
pub use phase::Phase;
pub use plan::Plan;
pub use projector::{Options, Projector};
pub use rebuild::Rebuild;
pub use refold::Refolded;
pub use retry::{MAX_RETRIED, Retried};
pub use rules::Edition;
pub use scrub::MAX_SCRUB_RATE;
pub use scrub_progress::{ScrubFinding, ScrubStatus, WaitReason};
pub use source::{Batch, Batches, Broken, Checkpoint, Clock, Entry, Source, SourceError, SourceFuture, Trouble};
pub use status::{GenerationStatus, Progress, RebuildProgress, RebuildStatus, State, Status};
pub use throttle::{Bounds, Vitals};
pub use verify::Findings;
pub use walk::Place;
pub use watch::Watch;
