//! How fast a generation may be folded while it catches up.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// How fast a generation may be folded.
pub(crate) struct Pace {
    /// Events a second; 0: as fast as possible.
    max_rate: u64,
    free_at: Instant,
}

impl Pace {
    /// At most so many events a second, on the average of some batches; 0: as fast as possible.
    pub(crate) fn at_most(max_rate: u64) -> Self {
        Self { max_rate, free_at: Instant::now() }
    }

    /// So many events were folded now.
    pub(crate) fn folded(&mut self, events: usize) {
        if self.max_rate > 0 {
            let earned = Duration::from_secs_f64(events as f64 / self.max_rate as f64);
            self.free_at = self.free_at.max(Instant::now()) + earned;
        }
    }

    /// Whether the next events may be folded now.
    pub(crate) fn is_free(&self) -> bool {
        Instant::now() >= self.free_at
    }

    /// Waits until they may.
    pub(crate) async fn free(&self) {
        sleep_until(self.free_at).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_rate_is_kept_and_time_not_used_is_not_saved_up() {
        let mut pace = Pace::at_most(1_000);
        let begun = Instant::now();
        for _ in 0..3 {
            pace.free().await;
            pace.folded(2_000);
        }
        pace.free().await;
        assert_eq!(begun.elapsed(), Duration::from_secs(6));
        tokio::time::advance(Duration::from_secs(60)).await;
        pace.folded(500);
        assert!(!pace.is_free());
        let begun = Instant::now();
        pace.free().await;
        assert_eq!(begun.elapsed(), Duration::from_millis(500));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_rate_nothing_waits() {
        let mut pace = Pace::at_most(0);
        pace.folded(1_000_000);
        assert!(pace.is_free());
    }
}
