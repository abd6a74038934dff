//! `replay`: the events of everybody, as the log has them, one a line.

use api::v1;
use api::v1::replay_request::Start;
use api::v1::replay_response::Result as Item;
use tonic::{Code, Request, Status};

use super::failure::{Failure, Outcome};
use super::link::{Link, Wait};
use super::{output, query, stored, timeline};
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  lifefold replay > everything.ndjson
  lifefold replay --type ComplaintLodged --type ComplaintResolved --positions
  lifefold replay --project P003 --type SurveyAnswered --rate 500
  lifefold replay --customer 0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11
  lifefold replay --from 2025-04-01 --limit 10      recorded from that day on (Shanghai)
  lifefold replay --from 120001                     to go on after position 120000";

/// Arguments of `replay`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Start at this position, or at the first event recorded from this instant on: RFC 3339, or a date for the start
    /// of that day in Shanghai
    #[arg(long, value_name = "POSITION|INSTANT", value_parser = start)]
    from: Option<Start>,
    /// The last position; without it the end that the log has now
    #[arg(long, value_name = "POSITION", value_parser = query::position)]
    to: Option<u64>,
    /// Only events of this type; may be given several times
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// Only events of this customer; may be given several times
    #[arg(long = "customer", value_name = "CUSTOMER", value_parser = query::customer)]
    customers: Vec<String>,
    /// Only events that name this project; may be given several times
    #[arg(long = "project", value_name = "CODE")]
    projects: Vec<String>,
    /// At most so many events
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u64>,
    /// At most so many events a second; without it as fast as they are read
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// Put position and recorded_at around each event: {"position":…,"recorded_at":…,"event":…}
    #[arg(long)]
    positions: bool,
    #[command(flatten)]
    wait: Wait,
}

/// A position or an instant.
fn start(text: &str) -> Result<Start, String> {
    if let Ok(position) = query::position(text) {
        return if position > 0 { Ok(Start::FromPosition(position)) } else { Err("positions count from 1".to_owned()) };
    }
    let instant = query::start_of_day(text).map_or_else(|| query::instant(text), Ok);
    instant.map(Start::FromRecordedAt).map_err(|error| format!("expected a position, or else {error}"))
}

/// Runs `replay`; where the service could not keep up with a slow reader, it goes on from there.
pub(crate) async fn run(args: Args, settings: &Settings) -> Result<Outcome, Failure> {
    let mut replay = Replay { link: Link::new(settings, &args.wait), given: 0, next: None, args };
    loop {
        match replay.pass().await {
            Ok(()) => return Ok(Outcome::Done),
            Err(Failure::Refused(status)) if status.code() == Code::ResourceExhausted && replay.moved_on() => {}
            Err(Failure::Refused(status)) => return Err(replay.broken(&status)),
            Err(other) => return Err(other),
        }
    }
}

struct Replay {
    link: Link,
    args: Args,
    /// Events printed so far.
    given: u64,
    /// Where to go on, and whether that is further than at the start of the pass.
    next: Option<(u64, bool)>,
}

impl Replay {
    /// One stream, to its end or its failure.
    async fn pass(&mut self) -> Result<(), Failure> {
        let mut timelines = self.link.timelines().await?;
        self.next = self.next.map(|(position, _)| (position, false));
        // Not with the deadline of a call: how long a replay takes is for its reader to say.
        let mut stream = timelines.replay(Request::new(self.request())).await?.into_inner();
        while let Some(answer) = stream.message().await? {
            match answer.result {
                Some(Item::Event(event)) => {
                    self.print(&event)?;
                    self.given += 1;
                    self.next = Some((event.position + 1, true));
                }
                Some(Item::Progress(progress)) => self.next = Some((progress.position + 1, true)),
                None => {}
            }
        }
        Ok(())
    }

    fn request(&self) -> v1::ReplayRequest {
        let start = self.next.map(|(position, _)| Start::FromPosition(position)).or(self.args.from);
        v1::ReplayRequest {
            start,
            to_position: self.args.to,
            event_types: self.args.types.clone(),
            max_events: self.args.limit.map(|limit| limit.saturating_sub(self.given)),
            customer_ids: self.args.customers.clone(),
            project_ids: self.args.projects.clone(),
            events_per_second: self.args.rate.unwrap_or_default(),
            json_only: true,
            include_json: true,
        }
    }

    fn print(&self, event: &v1::RecordedTouchpoint) -> Result<(), Failure> {
        if self.args.positions {
            return output::print(&format!("{}\n", stored::with_position(event)?));
        }
        timeline::print_line(event)
    }

    fn moved_on(&self) -> bool {
        self.next.is_some_and(|(_, further)| further)
    }

    fn broken(&self, status: &Status) -> Failure {
        let report = Failure::from(status.clone()).report();
        let report = report.strip_prefix("error: ").unwrap_or(&report);
        match self.next {
            Some((position, _)) => Failure::Other(format!("{report}\n  go on with --from {position}")),
            None => Failure::Other(report.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

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
}
