//! `rebuild`: fold the whole log again for one view, beside what serves; watch it, accept or cancel it.

mod customer;
mod history;
mod plan;
mod progress;
mod render;
mod watch;

use api::v1;
use watch::Watched;

use super::asking::Call;
use super::failure::{Failure, Outcome};
use super::link::Link;
use super::output::{self, Format, Screen};
use super::pages::Limit;
use super::{query, status};
use crate::cli::View;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  lifefold rebuild churn --dry-run
  lifefold rebuild churn
  lifefold rebuild segmentation --yes --max-rate 50000 -o ndjson
  lifefold rebuild status churn --follow
  lifefold rebuild accept churn
  lifefold rebuild cancel churn
  lifefold rebuild rollback churn
  lifefold rebuild churn --customer 0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11
  lifefold rebuild history churn

On a terminal the command says what the rebuild would take and asks; elsewhere --yes is needed. The serving generation \
goes on meanwhile. Before the switch every customer is compared with it, fact by fact. If \
somebody differs, nothing is switched: the command shows who, and ends with exit code 3; look, then accept or cancel. \
The rebuild belongs to the projector: it goes on when this command is interrupted, and when the projector is started \
again. It slows down while those who are served wait for it (settings rebuild_max_lag and rebuild_max_p99).

With --customer, re-folds one customer in the serving generation and repairs the record if it differs (exit code 3).";

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
    /// Re-fold one customer in the serving generation, and repair the record if it differs (exit code 3)
    #[arg(long, value_name = "CUSTOMER", value_parser = query::customer, conflicts_with_all = ["accept", "dry_run", "max_rate"])]
    customer: Option<String>,
    /// Only say what it would take
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Events to fold a second at most
    #[arg(long, value_name = "EVENTS", value_parser = clap::value_parser!(u64).range(1..))]
    max_rate: Option<u64>,
    #[command(flatten)]
    call: Call,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Shows how the rebuild is, or how the last one ended
    #[command(
        after_help = "Examples:\n  lifefold rebuild status churn -o json\n  lifefold rebuild status churn --follow"
    )]
    Status {
        /// The view
        view: View,
        /// Watch it until it has ended, or waits for somebody to decide
        #[arg(long)]
        follow: bool,
    },
    /// Lists the last hundred rebuilds, newest first
    #[command(after_help = "Examples:\n  lifefold rebuild history churn\n  lifefold rebuild history churn -o json")]
    History {
        /// The view
        view: View,
        #[command(flatten)]
        limit: Limit,
    },
    /// Switches to the new generation although it differs
    #[command(after_help = "Examples:\n  lifefold rebuild accept churn")]
    Accept {
        /// The view
        view: View,
    },
    /// Goes back to the generation that served before; it is kept until the next rebuild
    #[command(after_help = "Examples:\n  lifefold rebuild rollback churn")]
    Rollback {
        /// The view
        view: View,
    },
    /// Drops the generation that served before, for its disk space
    #[command(after_help = "Examples:\n  lifefold rebuild retire churn")]
    Retire {
        /// The view
        view: View,
    },
    /// Gives the rebuild up: what serves goes on
    #[command(after_help = "Examples:\n  lifefold rebuild cancel churn")]
    Cancel {
        /// The view
        view: View,
    },
}

/// Runs `rebuild`.
pub(crate) async fn run(args: Args, settings: &Settings) -> Result<Outcome, Failure> {
    let link = args.call.link(settings);
    if let (Some(view), Some(customer)) = (args.view, args.customer) {
        return customer::run(&args.call, settings, view, customer).await;
    }
    match (args.command, args.view) {
        (Some(command), _) => carry_out(command, &link, &args.call).await,
        (None, Some(view)) => {
            let begin =
                v1::RebuildRequest { accept: args.accept, max_events_per_second: args.max_rate.unwrap_or_default() };
            if args.dry_run {
                return plan::show(&link, view, begin.max_events_per_second, &args.call.output).await;
            }
            if !args.yes {
                plan::confirm(&link, view, begin.max_events_per_second).await?;
            }
            begun(&link, args.call.output.output, view, begin).await
        }
        (None, None) => Err(Failure::Other("name a view: segmentation, satisfaction or churn".to_owned())),
    }
}

/// Begins a rebuild, and watches it.
async fn begun(link: &Link, format: Format, view: View, begin: v1::RebuildRequest) -> Result<Outcome, Failure> {
    let (before, accepted) = (Some(status::ask(link, view).await?), begin.accept);
    let begun = link.projector(view).await?.rebuild(link.request(begin)).await?.into_inner();
    watch::to_the_end(link, format, Watched { view, generation: Some(begun.generation), before, accepted }).await
}

async fn carry_out(command: Command, link: &Link, call: &Call) -> Result<Outcome, Failure> {
    let format = call.output.output;
    match command {
        Command::Status { view, follow } => look(link, format, view, follow).await,
        Command::History { view, limit } => history::run(call, link, view, &limit).await,
        Command::Accept { view } => accept(link, format, view).await,
        Command::Cancel { view } => cancel(call, link, view).await,
        Command::Rollback { view } => roll_back(link, format, view).await,
        Command::Retire { view } => retire(call, link, view).await,
    }
}

async fn look(link: &Link, format: Format, view: View, follow: bool) -> Result<Outcome, Failure> {
    if follow {
        let watched = Watched { view, generation: None, before: None, accepted: false };
        return watch::to_the_end(link, format, watched).await;
    }
    let rebuild = ask(link, view).await?;
    show(format, &render::Shown { view, before: None, after: None, rebuild: &rebuild })?;
    Ok(outcome(&rebuild, false))
}

async fn accept(link: &Link, format: Format, view: View) -> Result<Outcome, Failure> {
    let generation = Some(ask(link, view).await?.generation);
    link.rebuilds(view).await?.accept_rebuild(link.request(v1::AcceptRebuildRequest {})).await?;
    watch::to_the_end(link, format, Watched { view, generation, before: None, accepted: true }).await
}

async fn cancel(call: &Call, link: &Link, view: View) -> Result<Outcome, Failure> {
    let request = link.request(v1::CancelRebuildRequest {});
    let answer = link.rebuilds(view).await?.cancel_rebuild(request).await?.into_inner();
    let (name, generation) = (view.name(), answer.generation);
    call.output.show(&answer, |_| {
        format!("the rebuild of {name} into generation {generation} is given up; what serves goes on\n")
    })?;
    Ok(Outcome::Done)
}

async fn roll_back(link: &Link, format: Format, view: View) -> Result<Outcome, Failure> {
    let before = Some(status::ask(link, view).await?);
    let request = link.request(v1::RollBackRequest {});
    let generation = Some(link.rebuilds(view).await?.roll_back(request).await?.into_inner().generation);
    watch::to_the_end(link, format, Watched { view, generation, before, accepted: true }).await
}

async fn retire(call: &Call, link: &Link, view: View) -> Result<Outcome, Failure> {
    let request = link.request(v1::RetirePreviousRequest {});
    let answer = link.rebuilds(view).await?.retire_previous(request).await?.into_inner();
    let (name, generation) = (view.name(), answer.generation);
    call.output.show(&answer, |_| format!("the previous generation of {name}, {generation}, is dropped\n"))?;
    Ok(Outcome::Done)
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
