//! Appends through kill -9 of the server and through cut connections: acknowledged means there, exactly once.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use event_log::{AppendError, Appended, Appender, Draft, Log, Refused};
use futures::future::join_all;
use serde_json::json;
use tokio::time::Instant;
use touchpoint::Position;

use crate::proxy::{NEVER, Proxy};
use crate::support::{Server, append_range, draft, only_position, soon, whole};

/// Asserts that every acknowledged event is in the log, once, where the answer said.
async fn check(log: &Log, drafts: &[Draft], answers: &[Result<Appended, AppendError>]) {
    let entries = whole(log).await;
    let bodies: HashSet<_> = entries.iter().map(|entry| entry.body.clone()).collect();
    assert_eq!(bodies.len(), entries.len(), "some event is there twice");
    for (draft, answer) in drafts.iter().zip(answers) {
        let appended = answer.as_ref().unwrap();
        assert_eq!(appended.position, only_position(&entries, draft));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_of_the_server_loses_and_repeats_nothing() {
    const WRITERS: u128 = 16;
    const EACH: u128 = 60;
    let mut server = Server::start();
    let appender = Appender::start(server.log().await);
    let acknowledged = Arc::new(AtomicU64::new(0));
    let writers = (0..WRITERS).map(|writer| {
        let (appender, acknowledged) = (appender.clone(), acknowledged.clone());
        tokio::spawn(async move {
            let mut answers = Vec::new();
            let mut revision = Position::ZERO;
            for event in 0..EACH {
                // Every fourth writer insists on its revision.
                let expected = (writer % 4 == 0).then_some(revision);
                let answer = appender.append(draft(writer, event), expected, soon()).await;
                revision = answer.as_ref().unwrap().position;
                acknowledged.fetch_add(1, Ordering::SeqCst);
                answers.push((draft(writer, event), answer));
            }
            answers
        })
    });
    let writers: Vec<_> = writers.collect();
    for kill in 1..=3 {
        while acknowledged.load(Ordering::SeqCst) < 200 * kill {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        server.broker.kill().unwrap();
        server.broker.restart().unwrap();
    }
    let written: Vec<_> = join_all(writers).await.into_iter().flat_map(Result::unwrap).collect();
    let (drafts, answers): (Vec<_>, Vec<_>) = written.into_iter().unzip();
    let log = Log::open(&server.options()).await.unwrap();
    check(&log, &drafts, &answers).await;
    assert_eq!(log.last().await.unwrap(), Position(1 + (WRITERS * EACH) as u64));
}

/// Appends so many events at once through a proxy with these limits, then a batch.
async fn append_through(events: u128, requests: u64, answers: u64) {
    let server = Server::start();
    let direct = server.log().await;
    let proxy = Proxy::start(server.broker.port()).await;
    let appender = Appender::start(Log::open(&proxy.options()).await.unwrap());
    proxy.cut_after(requests, answers);
    proxy.cut();
    let drafts: Vec<_> = (0..events).map(|event| draft(event % 7, event)).collect();
    let answers = join_all(drafts.iter().map(|draft| appender.append(draft.clone(), None, soon()))).await;
    check(&direct, &drafts, &answers).await;
    assert!(proxy.cuts() > 0);
    // Once more the same, in one request: all are there.
    proxy.cut_after(NEVER, NEVER);
    let again = appender.append_all(drafts.clone(), soon()).await.unwrap();
    assert!(again.iter().zip(&answers).all(|(again, first)| again.position == first.as_ref().unwrap().position));
    assert_eq!(direct.last().await.unwrap(), Position(1 + events as u64));
}

#[tokio::test]
async fn a_group_cut_in_the_middle_is_written_once() {
    // The group has more bytes than that, so that several connections are cut within it.
    append_through(500, 100_000, NEVER).await;
}

#[tokio::test]
async fn a_few_cut_in_the_middle_are_written_once() {
    // Each goes by itself: of some the request is lost, of others the answer.
    append_through(20, 2_000, NEVER).await;
    append_through(20, NEVER, 1_000).await;
}

#[tokio::test]
async fn a_server_that_stays_away_is_unavailable_and_nothing_is_written() {
    let mut server = Server::start();
    let log = server.log().await;
    let appender = Appender::start(log.clone());
    server.broker.kill().unwrap();
    while log.is_connected() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let until = Instant::now() + Duration::from_millis(300);
    let single = appender.append(draft(1, 1), None, until).await;
    assert!(matches!(single, Err(AppendError::Unavailable(_))), "{single:?}");
    let until = Instant::now() + Duration::from_millis(300);
    let expecting = appender.append(draft(1, 2), Some(Position::ZERO), until).await;
    assert!(matches!(expecting, Err(AppendError::Unavailable(_))), "{expecting:?}");
    let until = Instant::now() + Duration::from_millis(300);
    let batch = appender.append_all(vec![draft(1, 3), draft(1, 4)], until).await.unwrap_err();
    assert!(matches!(batch, Refused::Event { index: 0, error: AppendError::Unavailable(_) }), "{batch}");
    server.broker.restart().unwrap();
    // The same appender goes on; what it gave up on is not in the log.
    let later = appender.append(draft(1, 5), None, soon()).await.unwrap();
    assert_eq!(later, Appended { position: Position(2), duplicate: false });
}

#[tokio::test]
async fn an_answer_that_never_comes_is_an_unknown_outcome() {
    let server = Server::start();
    let direct = server.log().await;
    let proxy = Proxy::start(server.broker.port()).await;
    let appender = Appender::start(Log::open(&proxy.options()).await.unwrap());
    proxy.swallow_answers();
    for (event, expected) in [(1, None), (2, Some(Position(2)))] {
        let until = Instant::now() + Duration::from_millis(500);
        let answer = appender.append(draft(1, event), expected, until).await;
        assert!(matches!(answer, Err(AppendError::OutcomeUnknown(_))), "{answer:?}");
    }
    assert_eq!(direct.last().await.unwrap(), Position(3));
}

#[tokio::test]
async fn a_full_log_is_unavailable_until_there_is_room() {
    let server = Server::start();
    let log = server.log().await;
    let appender = Appender::start(log.clone());
    append_range(&appender, 1, 1, 10).await;
    server.change(|config| config["max_bytes"] = json!(4_000)).await;
    let drafts = || (11..=40).map(|event| draft(1, event)).collect::<Vec<_>>();
    // On a busy machine an answer takes its time; without one the outcome would be unknown.
    let until = Instant::now() + Duration::from_secs(2);
    let refused = appender.append_all(drafts(), until).await.unwrap_err();
    assert!(matches!(refused, Refused::Event { index: 0, error: AppendError::Unavailable(_) }), "{refused}");
    assert_eq!(log.last().await.unwrap(), Position(11));
    // It is tried again until there is room.
    let waiting = appender.clone();
    let call = tokio::spawn(async move { waiting.append_all(drafts(), soon()).await });
    server.change(|config| config["max_bytes"] = json!(-1)).await;
    let appended = call.await.unwrap().unwrap();
    assert_eq!(appended[29], Appended { position: Position(41), duplicate: false });
}
