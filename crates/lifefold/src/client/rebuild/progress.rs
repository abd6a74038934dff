//! How far a rebuild is, how long it will take, and how those who are served beside it do.

use std::fmt::Write as _;

use api::v1;
use prost_types::Duration;
use serde_json::Value;

use super::super::{format, output};

const NANOS_PER_MILLI: i128 = 1_000_000;

/// How far a rebuild is that is under way, and how those who are served do.
pub(super) fn words(rebuild: &v1::GetRebuildResponse) -> String {
    use v1::RebuildPhase as Phase;
    let Some(it) = &rebuild.progress else { return rebuild.message.clone() };
    let share = output::share(it.position, it.head.max(1));
    let folded = format!("{} of {} events ({share})", format::count(it.position), format::count(it.head));
    match rebuild.phase() {
        Phase::Verifying => {
            let (compared, done) = (format::count(it.customers_compared), format::percent(Some(it.compared_bp)));
            format!("{folded}; {compared} customers compared ({done}); {}", vitals(it))
        }
        Phase::Saving => format!("generation {} serves, and is made durable", rebuild.generation),
        _ => format!("{folded}{}; {}", speed(rebuild, it), vitals(it)),
    }
}

/// How fast it is, and how long it will take then; nothing in the first moments.
fn speed(rebuild: &v1::GetRebuildResponse, it: &v1::RebuildProgress) -> String {
    let span = |seconds| format::span(&Duration { seconds, nanos: 0 });
    match seconds_left(rebuild).map(i64::try_from) {
        Some(Ok(seconds)) => format!(", {}/s, {} left", format::count(it.events_per_second), span(seconds)),
        _ => String::new(),
    }
}

/// How long folding will take at the rate so far, in seconds; nothing in the first moments, and once it is folded.
fn seconds_left(rebuild: &v1::GetRebuildResponse) -> Option<u64> {
    let it = rebuild.progress.as_ref().filter(|_| rebuild.phase() == v1::RebuildPhase::Folding)?;
    it.head.saturating_sub(it.position).checked_div(it.events_per_second)
}

/// For programs, which are told only what is known.
pub(super) fn add_seconds_left(value: &mut Value, rebuild: &v1::GetRebuildResponse) {
    if let Some(seconds) = seconds_left(rebuild) {
        value["seconds_left"] = seconds.into();
    }
}

fn vitals(it: &v1::RebuildProgress) -> String {
    let mut text = format!("lag {} of {}", millis(it.lag), millis(it.max_lag));
    if it.p99.is_some() {
        let _ = write!(text, ", p99 {} of {}", millis(it.p99), millis(it.max_p99));
    }
    if let Some(held) = it.held_back.as_ref().filter(|it| it.seconds > 0) {
        let _ = write!(text, ", held back for {}", format::span(held));
    }
    text
}

/// Whole milliseconds; answers often take less than one.
fn millis(time: Option<Duration>) -> String {
    let Some(time) = time else { return "?".to_owned() };
    let nanos = i128::from(time.seconds) * 1_000 * NANOS_PER_MILLI + i128::from(time.nanos);
    match u64::try_from(nanos / NANOS_PER_MILLI) {
        Ok(0) if nanos > 0 => "under 1 ms".to_owned(),
        Ok(millis) => format!("{} ms", format::count(millis)),
        Err(_) => "?".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_shown_once_it_is_known() {
        let mut folding = v1::GetRebuildResponse { phase: v1::RebuildPhase::Folding.into(), ..Default::default() };
        folding.progress = Some(v1::RebuildProgress { position: 500, head: 2_000, ..Default::default() });
        assert_eq!(words(&folding), "500 of 2,000 events (25.00%); lag ? of ?");
        if let Some(progress) = &mut folding.progress {
            progress.events_per_second = 100;
        }
        assert_eq!(words(&folding), "500 of 2,000 events (25.00%), 100/s, 15 s left; lag ? of ?");
        assert_eq!(seconds_left(&folding), Some(15));
        folding.set_phase(v1::RebuildPhase::Verifying);
        assert_eq!(seconds_left(&folding), None);
        if let Some(progress) = &mut folding.progress {
            (progress.position, progress.customers_compared, progress.compared_bp) = (2_000, 1_250, 4_140);
        }
        assert_eq!(words(&folding), "2,000 of 2,000 events (100.00%); 1,250 customers compared (41.40%); lag ? of ?");
    }

    #[test]
    fn those_who_are_served_are_told_beside_what_they_must_be_left() {
        let time = |millis: i32| Some(Duration { seconds: 0, nanos: millis * 1_000_000 });
        let mut it = v1::RebuildProgress { lag: time(0), max_p99: time(50), ..Default::default() };
        it.max_lag = Some(Duration { seconds: 1, nanos: 0 });
        assert_eq!(vitals(&it), "lag 0 ms of 1,000 ms");
        it.p99 = Some(Duration { seconds: 0, nanos: 24_000 });
        assert_eq!(vitals(&it), "lag 0 ms of 1,000 ms, p99 under 1 ms of 50 ms");
        (it.p99, it.held_back) = (time(80), Some(Duration { seconds: 61, nanos: 0 }));
        assert_eq!(vitals(&it), "lag 0 ms of 1,000 ms, p99 80 ms of 50 ms, held back for 1 min 1 s");
    }
}
