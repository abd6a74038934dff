//! `parked`: the events that no projector could read, and what becomes of them.

mod drop;
mod render;

use api::v1;
use api::v1::get_parked_request::Event;
use serde_json::Value;

use super::asking::Call;
use super::failure::{Failure, Outcome};
use super::link::Link;
use super::output::{self, Format};
use super::pages::Limit;
use super::{json, query, stored};
use crate::cli::View;
use crate::settings::Settings;

const LIST_EXAMPLES: &str = "\
Examples:
  lifefold parked list churn
  lifefold parked list churn -o ndjson | jq .position";
const SHOW_EXAMPLES: &str = "\
Examples:
  lifefold parked show churn 77231
  lifefold parked show churn 77231 --raw

--raw asks the gateway for what the log has there: it may hold personal data.";
const RETRY_EXAMPLES: &str = "\
Examples:
  lifefold parked retry churn
  lifefold parked retry churn 77231 77240

Without positions the first 1,000 are read once more. Exit code 1: some still cannot be read, or were not parked.";
const DROP_EXAMPLES: &str = "\
Examples:
  lifefold parked drop 77231
  lifefold parked drop 0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c12 --reason ENTERED_TWICE

Records an EventVoided, which all views heed, and every refold. The event itself stays in the log.";
const EXAMPLES: &str = "\
Examples:
  lifefold parked list churn
  lifefold parked retry churn
  lifefold parked drop 77231";

/// Arguments of `parked`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    call: Call,
}

/// What to do with parked events.
#[derive(Debug, clap::Subcommand)]
enum What {
    /// Lists the events that a view's projector could not read, by position
    #[command(after_help = LIST_EXAMPLES)]
    List {
        /// The view
        view: View,
        #[command(flatten)]
        limit: Limit,
    },
    /// Shows one of them
    #[command(after_help = SHOW_EXAMPLES)]
    Show {
        /// The view
        view: View,
        /// Its position in the log
        #[arg(value_parser = query::position)]
        position: u64,
        /// Also what the log has there, as it was sent
        #[arg(long)]
        raw: bool,
    },
    /// Reads events once more with what this build of the projector understands
    #[command(after_help = RETRY_EXAMPLES)]
    Retry {
        /// The view
        view: View,
        /// Their positions in the log; all if none is given
        #[arg(value_parser = query::position)]
        positions: Vec<u64>,
    },
    /// Gives an event up, in all views at once, by recording that it is void
    #[command(after_help = DROP_EXAMPLES)]
    Drop {
        /// Its position in the log, or its id
        #[arg(value_name = "POSITION|ID", value_parser = drop::target)]
        event: Event,
        /// A code that says why
        #[arg(long, value_name = "CODE", default_value = "UNREADABLE", value_parser = drop::reason)]
        reason: String,
    },
}

/// Runs `parked`.
pub(crate) async fn run(args: Args, settings: &Settings) -> Result<Outcome, Failure> {
    let Args { what, call } = args;
    let link = call.link(settings);
    match what {
        What::List { view, limit } => list(&call, &link, view, &limit).await,
        What::Show { view, position, raw } => show(&call, &link, view, position, raw).await,
        What::Retry { view, positions } => retry(&call, &link, view, positions).await,
        What::Drop { event, reason } => drop::run(&call, &link, event, reason).await,
    }
}

async fn list(call: &Call, link: &Link, view: View, limit: &Limit) -> Result<Outcome, Failure> {
    let mut projector = link.projector(view).await?;
    let all = limit.collect(async |page_size, page_token| {
        let request = link.request(v1::ListParkedRequest { page_size, page_token });
        Ok(projector.list_parked(request).await?.into_inner())
    });
    let all: v1::ListParkedResponse = all.await?;
    call.output.list(&all, |screen| render::events(screen, &all.events))?;
    Ok(Outcome::Done)
}

async fn show(call: &Call, link: &Link, view: View, position: u64, raw: bool) -> Result<Outcome, Failure> {
    let found = get(link, view, Event::Position(position)).await?;
    if !raw {
        call.output.show(&found, |screen| render::event(screen, &found))?;
        return Ok(Outcome::Done);
    }
    let body = in_log(link, position).await?;
    if call.output.output == Format::Table {
        output::print(&render::event(output::Screen::of_stdout(), &found))?;
        // Bytes that are no text are shown as far as they are.
        output::print(&format!("\n{}\n", String::from_utf8_lossy(&body.cloud_event_json)))?;
        return Ok(Outcome::Done);
    }
    let mut value = json::value(&found)?;
    value["stored"] = stored::with_position(&body)?;
    value["text"] = Value::String(String::from_utf8_lossy(&body.cloud_event_json).into_owned());
    print_value(call, &value)?;
    Ok(Outcome::Done)
}

fn print_value(call: &Call, value: &Value) -> Result<(), Failure> {
    match call.output.output {
        Format::Ndjson => output::print(&format!("{value}\n")),
        Format::Table | Format::Json => output::print_json(value),
    }
}

/// One parked event of a view.
async fn get(link: &Link, view: View, event: Event) -> Result<v1::GetParkedResponse, Failure> {
    let mut projector = link.projector(view).await?;
    Ok(projector.get_parked(link.request(v1::GetParkedRequest { event: Some(event) })).await?.into_inner())
}

/// What the log has at a position.
async fn in_log(link: &Link, position: u64) -> Result<v1::RecordedTouchpoint, Failure> {
    let start = Some(v1::replay_request::Start::FromPosition(position));
    let request = v1::ReplayRequest { start, to_position: Some(position), include_json: true, ..Default::default() };
    let mut answers = link.timelines().await?.replay(link.request(request)).await?.into_inner();
    while let Some(answer) = answers.message().await? {
        if let Some(v1::replay_response::Result::Event(event)) = answer.result {
            return Ok(event);
        }
    }
    Err(Failure::Other(format!("the gateway gives no event at position {position}")))
}

async fn retry(call: &Call, link: &Link, view: View, positions: Vec<u64>) -> Result<Outcome, Failure> {
    let mut projector = link.projector(view).await?;
    let request = link.request(v1::RetryParkedRequest { positions });
    let answer = projector.retry_parked(request).await?.into_inner();
    call.output.show(&answer, |screen| render::retried(screen, &answer.events))?;
    let read = answer.events.iter().all(|it| it.outcome() == v1::RetryOutcome::Read);
    Ok(if read { Outcome::Done } else { Outcome::Failed })
}
