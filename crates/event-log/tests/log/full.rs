//! A customer with as many events as the log takes of one: refused by itself, in nobody's way.

use event_log::{AppendError, Appended, Appender, Draft, Log, MAX_CUSTOMER_EVENTS, Refused};
use futures::future::join_all;
use serde_json::json;
use touchpoint::Position;

use crate::support::{Server, append_range, customer, draft, soon, whole};

/// As a number of an event.
const BOUND: u128 = MAX_CUSTOMER_EVENTS as u128;

/// A log in which customer 1 has so many events, at 2 and after.
async fn filled(server: &Server, events: u128) -> (Log, Appender) {
    let log = server.log().await;
    let appender = Appender::start(log.clone());
    for first in (1..=events).step_by(1_000) {
        append_range(&appender, 1, first, events.min(first + 999)).await;
    }
    (log, appender)
}

async fn all(appender: &Appender, drafts: Vec<Draft>) -> Vec<Result<Appended, AppendError>> {
    join_all(drafts.into_iter().map(|draft| appender.append(draft, None, soon()))).await
}

fn full(number: u128) -> AppendError {
    AppendError::CustomerFull { customer: customer(number), events: MAX_CUSTOMER_EVENTS }
}

#[tokio::test]
async fn the_event_after_the_last_is_refused_and_known_ones_are_still_found() {
    let server = Server::start();
    let (log, appender) = filled(&server, BOUND - 1).await;
    let last = Position(MAX_CUSTOMER_EVENTS + 1);
    // Of a group, as many as fit.
    let mut group = all(&appender, (0..3).map(|event| draft(1, BOUND + event)).collect()).await;
    group.sort_by_key(Result::is_err);
    assert_eq!(group, [Ok(Appended { position: last, duplicate: false }), Err(full(1)), Err(full(1))]);
    let stored = log.get(last).await.unwrap().unwrap();
    let again = (0..3).map(|event| draft(1, BOUND + event)).find(|draft| draft.body == stored.body).unwrap();
    let answer = appender.append(again, None, soon()).await;
    assert_eq!(answer, Ok(Appended { position: last, duplicate: true }));
    let single = |event, expected: Option<u64>| appender.append(draft(1, event), expected.map(Position), soon());
    assert_eq!(single(BOUND + 9, None).await, Err(full(1)));
    assert_eq!(single(BOUND + 9, Some(last.0)).await, Err(full(1)));
    assert_eq!(single(BOUND + 9, Some(7)).await, Err(AppendError::RevisionConflict { current: last }));
    assert_eq!(log.last().await.unwrap(), last);
}

#[tokio::test]
async fn a_full_customer_is_in_nobodys_way() {
    let server = Server::start();
    let (log, appender) = filled(&server, BOUND).await;
    for round in 0..3 {
        let others = (0..300).map(|number| draft(2 + number % 50, round * 1_000 + number));
        let beyond = (0..5).map(|event| draft(1, BOUND + 1 + round * 5 + event));
        let answers = all(&appender, others.chain(beyond).collect()).await;
        assert!(answers[..300].iter().all(Result::is_ok), "{answers:?}");
        assert!(answers[300..].iter().all(|answer| *answer == Err(full(1))), "{answers:?}");
    }
    // All or nothing is nothing.
    let refused = appender.append_all(vec![draft(2, 9_001), draft(1, 90_001), draft(3, 9_002)], soon()).await;
    assert_eq!(refused, Err(Refused::Event { index: 1, error: full(1) }));
    assert_eq!(whole(&log).await.len() as u64, 1 + MAX_CUSTOMER_EVENTS + 900);
}

#[tokio::test]
async fn an_operator_makes_room_by_a_higher_bound() {
    let server = Server::start();
    let (_, appender) = filled(&server, BOUND).await;
    assert_eq!(appender.append(draft(1, BOUND + 1), None, soon()).await, Err(full(1)));
    server.change(|config| config["max_msgs_per_subject"] = json!(MAX_CUSTOMER_EVENTS + 2)).await;
    let more = all(&appender, (1..=2).map(|event| draft(1, BOUND + event)).collect()).await;
    assert!(more.iter().all(Result::is_ok), "{more:?}");
    assert!(appender.append(draft(1, BOUND + 3), None, soon()).await.is_err());
    // Neither a gateway nor a provisioning one takes it back, which would delete events.
    let log = Log::open(&server.options()).await.unwrap();
    server.log().await;
    assert_eq!(whole(&log).await.len() as u64, MAX_CUSTOMER_EVENTS + 3);
}
