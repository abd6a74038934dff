//! The lifecycle of a rebuild: what it does at this moment, and whether it was cancelled before it could serve.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

use crate::journal::{Ending, Remembered};
use crate::verify::Findings;

/// What a rebuild does at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Folds the log.
    Folding,
    /// Compares the new generation with the serving one.
    Verifying,
    /// They differ: it waits to be accepted or cancelled.
    Differs(Arc<Findings>),
    /// The new generation serves, and is made durable: until then a restart serves the old one, and goes on with this.
    /// What was compared; nothing where the serving generation was of a broken log, or the new one is the previous one.
    Saving(Option<Arc<Findings>>),
    /// Its process ended, or is going down: it goes on after the next start, once it is known what serves.
    Interrupted,
    /// The new generation serves, and will after a restart.
    Switched(Option<Arc<Findings>>),
    /// It was given up, for this reason; what was served is served on.
    GivenUp(String),
}

impl Phase {
    /// As far as it is remembered: who differed is not.
    pub(crate) fn remembered(rebuild: &Remembered) -> Self {
        match &rebuild.ending {
            None => Self::Interrupted,
            Some(Ending { given_up: Some(reason), .. }) => Self::GivenUp(reason.clone()),
            Some(Ending { compared, .. }) => Self::Switched(
                compared.map(|(compared, different)| Arc::new(Findings { compared, different, ..Findings::default() })),
            ),
        }
    }
}

/// What was compared; nothing where there was nothing to compare with.
pub(crate) type Compared = Option<Arc<Findings>>;

/// What a rebuild does, and did. Who cancels it is told what is so: that and the switch are one after the other.
#[derive(Debug)]
pub(crate) struct RebuildLifecycle {
    phase: watch::Sender<Phase>,
    cancelled: CancellationToken,
}

impl Default for RebuildLifecycle {
    fn default() -> Self {
        Self { phase: watch::Sender::new(Phase::Folding), cancelled: CancellationToken::new() }
    }
}

impl RebuildLifecycle {
    /// What it does now.
    pub(crate) fn phase(&self) -> Phase {
        self.phase.borrow().clone()
    }

    /// The next thing is done.
    pub(crate) fn goes_on(&self, phase: Phase) {
        self.phase.send_replace(phase);
    }

    /// The new generation serves already.
    pub(crate) fn serves(&self) -> bool {
        matches!(*self.phase.borrow(), Phase::Saving(_))
    }

    /// Ends once it was cancelled.
    pub(crate) fn cancelled(&self) -> WaitForCancellationFuture<'_> {
        self.cancelled.cancelled()
    }

    /// Gives it up; false if the new generation serves already.
    pub(crate) fn cancel(&self) -> bool {
        let mut is_in_time = false;
        self.phase.send_if_modified(|phase| {
            is_in_time = !matches!(phase, Phase::Saving(_) | Phase::Switched(_));
            if is_in_time {
                self.cancelled.cancel();
            }
            false
        });
        is_in_time
    }

    /// Lets the new generation serve by doing this, and says so; nothing if it was cancelled before.
    pub(crate) fn take_place<T>(&self, compared: Compared, serve: impl FnOnce() -> T) -> Option<T> {
        let mut served = None;
        self.phase.send_if_modified(|phase| {
            if self.cancelled.is_cancelled() {
                return false;
            }
            served = Some(serve());
            *phase = Phase::Saving(compared);
            true
        });
        served
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_comes_first_decides() {
        let (one, other) = (RebuildLifecycle::default(), RebuildLifecycle::default());
        one.goes_on(Phase::Verifying);
        assert!(one.cancel());
        assert_eq!(one.take_place(None, || "serves"), None);
        assert!((one.cancel(), one.serves(), one.phase()) == (true, false, Phase::Verifying));

        assert_eq!(other.take_place(None, || "serves"), Some("serves"));
        assert!((other.cancel(), other.serves(), other.phase()) == (false, true, Phase::Saving(None)));
    }
}
