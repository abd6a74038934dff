//! How a projector is.

use std::sync::Arc;

use touchpoint::{Position, Timestamp};
use views::Digests;

use crate::throttle::{Bounds, Vitals};
use crate::{Broken, Edition, ParkedEvent, Pause, Phase};

/// Whether a projector answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Folding up to the head that the log had at the start; not serving yet.
    CatchingUp,
    /// Answering.
    Serving,
    /// Answering as of where it stands, until somebody lets it go on.
    Paused(Pause),
    /// The log is not the one that was folded; a rebuild heals it.
    Broken(Broken),
    /// Going down.
    Draining,
}

impl State {
    /// Queries are answered.
    pub const fn answers(&self) -> bool {
        matches!(self, Self::Serving | Self::Paused(_))
    }

    /// The name in the API.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::CatchingUp => "CATCHING_UP",
            Self::Serving => "SERVING",
            Self::Paused(_) => "PAUSED",
            Self::Broken(broken) => broken.trouble.name(),
            Self::Draining => "DRAINING",
        }
    }
}

/// How far a generation is: read often, so that nothing of it visits the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The position up to which everything is applied; taken in, while catching up.
    pub position: Position,
    /// The position that is durable.
    pub committed: Position,
    /// The last position of the log as far as is known.
    pub log_end: Position,
    /// Customers with an answer.
    pub customers: u64,
    /// Events that could not be read and are not voided.
    pub parked: u64,
    /// Events with another content under a known id, since the start.
    pub conflicts: u64,
}

/// What a rebuild does, or did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebuildStatus {
    /// The number of its generation.
    pub generation: u64,
    /// What it does at this moment, or how it ended.
    pub phase: Phase,
    /// How far it is; nothing where this process does nothing for it, or nothing more.
    pub progress: Option<RebuildProgress>,
}

/// How far a rebuild is, and how those who are served beside it do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RebuildProgress {
    /// The position up to which everything is taken in.
    pub position: Position,
    /// The last position of the log as far as is known.
    pub log_end: Position,
    /// Events taken in a second, since it began or went on in this process; nothing in the first moments.
    pub rate: Option<u64>,
    /// Events a second that were asked for at most; 0: as fast as possible.
    pub max_rate: u64,
    /// Customers compared so far.
    pub compared: u64,
    /// How much of the comparison is done, in basis points.
    pub compared_bp: u32,
    /// How those who are served do.
    pub vitals: Vitals,
    /// What they must be left.
    pub bounds: Bounds,
}

/// How a generation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenerationStatus {
    /// Its number.
    pub generation: u64,
    /// The position up to which everything is applied; taken in, while catching up.
    pub position: Position,
    /// The position that is durable.
    pub committed: Position,
    /// The last position of the log as far as is known.
    pub log_end: Position,
    /// The position that the digests are of.
    pub digest_position: Position,
    /// Digests of all records; nothing while catching up, when they would be summed up over and over.
    pub digests: Option<Digests>,
    /// Customers with an answer.
    pub customers: u64,
    /// Customers who asked to be forgotten.
    pub erased: u64,
    /// Timers that wait.
    pub timers: u64,
    /// Bytes of the records in memory.
    pub record_bytes: u64,
    /// Events that could not be read and are not voided.
    pub parked: u64,
    /// The latest of them.
    pub last_parked: Option<ParkedEvent>,
    /// Since the start: events folded, seen again, and of another content under a known id.
    pub folded: u64,
    /// Events that had been seen before.
    pub duplicates: u64,
    /// Events with another content under a known id.
    pub conflicts: u64,
    /// The latest recorded_at that was folded since the start.
    pub last_recorded_at: Option<Timestamp>,
}

/// How a projector is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The view.
    pub view: &'static str,
    /// Whether it answers.
    pub state: State,
    /// The version of the fold.
    pub fold_version: u32,
    /// The rules in force.
    pub rules: Arc<Edition>,
    /// What somebody should know of them.
    pub rules_notice: Option<String>,
    /// The serving generation, or the one that is to serve.
    pub serving: GenerationStatus,
    /// The one that is being built beside it.
    pub building: Option<GenerationStatus>,
    /// Bytes of the store's files.
    pub store_bytes: u64,
}
