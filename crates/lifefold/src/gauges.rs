//! How a projector does, as gauges that are set once a second.

use std::sync::Arc;
use std::time::Duration;

use metrics::{Unit, describe_counter, describe_gauge, gauge};
use projector::{Phase, Progress, Projector, ScrubStatus, Source};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use touchpoint::{Position, Timestamp};
use views::View;

/// How often the gauges are set.
const EVERY: Duration = Duration::from_secs(1);
/// How long the log may take to say where it ends, before that counts as not knowing.
const END_TIMEOUT: Duration = Duration::from_millis(500);

const SERVING: &str = "lifefold_projector_serving";
const LAG_EVENTS: &str = "lifefold_projector_lag_events";
const LAG_SECONDS: &str = "lifefold_projector_lag_seconds";
const PARKED: &str = "lifefold_projector_parked_events";
const COMMIT_AGE: &str = "lifefold_projector_commit_age_seconds";
const POSITION: &str = "lifefold_projector_position";
const CUSTOMERS: &str = "lifefold_projector_customers";
const CONFLICTS: &str = "lifefold_projector_conflicts";
const PAUSED: &str = "lifefold_projector_paused";
const REBUILD_WAITS: &str = "lifefold_projector_rebuild_waits";
const SCRUB_COVERAGE: &str = "lifefold_projector_scrub_coverage";
const SCRUB_ROUND_AGE: &str = "lifefold_projector_scrub_round_age_seconds";
/// Counted where the log is read.
pub(crate) const FOREIGN: &str = "lifefold_projector_foreign_messages_total";
const MICROS_PER_SECOND: f64 = 1_000_000.0;

/// Tells the recorder what these metrics are.
pub(crate) fn describe() {
    describe_gauge!(SERVING, "1 while the view is answered, else 0.");
    describe_gauge!(LAG_EVENTS, "Events of the log that are not in the view yet.");
    describe_gauge!(LAG_SECONDS, Unit::Seconds, "How long ago the view was last known to hold the whole log.");
    describe_gauge!(PARKED, "Events that could not be read and wait for a decision.");
    describe_gauge!(COMMIT_AGE, Unit::Seconds, "How long something has been waiting to be durable.");
    describe_gauge!(POSITION, "The position up to which every event is in the view.");
    describe_gauge!(CUSTOMERS, "Customers in the view.");
    describe_gauge!(CONFLICTS, "Events since the start whose id was taken by other content.");
    describe_gauge!(PAUSED, "1 while an operator has paused the view, else 0.");
    describe_gauge!(
        REBUILD_WAITS,
        "1 while a rebuild has found a difference and waits to be accepted or cancelled, else 0."
    );
    describe_gauge!(SCRUB_COVERAGE, "The share of customers that this round of the scrub has checked, 0 to 1.");
    let round_age = "How long ago the scrub had checked everybody; if it never has, since it began.";
    describe_gauge!(SCRUB_ROUND_AGE, Unit::Seconds, round_age);
    describe_counter!("lifefold_projector_scrub_checked_total", "Customers that the scrub folded again.");
    describe_counter!("lifefold_projector_scrub_different_total", "Of them, those whose record differed from the log.");
    describe_counter!(
        "lifefold_projector_scrub_repaired_total",
        "Of them, those whose record is right again, durably."
    );
    describe_counter!("lifefold_projector_events_total", "Events folded.");
    describe_counter!(FOREIGN, "Messages of the log on a subject that is no customer's.");
    describe_counter!("lifefold_projector_commit_failures_total", "Commits that the disk refused.");
}

/// Sets the gauges of a projector for ever.
pub(crate) async fn watch<V: View>(projector: Projector<V>, source: Arc<dyn Source>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ages = Ages { whole_at: Instant::now(), durable_at: Instant::now(), committed: Position::ZERO };
    loop {
        ticks.tick().await;
        let end = timeout(END_TIMEOUT, source.end()).await.ok().and_then(Result::ok);
        // Waits while lists are built: not for the threads that answer.
        let asked = projector.clone();
        let Ok(progress) = tokio::task::spawn_blocking(move || asked.progress()).await else { continue };
        let (serving, paused) = {
            let state = projector.state();
            let state = state.borrow();
            (state.answers(), projector.paused().is_some())
        };
        set::<V>(serving, &progress, end, &mut ages);
        gauge!(PAUSED, "view" => V::NAME).set(f64::from(u8::from(paused)));
        let waits = projector.last_rebuild().is_some_and(|it| matches!(it.phase, Phase::Differs(_)));
        gauge!(REBUILD_WAITS, "view" => V::NAME).set(f64::from(u8::from(waits)));
        set_scrub::<V>(&projector.scrub_status(), projector.now());
    }
}

/// Nothing of a scrub that is off.
fn set_scrub<V: View>(status: &ScrubStatus, now: Timestamp) {
    let Some(since) = status.last_round.or(status.began) else { return };
    gauge!(SCRUB_COVERAGE, "view" => V::NAME).set(f64::from(status.covered_bp) / f64::from(ScrubStatus::ALL_BP));
    gauge!(SCRUB_ROUND_AGE, "view" => V::NAME).set((now.since(since) as f64 / MICROS_PER_SECOND).floor());
}

/// Since when things have not been as they should be.
struct Ages {
    /// When the view was last known to hold the whole log.
    whole_at: Instant,
    /// When everything was last durable, or a commit was made.
    durable_at: Instant,
    committed: Position,
}

impl Ages {
    fn update(&mut self, status: &Progress, end: Option<Position>) {
        let now = Instant::now();
        if end.is_some_and(|end| status.position >= end) {
            self.whole_at = now;
        }
        if status.committed != self.committed || status.committed >= status.position {
            (self.durable_at, self.committed) = (now, status.committed);
        }
    }
}

fn set<V: View>(serving: bool, status: &Progress, end: Option<Position>, ages: &mut Ages) {
    ages.update(status, end);
    let end = end.unwrap_or(status.log_end).max(status.log_end);
    let lag = end.0.saturating_sub(status.position.0);
    let values = [
        (SERVING, f64::from(u8::from(serving))),
        (LAG_EVENTS, lag as f64),
        (LAG_SECONDS, ages.whole_at.elapsed().as_secs_f64().floor()),
        (PARKED, status.parked as f64),
        (COMMIT_AGE, ages.durable_at.elapsed().as_secs_f64().floor()),
        (POSITION, status.position.0 as f64),
        (CUSTOMERS, status.customers as f64),
        (CONFLICTS, status.conflicts as f64),
    ];
    for (name, value) in values {
        gauge!(name, "view" => V::NAME).set(value);
    }
}
