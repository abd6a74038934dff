//! `replay`: the events of everybody, as the log has them, one a line.

use api::v1;
use api::v1::replay_response::Result as Item;

use super::failure::{Failure, Outcome};
use super::link::{Link, Wait};
use super::replaying::{Replaying, RetryPolicy, Which};
use super::{output, stored, timeline};
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
    #[command(flatten)]
    which: Which,
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

/// Runs `replay`; where the service could not keep up with a slow reader, it goes on from there.
pub(crate) async fn run(args: Args, settings: &Settings) -> Result<Outcome, Failure> {
    let request = v1::ReplayRequest {
        max_events: args.limit,
        events_per_second: args.rate.unwrap_or_default(),
        ..args.which.request()?
    };
    let mut replay = Replaying::new(Link::new(settings, &args.wait), request, RetryPolicy::OwnDelays);
    loop {
        match replay.next().await {
            Ok(Some(Item::Event(event))) => print(&event, args.positions)?,
            Ok(Some(Item::Progress(_))) => {}
            Ok(None) => return Ok(Outcome::Done),
            Err(failure @ Failure::Refused(_)) => return Err(broken(&failure, replay.next_position())),
            Err(failure) => return Err(failure),
        }
    }
}

fn print(event: &v1::RecordedTouchpoint, positions: bool) -> Result<(), Failure> {
    if positions {
        return output::print(&format!("{}\n", stored::with_position(event)?));
    }
    timeline::print_line(event)
}

fn broken(failure: &Failure, next: Option<u64>) -> Failure {
    let report = failure.report();
    let report = report.strip_prefix("error: ").unwrap_or(&report);
    match next {
        Some(position) => Failure::Other(format!("{report}\n  go on with --from {position}")),
        None => Failure::Other(report.to_owned()),
    }
}
