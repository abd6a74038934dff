//! `rebuild`: fold the whole log again for one view, beside what serves; watch it, accept or cancel it.

mod customer;
mod render;

use std::time::Duration;

use api::v1;

use super::asking::Call;
use super::failure::{Failure, Outcome};
use super::link::Link;
use super::output::{self, Format, Screen};
use super::progress::Progress;
use super::{format, query, status};
use crate::cli::View;
use crate::settings::Settings;

/// How often the projector is asked how far it is.
const POLL: Duration = Duration::from_millis(250);

const EXAMPLES: &str = "\
Examples:
  lifefold rebuild churn
  lifefold rebuild segmentation --accept -o json
  lifefold rebuild status churn
  lifefold rebuild accept churn
  lifefold rebuild cancel churn
  lifefold rebuild rollback churn
  lifefold rebuild churn --customer 0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11

The serving generation goes on meanwhile. Before the switch every customer is compared with it, fact by fact. If \
somebody differs, nothing is switched: the command shows who, and ends with exit code 3; look, then accept or cancel. \
The rebuild belongs to the projector: it goes on when this command is interrupted.

With --customer only that customer is folded again, in what serves, and put right if different: exit code 3 says that it \
was.";

/// Arguments of `rebuild`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// The view to fold again
    #[arg(required = true)]
    view: Option<View>,
    /// Switch even if the new generation differs
    #[arg(long)]
    accept: bool,
    /// Fold only this customer again, and say what changed
    #[arg(long, value_name = "CUSTOMER", value_parser = query::customer, conflicts_with = "accept")]
    customer: Option<String>,
    #[command(flatten)]
    call: Call,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// How the rebuild is, or how the last one since the projector's start ended
    #[command(after_help = "Examples:\n  lifefold rebuild status churn -o json")]
    Status {
        /// The view
        view: View,
    },
    /// Switch to the new generation although it differs
    #[command(after_help = "Examples:\n  lifefold rebuild accept churn")]
    Accept {
        /// The view
        view: View,
    },
    /// Go back to the generation that served before; it is kept until the next rebuild
    #[command(after_help = "Examples:\n  lifefold rebuild rollback churn")]
    Rollback {
        /// The view
        view: View,
    },
    /// Drop the generation that served before, for its disk space
    #[command(after_help = "Examples:\n  lifefold rebuild retire churn")]
    Retire {
        /// The view
        view: View,
    },
    /// Give the rebuild up: what serves goes on
    #[command(after_help = "Examples:\n  lifefold rebuild cancel churn")]
    Cancel {
        /// The view
        view: View,
    },
}

/// Runs `rebuild`.
pub(crate) async fn run(args: Args, settings: &Settings) -> Result<Outcome, Failure> {
    let Args { command, view, accept, customer, call } = args;
    if let (Some(view), Some(customer)) = (view, customer) {
        return customer::run(&call, settings, view, customer).await;
    }
    let link = call.link(settings);
    match (command, view) {
        (Some(Command::Status { view }), _) => {
            let rebuild = ask(&link, view).await?;
            show(call.output.output, &render::Shown { view, before: None, after: None, rebuild: &rebuild })?;
            Ok(outcome(&rebuild, false))
        }
        (Some(Command::Accept { view }), _) => {
            link.rebuilds(view).await?.accept_rebuild(link.request(v1::AcceptRebuildRequest {})).await?;
            watch(&link, view, call.output.output, None, true).await
        }
        (Some(Command::Cancel { view }), _) => {
            link.rebuilds(view).await?.cancel_rebuild(link.request(v1::CancelRebuildRequest {})).await?;
            output::note(&format!("the rebuild of {} is given up; what serves goes on", view.name()));
            Ok(Outcome::Done)
        }
        (Some(Command::Rollback { view }), _) => {
            let before = status::ask(&link, view).await?;
            link.rebuilds(view).await?.roll_back(link.request(v1::RollBackRequest {})).await?;
            watch(&link, view, call.output.output, Some(before), true).await
        }
        (Some(Command::Retire { view }), _) => {
            link.rebuilds(view).await?.retire_previous(link.request(v1::RetirePreviousRequest {})).await?;
            output::note(&format!("the previous generation of {} is dropped", view.name()));
            Ok(Outcome::Done)
        }
        (None, Some(view)) => start(&link, view, call.output.output, accept).await,
        (None, None) => Err(Failure::Other("name a view: segmentation, satisfaction or churn".to_owned())),
    }
}

async fn start(link: &Link, view: View, format: Format, accept: bool) -> Result<Outcome, Failure> {
    let before = status::ask(link, view).await?;
    link.projector(view).await?.rebuild(link.request(v1::RebuildRequest {})).await?;
    if accept {
        link.rebuilds(view).await?.accept_rebuild(link.request(v1::AcceptRebuildRequest {})).await?;
    }
    watch(link, view, format, Some(before), accept).await
}

/// Watches until the rebuild has ended, or waits for somebody to decide.
async fn watch(
    link: &Link,
    view: View,
    format: Format,
    before: Option<v1::GetStatusResponse>,
    accepted: bool,
) -> Result<Outcome, Failure> {
    let mut progress = Progress::new(None);
    let rebuild = loop {
        let rebuild = ask(link, view).await?;
        match rebuild.phase() {
            v1::RebuildPhase::Folding | v1::RebuildPhase::Verifying => say(link, view, &rebuild, &mut progress).await?,
            // It goes on in a moment.
            v1::RebuildPhase::Differs if accepted => {}
            _ => break rebuild,
        }
        tokio::time::sleep(POLL).await;
    };
    progress.finish();
    let after = status::ask(link, view).await?;
    show(format, &render::Shown { view, before: before.as_ref(), after: Some(&after), rebuild: &rebuild })?;
    Ok(outcome(&rebuild, accepted))
}

async fn say(
    link: &Link,
    view: View,
    rebuild: &v1::GetRebuildResponse,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let now = status::ask(link, view).await?;
    let (position, head) = now.building.map_or((0, 0), |building| (building.position, building.head));
    let rate = progress.rate(position);
    let folded = format!("{} of {} events, {}/s", format::count(position), format::count(head), format::count(rate));
    progress.at(position, || match rebuild.phase() {
        v1::RebuildPhase::Verifying => format!("{folded}; comparing every customer"),
        _ => folded,
    });
    Ok(())
}

async fn ask(link: &Link, view: View) -> Result<v1::GetRebuildResponse, Failure> {
    let mut rebuilds = link.rebuilds(view).await?;
    Ok(rebuilds.get_rebuild(link.request(v1::GetRebuildRequest {})).await?.into_inner())
}

fn show(format: Format, shown: &render::Shown<'_>) -> Result<(), Failure> {
    match format {
        Format::Table => output::print(&render::table(Screen::of_stdout(), shown)),
        Format::Json => output::print_json(&render::value(shown)?),
        Format::Ndjson => output::print(&format!("{}\n", render::value(shown)?)),
    }
}

/// Differences that somebody accepted are no news.
fn outcome(rebuild: &v1::GetRebuildResponse, accepted: bool) -> Outcome {
    match rebuild.phase() {
        v1::RebuildPhase::GivenUp => Outcome::Failed,
        v1::RebuildPhase::Differs if !accepted => Outcome::Differs,
        _ => Outcome::Done,
    }
}
