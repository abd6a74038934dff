//! Bounded reads: one position, the last one, a customer's timeline, the position of an instant.
//!
//! A page is one "batched direct get": one question, many answers, one round trip, no consumer to create. Each answer
//! names the sequence of the one before it, so a page with a hole is noticed and read again.

use std::time::Duration;

use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{DirectGetErrorKind, LastRawMessageErrorKind, RawMessageError};
use async_nats::{HeaderMap, Message, StatusCode};
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout_at};
use touchpoint::{CustomerId, Position, Timestamp};

use crate::entry::{Entry, customer_subject};
use crate::error::ReadError;
use crate::stream::Log;
use crate::wire::StreamState;

/// The most entries that one page has.
pub const MAX_PAGE_ENTRIES: usize = 1_000;
/// How long a read tries before it gives up.
const READ_DEADLINE: Duration = Duration::from_secs(5);
/// How long one page may take.
const PAGE_TIMEOUT: Duration = Duration::from_secs(2);
/// Pause between two attempts.
const RETRY_PAUSE: Duration = Duration::from_millis(50);
const LAST_SEQUENCE: &str = "Nats-Last-Sequence";
/// Every subject of the stream.
const ANY_SUBJECT: &str = ">";

impl Log {
    /// The last position of the log that holds a message; zero if there is none.
    pub async fn last(&self) -> Result<Position, ReadError> {
        match self.stream_info().await {
            Ok(info) => self.last_present(&info.state).await,
            Err(error) => Err(ReadError::Unavailable(error.to_string())),
        }
    }

    pub(crate) async fn last_present(&self, state: &StreamState) -> Result<Position, ReadError> {
        if state.lost() == 0 {
            return Ok(Position(state.last_seq));
        }
        let last = self.stream.get_last_raw_message_by_subject(ANY_SUBJECT).await;
        Ok(found(last)?.map_or(Position::ZERO, |message| Position(message.sequence)))
    }

    /// The entry at a position, if there is one.
    pub async fn get(&self, position: Position) -> Result<Option<Entry>, ReadError> {
        if position == Position::ZERO {
            return Ok(None);
        }
        match self.stream.direct_get(position.0).await {
            Ok(message) => Ok(Some(Entry::from_stored(message))),
            // A replica may lag behind; the leader knows.
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => self.leader_get(position).await,
            Err(error) => Err(ReadError::Unavailable(error.to_string())),
        }
    }

    /// The position of a customer's last event: its revision.
    pub async fn last_of(&self, customer: CustomerId) -> Result<Option<Position>, ReadError> {
        self.last_at(&customer_subject(customer)).await
    }

    /// The position of the last message of a subject.
    pub(crate) async fn last_at(&self, subject: &str) -> Result<Option<Position>, ReadError> {
        let last = self.stream.get_last_raw_message_by_subject(subject).await;
        Ok(found(last)?.map(|message| Position(message.sequence)))
    }

    /// The first entries of one customer after a position, in order, at most [`MAX_PAGE_ENTRIES`].
    pub async fn timeline(&self, customer: CustomerId, after: Position, limit: usize) -> Result<Vec<Entry>, ReadError> {
        let messages = self.customer_page(customer, after, limit).await?;
        Ok(messages.into_iter().map(Entry::from_stored).collect())
    }

    /// The first entries after a position, whoever they are about, in order, at most [`MAX_PAGE_ENTRIES`].
    pub async fn entries(&self, after: Position, limit: usize) -> Result<Vec<Entry>, ReadError> {
        let page = self.page(json!({ "seq": after.next(), "batch": limit.min(MAX_PAGE_ENTRIES) })).await?;
        Ok(page.into_iter().map(Entry::from_stored).collect())
    }

    /// The first position that was recorded at this instant or later, if there is one yet.
    pub async fn position_at(&self, time: Timestamp) -> Result<Option<Position>, ReadError> {
        let page = self.page(json!({ "start_time": time, "batch": 1 })).await?;
        Ok(page.first().map(|message| Position(message.sequence)))
    }

    pub(crate) async fn customer_page(
        &self,
        customer: CustomerId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<StreamMessage>, ReadError> {
        self.subject_page(&customer_subject(customer), after, limit).await
    }

    pub(crate) async fn subject_page(
        &self,
        subject: &str,
        after: Position,
        limit: usize,
    ) -> Result<Vec<StreamMessage>, ReadError> {
        let batch = limit.min(MAX_PAGE_ENTRIES);
        if batch == 0 {
            return Ok(Vec::new());
        }
        self.page(json!({ "seq": after.next(), "next_by_subj": subject, "batch": batch })).await
    }

    /// The entry as the stream's leader has it.
    pub(crate) async fn leader_get(&self, position: Position) -> Result<Option<Entry>, ReadError> {
        Ok(found(self.stream.get_raw_message(position.0).await)?.map(Entry::from_stored))
    }

    async fn page(&self, question: Value) -> Result<Vec<StreamMessage>, ReadError> {
        let until = Instant::now() + READ_DEADLINE;
        loop {
            let error = match self.try_page(&question, until.min(Instant::now() + PAGE_TIMEOUT)).await {
                Ok(page) => return Ok(page),
                Err(error) => error,
            };
            if Instant::now() + RETRY_PAUSE >= until {
                return Err(ReadError::Unavailable(error));
            }
            sleep(RETRY_PAUSE).await;
        }
    }

    async fn try_page(&self, question: &Value, until: Instant) -> Result<Vec<StreamMessage>, String> {
        let inbox = self.client.new_inbox();
        let mut answers = self.client.subscribe(inbox.clone()).await.map_err(|error| error.to_string())?;
        let subject = format!("$JS.API.DIRECT.GET.{}", self.options.stream);
        let sent = self.client.publish_with_reply(subject, inbox, question.to_string().into()).await;
        sent.map_err(|error| error.to_string())?;
        let mut page = Page::default();
        loop {
            let answer =
                timeout_at(until, answers.next()).await.map_err(|_| "the page did not end in time".to_owned())?;
            if page.take(answer.ok_or_else(|| "the connection was closed".to_owned())?)? {
                return Ok(page.messages);
            }
        }
    }
}

#[derive(Default)]
struct Page {
    messages: Vec<StreamMessage>,
}

impl Page {
    /// Takes one answer; true if it was the last one.
    fn take(&mut self, answer: Message) -> Result<bool, String> {
        let before = answer.headers.as_ref().and_then(|headers| number(headers, LAST_SEQUENCE));
        match answer.status {
            Some(StatusCode::NOT_FOUND) if self.messages.is_empty() => return Ok(true),
            // The end of the page: "204 EOB".
            Some(status) if status.as_u16() == 204 => {
                return self.follows(before).then_some(true).ok_or_else(|| "the page has a hole".to_owned());
            }
            Some(status) => return Err(format!("{status} {}", answer.description.unwrap_or_default())),
            None => {}
        }
        if !self.follows(before) {
            return Err("the page has a hole".to_owned());
        }
        self.messages.push(StreamMessage::try_from(answer).map_err(|error| error.to_string())?);
        Ok(false)
    }

    fn follows(&self, before: Option<u64>) -> bool {
        self.messages.last().map_or(0, |message| message.sequence) == before.unwrap_or_default()
    }
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.as_str().parse().ok()
}

fn found(result: Result<StreamMessage, RawMessageError>) -> Result<Option<StreamMessage>, ReadError> {
    match result {
        Ok(message) => Ok(Some(message)),
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(ReadError::Unavailable(error.to_string())),
    }
}
