//! So many events a second, and no more.

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Timers are late by up to a millisecond or more: so much of the delay may be made up for.
const CATCH_UP: Duration = Duration::from_millis(100);

/// When the next event may be given.
pub(crate) struct Pace {
    every: Duration,
    next: Instant,
}

impl Pace {
    /// So many events a second, from now on.
    pub(crate) fn new(events_per_second: NonZeroU32) -> Self {
        Self { every: Duration::from_secs(1) / events_per_second.get(), next: Instant::now() }
    }

    /// Waits for the turn of the next event.
    pub(crate) async fn turn(&mut self) {
        let earliest = Instant::now().checked_sub(CATCH_UP).unwrap_or(self.next);
        let next = self.next.max(earliest);
        self.next = next + self.every;
        sleep_until(next).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn seconds_for(events: u32, rate: u32) -> f64 {
        let begun = Instant::now();
        let mut pace = Pace::new(NonZeroU32::new(rate).unwrap());
        for _ in 0..events {
            pace.turn().await;
        }
        begun.elapsed().as_secs_f64()
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_events_take_so_long_though_timers_are_coarse() {
        for (events, rate, expect) in [(101, 10, 10.0), (100_001, 10_000, 10.0), (1_000_001, 100_000, 10.0)] {
            let took = seconds_for(events, rate).await;
            assert!((expect - 0.11..expect + 0.11).contains(&took), "{events} at {rate}/s took {took} s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_of_the_reader_is_not_made_up_for() {
        let mut pace = Pace::new(NonZeroU32::new(10).unwrap());
        pace.turn().await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        let begun = Instant::now();
        for _ in 0..12 {
            pace.turn().await;
        }
        assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
    }
}
