//! Single appends: groups, duplicates, expected revisions.

use event_log::{AppendError, Appended, Appender, Draft, MAX_BODY_BYTES};
use futures::future::join_all;
use touchpoint::Position;

use crate::proxy::Proxy;
use crate::support::{Server, append_range, draft, draft_saying, only_position, soon, taken, whole};

async fn append(appender: &Appender, draft: Draft) -> Result<Appended, AppendError> {
    appender.append(draft, None, soon()).await
}

async fn append_at(appender: &Appender, draft: Draft, expected: u64) -> Result<Appended, AppendError> {
    appender.append(draft, Some(Position(expected)), soon()).await
}

fn at(position: u64, duplicate: bool) -> Result<Appended, AppendError> {
    Ok(Appended { position: Position(position), duplicate })
}

#[tokio::test]
async fn five_hundred_at_once_are_where_their_answers_say() {
    let server = Server::start();
    let log = server.log().await;
    let appender = Appender::start(log.clone());
    let drafts: Vec<_> = (0..500).map(|event| draft(event % 50, event)).collect();
    let answers = join_all(drafts.iter().map(|draft| append(&appender, draft.clone()))).await;
    let entries = whole(&log).await;
    assert_eq!(entries.len(), 501);
    for (draft, answer) in drafts.iter().zip(answers) {
        assert_eq!(answer, at(only_position(&entries, draft).0, false));
    }
    let stored = log.get(Position(300)).await.unwrap().unwrap();
    assert_eq!(stored, entries[299]);
}

#[tokio::test]
async fn the_same_again_is_a_duplicate_and_other_content_is_refused() {
    let server = Server::start();
    let appender = Appender::start(server.log().await);
    assert_eq!(append(&appender, draft(1, 7)).await, at(2, false));
    assert_eq!(append(&appender, draft(1, 7)).await, at(2, true));
    let spaced =
        Draft { body: String::from_utf8(draft(1, 7).body.to_vec()).unwrap().replace(':', " : ").into(), ..draft(1, 7) };
    assert_eq!(append(&appender, spaced).await, at(2, true));
    let other = append(&appender, draft_saying(1, 7, "second")).await;
    assert_eq!(other, Err(taken(7, 2)));
    // An id is unique within its customer only.
    assert_eq!(append(&appender, draft(2, 7)).await, at(3, false));
}

#[tokio::test]
async fn duplicates_within_a_group_do_not_stop_the_others() {
    let server = Server::start();
    let log = server.log().await;
    let appender = Appender::start(log.clone());
    append_range(&appender, 1, 1, 100).await;
    // Half are there already, every id comes twice, one has other content.
    let mut drafts: Vec<_> = (51..=150).chain(51..=150).map(|event| draft(1, event)).collect();
    drafts.push(draft_saying(1, 60, "second"));
    let mut answers = join_all(drafts.iter().map(|draft| append(&appender, draft.clone()))).await;
    assert_eq!(answers.pop(), Some(Err(taken(60, 61))));
    let entries = whole(&log).await;
    assert_eq!(entries.len(), 151);
    for (draft, answer) in drafts.iter().zip(answers) {
        assert_eq!(answer.unwrap().position, only_position(&entries, draft));
    }
}

#[tokio::test]
async fn of_a_few_each_is_answered_for_itself() {
    let server = Server::start();
    let log = server.log().await;
    let appender = Appender::start(log.clone());
    append_range(&appender, 1, 1, 5).await;
    let mut drafts: Vec<_> = (4..=9).chain(8..=9).map(|event| draft(1, event)).collect();
    drafts.push(draft_saying(1, 2, "second"));
    let mut answers = join_all(drafts.iter().map(|draft| append(&appender, draft.clone()))).await;
    assert_eq!(answers.pop(), Some(Err(taken(2, 3))));
    let entries = whole(&log).await;
    assert_eq!(entries.len(), 10);
    for (draft, answer) in drafts.iter().zip(&answers) {
        assert_eq!(answer.as_ref().unwrap().position, only_position(&entries, draft));
    }
    let duplicates = answers.iter().filter(|answer| answer.as_ref().unwrap().duplicate).count();
    assert_eq!(duplicates, 4, "two from before, two that came twice");
}

#[tokio::test]
async fn an_expected_revision_holds_or_the_present_one_is_said() {
    let server = Server::start();
    let appender = Appender::start(server.log().await);
    assert_eq!(append_at(&appender, draft(1, 1), 0).await, at(2, false));
    assert_eq!(append_at(&appender, draft(2, 1), 0).await, at(3, false));
    assert_eq!(append_at(&appender, draft(1, 2), 2).await, at(4, false));
    let stale = append_at(&appender, draft(1, 3), 2).await;
    assert_eq!(stale, Err(AppendError::RevisionConflict { current: Position(4) }));
    let nobody = append_at(&appender, draft(9, 1), 5).await;
    assert_eq!(nobody, Err(AppendError::RevisionConflict { current: Position(0) }));
    // Sent again after a lost answer: the revision no longer holds, but the event is the one that changed it.
    assert_eq!(append_at(&appender, draft(1, 2), 2).await, at(4, true));
    let other = append_at(&appender, draft_saying(1, 2, "second"), 2).await;
    assert_eq!(other, Err(taken(2, 4)));
    // The revision holds, the id is known.
    assert_eq!(append_at(&appender, draft(1, 1), 4).await, at(2, true));
}

#[tokio::test]
async fn an_append_whose_answer_was_lost_is_found_again() {
    let server = Server::start();
    let direct = server.log().await;
    let proxy = Proxy::start(server.broker.port()).await;
    let appender = Appender::start(event_log::Log::open(&proxy.options()).await.unwrap());
    for (event, expected) in [(1, Some(Position::ZERO)), (2, None)] {
        proxy.swallow_answers();
        let waiting = appender.clone();
        let call = tokio::spawn(async move { waiting.append(draft(1, event), expected, soon()).await });
        let position = Position(event as u64 + 1);
        while direct.last().await.unwrap() < position {
            tokio::task::yield_now().await;
        }
        assert!(!call.is_finished());
        proxy.recover();
        assert_eq!(call.await.unwrap(), Ok(Appended { position, duplicate: true }));
    }
    assert_eq!(direct.last().await.unwrap(), Position(3));
}

#[tokio::test]
async fn an_event_that_does_not_fit_is_refused_before_it_is_sent() {
    let server = Server::start();
    let log = server.log().await;
    let appender = Appender::start(log.clone());
    let sized = |event, bytes: usize| Draft { body: vec![b'1'; bytes].into(), ..draft(1, event) };
    let refused = append(&appender, sized(1, MAX_BODY_BYTES + 1)).await;
    assert!(matches!(refused, Err(AppendError::TooLarge { size: 64_513, max: 64_512, .. })), "{refused:?}");
    let answers = join_all((2..4).map(|event| append(&appender, sized(event, MAX_BODY_BYTES)))).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(log.last().await.unwrap(), Position(3));
}
