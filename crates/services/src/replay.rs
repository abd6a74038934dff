//! Replay: a range of the log, by type, through a small buffer, resumable by position.
//!
//! A task reads the log and fills the buffer; the call empties it. A caller who takes nothing for a while gets
//! RESOURCE_EXHAUSTED with the position to go on from after what the buffer still has, and the task ends at once.

use std::time::Duration;

use api::errors::Error;
use api::{query, timeline, v1};
use event_log::{Entry, Log, Tail};
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use touchpoint::{Kind, Position, Violations};

use crate::timeline::unavailable;
use crate::{call, recorded};

/// Messages that wait for the caller: at 63 KiB, the largest event, twice over with its JSON, just below 32 MiB.
const BUFFER_MESSAGES: usize = 256;
/// How long the buffer may stay full before the caller counts as too slow.
const SLOW_READER: Duration = Duration::from_secs(10);

/// What is to be replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    from: Position,
    /// The last position; before `from`: nothing.
    to: Position,
    /// Nothing is all, and what cannot be read.
    kinds: Option<Vec<Kind>>,
    max_events: u64,
    include_json: bool,
}

/// Reads the request, and asks the log where it begins and ends.
pub(crate) async fn plan(log: &Log, request: &v1::ReplayRequest) -> Result<Plan, Error> {
    use v1::replay_request::Start;
    let kinds = timeline::kinds(&request.event_types)?;
    let head = log.last().await.map_err(unavailable)?;
    let from = match &request.start {
        None => Position(1),
        Some(Start::FromPosition(from)) => first(*from, head)?,
        Some(Start::FromRecordedAt(time)) => {
            let mut broken = Violations::default();
            let time = query::instant("from_recorded_at", Some(time), &mut broken);
            Error::check(broken)?;
            let Some(time) = time else { return Err(Error::field("from_recorded_at", "is required")) };
            log.position_at(time).await.map_err(unavailable)?.unwrap_or(head.next())
        }
    };
    let to = match request.to_position.map(Position) {
        // What the log has lost at the end of the range is not waited for.
        Some(to) if to < head => log.last_up_to(to).await.map_err(unavailable)?,
        _ => head,
    };
    let max_events = request.max_events.unwrap_or(u64::MAX);
    Ok(Plan { from, to, kinds, max_events, include_json: request.include_json })
}

/// The first position to give; the one after the end is where the next event will be.
fn first(from: u64, head: Position) -> Result<Position, Error> {
    let from = Position(from);
    if from == Position::ZERO {
        return Err(Error::field("from_position", "expected 1 or more: positions begin at 1"));
    }
    if from > head.next() {
        return Err(Error::BeyondHead { field: "from_position", asked: from, head });
    }
    Ok(from)
}

/// Starts the task that reads, and gives what it reads.
pub(crate) fn start(
    log: &Log,
    plan: Plan,
    stop: CancellationToken,
    place: OwnedSemaphorePermit,
) -> BoxStream<'static, Result<v1::ReplayResponse, Status>> {
    let tail = (plan.from <= plan.to && plan.max_events > 0).then(|| log.replay(plan.from, plan.to));
    let (sender, buffer) = mpsc::channel(BUFFER_MESSAGES);
    let (ended, end) = oneshot::channel();
    let pump = Pump { reached: Position(plan.from.0 - 1), given: 0, plan, buffer: sender };
    tokio::spawn(async move {
        let _place = place;
        let outcome = tokio::select! {
            outcome = pump.run(tail) => outcome,
            () = stop.cancelled() => Err(call::draining()),
        };
        // A caller that has gone does not want to know.
        ended.send(outcome).ok();
    });
    let last = stream::once(async move { end.await.unwrap_or_else(|_| Err(call::draining())) });
    let last = last.filter_map(|outcome| std::future::ready(outcome.err().map(|error| Err(Status::from(error)))));
    ReceiverStream::new(buffer).map(Ok).chain(last).boxed()
}

/// Fills the buffer.
struct Pump {
    plan: Plan,
    /// Everything up to here was given or passed over.
    reached: Position,
    given: u64,
    buffer: mpsc::Sender<v1::ReplayResponse>,
}

