//! Performs appends that expect nothing: sends, reads the answers, tries again with the same ids until the deadline.
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

use crate::answer::Answer;
use crate::append::{Appended, Draft};
use crate::entry::{Entry, Subject, customer_subject};
use crate::error::{AppendError, ReadError};
use crate::full::Full;
use crate::run::{Outcome, Outcomes, Run};
use crate::stream::Log;
use crate::wire;

/// How long one try waits for the server's answer.
const TRY_TIMEOUT: Duration = Duration::from_secs(3);
/// Pause after the first failed try; doubles up to [`PAUSE_MAX`].
pub(crate) const PAUSE_MIN: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_millis(500);
/// Questions "do you know this id?" on their way at once.
const PROBES_IN_FLIGHT: usize = 256;
/// So many drafts are sent each by itself: a batch costs the server 5 ms and 0.04 ms for each member, a single append
/// 0.2 ms where several are on their way.
const FEW: usize = 24;
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

    /// Writes drafts of distinct ids; those that are there already are compared and left out. If `all_or_nothing` as one
    /// atomic batch, and the first conflict stops before anything is written.
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
                self.try_singles(drafts, &mut run, until).await;
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
            other => run.failed(other),
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

    /// Sends drafts each by itself: all where they are few, else those of customers who are known to be full, so that
    /// nobody else's group is refused because of them. A known id is found all the same.
    async fn try_singles(&self, drafts: &[Draft], run: &mut Run, until: Instant) {
        let open = std::mem::take(&mut run.open);
        let few = open.len() <= FEW;
        let goes_alone = |index: &usize| few || self.full.events_of(drafts[*index].customer).is_some();
        let (alone, open): (Vec<_>, Vec<_>) = open.into_iter().partition(goes_alone);
        run.open = open;
        let mut sent = stream::iter(alone)
            .map(async |index| (index, self.send_alone(&drafts[index], until).await))
            .buffered(PROBES_IN_FLIGHT);
        let mut is_some_full = false;
        while let Some((index, sent)) = sent.next().await {
            match sent {
                Ok(outcome) => run.outcomes[index] = Some(outcome),
                Err(answer) => {
                    is_some_full |= matches!(answer, Answer::Full);
                    run.open.push(index);
                    run.failed(answer);
                }
            }
        }
        run.open.sort_unstable();
        if is_some_full {
            self.leave_out_full(drafts, run).await;
        }
    }

    /// What became of a draft, or the answer that does not say so.
    async fn send_alone(&self, draft: &Draft, until: Instant) -> Result<Outcome, Answer> {
        match self.send_single(draft, wire::single_headers(&draft.message_id(), None), until).await {
            Answer::Stored { last, duplicate: false } => {
                self.full.remove(draft.customer);
                Ok(Ok(Appended { position: Position(last), duplicate: false }))
            }
            Answer::Stored { last, duplicate: true } => {
                self.verify(draft, Position(last)).await.map_err(|error| Answer::Refused(error.to_string()))
            }
            Answer::Full => match self.full.events_of(draft.customer) {
                Some(events) => Ok(Err(full(draft, events))),
                None => Err(Answer::Full),
            },
            other => Err(other),
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
    async fn known(&self, draft: &Draft, until: Instant) -> Result<Option<Outcome>, String> {
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
    pub(crate) async fn verify(&self, draft: &Draft, position: Position) -> Result<Outcome, ReadError> {
        let entry = self.log.get(position).await?;
        let entry = entry.ok_or_else(|| ReadError::Unavailable(format!("position {position} cannot be read yet")))?;
        Ok(compare(draft, &entry))
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
            Ok(Ok(message)) => Answer::read(&message.payload, members),
            Ok(Err(error)) if error.kind() == RequestErrorKind::NoResponders => {
                Answer::Refused("JetStream is not there, or starting".to_owned())
            }
            Ok(Err(error)) => Answer::Silent(error.to_string()),
            Err(_) => Answer::Silent("no answer".to_owned()),
        }
    }
}

pub(crate) fn compare(draft: &Draft, entry: &Entry) -> Outcome {
    let position = entry.position;
    if entry.subject == Subject::Customer(draft.customer) && same_content(&entry.body, &draft.body) {
        return Ok(Appended { position, duplicate: true });
    }
    Err(AppendError::AlreadyExists { event: draft.event, position })
}

pub(crate) fn full(draft: &Draft, events: u64) -> AppendError {
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
