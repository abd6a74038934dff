//! The client half of the command line: ask the services over gRPC, show what they say.
//!
//! Every command is one file: its arguments, the call, and what it prints. Only a part of [`rules`] works without
//! services.

mod asking;
mod bisect;
mod churn;
mod decision;
mod doctor;
mod evidence;
mod export;
mod facts;
mod failure;
mod format;
mod happened;
mod history;
mod import;
mod json;
mod link;
mod output;
mod pages;
mod parked;
mod pause;
mod progress;
mod query;
mod rebuild;
mod record;
mod replay;
mod replaying;
mod rules;
mod satisfaction;
mod segment;
mod series;
mod status;
mod stored;
mod terminal;
mod timeline;
mod watch;
mod words;

use std::process::ExitCode;

use failure::{Failure, Outcome};
pub(crate) use format::count;
pub(crate) use output::{Format, note, tell};
pub(crate) use progress::Progress;

use crate::settings::Settings;

/// Commands that ask running services.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Records one touchpoint
    Record(record::Args),
    /// Records many touchpoints, one JSON event a line
    Import(import::Args),
    /// Shows the events of a customer as the log has them
    Timeline(timeline::Args),
    /// Prints the events of everybody from a position or time on, one JSON event a line
    Replay(replay::Args),
    /// Exports events or a view to Parquet, NDJSON or CSV, with a manifest
    Export(export::Args),
    /// Steps through a customer's events, with the answers before and after each
    History(history::Args),
    /// Finds the first event or instant at which a condition became true
    Bisect(bisect::Args),
    /// Shows segmentation 客户分层: stage, value, demand and segments of a customer, members, totals, funnel
    Segment(segment::Args),
    /// Shows churn risk 流失风险: who is about to be lost, and why
    Churn(churn::Args),
    /// Shows satisfaction 满意度: customers, reports by service port, ranks, NPS, complaints
    Satisfaction(satisfaction::Args),
    /// Shows the status of all projectors
    Status(status::Args),
    /// Folds the whole log again for one view, compares every customer, and switches over
    Rebuild(rebuild::Args),
    /// Freezes a view: it keeps answering as of now until resumed, across restarts
    Pause(pause::Args),
    /// Lets a paused view go on
    Resume(pause::Resume),
    /// Lists, shows, retries or drops the events that could not be read
    Parked(parked::Args),
    /// Checks settings, NATS, stores and ports, and suggests fixes
    Doctor(doctor::Args),
    /// Checks and shows rules, tells who would move under others, and puts them in force
    Rules(rules::Args),
}

/// What is said where the settings cannot be read: nothing of most commands, all that there is to say by `doctor`.
pub(crate) fn without_settings(command: &Command, mistakes: &str) -> Option<ExitCode> {
    let Command::Doctor(args) = command else { return None };
    Some(doctor::unreadable(args, mistakes).unwrap_or(Outcome::Failed).into())
}

/// Runs a command to its end; what goes wrong is said on stderr.
pub(crate) async fn run(command: Command, settings: &Settings) -> anyhow::Result<ExitCode> {
    let done = match command {
        Command::Record(args) => record::run(args, settings).await,
        Command::Import(args) => import::run(args, settings).await,
        Command::Timeline(args) => timeline::run(args, settings).await,
        Command::Replay(args) => replay::run(args, settings).await,
        Command::Export(args) => export::run(args, settings).await,
        Command::History(args) => history::run(args, settings).await,
        Command::Bisect(args) => bisect::run(args, settings).await,
        Command::Segment(args) => segment::run(args, settings).await,
        Command::Churn(args) => churn::run(args, settings).await,
        Command::Satisfaction(args) => satisfaction::run(args, settings).await,
        Command::Pause(args) => pause::run(args, settings).await,
        Command::Resume(args) => pause::resume(args, settings).await,
        Command::Parked(args) => parked::run(args, settings).await,
        Command::Doctor(args) => doctor::run(args, settings).await,
        Command::Status(args) => status::run(args, settings).await,
        Command::Rebuild(args) => rebuild::run(args, settings).await,
        Command::Rules(args) => rules::run(args, settings).await,
    };
    Ok(exit_code(done))
}

/// Prints what needed no service.
pub(crate) fn print(text: &str) -> ExitCode {
    exit_code(output::print(text).map(|()| Outcome::Done))
}

fn exit_code(done: Result<Outcome, Failure>) -> ExitCode {
    match done {
        Ok(outcome) => outcome.into(),
        // Who closed the pipe has read enough.
        Err(Failure::Closed) => Outcome::Done.into(),
        Err(failure) => {
            output::note(&failure.report());
            failure.outcome().into()
        }
    }
}
