//! Replay: a range of the log through a small buffer, filtered on the way, resumable by position.
//!
//! The log is read from end to end and filtered here: that is faster than a filtered reader of the log, and says how far
//! it came though little passes.

mod pace;
mod wanted;

use std::num::NonZeroU32;

use api::errors::Error;
use api::{query, v1};
use event_log::{Log, Tail};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use projector::LowPriorityThreads;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use touchpoint::{Position, Violations};

use crate::call;
use crate::outlet::{self, Outlet};
use crate::timeline::unavailable;
use pace::Pace;
use wanted::Wanted;

/// Messages that wait for the caller: at 63 KiB, the largest event, twice over with its JSON, just below 32 MiB.
const BUFFER_MESSAGES: usize = 256;
/// What is to be replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    from: Position,
    /// The last position; before `from`: nothing.
    to: Position,
    wanted: Wanted,
    max_events: u64,
    /// Nothing is as fast as the caller reads.
    events_per_second: Option<NonZeroU32>,
}

/// Reads the request, and asks the log where it begins and ends.
pub(crate) async fn plan(log: &Log, request: &v1::ReplayRequest) -> Result<Plan, Error> {
    use v1::replay_request::Start;
    let wanted = Wanted::read(request)?;
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
    let to = match earlier(request.to_position.map(Position), last_recorded_by(log, request).await?) {
        // What the log has lost at the end of the range is not waited for.
        Some(to) if to < head => log.last_up_to(to).await.map_err(unavailable)?,
        _ => head,
    };
    let max_events = request.max_events.unwrap_or(u64::MAX);
    let events_per_second = NonZeroU32::new(request.events_per_second);
    Ok(Plan { from, to, wanted, max_events, events_per_second })
}

/// The last position that was recorded by the end that is asked for; nothing where none is, or the log has none after.
async fn last_recorded_by(log: &Log, request: &v1::ReplayRequest) -> Result<Option<Position>, Error> {
    let mut broken = Violations::default();
    let time = query::instant("to_recorded_at", request.to_recorded_at.as_ref(), &mut broken);
    Error::check(broken)?;
    let Some(time) = time else { return Ok(None) };
    let next = log.position_at(time.plus_micros(1)).await.map_err(unavailable)?;
    Ok(next.map(|next| Position(next.0.saturating_sub(1))))
}

/// The earlier of two ends, of which each may be left open.
fn earlier(one: Option<Position>, other: Option<Position>) -> Option<Position> {
    one.into_iter().chain(other).min()
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

/// Starts the task that reads, and gives what it reads: on threads that give way to those who serve, and by a connection
/// of its own, on which no append waits.
pub(crate) fn start(
    threads: &LowPriorityThreads,
    log: &Log,
    plan: Plan,
    stop: CancellationToken,
    place: OwnedSemaphorePermit,
) -> BoxStream<'static, Result<v1::ReplayResponse, Status>> {
    let log = log.clone();
    let fill = |outlet| async move {
        // Opened here: what connection and tail spawn is on these threads, too.
        let tail = if plan.from <= plan.to && plan.max_events > 0 {
            let apart = log.apart().await.map_err(|error| call::log_unavailable(error.to_string()))?;
            Some(apart.replay(plan.from, plan.to))
        } else {
            None
        };
        Pump::new(plan, outlet).run(tail).await
    };
    outlet::start_by(|task| threads.spawn(task), BUFFER_MESSAGES, place, stop.cancelled_owned(), fill)
}

/// Fills the buffer.
struct Pump {
    plan: Plan,
    /// Everything up to here was given or passed over.
    reached: Position,
    given: u64,
    pace: Option<Pace>,
    outlet: Outlet<v1::ReplayResponse>,
}

impl Pump {
    fn new(plan: Plan, outlet: Outlet<v1::ReplayResponse>) -> Self {
        let pace = plan.events_per_second.map(Pace::new);
        Self { reached: Position(plan.from.0 - 1), given: 0, pace, plan, outlet }
    }

    async fn run(mut self, tail: Option<Tail>) -> Result<(), Error> {
        if let Some(tail) = tail {
            // Said first, so that who has to go on somewhere else knows the end of this replay.
            let begun = self.progress(false);
            self.give(begun).await?;
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
                if let Some(event) = self.plan.wanted.event(entry) {
                    if let Some(pace) = &mut self.pace {
                        pace.turn().await;
                    }
                    self.give(v1::replay_response::Result::Event(event)).await?;
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

    fn progress(&self, done: bool) -> v1::replay_response::Result {
        let progress = v1::ReplayProgress { position: self.reached.0, end: self.plan.to.0, done };
        v1::replay_response::Result::Progress(progress)
    }

    async fn give(&self, result: v1::replay_response::Result) -> Result<(), Error> {
        let resume_at = self.reached.next();
        self.outlet.give(v1::ReplayResponse { result: Some(result) }, || Error::SlowReader { resume_at }).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event_log::{Batch, Entry, Subject};
    use futures::stream;
    use tokio::sync::mpsc;
    use touchpoint::{CustomerId, Timestamp};

    fn entries(positions: std::ops::RangeInclusive<u64>) -> Batch {
        let entry = |position| Entry {
            position: Position(position),
            recorded_at: Timestamp::from_micros(0),
            subject: Subject::Customer(CustomerId::from_u128(1)),
            body: b"{}".as_slice().into(),
        };
        let last = Position(*positions.end());
        Batch { entries: positions.map(entry).collect(), last }
    }

    fn pump(to: u64) -> (Pump, mpsc::Receiver<v1::ReplayResponse>) {
        let (outlet, taken) = Outlet::new(BUFFER_MESSAGES);
        let wanted = Wanted::default();
        let plan = Plan { from: Position(1), to: Position(to), wanted, max_events: u64::MAX, events_per_second: None };
        (Pump::new(plan, outlet), taken)
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_told_where_to_go_on() {
        let (mut pump, mut buffer) = pump(1_000);
        let error = pump.fill(stream::iter([Ok(entries(1..=1_000))])).await.unwrap_err();
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
        let error = pump.fill(stream::iter([Ok(entries(1..=3))])).await.unwrap_err();
        assert_eq!(error.reason(), "LOG_UNAVAILABLE");
    }

    #[tokio::test]
    async fn who_filters_sees_how_far_it_came_though_nothing_passes() {
        let (mut pump, mut taken) = pump(9);
        let customer_ids = vec![CustomerId::from_u128(2).to_string()];
        pump.plan.wanted = Wanted::read(&v1::ReplayRequest { customer_ids, ..Default::default() }).unwrap();
        pump.fill(stream::iter([Ok(entries(1..=3)), Ok(entries(4..=6)), Ok(entries(7..=9))])).await.unwrap();
        for position in [3, 6] {
            let progress = v1::ReplayProgress { position, end: 9, done: false };
            let expect = v1::replay_response::Result::Progress(progress);
            assert_eq!(taken.recv().await.unwrap().result, Some(expect));
        }
        assert!(taken.is_empty());
    }
}
