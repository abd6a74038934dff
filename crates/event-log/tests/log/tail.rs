//! The tail: every position exactly once and in order, promptly, through cut connections.

use std::time::Duration;

use event_log::{Appender, Log, Tail, TailState};
use futures::StreamExt;
use tokio::time::{Instant, timeout};
use touchpoint::Position;

use crate::proxy::{NEVER, Proxy};
use crate::support::{PATIENCE, Server, append_range, draft, draft_saying, soon};

/// Reads until this position, and asserts that nothing is missing, repeated or out of order.
async fn read_to(tail: &mut Tail, mut next: Position, last: Position) {
    while next <= last {
        let batch = timeout(PATIENCE, tail.next()).await.unwrap().unwrap().unwrap();
        assert!(!batch.entries.is_empty());
        for entry in &batch.entries {
            assert_eq!(entry.position, next);
            next = next.next();
        }
        assert!(batch.last >= batch.entries[batch.entries.len() - 1].position);
    }
}

#[tokio::test]
async fn what_is_appended_arrives_at_once() {
    let server = Server::start();
    let log = server.log().await;
    let appender = Appender::start(log.clone());
    let mut tail = log.tail(Position(1));
    read_to(&mut tail, Position(1), Position(1)).await;
    let mut slowest = Duration::ZERO;
    for event in 1..=20 {
        let position = appender.append(draft(1, event), None, soon()).await.unwrap().position;
        let answered = Instant::now();
        let batch = timeout(PATIENCE, tail.next()).await.unwrap().unwrap().unwrap();
        slowest = slowest.max(answered.elapsed());
        assert_eq!((batch.entries[0].position, batch.entries.len(), batch.last), (position, 1, position));
        assert_eq!(batch.entries[0].body, draft(1, event).body);
    }
    assert!(slowest < Duration::from_secs(1), "an event took {slowest:?} after its answer");
    assert_eq!(*tail.state().borrow(), TailState::Reading);
}

#[tokio::test]
async fn a_reader_far_behind_knows_its_lag() {
    let server = Server::start();
    let log = server.log().await;
    append_range(&Appender::start(log.clone()), 1, 1, 900).await;
    let mut tail = log.tail(Position(500));
    let batch = timeout(PATIENCE, tail.next()).await.unwrap().unwrap().unwrap();
    assert_eq!((batch.entries[0].position, batch.last), (Position(500), Position(901)));
}

#[tokio::test]
async fn a_reader_far_behind_is_given_much_at_a_time() {
    const EVENTS: u64 = 12_000;
    const MUCH: usize = 4_000;
    let server = Server::start();
    let log = server.log().await;
    let appender = Appender::start(log.clone());
    for batch in 0..u128::from(EVENTS) / 1_000 {
        append_range(&appender, batch, 1_000 * batch, 1_000 * batch + 999).await;
    }
    let (mut tail, mut read) = (log.tail(Position(1)), Position::ZERO);
    while read <= Position(EVENTS) {
        let batch = timeout(PATIENCE, tail.next()).await.unwrap().unwrap().unwrap();
        read = batch.entries[batch.entries.len() - 1].position;
        let follow = (batch.last.0 - read.0) as usize;
        assert!(batch.entries.len() >= MUCH || follow < MUCH, "{} while {follow} follow", batch.entries.len());
    }
}

/// So many that the bytes that may wait are reached before the entries that are worth handing over.
#[tokio::test]
async fn large_bodies_are_handed_over_before_they_are_many() {
    const EVENTS: u64 = 8_000;
    let server = Server::start();
    let log = server.log().await;
    let appender = Appender::start(log.clone());
    for first in (1..=u128::from(EVENTS)).step_by(500) {
        let large = |event| draft_saying(1, event, &"large".repeat(2_000));
        appender.append_all((first..first + 500).map(large).collect(), soon()).await.unwrap();
    }
    let mut tail = log.tail(Position(1));
    read_to(&mut tail, Position(1), Position(EVENTS + 1)).await;
}

#[tokio::test]
async fn cut_connections_lose_and_repeat_nothing() {
    const EVENTS: u64 = 20_000;
    let server = Server::start();
    let appender = Appender::start(server.log().await);
    for batch in 0..u128::from(EVENTS) / 1_000 {
        append_range(&appender, batch, 1_000 * batch, 1_000 * batch + 999).await;
    }
    let proxy = Proxy::start(server.broker.port()).await;
    let log = Log::open(&proxy.options()).await.unwrap();
    proxy.cut_after(NEVER, 1_500_000);
    proxy.cut();
    let mut tail = log.tail(Position(1));
    read_to(&mut tail, Position(1), Position(EVENTS + 1)).await;
    assert!(proxy.cuts() >= 3, "the connection was cut {} times only", proxy.cuts());

    // It goes on at the head, also after a cut while nothing happens.
    proxy.cut_after(NEVER, NEVER);
    proxy.cut();
    let next = appender.append(draft(1, u128::MAX), None, soon()).await.unwrap().position;
    read_to(&mut tail, next, next).await;
}

#[tokio::test]
async fn a_stopped_server_is_waited_for() {
    let mut server = Server::start();
    let log = server.log().await;
    append_range(&Appender::start(log.clone()), 1, 1, 100).await;
    let mut tail = log.tail(Position(1));
    read_to(&mut tail, Position(1), Position(101)).await;
    let mut state = tail.state();
    server.broker.kill().unwrap();
    server.broker.restart().unwrap();
    let appender = Appender::start(Log::open(&server.options()).await.unwrap());
    append_range(&appender, 1, 101, 150).await;
    read_to(&mut tail, Position(102), Position(151)).await;
    timeout(PATIENCE, state.wait_for(|state| *state == TailState::Reading)).await.unwrap().unwrap();
}
