//! The progress of one commit: what is settled, what is open, and what is not certain. No IO.

use crate::answer::Answer;
use crate::append::{Appended, positions};
use crate::error::AppendError;

/// What became of a message.
pub(crate) type Outcome = Result<Appended, AppendError>;
/// What became of each draft; `None` where nothing was written and nothing is wrong with it.
pub(crate) type Outcomes = Vec<Option<Outcome>>;

/// The progress of one commit.
pub(crate) struct Run {
    pub(crate) outcomes: Outcomes,
    /// Drafts that are not settled, by index, in order.
    pub(crate) open: Vec<usize>,
    /// Some try was not answered, so that open drafts may be in the log.
    pub(crate) unsure: bool,
    /// Why the latest try failed.
    pub(crate) reason: String,
}

impl Run {
    pub(crate) fn new(count: usize) -> Self {
        Self { outcomes: vec![None; count], open: (0..count).collect(), unsure: false, reason: String::new() }
    }

    pub(crate) fn stored(&mut self, last: u64) {
        let open = std::mem::take(&mut self.open);
        for (index, position) in open.iter().zip(positions(last, open.len())) {
            self.outcomes[*index] = Some(Ok(Appended { position, duplicate: false }));
        }
    }

    /// A try has settled nothing.
    pub(crate) fn failed(&mut self, answer: Answer) {
        self.unsure |= matches!(answer, Answer::Silent(_));
        self.reason = answer.failure();
    }

    pub(crate) fn has_conflict(&self) -> bool {
        self.outcomes.iter().any(|outcome| matches!(outcome, Some(Err(_))))
    }

    pub(crate) fn give_up(&mut self) {
        for index in std::mem::take(&mut self.open) {
            self.outcomes[index] = Some(Err(not_written(self.unsure, self.reason.clone())));
        }
    }
}

pub(crate) fn not_written(unsure: bool, reason: String) -> AppendError {
    if unsure { AppendError::OutcomeUnknown(reason) } else { AppendError::Unavailable(reason) }
}
