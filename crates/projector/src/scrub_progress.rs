//! How the scrub does: which round it is in, how far, why it waits, and what it has found.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex};

use touchpoint::{CustomerId, Position, Timestamp};
use view_store::Store;

use crate::generation::lock;
use crate::pages::GROUPS;

/// The note of when the scrub of a store began, and when its last full round ended: both in microseconds since 1970,
/// in decimal; the second only where there was one.
const NOTE: &str = "scrub";

/// How the scrub of a view does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScrubStatus {
    /// Customers a second at most; 0: there is no scrub.
    pub rate: u32,
    /// The round since the start of the process, from 1; 0 before the first.
    pub round: u64,
    /// How many of the customers were checked in this round, in basis points.
    pub covered_bp: u32,
    /// Customers checked since the start.
    pub checked: u64,
    /// Of them, those whose record differed from the log.
    pub different: u64,
    /// Of them, those whose record is right again, durably.
    pub repaired: u64,
    /// The last one who differed.
    pub last_found: Option<ScrubFinding>,
    /// When the scrub of this store began, at another start perhaps.
    pub began: Option<Timestamp>,
    /// When the last round over everybody ended, at another start perhaps.
    pub last_round: Option<Timestamp>,
    /// Why it does not go on.
    pub waiting: Option<WaitReason>,
}

impl ScrubStatus {
    /// `covered_bp` of a whole round.
    pub const ALL_BP: u32 = 10_000;
}

/// A customer whose record differed from the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScrubFinding {
    /// When it was found.
    pub at: Timestamp,
    /// Whose record.
    pub customer: CustomerId,
    /// Compared by the events up to this position.
    pub position: Position,
    /// What differed: the kinds of differences and of events, and how many.
    pub what: String,
}

/// Why the scrub does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitReason {
    /// The view is not serving, or behind the log.
    Behind,
    /// The view is paused: nothing of it changes.
    Paused,
    /// A rebuild is under way.
    Rebuild,
    /// The log does not answer.
    Log,
}

impl WaitReason {
    /// The name that operators are told.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Behind => "BEHIND",
            Self::Paused => "PAUSED",
            Self::Rebuild => "REBUILD",
            Self::Log => "LOG",
        }
    }
}

/// The scrub of a view, as those see it who ask.
pub(crate) struct ScrubProgress {
    store: Arc<Store>,
    status: Mutex<ScrubStatus>,
}

impl ScrubProgress {
    /// Before the first round.
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store, status: Mutex::default() }
    }

    pub(crate) fn status(&self) -> ScrubStatus {
        lock(&self.status).clone()
    }

    /// The scrub begins, perhaps anew, at this rate.
    pub(crate) fn begin(&self, rate: u32, now: Timestamp) {
        let noted = self.store.note(NOTE).ok().flatten().unwrap_or_default();
        let text = String::from_utf8(noted).unwrap_or_default();
        let mut noted = text.split_whitespace().filter_map(|it| it.parse().ok()).map(Timestamp::from_micros);
        let (began, last_round) = (noted.next().unwrap_or(now), noted.next());
        self.set(|status| (status.rate, status.began, status.last_round) = (rate, Some(began), last_round));
        self.note();
    }

    /// Another round begins: all groups of pages, in an order of its own.
    pub(crate) fn next(&self) -> Vec<usize> {
        self.set(|status| (status.round, status.covered_bp) = (status.round + 1, 0));
        let random = RandomState::new();
        let mut groups: Vec<_> = (0..GROUPS).collect();
        groups.sort_by_cached_key(|group| random.hash_one(group));
        groups
    }

    /// So many groups are done, and so many of the customers of the next one.
    pub(crate) fn covered(&self, groups: usize, customers: usize, of: usize) {
        let of = of.max(1);
        self.set(|status| {
            status.covered_bp = (ScrubStatus::ALL_BP as usize * (groups * of + customers) / (GROUPS * of)) as u32
        });
    }

    /// Everybody was checked.
    pub(crate) fn over(&self, now: Timestamp) {
        self.set(|status| (status.covered_bp, status.last_round) = (ScrubStatus::ALL_BP, Some(now)));
        self.note();
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut ScrubStatus)) {
        change(&mut lock(&self.status));
    }

    fn note(&self) {
        let ScrubStatus { began, last_round, .. } = self.status();
        let times = [began, last_round].into_iter().flatten().map(|at| at.micros().to_string());
        if let Err(error) = self.store.put_note(NOTE, times.collect::<Vec<_>>().join(" ").as_bytes()) {
            tracing::warn!(%error, "how far the scrub came will not be known after a restart");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_900_000_000_000_000);

    fn progress(dir: &std::path::Path) -> ScrubProgress {
        ScrubProgress::new(Arc::new(Store::open(dir).unwrap()))
    }

    #[test]
    fn every_round_goes_over_everybody_once_in_another_order() {
        let dir = tempfile::tempdir().unwrap();
        let progress = progress(dir.path());
        let (one, other) = (progress.next(), progress.next());
        assert_ne!(one, other);
        for mut groups in [one, other] {
            groups.sort_unstable();
            assert!(groups.into_iter().eq(0..GROUPS));
        }
        assert_eq!(progress.status().round, 2);
    }

    #[test]
    fn the_share_of_customers_grows_from_nothing_to_all() {
        let dir = tempfile::tempdir().unwrap();
        let progress = progress(dir.path());
        let shares: Vec<_> = (0..GROUPS)
            .flat_map(|group| (0..=3).map(move |customer| (group, customer)))
            .map(|(group, customer)| {
                progress.covered(group, customer, 3);
                progress.status().covered_bp
            })
            .collect();
        assert!(shares.is_sorted() && shares[0] == 0 && shares.last() == Some(&10_000), "{shares:?}");
        progress.covered(GROUPS / 2, 0, 0);
        assert_eq!(progress.status().covered_bp, 5_000);
    }

    #[test]
    fn when_a_round_ended_is_known_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let first = progress(dir.path());
        first.begin(20, NOW);
        assert_eq!((first.status().began, first.status().last_round), (Some(NOW), None));
        first.over(NOW.plus_micros(5));
        drop(first);
        let again = progress(dir.path());
        again.begin(20, NOW.plus_micros(9));
        assert_eq!((again.status().began, again.status().last_round), (Some(NOW), Some(NOW.plus_micros(5))));
    }
}
