//! The log as a stream of events that goes on where it broke; which events, as commands ask for them.

use std::time::Duration;

use api::v1;
use api::v1::replay_request::Start;
use api::v1::replay_response::Result as Item;
use prost_types::Timestamp;
use tonic::{Code, Request, Streaming};
use touchpoint::Kind;

use super::failure::Failure;
use super::happened::micros;
use super::link::Link;
use super::query;

/// How often a stream is taken up again without anything in between.
const MAX_ATTEMPTS: u32 = 10;
/// The first pause before that; every further one is longer by it.
const PAUSE: Duration = Duration::from_millis(500);

/// Which events.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Which {
    /// Start at this position, or at the first event recorded from this instant on: RFC 3339, or a date for the start
    /// of that day in Shanghai
    #[arg(long, value_name = "POSITION|INSTANT", value_parser = start)]
    pub(crate) from: Option<Start>,
    /// End at this position, or with the last event recorded by this instant: RFC 3339, or a date for the end of that
    /// day in Shanghai; without it at the end that the log has at the start
    #[arg(long, value_name = "POSITION|INSTANT", value_parser = end)]
    pub(crate) to: Option<End>,
    /// Only events that views count at this instant: those that happened by then, whenever they were recorded; RFC 3339,
    /// or a date for the end of that day in Shanghai
    #[arg(long, value_name = "INSTANT", value_parser = query::instant)]
    pub(crate) as_of: Option<Timestamp>,
    /// Only events of this type; may be given several times
    #[arg(long = "type", value_name = "TYPE", value_parser = event_type)]
    pub(crate) types: Vec<String>,
    /// Only events of this customer; may be given several times
    #[arg(long = "customer", value_name = "CUSTOMER", value_parser = query::customer)]
    pub(crate) customers: Vec<String>,
    /// Only events that name this project; may be given several times
    #[arg(long = "project", value_name = "CODE")]
    pub(crate) projects: Vec<String>,
}

/// Where to end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum End {
    /// With this position.
    Position(u64),
    /// With what was recorded by then.
    RecordedAt(Timestamp),
}

/// A position or an instant.
fn end(text: &str) -> Result<End, String> {
    if let Ok(position) = query::position(text) {
        return Ok(End::Position(position));
    }
    query::instant(text).map(End::RecordedAt).map_err(|error| format!("expected a position, or else {error}"))
}

/// A position or an instant.
fn start(text: &str) -> Result<Start, String> {
    if let Ok(position) = query::position(text) {
        return if position > 0 { Ok(Start::FromPosition(position)) } else { Err("positions count from 1".to_owned()) };
    }
    let instant = query::start_of_day(text).map_or_else(|| query::instant(text), Ok);
    instant.map(Start::FromRecordedAt).map_err(|error| format!("expected a position, or else {error}"))
}

/// The name of an event type, in capitals or not; of a part of one those that have it are named.
fn event_type(text: &str) -> Result<String, String> {
    let names = || Kind::ALL.iter().map(|kind| kind.name());
    if let Some(name) = names().find(|name| name.eq_ignore_ascii_case(text)) {
        return Ok(name.to_owned());
    }
    let part = text.to_lowercase();
    let like: Vec<_> = names().filter(|name| !part.is_empty() && name.to_lowercase().contains(&part)).collect();
    let like = if like.is_empty() { String::new() } else { format!("; like it are {}", like.join(", ")) };
    Err(format!("expected an event type of the catalogue, such as SurveyAnswered{like}"))
}

impl Which {
    /// Asks for their bytes.
    pub(crate) fn request(&self) -> Result<v1::ReplayRequest, Failure> {
        // Right behind the end is where a complete one goes on: nothing is left.
        let ends_before = match (&self.from, &self.to) {
            (Some(Start::FromPosition(from)), Some(End::Position(to))) => *from > to.saturating_add(1),
            (Some(Start::FromRecordedAt(from)), Some(End::RecordedAt(to))) => micros(from) > micros(to),
            _ => false,
        };
        if ends_before {
            return Err(Failure::Usage("--to is before --from: nothing lies between".to_owned()));
        }
        let (to_position, to_recorded_at) = match self.to {
            Some(End::Position(position)) => (Some(position), None),
            Some(End::RecordedAt(instant)) => (None, Some(instant)),
            None => (None, None),
        };
        Ok(v1::ReplayRequest {
            start: self.from,
            to_position,
            to_recorded_at,
            as_of: self.as_of,
            event_types: self.types.clone(),
            customer_ids: self.customers.clone(),
            project_ids: self.projects.clone(),
            include_json: true,
            json_only: true,
            ..Default::default()
        })
    }
}