impl Pump {
    async fn run(mut self, tail: Option<Tail>) -> Result<(), Error> {
        if let Some(tail) = tail {
            self.fill(tail).await?;
        }
        let done = self.progress(true);
        self.give(done).await
    }

    async fn fill<T: Stream<Item = Result<event_log::Batch, event_log::TailError>> + Unpin>(
        &mut self,
        mut tail: T,
    ) -> Result<(), Error> {
        while let Some(batch) = tail.next().await {
            let batch = batch.map_err(|error| call::log_unavailable(error.to_string()))?;
            for entry in &batch.entries {
                if let Some(event) = self.wanted(entry) {
                    self.give(event).await?;
                    self.given += 1;
                }
                self.reached = entry.position;
                if self.given == self.plan.max_events {
                    return Ok(());
                }
            }
            if self.reached < self.plan.to {
                let progress = self.progress(false);
                self.give(progress).await?;
            }
        }
        if self.reached < self.plan.to {
            return Err(call::log_unavailable(format!("the log was read up to position {} only", self.reached)));
        }
        Ok(())
    }

    fn wanted(&self, entry: &Entry) -> Option<v1::ReplayResponse> {
        let read = recorded::read(entry)?;
        let of_kind = |kinds: &Vec<Kind>| read.kind().is_some_and(|kind| kinds.contains(&kind));
        let event = || v1::replay_response::Result::Event(read.message(self.plan.include_json));
        let wanted = self.plan.kinds.as_ref().is_none_or(of_kind);
        wanted.then(|| v1::ReplayResponse { result: Some(event()) })
    }

    fn progress(&self, done: bool) -> v1::ReplayResponse {
        let progress = v1::ReplayProgress { position: self.reached.0, end: self.plan.to.0, done };
        v1::ReplayResponse { result: Some(v1::replay_response::Result::Progress(progress)) }
    }

    /// Puts a message into the buffer. Nobody there is no error: the task just ends.
    async fn give(&self, message: v1::ReplayResponse) -> Result<(), Error> {
        match timeout(SLOW_READER, self.buffer.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Error::Internal("the caller has gone".to_owned())),
            Err(_) => Err(Error::SlowReader { resume_at: self.reached.next() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event_log::{Batch, Subject};
    use touchpoint::{CustomerId, Timestamp};

    fn entries(count: u64) -> Batch {
        let entry = |position| Entry {
            position: Position(position),
            recorded_at: Timestamp::from_micros(0),
            subject: Subject::Customer(CustomerId::from_u128(1)),
            body: b"{}".as_slice().into(),
        };
        Batch { entries: (1..=count).map(entry).collect(), last: Position(count) }
    }

    fn pump(to: u64) -> (Pump, mpsc::Receiver<v1::ReplayResponse>) {
        let (buffer, receiver) = mpsc::channel(BUFFER_MESSAGES);
        let plan = Plan { from: Position(1), to: Position(to), kinds: None, max_events: u64::MAX, include_json: false };
        (Pump { plan, reached: Position::ZERO, given: 0, buffer }, receiver)
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_told_where_to_go_on() {
        let (mut pump, mut buffer) = pump(1_000);
        let error = pump.fill(stream::iter([Ok(entries(1_000))])).await.unwrap_err();
        let resume_at = Position(BUFFER_MESSAGES as u64 + 1);
        assert_eq!(error, Error::SlowReader { resume_at });
        buffer.close();
        let mut last = 0;
        while let Some(v1::ReplayResponse { result: Some(v1::replay_response::Result::Event(event)) }) =
            buffer.recv().await
        {
            last = event.position;
        }
        assert_eq!(Position(last).next(), resume_at);
    }

    #[tokio::test]
    async fn a_log_that_ends_too_early_is_no_complete_replay() {
        let (mut pump, _buffer) = pump(5);
        let error = pump.fill(stream::iter([Ok(entries(3))])).await.unwrap_err();
        assert_eq!(error.reason(), "LOG_UNAVAILABLE");
    }
}
