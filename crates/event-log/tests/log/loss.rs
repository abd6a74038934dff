//! A log that lost messages: noticed by who has read them, read to its end by who makes do with what is left.

use event_log::{Appender, Broken, CheckError, Checkpoint, Entry, Head, Log, Tail, TailError};
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::time::timeout;
use touchpoint::{Position, Timestamp};
use uuid::Uuid;

use crate::support::{EPOCH, PATIENCE, Server, append_range, customer, draft, soon};

/// A log in which customers 1 to 3 have 6 events each, one after the other, at 2 to 19.
async fn three_customers(server: &Server) -> (Log, Appender) {
    let log = server.log().await;
    let appender = Appender::start(log.clone());
    for number in 1..=3 {
        append_range(&appender, number, 1, 6).await;
    }
    (log, appender)
}

/// Changes the stream, waits until so many messages are left, and puts the options right again.
async fn shrink(server: &Server, left: u64, change: impl Fn(&mut Value)) {
    let before = server.admin("STREAM.INFO.TOUCHPOINTS", Value::Null).await["config"].clone();
    server.change(&change).await;
    let messages = async || server.admin("STREAM.INFO.TOUCHPOINTS", Value::Null).await["state"]["messages"].as_u64();
    let shrunk = async {
        while messages().await != Some(left) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, shrunk).await.unwrap();
    server.change(|config| *config = before).await;
}

fn keep_of_each_customer(count: u64) -> impl Fn(&mut Value) {
    move |config| config["max_msgs_per_subject"] = json!(count)
}

fn keep_last(count: u64) -> impl Fn(&mut Value) {
    move |config| {
        config["discard"] = json!("old");
        config["discard_new_per_subject"] = json!(false);
        config["max_msgs"] = json!(count);
    }
}

/// The positions of the next entries of a tail, so many.
async fn next(tail: &mut Tail, count: usize) -> Vec<u64> {
    let mut entries: Vec<Entry> = Vec::new();
    while entries.len() < count {
        entries.extend(timeout(PATIENCE, tail.next()).await.unwrap().unwrap().unwrap().entries);
    }
    entries.iter().map(|entry| entry.position.0).collect()
}

async fn replayed(log: &Log, from: u64, to: u64) -> Vec<u64> {
    let mut replay = log.replay(Position(from), Position(to));
    let mut positions = Vec::new();
    while let Some(batch) = timeout(PATIENCE, replay.next()).await.unwrap() {
        positions.extend(batch.unwrap().entries.iter().map(|entry| entry.position.0));
    }
    positions
}

/// What a reader keeps that began with `origin` and has read up to the end.
async fn read(log: &Log, origin: Checkpoint) -> Checkpoint {
    let position = log.last().await.unwrap();
    let digest = log.get(position).await.unwrap().map(|entry| entry.digest()).unwrap_or_default();
    Checkpoint { position, digest, ..origin }
}

async fn is_gap(log: &Log, checkpoint: Checkpoint) {
    let checked = log.check(&checkpoint).await;
    assert!(matches!(checked, Err(CheckError::Broken(Broken::Gap(_)))), "{checked:?}");
    let mut tail = log.tail_after(checkpoint);
    let ended = timeout(PATIENCE, tail.next()).await.unwrap();
    assert!(matches!(ended, Some(Err(TailError::Broken(Broken::Gap(_))))), "{ended:?}");
}

#[tokio::test]
async fn what_is_left_is_read_and_only_a_further_loss_is_a_gap() {
    let mut server = Server::start();
    let (log, appender) = three_customers(&server).await;
    let whole = read(&log, log.origin().await.unwrap()).await;
    assert_eq!((whole.position, whole.lost), (Position(19), 0));
    shrink(&server, 13, keep_of_each_customer(4)).await;
    is_gap(&log, whole).await;
    is_gap(&log, Checkpoint::start(log.identity())).await;

    let origin = log.origin().await.unwrap();
    assert_eq!(origin, Checkpoint { lost: 6, ..Checkpoint::start(log.identity()) });
    let left = [1, 4, 5, 6, 7, 10, 11, 12, 13, 16, 17, 18, 19];
    let mut tail = log.tail_after(origin);
    assert_eq!(next(&mut tail, left.len()).await, left);
    append_range(&appender, 2, 7, 8).await;
    assert_eq!(next(&mut tail, 2).await, [20, 21]);
    let checkpoint = read(&log, origin).await;
    assert_eq!(log.check(&checkpoint).await, Ok(Head { last: Position(21) }));

    // The same after a restart.
    server.broker.restart().unwrap();
    let log = Log::open(&server.options()).await.unwrap();
    assert_eq!(log.check(&checkpoint).await, Ok(Head { last: Position(21) }));
    assert_eq!(
        next(&mut log.tail_after(Checkpoint { position: Position::ZERO, ..checkpoint }), 15).await[13..],
        [20, 21]
    );

    shrink(&server, 10, keep_of_each_customer(3)).await;
    is_gap(&log, checkpoint).await;
    // A reader that runs meanwhile reads nothing beyond a hole that it does not know of.
    append_range(&appender, 2, 9, 9).await;
    shrink(&server, 10, keep_of_each_customer(3)).await;
    server.broker.restart().unwrap();
    let ended = loop {
        match timeout(PATIENCE, tail.next()).await.unwrap().unwrap() {
            Ok(batch) => assert_eq!(batch.entries[0].position, Position(22)),
            Err(error) => break error,
        }
    };
    assert!(matches!(ended, TailError::Broken(Broken::Gap(_))), "{ended}");
    let log = Log::open(&server.options()).await.unwrap();
    // A log that has regained what was passed over is no fold's log either.
    is_gap(&log, Checkpoint { lost: 99, ..checkpoint }).await;
    assert_eq!(log.origin().await.unwrap().lost, 12);
}

