//! Parked events that can be read by now are read once more: the view then equals a refold.

use crate::support::running::{PATIENCE, Running, start};
use crate::support::{Log, population};
use bytes::Bytes;
use history::Order;
use projector::{Entry, Retried};
use tokio::time::Instant;
use touchpoint::Position;

/// One event of so many cannot be read at first.
const POISONED: u64 = 5;

/// The log with what an older build could not read, and as it is.
fn poisoned(seed: u64) -> (Log, Vec<Entry>) {
    let (entries, _) = population(seed, 40, Order::Shuffled(seed));
    let poison = |entry: &Entry| match entry.position.0 % POISONED {
        0 => Entry { body: Bytes::from_static(br#"{"type":"FromTheFuture"}"#), ..entry.clone() },
        _ => entry.clone(),
    };
    (Log::new(entries.iter().map(poison).collect(), 16), entries)
}

fn soon() -> Instant {
    Instant::now() + PATIENCE
}

fn parked(running: &Running) -> Vec<Position> {
    let generation = running.projector.serving().unwrap();
    generation.parked_after(Position::ZERO, usize::MAX).iter().map(|it| it.position).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_be_read_by_now_is_as_if_it_had_never_been_parked() {
    let dir = tempfile::tempdir().unwrap();
    for seed in 1..=3 {
        let (log, entries) = poisoned(seed);
        let running = start(&log, &dir.path().join(format!("churn-{seed}"))).await;
        let unread = running.at(log.end()).await;
        let waiting = parked(&running);
        assert!(waiting.len() > 10, "{} events are parked", waiting.len());

        let same = running.projector.retry_parked(&[], soon()).await.unwrap();
        assert!(same.iter().all(|(_, it)| matches!(it, Retried::StillParked(_))), "{same:?}");
        assert_eq!(running.at(log.end()).await, unread, "nothing is changed by what cannot be read");

        log.replace(entries.clone());
        let one = running.projector.retry_parked(&[waiting[0], Position(1)], soon()).await.unwrap();
        assert_eq!(one, [(Position(1), Retried::NotParked), (waiting[0], Retried::Read)]);
        running.projector.retry_parked(&[], soon()).await.unwrap();

        let fresh = start(&Log::new(entries, 16), &dir.path().join(format!("fresh-{seed}"))).await;
        assert_eq!(running.at(log.end()).await, fresh.at(log.end()).await, "seed {seed}");
        assert_eq!(parked(&running), parked(&fresh));
        running.stop().await;
        let again = start(&log, &dir.path().join(format!("churn-{seed}"))).await;
        assert_eq!(again.at(log.end()).await, fresh.at(log.end()).await, "and it is kept");
        again.stop().await;
        fresh.stop().await;
    }
}
