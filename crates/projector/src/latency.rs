//! How long answers take: counted in buckets, so that who looks again learns of the time in between.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Four buckets from each power of two to the next, in microseconds: no bound is off by more than a quarter.
const BUCKETS_PER_OCTAVE: u32 = 4;
/// Up to 2^25 µs, half a minute; what takes longer is in the last one.
const BUCKETS: usize = 25 * BUCKETS_PER_OCTAVE as usize;
/// With fewer answers a percentile says nothing.
const FEWEST: u64 = 100;

/// Answers by the time that they took.
pub(crate) struct Latencies([AtomicU64; BUCKETS]);

impl Default for Latencies {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; BUCKETS])
    }
}

/// What one observer has seen of them.
pub(crate) struct Observed([u64; BUCKETS]);

impl Default for Observed {
    fn default() -> Self {
        Self([0; BUCKETS])
    }
}

impl Latencies {
    /// An answer took so long.
    pub(crate) fn count(&self, took: Duration) {
        self.0[bucket(took)].fetch_add(1, Ordering::Relaxed);
    }
}

impl Observed {
    /// What 99 of 100 answers since the last look took at most; nothing, and the look does not count, if they were few.
    pub(crate) fn p99(&mut self, latencies: &Latencies) -> Option<Duration> {
        let now = latencies.0.each_ref().map(|count| count.load(Ordering::Relaxed));
        let since: Vec<u64> = now.iter().zip(&self.0).map(|(now, before)| now.saturating_sub(*before)).collect();
        let all: u64 = since.iter().sum();
        if all < FEWEST {
            return None;
        }
        self.0 = now;
        let slower = all / 100;
        let mut above = 0;
        let last = since.iter().enumerate().rev().find(|(_, count)| {
            above += **count;
            above > slower
        });
        last.map(|(bucket, _)| bound(bucket))
    }
}

fn bucket(took: Duration) -> usize {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(BUCKETS_PER_OCTAVE.into());
    let octave = micros.ilog2();
    let quarter = (micros >> (octave - 2)) & 3;
    (octave as usize * BUCKETS_PER_OCTAVE as usize + quarter as usize).min(BUCKETS - 1)
}

/// Above everything in the bucket.
fn bound(bucket: usize) -> Duration {
    let (octave, quarter) = (bucket / BUCKETS_PER_OCTAVE as usize, bucket % BUCKETS_PER_OCTAVE as usize);
    Duration::from_micros((5 + quarter as u64) << octave.saturating_sub(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_below_the_bound_of_its_bucket_and_not_far() {
        for micros in (4..5_000).chain([99_999, 1_234_567, 20_000_000]) {
            let took = Duration::from_micros(micros);
            let bound = bound(bucket(took));
            assert!(took < bound && bound <= took * 5 / 4 + Duration::from_micros(2), "{took:?} in {bound:?}");
        }
        assert_eq!(bucket(Duration::from_secs(3_600)), BUCKETS - 1);
        assert_eq!(bucket(Duration::ZERO), bucket(Duration::from_micros(4)));
    }

    #[test]
    fn the_slowest_of_a_hundred_is_left_out() {
        let (latencies, mut observed) = (Latencies::default(), Observed::default());
        (0..99).for_each(|_| latencies.count(Duration::from_micros(40)));
        assert_eq!(observed.p99(&latencies), None, "too few");
        latencies.count(Duration::from_millis(800));
        assert_eq!(observed.p99(&latencies), Some(Duration::from_micros(48)));
        (0..98).for_each(|_| latencies.count(Duration::from_micros(40)));
        (0..2).for_each(|_| latencies.count(Duration::from_millis(800)));
        let slow = observed.p99(&latencies).unwrap();
        assert!(slow > Duration::from_millis(800) && slow < Duration::from_secs(1), "{slow:?}");
        assert_eq!(observed.p99(&latencies), None, "seen already");
    }
}
