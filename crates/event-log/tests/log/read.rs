//! Bounded reads.

use event_log::{Appender, Subject};
use futures::StreamExt;
use touchpoint::{Position, Timestamp};

use crate::support::{Server, append_range, customer, draft, soon, whole};

#[tokio::test]
async fn a_timeline_has_one_customers_events_in_order_and_in_pages() {
    let server = Server::start();
    let log = server.log().await;
    let appender = Appender::start(log.clone());
    for round in 0..10 {
        let drafts = (1..=100).map(|number| draft(number, 1_000 * number + round)).collect();
        appender.append_all(drafts, soon()).await.unwrap();
    }
    let all = log.timeline(customer(7), Position::ZERO, 1_000).await.unwrap();
    let positions: Vec<_> = all.iter().map(|entry| entry.position.0).collect();
    assert_eq!(positions, (0..10).map(|round| 8 + 100 * round).collect::<Vec<_>>());
    assert!(all.iter().all(|entry| entry.subject == Subject::Customer(customer(7))));
    assert_eq!(all[3].body, draft(7, 7_003).body);
    let page = log.timeline(customer(7), all[3].position, 4).await.unwrap();
    assert_eq!(page, all[4..8]);
    assert_eq!(log.timeline(customer(7), all[9].position, 4).await.unwrap(), []);
    assert_eq!(log.timeline(customer(999), Position::ZERO, 4).await.unwrap(), []);
    assert_eq!(log.timeline(customer(7), Position::ZERO, 0).await.unwrap(), []);
    let entries: Vec<_> = log.entries(all[3].position, 3).await.unwrap().iter().map(|it| it.position).collect();
    assert_eq!(entries, [1, 2, 3].map(|next| Position(all[3].position.0 + next)), "of whoever it is");
    assert_eq!(log.last_of(customer(7)).await.unwrap(), Some(all[9].position));
    assert_eq!(log.last_of(customer(999)).await.unwrap(), None);
}

#[tokio::test]
async fn an_instant_has_a_first_position() {
    let server = Server::start();
    let log = server.log().await;
    let appender = Appender::start(log.clone());
    for event in 1..=3 {
        appender.append(draft(1, event), None, soon()).await.unwrap();
    }
    let entries = whole(&log).await;
    for entry in &entries {
        let first = entries.iter().find(|other| other.recorded_at >= entry.recorded_at).map(|first| first.position);
        assert_eq!(log.position_at(entry.recorded_at).await.unwrap(), first);
    }
    assert_eq!(log.position_at(Timestamp::from_micros(0)).await.unwrap(), Some(Position(1)));
    let after = entries[3].recorded_at.plus_micros(1);
    assert_eq!(log.position_at(after).await.unwrap(), None);
}

#[tokio::test]
async fn a_replay_has_the_range_and_ends_with_the_log() {
    let server = Server::start();
    let log = server.log().await;
    append_range(&Appender::start(log.clone()), 1, 1, 500).await;
    for (from, to, expect) in [(1, 501, 1..=501), (0, 3, 1..=3), (100, 200, 100..=200), (490, 9_999, 490..=501)] {
        let batches: Vec<_> = log.replay(Position(from), Position(to)).collect().await;
        let positions = batches.into_iter().flat_map(|batch| batch.unwrap().entries).map(|entry| entry.position.0);
        assert_eq!(positions.collect::<Vec<_>>(), expect.collect::<Vec<_>>());
    }
    for (from, to) in [(5, 4), (502, 600), (900, 1_000)] {
        assert_eq!(log.replay(Position(from), Position(to)).count().await, 0, "{from}..={to}");
    }
}

#[tokio::test]
async fn positions_outside_the_log_are_empty() {
    let server = Server::start();
    let log = server.log().await;
    assert_eq!(log.get(Position::ZERO).await.unwrap(), None);
    assert_eq!(log.get(Position(2)).await.unwrap(), None);
}