/// When a stream that failed is taken up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetryPolicy {
    /// Where this end was too slow.
    OwnDelays,
    /// Also where the other end, or the way to it, was gone for a moment.
    Outages,
}

/// What can fail and be taken up again.
#[derive(Debug)]
pub(crate) struct Attempts {
    policy: RetryPolicy,
    failed: u32,
    /// Something came since the last failure.
    moved: bool,
}

impl Attempts {
    pub(crate) const fn new(policy: RetryPolicy) -> Self {
        Self { policy, failed: 0, moved: false }
    }

    /// Something came.
    pub(crate) const fn moved(&mut self) {
        (self.moved, self.failed) = (true, 0);
    }

    /// After a pause it may be tried again, unless the failure is for good.
    pub(crate) async fn again(&mut self, failure: Failure) -> Result<(), Failure> {
        let slow = matches!(&failure, Failure::Refused(status) if status.code() == Code::ResourceExhausted);
        if slow && self.moved {
            self.moved = false;
            return Ok(());
        }
        let begun = self.moved || self.failed > 0;
        let passes = self.policy == RetryPolicy::Outages && failure.may_pass() && begun;
        if !passes || self.failed == MAX_ATTEMPTS {
            return Err(failure);
        }
        (self.moved, self.failed) = (false, self.failed + 1);
        tokio::time::sleep(PAUSE * self.failed).await;
        Ok(())
    }
}

/// A replay under way.
pub(crate) struct Replaying {
    link: Link,
    /// What is still to come.
    request: v1::ReplayRequest,
    stream: Option<Streaming<v1::ReplayResponse>>,
    attempts: Attempts,
    done: bool,
}

impl Replaying {
    pub(crate) const fn new(link: Link, request: v1::ReplayRequest, policy: RetryPolicy) -> Self {
        Self { link, request, stream: None, attempts: Attempts::new(policy), done: false }
    }

    /// The position to go on from, if anything has come.
    pub(crate) const fn next_position(&self) -> Option<u64> {
        match self.request.start {
            Some(Start::FromPosition(position)) if self.stream.is_some() => Some(position),
            _ => None,
        }
    }

    /// The next event, or how far it came; nothing at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Item>, Failure> {
        while !self.done {
            match self.message().await {
                Ok(Some(item)) => return Ok(Some(item)),
                // The end of a stream without its last message is no end.
                Ok(None) => self.lost(tonic::Status::unavailable("the replay ended early").into()).await?,
                Err(failure) => self.lost(failure).await?,
            }
        }
        Ok(None)
    }

    async fn lost(&mut self, failure: Failure) -> Result<(), Failure> {
        self.attempts.again(failure).await?;
        self.stream = None;
        Ok(())
    }

    async fn message(&mut self) -> Result<Option<Item>, Failure> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            // Not with the deadline of a call: how long a replay takes is for its reader to say.
            none => {
                let request = Request::new(self.request.clone());
                none.insert(self.link.timelines().await?.replay(request).await?.into_inner())
            }
        };
        let Some(item) = stream.message().await?.and_then(|answer| answer.result) else { return Ok(None) };
        self.attempts.moved();
        self.done = matches!(&item, Item::Progress(progress) if progress.done);
        heard(&mut self.request, &item);
        Ok(Some(item))
    }
}

/// What is still to come after this. The end stays where it was said to be at first, however the log grows.
fn heard(request: &mut v1::ReplayRequest, item: &Item) {
    match item {
        Item::Event(event) => {
            request.start = Some(Start::FromPosition(event.position + 1));
            request.max_events = request.max_events.map(|left| left.saturating_sub(1));
        }
        Item::Progress(progress) => {
            request.start = Some(Start::FromPosition(progress.position + 1));
            request.to_position = Some(progress.end);
        }
    }
}