#[tokio::test]
async fn ranges_and_timelines_pass_over_what_is_lost() {
    let server = Server::start();
    let (log, _) = three_customers(&server).await;
    let before: Timestamp = log.get(Position(8)).await.unwrap().unwrap().recorded_at;
    shrink(&server, 10, keep_of_each_customer(3)).await;
    assert_eq!(replayed(&log, 1, 99).await, [1, 5, 6, 7, 11, 12, 13, 17, 18, 19]);
    // Ranges that begin and end in a hole, and that are nothing but one.
    assert_eq!(replayed(&log, 3, 9).await, [5, 6, 7]);
    assert_eq!(replayed(&log, 8, 10).await, Vec::<u64>::new());
    assert_eq!(replayed(&log, 9, 11).await, [11]);
    for (to, expect) in [(19, 19), (99, 19), (16, 13), (11, 11), (4, 1)] {
        assert_eq!(log.last_up_to(Position(to)).await, Ok(Position(expect)), "{to}");
    }
    let timeline = log.timeline(customer(2), Position::ZERO, 2).await.unwrap();
    assert_eq!(timeline.iter().map(|entry| entry.position.0).collect::<Vec<_>>(), [11, 12]);
    let found = log.position_at(before).await.unwrap();
    assert!(found.is_some_and(|found| found > Position(1) && found <= Position(11)), "{found:?}");
}

#[tokio::test]
async fn a_log_without_its_genesis_goes_on_and_is_known_by_its_creation() {
    let server = Server::start();
    let (log, appender) = three_customers(&server).await;
    let whole = read(&log, log.origin().await.unwrap()).await;
    shrink(&server, 5, keep_last(5)).await;
    is_gap(&log, whole).await;
    assert_eq!(appender.append(draft(1, 7), None, soon()).await.unwrap().position, Position(20));

    let again = Log::provision(&server.options(), Uuid::from_u128(2)).await.unwrap();
    assert_eq!((again.identity().created, again.identity().epoch), (whole.created, Uuid::nil()));
    let origin = again.origin().await.unwrap();
    assert_eq!(origin.lost, 14);
    assert_eq!(next(&mut again.tail_after(origin), 6).await, [15, 16, 17, 18, 19, 20]);
    let checkpoint = read(&again, origin).await;
    // Whoever opened it before the loss sees the same log.
    assert_eq!(log.check(&checkpoint).await, Ok(Head { last: Position(20) }));
    assert_eq!(log.origin().await.unwrap(), Checkpoint { epoch: EPOCH, ..origin });

    shrink(&server, 2, keep_last(2)).await;
    is_gap(&again, checkpoint).await;
    server.admin("STREAM.DELETE.TOUCHPOINTS", Value::Null).await;
    let anew = Log::provision(&server.options(), Uuid::from_u128(3)).await.unwrap();
    let checked = anew.check(&checkpoint).await;
    assert!(matches!(checked, Err(CheckError::Broken(Broken::Recreated(_)))), "{checked:?}");
}

#[tokio::test]
async fn a_log_that_lost_everything_begins_after_it() {
    const SECOND: u64 = 1_000_000_000;
    let mut server = Server::start();
    let (log, appender) = three_customers(&server).await;
    let whole = read(&log, log.origin().await.unwrap()).await;
    shrink(&server, 0, |config| {
        config["max_age"] = json!(SECOND);
        config["duplicate_window"] = json!(SECOND);
    })
    .await;
    is_gap(&log, whole).await;
    assert_eq!(log.last().await, Ok(Position::ZERO));
    assert_eq!(replayed(&log, 1, 19).await, Vec::<u64>::new());
    let origin = log.origin().await.unwrap();
    assert_eq!(log.check(&origin).await, Ok(Head { last: Position::ZERO }));
    server.broker.restart().unwrap();
    let log = Log::open(&server.options()).await.unwrap();
    assert_eq!(log.check(&origin).await, Ok(Head { last: Position::ZERO }));
    let mut tail = log.tail_after(origin);
    assert_eq!(appender.append(draft(9, 1), None, soon()).await.unwrap().position, Position(20));
    assert_eq!(next(&mut tail, 1).await, [20]);
}
