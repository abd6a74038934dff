//! When a generation is to be committed.

use std::time::Duration;

use tokio::time::Instant;

/// How often a live generation commits.
const EVERY: Duration = Duration::from_secs(2);
/// Changed pages at which a live generation commits early.
const AT_PAGES: usize = 20_000;
/// How often one that is behind commits at most. Most of its pages change all the time, so a commit writes nearly all of them
/// again; a kill costs as much folding as this is long.
const EVERY_BEHIND: Duration = Duration::from_secs(30);
/// One that is behind folds at least so many times as long as it commits. A kill costs that time.
const FOLDING_TO_COMMITTING: u32 = 10;

/// When a generation is to be committed.
pub(crate) struct Due {
    /// When the last commit ended, or folding began.
    last: Instant,
    /// How long the last commit took.
    took: Duration,
    /// A commit has ended since the generation was live. The first one has all pages.
    is_kept: bool,
}

/// How far a generation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It catches up.
    Behind,
    /// Live, but another one serves: its first commit is in no hurry, since whoever waits for it needs the cores.
    Standby,
    /// It serves.
    Serving,
}

impl Due {
    /// Folding begins now.
    pub(crate) fn new() -> Self {
        Self { last: Instant::now(), took: Duration::ZERO, is_kept: false }
    }

    /// A commit that began then has ended, of one that is live by now or not.
    pub(crate) fn committed(&mut self, begun: Instant, is_live: bool) {
        self.last = Instant::now();
        self.took = self.last - begun;
        self.is_kept = is_live;
    }

    /// The generation is live from now on.
    pub(crate) fn went_live(&mut self) {
        self.last = Instant::now();
    }

    /// Whether to commit now, with so many pages changed.
    pub(crate) fn is_now(&self, stage: Stage, pages: usize) -> bool {
        match stage {
            Stage::Behind => self.last.elapsed() >= EVERY_BEHIND.max(self.took * FOLDING_TO_COMMITTING),
            Stage::Standby => self.last.elapsed() >= EVERY,
            Stage::Serving => self.last.elapsed() >= EVERY || !self.is_kept || pages >= AT_PAGES,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANY: usize = AT_PAGES;

    #[tokio::test(start_paused = true)]
    async fn a_live_generation_commits_by_time_and_by_pages() {
        let mut due = Due::new();
        due.went_live();
        assert!(!due.is_now(Stage::Standby, MANY), "somebody waits for it to serve");
        assert!(due.is_now(Stage::Serving, 1), "nothing is durable");
        tokio::time::advance(EVERY).await;
        assert!(due.is_now(Stage::Standby, 1));
        due.committed(Instant::now(), true);
        assert!(!due.is_now(Stage::Serving, MANY - 1));
        assert!(due.is_now(Stage::Serving, MANY));
        tokio::time::advance(EVERY).await;
        assert!(due.is_now(Stage::Serving, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_behind_mostly_folds() {
        let mut due = Due::new();
        tokio::time::advance(EVERY_BEHIND).await;
        assert!(due.is_now(Stage::Behind, MANY));
        let begun = Instant::now();
        tokio::time::advance(Duration::from_secs(4)).await;
        due.committed(begun, false);
        tokio::time::advance(Duration::from_secs(39)).await;
        assert!(!due.is_now(Stage::Behind, MANY));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(due.is_now(Stage::Behind, MANY));
    }
}
