//! Writes one message after the one that its writer has read: tries with the same id until the deadline.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;
use touchpoint::Position;

use crate::answer::Answer;
use crate::append::{Appended, Draft};
use crate::commit::{Committer, PAUSE_MIN, compare, full, pause_before};
use crate::entry::{Entry, customer_subject};
use crate::error::{AppendError, ReadError};
use crate::read::MAX_PAGE_ENTRIES;
use crate::run::{Outcome, not_written};
use crate::wire;

/// The tries of one message, which is written if the last one of its subject is at `after`.
pub(crate) struct Tries<'a> {
    committer: &'a Committer,
    subject: &'a str,
    id: &'a str,
    body: &'a Bytes,
    after: Position,
    until: Instant,
    /// Before the next one.
    pause: Duration,
    /// Some were not answered, so that the message may be in the log.
    unsure: bool,
}

impl Tries<'_> {
    /// The answer of the next one.
    pub(crate) async fn next(&mut self) -> Answer {
        if !self.committer.log().wait_connected(self.until).await {
            return Answer::Refused("no connection to the log".to_owned());
        }
        let headers = wire::single_headers(self.id, Some(self.after.0));
        let answer = self.committer.ask(self.subject.to_owned(), self.body, headers, 1, self.until).await;
        self.unsure |= matches!(answer, Answer::Silent(_));
        answer
    }

    /// Pauses before another one, since the last settled nothing for this reason; an error if there is no time for it.
    pub(crate) async fn again(&mut self, reason: String) -> Result<(), AppendError> {
        if pause_before(self.until, &mut self.pause).await { Ok(()) } else { Err(not_written(self.unsure, reason)) }
    }
}

impl Committer {
    /// Writes one draft if the customer's last event is at `expected`.
    pub(crate) async fn commit_expecting(&self, draft: &Draft, expected: Position, until: Instant) -> Outcome {
        let (subject, id) = (customer_subject(draft.customer), draft.message_id());
        let mut tries = self.tries(&subject, &id, &draft.body, expected, until);
        loop {
            let answer = tries.next().await;
            match self.settle(draft, &id, expected, answer).await {
                Ok(outcome) => return outcome,
                Err(reason) => tries.again(reason).await?,
            }
        }
    }

    /// Before the first try of a message.
    pub(crate) const fn tries<'a>(
        &'a self,
        subject: &'a str,
        id: &'a str,
        body: &'a Bytes,
        after: Position,
        until: Instant,
    ) -> Tries<'a> {
        Tries { committer: self, subject, id, body, after, until, pause: PAUSE_MIN, unsure: false }
    }

    /// What an answer says became of a draft; else why it does not say so.
    async fn settle(&self, draft: &Draft, id: &str, expected: Position, answer: Answer) -> Result<Outcome, String> {
        let unread = |error: ReadError| error.to_string();
        match answer {
            Answer::Stored { last, duplicate: false } => {
                Ok(Ok(Appended { position: Position(last), duplicate: false }))
            }
            Answer::Stored { last, duplicate: true } => self.verify(draft, Position(last)).await.map_err(unread),
            Answer::Conflict => self.explain_conflict(draft, id, expected).await.map_err(unread),
            Answer::Full => match self.log().room_of(draft.customer).await.map_err(|error| error.to_string())? {
                room if room.left() == 0 => Ok(Err(full(draft, room.events))),
                _ => Err("the customer had no room".to_owned()),
            },
            other => Err(other.failure()),
        }
    }

    /// The server compares revisions before ids, so a try after a lost answer looks like a conflict: look for the id.
    async fn explain_conflict(&self, draft: &Draft, id: &str, expected: Position) -> Result<Outcome, ReadError> {
        let mut after = expected;
        loop {
            let page = self.log().customer_page(draft.customer, after, MAX_PAGE_ENTRIES).await?;
            let Some(last) = page.last().map(|message| Position(message.sequence)) else {
                let current = self.log().last_of(draft.customer).await?.unwrap_or(Position::ZERO);
                return Ok(Err(AppendError::RevisionConflict { current }));
            };
            let same_id = |message: &&_| stored_id(message) == Some(id);
            if let Some(message) = page.iter().find(same_id) {
                return Ok(compare(draft, &Entry::from_stored(message.clone())));
            }
            after = last;
        }
    }
}

fn stored_id(message: &async_nats::jetstream::message::StreamMessage) -> Option<&str> {
    message.headers.get(wire::MSG_ID).map(|id| id.as_str())
}
