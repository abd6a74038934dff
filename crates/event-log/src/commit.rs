//! Performs an append: sends, reads the answers, tries again with the same ids until the deadline.
//!
//! The server knows an id for two minutes and a try never lasts that long, so trying again never writes twice.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::client::{Request, RequestErrorKind};
use bytes::Bytes;
use futures::{StreamExt, stream};
use tokio::time::{Instant, sleep, timeout_at};
use touchpoint::{Position, same_content};

use crate::append::{Appended, Draft};
use crate::entry::{Entry, Subject, customer_subject};
use crate::error::{AppendError, ReadError};
use crate::full::Full;
use crate::read::MAX_PAGE_ENTRIES;
use crate::run::{Outcomes, Run, not_written};
use crate::stream::Log;
use crate::wire::{self, PubAck};

/// How long one try waits for the server's answer.
const TRY_TIMEOUT: Duration = Duration::from_secs(3);
/// Pause after the first failed try; doubles up to [`PAUSE_MAX`].
pub(crate) const PAUSE_MIN: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_millis(500);
/// Questions "do you know this id?" on their way at once.
const PROBES_IN_FLIGHT: usize = 256;
/// Characters of a batch's id that are this process's own.
const BATCH_PREFIX_CHARS: usize = 12;

/// Writes drafts to the log.
#[derive(Debug)]
pub(crate) struct Committer {
    log: Log,
    batch_prefix: String,
    batches: AtomicU64,
    full: Full,
}

/// What the server said to one try.
pub(crate) enum Answer {
    Stored {
        last: u64,
        duplicate: bool,
    },
    /// Some id of the batch is known to the server.
    KnownId,
    /// The answer of a probe: the server does not know the id.
    UnknownId,
    /// The customer's last event is another one than expected.
    Conflict,
    /// Some customer has as many events as the log takes of one.
    Full,
    /// Nothing was written; it may be later.
    Refused(String),
    /// It may have been written.
    Silent(String),
}

impl Committer {
    pub(crate) fn new(log: Log) -> Self {
        // An inbox is the client's own unique name; its end tells this process's batches from another's.
        let inbox = log.client.new_inbox();
        let batch_prefix = inbox.get(inbox.len().saturating_sub(BATCH_PREFIX_CHARS)..).unwrap_or(&inbox).to_owned();
        Self { log, batch_prefix, batches: AtomicU64::new(0), full: Full::default() }
    }

    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// Writes drafts of distinct ids as one atomic batch; those that are there already are compared and left out.
    /// If `all_or_nothing`, the first conflict stops before anything is written.
    pub(crate) async fn commit(&self, drafts: &[Draft], until: Instant, all_or_nothing: bool) -> Outcomes {
        let mut run = Run::new(drafts.len());
        let mut pause = PAUSE_MIN;
        while !run.open.is_empty() {
            if !self.log.wait_connected(until).await {
                run.reason = "no connection to the log".to_owned();
                run.give_up();
                break;
            }
            if !all_or_nothing {
                self.settle_full(drafts, &mut run, until).await;
            }
            self.try_batch(drafts, &mut run, until).await;
            if all_or_nothing && run.has_conflict() {
                break;
            }
            if !run.open.is_empty() && !pause_before(until, &mut pause).await {
                run.give_up();
            }
        }
        run.outcomes
    }

    /// Writes one draft if the customer's last event is at `expected`.
    pub(crate) async fn commit_expecting(
        &self,
        draft: &Draft,
        expected: Position,
        until: Instant,
    ) -> Result<Appended, AppendError> {
        let mut unsure = false;
        let mut pause = PAUSE_MIN;
        loop {
            let reason = if self.log.wait_connected(until).await {
                match self.send_single(draft, wire::single_headers(&draft.message_id(), Some(expected.0)), until).await
                {
                    Answer::Stored { last, duplicate: false } => {
                        return Ok(Appended { position: Position(last), duplicate: false });
                    }
                    Answer::Stored { last, duplicate: true } => match self.verify(draft, Position(last)).await {
                        Ok(outcome) => return outcome,
                        Err(error) => error.to_string(),
                    },
                    Answer::Conflict => match self.explain_conflict(draft, expected).await {
                        Ok(outcome) => return outcome,
                        Err(error) => error.to_string(),
                    },
                    Answer::Full => match self.log.room_of(draft.customer).await {
                        Ok(room) if room.left() == 0 => return Err(full(draft, room.events)),
                        Ok(_) => "the customer had no room".to_owned(),
                        Err(error) => error.to_string(),
                    },
                    Answer::Refused(reason) => reason,
                    Answer::KnownId | Answer::UnknownId => "an answer to another question".to_owned(),
                    Answer::Silent(reason) => {
                        unsure = true;
                        reason
                    }
                }
            } else {
                "no connection to the log".to_owned()
            };
            if !pause_before(until, &mut pause).await {
                return Err(not_written(unsure, reason));
            }
        }
    }

