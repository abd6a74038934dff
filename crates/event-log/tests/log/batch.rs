//! Batches of a caller: all or nothing.

use event_log::{AppendError, Appended, Appender, Draft, Log, Refused};
use touchpoint::Position;

use crate::support::{Server, draft, draft_saying, soon, taken, whole};

async fn start() -> (Server, Log, Appender) {
    let server = Server::start();
    let log = server.log().await;
    (server, log.clone(), Appender::start(log))
}

fn pairs(answer: Result<Vec<Appended>, Refused>) -> Vec<(u64, bool)> {
    answer.unwrap().into_iter().map(|one| (one.position.0, one.duplicate)).collect()
}

async fn all(appender: &Appender, drafts: &[Draft]) -> Result<Vec<Appended>, Refused> {
    appender.append_all(drafts.to_vec(), soon()).await
}

#[tokio::test]
async fn a_thousand_are_written_in_order_and_one_more_is_too_many() {
    let (_server, log, appender) = start().await;
    let drafts: Vec<_> = (1..=1_001).map(|event| draft(event, event)).collect();
    let refused = all(&appender, &drafts).await.unwrap_err();
    assert!(matches!(refused, Refused::Batch(AppendError::TooLarge { size: 1_001, max: 1_000, .. })), "{refused}");
    let written = pairs(all(&appender, &drafts[..1_000]).await);
    assert_eq!(written, (2..=1_001).map(|position| (position, false)).collect::<Vec<_>>());
    let entries = whole(&log).await;
    assert!(drafts.iter().zip(&entries[1..]).all(|(draft, entry)| draft.body == entry.body));
}

#[tokio::test]
async fn nothing_is_nothing() {
    let (_server, _log, appender) = start().await;
    assert_eq!(all(&appender, &[]).await, Ok(vec![]));
}

#[tokio::test]
async fn what_is_there_already_keeps_its_position() {
    let (_server, log, appender) = start().await;
    let drafts: Vec<_> = (1..=6).map(|event| draft(1, event)).collect();
    assert_eq!(pairs(all(&appender, &drafts[..3]).await), [(2, false), (3, false), (4, false)]);
    assert_eq!(pairs(all(&appender, &drafts[..3]).await), [(2, true), (3, true), (4, true)]);
    assert_eq!(pairs(all(&appender, &drafts[2..5]).await), [(4, true), (5, false), (6, false)]);
    assert_eq!(pairs(all(&appender, &drafts[4..]).await), [(6, true), (7, false)]);
    assert_eq!(log.last().await.unwrap(), Position(7));
}

#[tokio::test]
async fn a_repetition_within_the_request_is_one_event() {
    let (_server, log, appender) = start().await;
    let twice = [draft(1, 1), draft(1, 2), draft(1, 1)];
    assert_eq!(pairs(all(&appender, &twice).await), [(2, false), (3, false), (2, true)]);
    let conflict = all(&appender, &[draft(1, 8), draft(1, 9), draft_saying(1, 8, "second")]).await;
    assert_eq!(conflict, Err(Refused::Repeated { index: 2, first: 0 }));
    // The places of what is kept are not those of the request once something was left out.
    let conflict = all(&appender, &[draft(1, 9), draft(1, 9), draft(1, 8), draft_saying(1, 8, "second")]).await;
    assert_eq!(conflict, Err(Refused::Repeated { index: 3, first: 2 }));
    assert_eq!(log.last().await.unwrap(), Position(3));
}

#[tokio::test]
async fn one_conflict_writes_nothing() {
    let (_server, log, appender) = start().await;
    all(&appender, &[draft(1, 1), draft(1, 2)]).await.unwrap();
    let conflict = all(&appender, &[draft(1, 3), draft_saying(1, 2, "second"), draft(1, 4)]).await;
    assert_eq!(conflict, Err(Refused::Event { index: 1, error: taken(2, 3) }));
    assert_eq!(log.last().await.unwrap(), Position(3));
}
