//! A log that is not the one that was read: noticed by `check` and by the tail.

use std::fs;
use std::path::Path;

use event_log::{Appender, Broken, CheckError, Checkpoint, Head, Log, TailError};
use futures::StreamExt;
use serde_json::json;
use tokio::time::timeout;
use touchpoint::Position;
use uuid::Uuid;

use crate::support::{EPOCH, PATIENCE, Server, append_range, start_broker};

/// What a reader keeps that has read up to the end.
async fn checkpoint(log: &Log) -> Checkpoint {
    let last = log.last().await.unwrap();
    Checkpoint::at(log.identity(), last, log.get(last).await.unwrap().unwrap().digest())
}

/// Asserts that both the check and a tail after the checkpoint say so.
async fn check(log: &Log, checkpoint: Checkpoint, expect: fn(&Broken) -> bool) {
    match log.check(&checkpoint).await {
        Err(CheckError::Broken(broken)) => assert!(expect(&broken), "{broken}"),
        other => panic!("{other:?}"),
    }
    let mut tail = log.tail_after(checkpoint);
    match timeout(PATIENCE, tail.next()).await.unwrap() {
        Some(Err(TailError::Broken(broken))) => assert!(expect(&broken), "{broken}"),
        other => panic!("{other:?}"),
    }
    assert!(tail.next().await.is_none());
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (from, to) = (file.path(), to.join(file.file_name()));
        if file.file_type().unwrap().is_dir() { copy(&from, &to) } else { fs::copy(from, to).map(drop).unwrap() }
    }
}

#[tokio::test]
async fn an_unchanged_log_is_recognised() {
    let mut server = Server::start();
    let log = server.log().await;
    let appender = Appender::start(log.clone());
    assert_eq!(log.check(&Checkpoint::start(log.identity())).await, Ok(Head { last: Position(1) }));
    append_range(&appender, 1, 1, 10).await;
    let checkpoint = checkpoint(&log).await;
    append_range(&appender, 1, 11, 20).await;
    assert_eq!(log.check(&checkpoint).await, Ok(Head { last: Position(21) }));
    server.broker.restart().unwrap();
    let log = Log::open(&server.options()).await.unwrap();
    assert_eq!(log.check(&checkpoint).await, Ok(Head { last: Position(21) }));
    let batch = timeout(PATIENCE, log.tail_after(checkpoint).next()).await.unwrap().unwrap().unwrap();
    assert_eq!(batch.entries[0].position, Position(12));
}

#[tokio::test]
async fn a_lost_tail_and_reused_positions_are_rolled_back() {
    let mut server = Server::start();
    let log = server.log().await;
    append_range(&Appender::start(log.clone()), 1, 1, 10).await;
    server.broker.stop().unwrap();
    let old = server.folder.path().join("old");
    copy(&server.folder.path().join("nats"), &old);
    server.broker.restart().unwrap();
    let log = Log::open(&server.options()).await.unwrap();
    append_range(&Appender::start(log.clone()), 1, 11, 20).await;
    let checkpoint = checkpoint(&log).await;

    let broker = start_broker(&old);
    let log = Log::open(&event_log::Options::new(broker.url())).await.unwrap();
    assert_eq!(log.identity().created, checkpoint.created);
    check(
        &log,
        checkpoint,
        |broken| matches!(broken, Broken::RolledBack { found, .. } if found.contains("ends at 11")),
    )
    .await;
    append_range(&Appender::start(log.clone()), 1, 31, 50).await;
    check(
        &log,
        checkpoint,
        |broken| matches!(broken, Broken::RolledBack { found, .. } if found.contains("another event")),
    )
    .await;
}

#[tokio::test]
async fn a_log_made_again_is_noticed_while_reading() {
    let server = Server::start();
    let log = server.log().await;
    append_range(&Appender::start(log.clone()), 1, 1, 10).await;
    let mut tail = log.tail(Position(1));
    let seen = timeout(PATIENCE, tail.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(seen.entries[0].position, Position(1));
    let checkpoint = checkpoint(&log).await;
    server.admin("STREAM.DELETE.TOUCHPOINTS", json!(null)).await;
    check(&log, checkpoint, |broken| matches!(broken, Broken::Recreated(reason) if reason.contains("is gone"))).await;
    let again = Log::provision(&server.options(), Uuid::from_u128(2)).await.unwrap();
    append_range(&Appender::start(again.clone()), 1, 1, 30).await;
    check(&log, checkpoint, |broken| matches!(broken, Broken::Recreated(_))).await;
    for mut apart in
        [log.apart().await.unwrap().tail(Position(1)), log.apart().await.unwrap().replay(Position(1), Position(30))]
    {
        let ended = timeout(PATIENCE, apart.next()).await.unwrap().unwrap().unwrap_err();
        assert!(matches!(ended, TailError::Broken(Broken::Recreated(_))), "{ended}");
    }
    let end = loop {
        match timeout(PATIENCE, tail.next()).await.unwrap().unwrap() {
            Ok(batch) => assert!(batch.entries.iter().all(|entry| entry.position <= Position(11))),
            Err(error) => break error,
        }
    };
    assert!(matches!(end, TailError::Broken(Broken::Recreated(_))), "{end}");
    let other_epoch = Checkpoint { epoch: EPOCH, ..Checkpoint::start(again.identity()) };
    check(&again, other_epoch, |broken| matches!(broken, Broken::Recreated(reason) if reason.contains("epoch"))).await;
}

#[tokio::test]
async fn a_shrunk_log_and_a_hole_are_gaps() {
    for (option, value) in [("max_msgs", 3), ("max_msgs_per_subject", 4)] {
        let server = Server::start();
        let log = server.log().await;
        append_range(&Appender::start(log.clone()), 1, 1, 10).await;
        let checkpoint = checkpoint(&log).await;
        server
            .change(|config| {
                config["discard"] = json!("old");
                config["discard_new_per_subject"] = json!(false);
                config[option] = json!(value);
            })
            .await;
        check(&log, checkpoint, |broken| matches!(broken, Broken::Gap(_))).await;
        assert!(Log::open(&server.options()).await.unwrap_err().to_string().contains(option));
    }
}
