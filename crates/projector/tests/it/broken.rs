//! A log that breaks: it is noticed, said, and not served until a rebuild.

use std::time::Duration;

use crate::support::running::{PATIENCE, start};
use crate::support::{Log, genesis, population};
use history::Order;
use projector::{Entry, RebuildOptions, State, Trouble};
use tokio::time::timeout;
use touchpoint::{CustomerId, Position, Timestamp};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_log_is_not_served_until_a_rebuild() {
    let dir = tempfile::tempdir().unwrap();
    let (entries, _) = population(4, 10, Order::Recorded);
    let log = Log::new(entries, 64);
    let running = start(&log, &dir.path().join("churn")).await;
    running.at(log.end()).await;
    log.break_down(Some(Trouble::RolledBack));
    running.is(|state| matches!(state, State::Broken(broken) if broken.trouble == Trouble::RolledBack)).await;
    assert!(running.projector.serving().is_err());
    log.break_down(None);
    running.projector.begin_rebuild(RebuildOptions::default()).await.unwrap().finish().await.unwrap();
    running.at(log.end()).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_breaks_in_the_middle_of_a_commit_leaves_the_position_behind_the_records() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::new(vec![genesis()], 5_000);
    let running = start(&log, &dir.path().join("churn")).await;
    running.at(Position(1)).await;
    // So many pages change that a commit begins at once, and takes longer than the log needs to break.
    log.append((2..30_000).map(lead));
    running.at(log.end()).await;
    log.break_down(Some(Trouble::Gap));
    running.is(|state| matches!(state, State::Broken(_))).await;
    running.stop().await;
    log.break_down(None);
    let again = start(&log, &dir.path().join("churn")).await;
    let fresh = start(&log, &dir.path().join("fresh")).await;
    assert_eq!(again.at(log.end()).await, fresh.at(log.end()).await);
    again.stop().await;
    fresh.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_ends_before_the_store_is_never_served() {
    let dir = tempfile::tempdir().unwrap();
    let (entries, _) = population(7, 10, Order::Recorded);
    let short = Log::new(entries[..5].to_vec(), 64);
    let log = Log::new(entries, 64);
    let running = start(&log, &dir.path().join("churn")).await;
    running.at(log.end()).await;
    running.stop().await;
    let running = start(&short, &dir.path().join("churn")).await;
    let mut state = running.projector.state();
    let first = timeout(PATIENCE, state.wait_for(|state| *state != State::CatchingUp)).await;
    assert!(matches!(&*first.unwrap().unwrap(), State::Broken(broken) if broken.trouble == Trouble::RolledBack));
    running.stop().await;
}

/// Somebody becomes known.
fn lead(position: u64) -> Entry {
    let customer = CustomerId::from_u128(u128::from(position));
    let body = serde_json::json!({
        "specversion": "1.0", "id": customer, "source": "test", "type": "LeadRegistered", "subject": customer,
        "dataschema": "urn:lifefold:LeadRegistered:1", "time": "2026-01-01T00:00:00Z", "channel": "SYSTEM",
        "data": { "lead_source": "WALK_IN" },
    });
    let recorded_at = "2026-01-01T00:00:00Z".parse().unwrap();
    Entry { position: Position(position), recorded_at, customer: Some(customer), body: body.to_string().into() }
}

/// So soon a log must be known to be broken: reliability demands it.
const NOTICED_WITHIN: Duration = Duration::from_secs(5);

/// What happens to the log, told by no message of it, is noticed in time, and who asks is told these words.
async fn check_noticed_in_silence(happens: impl FnOnce(&Log), trouble: Trouble, words: &str) {
    let dir = tempfile::tempdir().unwrap();
    let (entries, _) = population(8, 10, Order::Recorded);
    let log = Log::new(entries, 64);
    let running = start(&log, &dir.path().join("churn")).await;
    running.at(log.end()).await;
    happens(&log);
    let mut state = running.projector.state();
    let changed = timeout(NOTICED_WITHIN, state.wait_for(|state| *state != State::Serving)).await;
    let changed = changed.expect("noticed in time").unwrap().clone();
    assert!(matches!(&changed, State::Broken(broken) if broken.trouble == trouble), "{changed:?}");
    let refused = running.projector.serving().err().unwrap().to_string();
    assert!(refused.contains(trouble.name()) && refused.contains(words), "{refused}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_cut_short_in_silence_is_noticed_within_five_seconds() {
    let cut = |log: &Log| log.cut_short_in_silence(Position(5));
    check_noticed_in_silence(cut, Trouble::RolledBack, "the log ends at 5").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_made_anew_in_silence_is_noticed_within_five_seconds() {
    let anew = |log: &Log| log.make_anew_in_silence(Timestamp::from_micros(1));
    check_noticed_in_silence(anew, Trouble::Recreated, "another log").await;
}
