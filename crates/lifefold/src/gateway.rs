//! The gateway: the only writer of the log.

use std::time::Duration;

use anyhow::bail;
use event_log::{Appender, Broken, CheckError, Checkpoint, Log, OpenError, Options};
use services::RulesInLog;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::listener::Listener;
use crate::settings::{Process, Settings};

/// Pause before a log that could not be opened is tried again.
const OPEN_AGAIN: Duration = Duration::from_secs(3);
/// How often the gateway asks whether the log is still the one that it opened.
const CHECK_EVERY: Duration = Duration::from_secs(3);
const SERVICES: [&str; 3] =
    ["lifefold.v1.TouchpointService", "lifefold.v1.TimelineService", "lifefold.v1.RulesService"];
/// How long a log that has no rules may take to be given some.
const SEED_TIME: Duration = Duration::from_secs(5);
/// What the log says of the rules that it begins with.
const SEED_NOTE: &str = "the first rules of this log, by the gateway";

/// Serves until it is told to stop. While there is no log it waits for one, NOT_SERVING.
pub(crate) async fn run(settings: Settings, listener: Listener, stop: CancellationToken) -> anyhow::Result<()> {
    let options = log_options(&settings, Process::Gateway);
    let (options, provision) = (&options, settings.provision);
    let open = move || async move { Box::pin(try_open(options, provision)).await.map_err(|error| error.to_string()) };
    let opening = until_opened(Process::Gateway.name(), &stop, open);
    let opening = async {
        let Some(log) = opening.await else { return Ok(None) };
        let appender = Appender::start(log.clone());
        let rules = RulesInLog::new(log.clone(), appender.clone(), clock::fresh_ids());
        seed(&rules, &settings).await;
        Ok(Some((log, appender, rules)))
    };
    let Some((log, appender, rules)) = listener.wait_for(&SERVICES, opening).await? else { return Ok(()) };
    tracing::info!(address = %listener.address(), epoch = %log.identity().epoch, "the gateway serves");
    let gateway = services::Gateway { log: log.clone(), appender, rules, clock: clock::clock(), stop: stop.clone() };
    let serving = serve(listener, services::gateway(gateway), stop);
    tokio::select! {
        served = serving => served,
        reason = broken(&log) => bail!("the log is not the one that this gateway opened, nothing more is written: {reason}"),
    }
}

/// Gives a log that has no rules those of this process, before anything else is written. Where that is not allowed or
/// does not succeed, every projector goes on with its own.
async fn seed(rules: &RulesInLog, settings: &Settings) {
    let version = settings.rules.version().to_string();
    match rules.seed(&settings.rules, SEED_NOTE, Instant::now() + SEED_TIME).await {
        Ok(Some(active)) if active == version => tracing::info!(version, "these rules are in force"),
        Ok(Some(active)) if settings.is_given("rules") => tracing::warn!(
            active,
            file = version,
            "the rules in the log are in force, not those of the file: `lifefold rules activate` puts it into the log"
        ),
        Ok(Some(active)) => tracing::info!(active, "the rules in the log are in force"),
        Ok(None) => tracing::warn!("the log has rules, none of which this version can read"),
        Err(error) => tracing::warn!(
            %error,
            "the log could not be given rules, so that each projector answers by its own; may this NATS user publish \
             on lifefold.control?"
        ),
    }
}

/// Returns once the log is another one than was opened: what is written from then on would be missed by every reader.
/// A log that lost messages is still the log, and its readers raise the alarm.
async fn broken(log: &Log) -> Broken {
    let mut opened = Checkpoint::start(log.identity());
    loop {
        match log.check(&opened).await {
            Err(CheckError::Broken(reason @ Broken::Gap(_))) => {
                tracing::error!(%reason, "the log has lost messages; taking more");
                opened = log.origin().await.unwrap_or(opened);
            }
            Err(CheckError::Broken(reason)) => return reason,
            Ok(_) | Err(CheckError::Unavailable(_)) => {}
        }
        tokio::time::sleep(CHECK_EVERY).await;
    }
}

/// Serves a process's services and keeps its health until it is told to stop.
pub(crate) async fn serve(
    listener: Listener,
    process: services::GrpcServices,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let services::GrpcServices { routes, health } = process;
    let (served, ()) = tokio::join!(listener.serve(routes, stop), health);
    served
}

/// How this process connects to the log.
pub(crate) fn log_options(settings: &Settings, process: Process) -> Options {
    Options {
        stream: settings.stream.clone(),
        replicas: settings.replicas,
        client_name: format!("lifefold {}", process.name()),
        ..Options::new(&settings.nats_url)
    }
}

/// Tries for ever: whoever operates this repairs the log, and not the process that waits for it. Nothing if it is told to
/// stop.
pub(crate) async fn until_opened<T, F: Future<Output = Result<T, String>>>(
    process: &str,
    stop: &CancellationToken,
    attempt: impl Fn() -> F,
) -> Option<T> {
    let opened = async {
        loop {
            match attempt().await {
                Ok(opened) => return opened,
                Err(reason) => {
                    tracing::warn!(process, reason, "not serving: no log; trying again in {OPEN_AGAIN:?}");
                }
            }
            tokio::time::sleep(OPEN_AGAIN).await;
        }
    };
    stop.run_until_cancelled(opened).await
}

async fn try_open(options: &Options, provision: bool) -> Result<Log, OpenError> {
    if provision { Log::provision(options, clock::random_epoch()).await } else { Log::open(options).await }
}