#[cfg(test)]
mod tests {
    use tonic::Status;

    use super::*;

    #[test]
    fn a_start_is_a_position_or_an_instant() {
        assert_eq!([start("17"), start("1,700")], [17, 1_700].map(|it| Ok(Start::FromPosition(it))));
        assert!(start("0").is_err());
        assert!(start("soon").unwrap_err().starts_with("expected a position, or else expected an instant"));
        let midnight = Timestamp { seconds: 1_743_436_800, nanos: 0 };
        assert_eq!(start("2025-04-01"), Ok(Start::FromRecordedAt(midnight)));
        assert_eq!(start("2025-04-01T00:00:00+08:00"), Ok(Start::FromRecordedAt(midnight)));
    }

    #[test]
    fn what_is_taken_up_again_ends_where_it_was_to_end() {
        let mut request = v1::ReplayRequest { max_events: Some(9), ..Default::default() };
        heard(&mut request, &Item::Progress(v1::ReplayProgress { position: 0, end: 17, done: false }));
        heard(&mut request, &Item::Event(v1::RecordedTouchpoint { position: 5, ..Default::default() }));
        let rest = v1::ReplayRequest {
            start: Some(Start::FromPosition(6)),
            to_position: Some(17),
            max_events: Some(8),
            ..Default::default()
        };
        assert_eq!(request, rest);
    }

    #[test]
    fn an_end_is_a_position_or_an_instant() {
        assert_eq!(end("1,700"), Ok(End::Position(1_700)));
        assert_eq!(end("2025-04-01"), query::instant("2025-04-01").map(End::RecordedAt));
        assert!(end("soon").unwrap_err().starts_with("expected a position, or else expected an instant"));
    }

    #[test]
    fn an_event_type_is_named_in_capitals_or_not() {
        assert_eq!(event_type("complaintlodged").as_deref(), Ok("ComplaintLodged"));
        let part = event_type("Revisit").unwrap_err();
        assert!(part.ends_with("; like it are RevisitCompleted, RevisitScheduled, RevisitMissed"), "{part}");
        for wrong in ["", "VisitHappened"] {
            assert!(event_type(wrong).unwrap_err().ends_with("such as SurveyAnswered"), "{wrong}");
        }
    }

    #[test]
    fn a_span_goes_forward_or_is_empty() {
        let span = |from: &str, to: &str| {
            let (from, to) = (Some(start(from).unwrap()), Some(end(to).unwrap()));
            let which = Which { from, to, as_of: None, types: vec![], customers: vec![], projects: vec![] };
            which.request().map(|_| ()).map_err(|failure| failure.to_string())
        };
        for forward in [("5", "9"), ("9", "9"), ("10", "9"), ("2025-04-01", "2025-04-01"), ("2025-04-02", "9")] {
            assert_eq!(span(forward.0, forward.1), Ok(()), "{forward:?}");
        }
        for backward in [("11", "9"), ("2025-04-02", "2025-04-01")] {
            assert!(span(backward.0, backward.1).unwrap_err().contains("--to is before --from"), "{backward:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_failed_is_tried_again_as_long_as_it_moves_on() {
        let slow = || Failure::from(Status::resource_exhausted("slow"));
        let gone = || Failure::from(Status::unavailable("gone"));
        let mut one = Attempts::new(RetryPolicy::OwnDelays);
        assert!(one.again(slow()).await.is_err(), "nothing has come yet");
        one.moved();
        assert!(one.again(slow()).await.is_ok());
        assert!(one.again(slow()).await.is_err(), "nothing has come since");
        one.moved();
        assert!(one.again(gone()).await.is_err());
        let mut other = Attempts::new(RetryPolicy::Outages);
        assert!(other.again(gone()).await.is_err(), "who was never reached is not waited for");
        other.moved();
        for _ in 0..MAX_ATTEMPTS {
            assert!(other.again(gone()).await.is_ok());
        }
        assert!(other.again(gone()).await.is_err());
        other.moved();
        assert!(other.again(Failure::from(Status::invalid_argument("no"))).await.is_err());
    }
}
