//! The lifefold binary: reads the command and the settings, runs it, says why it failed.

// These macros panic where nobody reads any more; client/output.rs does not.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod announcement;
mod cli;
mod client;
mod clock;
mod connection;
mod demo;
mod gateway;
mod gauges;
mod listener;
mod low_priority_reader;
mod projecting;
mod settings;
mod source;
mod tasks;
mod telemetry;
mod up;

use std::process::ExitCode;

use anyhow::Context;
use tokio_util::sync::CancellationToken;
use views::churn::Churn;
use views::satisfaction::Satisfaction;
use views::segmentation::Segmentation;

use cli::{Cli, Command, Config, View};
use listener::Listener;
use settings::{Mistakes, Process, Settings};
use tasks::Tasks;

/// Answers are many small allocations that die young, records are millions of small ones (ADR 0021).
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// A mistake in the command or the settings: a restart does not heal it.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let Cli { flags, command } = Cli::read();
    let process = match &command {
        Command::Projector { view } => view.process(),
        Command::Config { command: Config::Show { process, .. } } => *process,
        _ => Process::Gateway,
    };
    let done = match Settings::resolve(&flags, process) {
        Ok(settings) => perform(command, settings),
        Err(mistakes) => match &command {
            Command::Client(command) => client::without_settings(command, &mistakes.to_string()),
            _ => None,
        }
        .ok_or_else(|| mistakes.into()),
    };
    done.unwrap_or_else(|error| {
        // Each cause on its own line; a trace of this program would bury them.
        let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
        client::note(&format!("error: {}", causes.join("\n  because: ")));
        if error.is::<Mistakes>() { ExitCode::from(USAGE) } else { ExitCode::FAILURE }
    })
}

fn perform(command: Command, settings: Settings) -> anyhow::Result<ExitCode> {
    if let Command::Config { command: Config::Show { output, .. } } = command {
        return Ok(client::print(&settings::shown(&settings, output)));
    }
    if let Command::Demo { customers } = command {
        demo::print(customers).context("the demo cannot be printed")?;
        return Ok(ExitCode::SUCCESS);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start")?;
    let done = runtime.block_on(async {
        match command {
            Command::Up(options) => Box::pin(up::run(options, settings)).await.map(|()| ExitCode::SUCCESS),
            Command::Gateway => serve_gateway(settings).await.map(|()| ExitCode::SUCCESS),
            Command::Projector { view } => serve_view(view, settings).await.map(|()| ExitCode::SUCCESS),
            Command::Client(command) => client::run(*command, &settings).await,
            Command::Demo { .. } | Command::Config { .. } => Ok(ExitCode::SUCCESS),
        }
    });
    // Whatever still blocks a thread was given its time.
    runtime.shutdown_background();
    done
}

async fn serve_gateway(settings: Settings) -> anyhow::Result<()> {
    let (listener, stop) = prepare(&settings)?;
    let mut tasks = Tasks::new(stop.clone());
    tasks.start("gateway", gateway::run(settings, listener, stop));
    tasks.run().await
}

async fn serve_view(view: View, settings: Settings) -> anyhow::Result<()> {
    let (listener, stop) = prepare(&settings)?;
    let mut tasks = Tasks::new(stop.clone());
    start_view(&mut tasks, view, settings.data.clone(), settings, listener, stop);
    tasks.run().await
}

/// Starts the projector of a view with its store in this folder.
pub(crate) fn start_view(
    tasks: &mut Tasks,
    view: View,
    dir: std::path::PathBuf,
    settings: Settings,
    listener: Listener,
    stop: CancellationToken,
) {
    match view {
        View::Segmentation => {
            tasks.start("segmentation projector", projecting::run::<Segmentation>(view, settings, dir, listener, stop));
        }
        View::Satisfaction => {
            tasks.start("satisfaction projector", projecting::run::<Satisfaction>(view, settings, dir, listener, stop));
        }
        View::Churn => tasks.start("churn projector", projecting::run::<Churn>(view, settings, dir, listener, stop)),
    }
}

/// What every service begins with: logs, its address, metrics, and how it is told to stop.
fn prepare(settings: &Settings) -> anyhow::Result<(Listener, CancellationToken)> {
    telemetry::start_logs(&settings.log)?;
    let listener = Listener::bind(settings.listen)?;
    let metrics = settings.metrics_listen.map(telemetry::start_metrics).transpose()?;
    // Before anybody knows that it is there: who stops it at once finds it stopped in order.
    let stop = tasks::stop_on_signal()?;
    tracing::info!(grpc = %listener.address(), metrics = metrics.map(tracing::field::display), "listening");
    Ok((listener, stop))
}