    async fn try_batch(&self, drafts: &[Draft], run: &mut Run, until: Instant) {
        let answer = match run.open[..] {
            [] => return,
            [only] => {
                let draft = &drafts[only];
                self.send_single(draft, wire::single_headers(&draft.message_id(), None), until).await
            }
            _ => self.send_batch(drafts, &run.open, until).await,
        };
        match answer {
            Answer::Stored { last, duplicate: false } => run.stored(last),
            Answer::Stored { duplicate: true, .. } | Answer::KnownId => self.settle_known(drafts, run, until).await,
            Answer::Full => self.leave_out_full(drafts, run).await,
            Answer::Refused(reason) => run.reason = reason,
            Answer::Conflict | Answer::UnknownId => run.reason = "an answer to another question".to_owned(),
            Answer::Silent(reason) => {
                run.reason = reason;
                run.unsure = true;
            }
        }
    }

    /// Asks of each open draft whether the server knows it, and settles those that it does.
    async fn settle_known(&self, drafts: &[Draft], run: &mut Run, until: Instant) {
        let open = std::mem::take(&mut run.open);
        let mut known = stream::iter(open)
            .map(async |index| (index, self.known(&drafts[index], until).await))
            .buffered(PROBES_IN_FLIGHT);
        while let Some((index, known)) = known.next().await {
            match known {
                Ok(Some(outcome)) => run.outcomes[index] = Some(outcome),
                Ok(None) => run.open.push(index),
                Err(reason) => {
                    run.open.push(index);
                    run.reason = reason;
                }
            }
        }
    }

    /// Sends the open drafts of customers who are known to be full each by itself: a known id is still found, and
    /// nobody else's group is refused because of them.
    async fn settle_full(&self, drafts: &[Draft], run: &mut Run, until: Instant) {
        let open = std::mem::take(&mut run.open);
        let is_full = |index: &usize| self.full.events_of(drafts[*index].customer).is_some();
        let (alone, open): (Vec<_>, Vec<_>) = open.into_iter().partition(is_full);
        run.open = open;
        let mut sent = stream::iter(alone)
            .map(async |index| (index, self.send_alone(&drafts[index], until).await))
            .buffered(PROBES_IN_FLIGHT);
        while let Some((index, outcome)) = sent.next().await {
            run.outcomes[index] = outcome;
            if run.outcomes[index].is_none() {
                run.open.push(index);
            }
        }
        run.open.sort_unstable();
    }

    /// What became of a draft of a customer who is known to be full; nothing if that is not certain, or no longer so.
    async fn send_alone(&self, draft: &Draft, until: Instant) -> Option<Result<Appended, AppendError>> {
        let events = self.full.events_of(draft.customer)?;
        match self.send_single(draft, wire::single_headers(&draft.message_id(), None), until).await {
            Answer::Full => Some(Err(full(draft, events))),
            Answer::Stored { last, duplicate: true } => self.verify(draft, Position(last)).await.ok(),
            Answer::Stored { last, duplicate: false } => {
                self.full.remove(draft.customer);
                Some(Ok(Appended { position: Position(last), duplicate: false }))
            }
            _ => None,
        }
    }

    /// Settles the drafts for which their customers have no room left; the server has said that there are some.
    async fn leave_out_full(&self, drafts: &[Draft], run: &mut Run) {
        run.reason = "some customer had no room".to_owned();
        let mut rooms = self.log.rooms(run.open.iter().map(|index| &drafts[*index])).await;
        let open = std::mem::take(&mut run.open);
        for index in open {
            let draft = &drafts[index];
            match rooms.get_mut(&draft.customer) {
                Some(room) if room.left() == 0 => {
                    self.full.add(draft.customer, room.events);
                    run.outcomes[index] = Some(Err(full(draft, room.events)));
                }
                Some(room) => {
                    room.events += 1;
                    run.open.push(index);
                }
                None => run.open.push(index),
            }
        }
    }

    /// What is in the log under the draft's id, as far as the server remembers ids; writes nothing.
    async fn known(&self, draft: &Draft, until: Instant) -> Result<Option<Result<Appended, AppendError>>, String> {
        match self.send_single(draft, wire::probe_headers(&draft.message_id(), self.log.copies), until).await {
            Answer::UnknownId | Answer::Conflict => Ok(None),
            Answer::Stored { last, duplicate } if duplicate => {
                self.verify(draft, Position(last)).await.map(Some).map_err(|error| error.to_string())
            }
            Answer::Refused(reason) | Answer::Silent(reason) => Err(reason),
            Answer::Stored { .. } | Answer::KnownId | Answer::Full => Err("an answer to another question".to_owned()),
        }
    }

    /// `duplicate` only says that the ids are equal: compare whose event it is and what it says.
    async fn verify(&self, draft: &Draft, position: Position) -> Result<Result<Appended, AppendError>, ReadError> {
        let entry = self.log.get(position).await?;
        let entry = entry.ok_or_else(|| ReadError::Unavailable(format!("position {position} cannot be read yet")))?;
        Ok(compare(draft, &entry))
    }

