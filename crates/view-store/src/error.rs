//! What can go wrong at each boundary, sorted by what the caller does next.

use std::io;
use std::path::PathBuf;

use crate::database::Fault;
use crate::generation::{GenerationId, MAX_GENERATIONS};
use crate::head::HeadError;
use crate::page::{PageError, PageNumber};

/// Why a store did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another part of this one, has the store open: stop, it is not ours.
    #[error("the store {} is in use by another process; stop that one, or give this one its own data folder", dir.display())]
    InUse {
        /// Folder of the store.
        dir: PathBuf,
    },
    /// The files cannot be read as a store: set it aside and rebuild from the log.
    #[error("the store {} is damaged: {reason}", dir.display())]
    Damaged {
        /// Folder of the store.
        dir: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The machine refused (no room, no permission, too many files): the store itself may be sound. Try again later.
    #[error("the store {} cannot be opened: {source}", dir.display())]
    Io {
        /// Folder of the store.
        dir: PathBuf,
        /// What the machine said.
        source: io::Error,
    },
}

/// Why something was not written. What was durable before is untouched.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The machine refused, for example because the disk is full: call again later on the same store.
    #[error("the store cannot be written: {0}")]
    Io(#[from] io::Error),
    /// The files can no longer be read as a store: the next one who opens it must set it aside and rebuild from the log.
    #[error("the store is damaged: {reason}")]
    Damaged {
        /// What was found.
        reason: String,
    },
    /// The head would move back: a mistake of the caller, or another log.
    #[error("generation {generation} is at position {held} and cannot go back to {given}")]
    Backwards {
        /// The generation.
        generation: GenerationId,
        /// Position on disk.
        held: u64,
        /// Position asked for.
        given: u64,
    },
    /// The head cannot be encoded.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The records do not make a page.
    #[error(transparent)]
    Page(#[from] PageError),
    /// There is no such generation.
    #[error("there is no generation {0}")]
    UnknownGeneration(GenerationId),
    /// One serving, one being built and one previous is all there can be: drop one first.
    #[error("there are {MAX_GENERATIONS} generations already; drop one first")]
    TooManyGenerations,
    /// The serving generation cannot be dropped: let another serve first.
    #[error("generation {0} is serving and cannot be dropped")]
    Serving(GenerationId),
}

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A page is not what was written: set the store aside and rebuild from the log.
    #[error("page {page} of generation {generation} is damaged: {reason}")]
    Page {
        /// The generation.
        generation: GenerationId,
        /// The page.
        page: PageNumber,
        /// What was found.
        reason: String,
    },
    /// The head is not what was written, or of another format: set the store aside and rebuild from the log.
    #[error("the head of generation {generation} is unreadable: {reason}")]
    Head {
        /// The generation.
        generation: GenerationId,
        /// What was found.
        reason: String,
    },
    /// The files can no longer be read as a store: set it aside and rebuild from the log.
    #[error("the store is damaged: {reason}")]
    Damaged {
        /// What was found.
        reason: String,
    },
    /// There is no such generation.
    #[error("there is no generation {0}")]
    UnknownGeneration(GenerationId),
    /// The machine refused: the store itself may be sound. Try again later.
    #[error("the store cannot be read: {0}")]
    Io(#[from] io::Error),
}

impl LoadError {
    /// Whether the store must be set aside and rebuilt; otherwise trying again can help.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Page { .. } | Self::Head { .. } | Self::Damaged { .. })
    }
}

impl From<Fault> for CommitError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Damaged(reason) => Self::Damaged { reason },
            Fault::Io(source) => Self::Io(source),
        }
    }
}

impl From<Fault> for LoadError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Damaged(reason) => Self::Damaged { reason },
            Fault::Io(source) => Self::Io(source),
        }
    }
}

impl From<LoadError> for CommitError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Io(source) => Self::Io(source),
            LoadError::UnknownGeneration(generation) => Self::UnknownGeneration(generation),
            damage @ (LoadError::Page { .. } | LoadError::Head { .. } | LoadError::Damaged { .. }) => {
                Self::Damaged { reason: damage.to_string() }
            }
        }
    }
}
