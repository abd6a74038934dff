//! `lifefold up`: nats-server, gateway and three projectors on this machine, in this process but for nats-server.

mod demo;
mod marker;
mod nats;
mod ready;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use event_log::Log;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::announcement::{self, Announcement};
use crate::cli::{self, View};
use crate::listener::Listener;
use crate::settings::{Process, Settings};
use crate::tasks::{self, Tasks};
use crate::telemetry::{self, Filter};
use crate::{clock, gateway, start_view};
use nats::Nats;

/// How long nats-server may take to stop; it has been told to, and ends by itself.
const NATS_STOP: Duration = Duration::from_millis(1_500);
/// What is logged if nobody says: the screen is for what is said below.
const QUIET: &str = "warn";

/// Runs until told to stop.
pub(crate) async fn run(options: cli::Up, mut settings: Settings) -> anyhow::Result<()> {
    if !settings.is_given("log") {
        settings.log = Filter::parse(QUIET)?;
    }
    telemetry::start_logs(&settings.log)?;
    let stop = tasks::stop_on_signal()?;
    let data = settings.data.clone();
    std::fs::create_dir_all(&data).with_context(|| format!("cannot use the data folder {}", data.display()))?;
    let listeners = open_listeners(settings.listen)?;
    let metrics = settings.metrics_listen.map(telemetry::start_metrics).transpose()?;
    let Some(nats) = stop.run_until_cancelled(Nats::start(&settings)).await.transpose()? else { return Ok(()) };
    settings.nats_url = nats.url();
    let announcement = announce(&listeners, metrics, &nats);
    let ran = run_on(options, settings, listeners, &nats, &announcement, &stop).await;
    announcement::withdraw(&data);
    if timeout(NATS_STOP, nats.stop()).await.is_err() {
        tracing::warn!("nats-server takes long to stop; it ends by itself");
    }
    ran
}

/// Everything that runs on a nats-server.
async fn run_on(
    options: cli::Up,
    settings: Settings,
    listeners: [Listener; 4],
    nats: &Nats,
    announcement: &Announcement,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let data = settings.data.clone();
    let Some(epoch) = stop.run_until_cancelled(provision(&settings)).await.transpose()? else { return Ok(()) };
    let tasks = start(settings, listeners, nats, stop);
    announcement.write(&data)?;
    announcement.tell();
    let running = tokio::spawn(tasks.run());
    let ready = stop.run_until_cancelled(get_ready(options, announcement, &data, epoch)).await.unwrap_or(Ok(()));
    if ready.is_err() {
        stop.cancel();
    }
    // What ended the services explains why the rest failed, and not the other way round.
    running.await.context("the services ended")?.and(ready)
}

/// Four addresses: the port and the three after it, or free ones.
fn open_listeners(first: SocketAddr) -> anyhow::Result<[Listener; 4]> {
    let open = |process: Process| {
        let port = if first.port() == 0 { Some(0) } else { first.port().checked_add(process.offset()) };
        let port = port.context("--listen takes four ports from this one on; choose a smaller one")?;
        let listener = Listener::bind(SocketAddr::new(first.ip(), port));
        listener.with_context(|| {
            format!("no address for the {}; --listen takes four ports from this one on", process.name())
        })
    };
    let [gateway, segmentation, satisfaction, churn] = Process::ALL;
    Ok([open(gateway)?, open(segmentation)?, open(satisfaction)?, open(churn)?])
}

/// Makes the log if there is none, and says which it is.
async fn provision(settings: &Settings) -> anyhow::Result<Uuid> {
    let options = gateway::log_options(settings, Process::Gateway);
    let log = Log::provision(&options, clock::random_epoch()).await.context("the log cannot be used")?;
    Ok(log.identity().epoch)
}

fn start(settings: Settings, listeners: [Listener; 4], nats: &Nats, stop: &CancellationToken) -> Tasks {
    let mut tasks = Tasks::new(stop.clone());
    let [first, segmentation, satisfaction, churn] = listeners;
    let views = [(View::Segmentation, segmentation), (View::Satisfaction, satisfaction), (View::Churn, churn)];
    for (view, listener) in views {
        let dir = settings.data.join(view.process().name());
        start_view(&mut tasks, view, dir, settings.clone(), listener, stop.clone());
    }
    tasks.start("nats-server", nats.watch(stop.clone()));
    tasks.start("gateway", gateway::run(settings, first, stop.clone()));
    tasks
}

async fn get_ready(options: cli::Up, announcement: &Announcement, data: &Path, epoch: Uuid) -> anyhow::Result<()> {
    ready::gateway(announcement.gateway).await?;
    let position = match options.demo {
        Some(customers) => demo::load(customers, announcement.gateway, data, epoch).await?,
        None => 0,
    };
    ready::views(announcement, position).await?;
    ready::say(data, options.demo);
    Ok(())
}

fn announce(listeners: &[Listener; 4], metrics: Option<SocketAddr>, nats: &Nats) -> Announcement {
    let [gateway, segmentation, satisfaction, churn] = listeners.each_ref().map(Listener::address);
    Announcement {
        gateway,
        segmentation,
        satisfaction,
        churn,
        metrics,
        nats_url: event_log::mask(&nats.url()),
        pid: std::process::id(),
        nats_pid: nats.pid(),
    }
}