    /// The server compares revisions before ids, so a try after a lost answer looks like a conflict: look for the id.
    async fn explain_conflict(
        &self,
        draft: &Draft,
        expected: Position,
    ) -> Result<Result<Appended, AppendError>, ReadError> {
        let id = draft.message_id();
        let mut after = expected;
        loop {
            let page = self.log.customer_page(draft.customer, after, MAX_PAGE_ENTRIES).await?;
            let Some(last) = page.last().map(|message| Position(message.sequence)) else {
                let current = self.log.last_of(draft.customer).await?.unwrap_or(Position::ZERO);
                return Ok(Err(AppendError::RevisionConflict { current }));
            };
            let same_id = |message: &&_| stored_id(message) == Some(id.as_str());
            if let Some(message) = page.iter().find(same_id) {
                return Ok(compare(draft, &Entry::from_stored(message.clone())));
            }
            after = last;
        }
    }

    async fn send_single(&self, draft: &Draft, headers: HeaderMap, until: Instant) -> Answer {
        self.ask(customer_subject(draft.customer), &draft.body, headers, 1, until).await
    }

    async fn send_batch(&self, drafts: &[Draft], open: &[usize], until: Instant) -> Answer {
        let until = until.min(Instant::now() + TRY_TIMEOUT);
        let number = self.batches.fetch_add(1, Ordering::Relaxed);
        let batch = format!("{}{number}", self.batch_prefix);
        let headers = |draft: &Draft, place| wire::member_headers(&draft.message_id(), &batch, place, open.len());
        let Some((last, rest)) = open.split_last() else {
            return Answer::Refused("an empty batch".to_owned());
        };
        for (place, index) in rest.iter().enumerate() {
            let draft = &drafts[*index];
            let subject = customer_subject(draft.customer);
            let sent = self.log.client.publish_with_headers(subject, headers(draft, place), draft.body.clone());
            match timeout_at(until, sent).await {
                Ok(Ok(())) => {}
                // Without its last member a batch is never committed.
                Ok(Err(error)) => return Answer::Refused(error.to_string()),
                Err(_) => return Answer::Refused("the connection takes no more".to_owned()),
            }
        }
        let last = &drafts[*last];
        let headers = headers(last, rest.len());
        self.ask(customer_subject(last.customer), &last.body, headers, open.len(), until).await
    }

    /// Sends the one message of a try that is answered, and reads the answer.
    pub(crate) async fn ask(
        &self,
        subject: String,
        body: &Bytes,
        headers: HeaderMap,
        members: usize,
        until: Instant,
    ) -> Answer {
        let until = until.min(Instant::now() + TRY_TIMEOUT);
        let request = Request::new().headers(headers).payload(body.clone()).timeout(Some(TRY_TIMEOUT));
        match timeout_at(until, self.log.client.send_request(subject, request)).await {
            Ok(Ok(message)) => read_answer(&message.payload, members),
            Ok(Err(error)) if error.kind() == RequestErrorKind::NoResponders => {
                Answer::Refused("JetStream is not there, or starting".to_owned())
            }
            Ok(Err(error)) => Answer::Silent(error.to_string()),
            Err(_) => Answer::Silent("no answer".to_owned()),
        }
    }
}

fn read_answer(payload: &[u8], members: usize) -> Answer {
    let ack: PubAck = match serde_json::from_slice(payload) {
        Ok(ack) => ack,
        Err(error) => return Answer::Silent(error.to_string()),
    };
    match ack.error {
        Some(error) => match error.err_code {
            wire::BATCH_DUPLICATE => Answer::KnownId,
            wire::WRONG_LAST_MSG_ID => Answer::UnknownId,
            wire::WRONG_LAST_SEQUENCE => Answer::Conflict,
            wire::STORE_FAILED if error.description.contains(wire::SUBJECT_FULL) => Answer::Full,
            code => Answer::Refused(format!("{} ({code})", error.description)),
        },
        None if ack.seq == 0 || (members > 1 && ack.count != members as u64) => {
            Answer::Silent(format!("{} of {members} members acknowledged", ack.count))
        }
        None => Answer::Stored { last: ack.seq, duplicate: ack.duplicate },
    }
}

fn stored_id(message: &async_nats::jetstream::message::StreamMessage) -> Option<&str> {
    message.headers.get(wire::MSG_ID).map(|id| id.as_str())
}

fn compare(draft: &Draft, entry: &Entry) -> Result<Appended, AppendError> {
    let position = entry.position;
    if entry.subject == Subject::Customer(draft.customer) && same_content(&entry.body, &draft.body) {
        return Ok(Appended { position, duplicate: true });
    }
    Err(AppendError::AlreadyExists { position })
}

fn full(draft: &Draft, events: u64) -> AppendError {
    AppendError::CustomerFull { customer: draft.customer, events }
}

/// Pauses before the next try; false if there is no time for one.
pub(crate) async fn pause_before(until: Instant, pause: &mut Duration) -> bool {
    if Instant::now() + *pause >= until {
        return false;
    }
    sleep(*pause).await;
    *pause = (*pause * 2).min(PAUSE_MAX);
    true
}
