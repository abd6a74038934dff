//! Samples: medians, percentiles, and the time that a thread had on a core.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context, Result};

/// The median; 0 of nothing.
pub(crate) fn median(samples: &[f64]) -> f64 {
    percentile(samples, 0.5)
}

/// The smallest sample that is not exceeded by this share of them; 0 of nothing.
pub(crate) fn percentile(samples: &[f64], share: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// Seconds that this takes.
pub(crate) fn wall(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_secs_f64()
}

/// Seconds that this takes of a core: what others do on the machine does not count, beyond the caches that they spoil.
pub(crate) fn on_core<T>(work: impl FnOnce() -> T) -> Result<f64> {
    let before = core_nanos()?;
    black_box(work());
    Ok((core_nanos()? - before) as f64 / 1e9)
}

/// How long the calling thread has been on a core.
fn core_nanos() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").context("/proc/thread-self/schedstat")?;
    text.split(' ').next().and_then(|nanos| nanos.parse().ok()).context("/proc/thread-self/schedstat has no number")
}
