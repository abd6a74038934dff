//! The nats-server of `lifefold up`: one that was named, or one that is started here.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use broker::{Broker, Located};
use tokio_util::sync::CancellationToken;

use crate::settings::Settings;

/// How often it is looked whether the server still runs.
const LOOK: Duration = Duration::from_millis(500);
const FOLDER: &str = "nats";

/// The NATS server that everything here uses.
pub(crate) struct Nats {
    url: String,
    /// The server, if it is ours.
    broker: Option<Arc<Mutex<Broker>>>,
}

impl Nats {
    /// Uses the server that the settings or `NATS_URL` name, or finds and starts one.
    pub(crate) async fn start(settings: &Settings) -> anyhow::Result<Self> {
        if settings.is_given("nats_url") {
            return Ok(Self { url: settings.nats_url.clone(), broker: None });
        }
        let store = settings.data.join(FOLDER);
        // Finding may fetch, and starting waits for the server: both block.
        tokio::task::spawn_blocking(move || find_and_start(store)).await.context("starting nats-server ended")?
    }

    /// Where clients connect.
    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// The server's process, if it is ours.
    pub(crate) fn pid(&self) -> Option<u32> {
        lock(self.broker.as_ref()?).pid()
    }

    /// Watches over the server until told to stop; an error if it ends.
    pub(crate) fn watch(&self, stop: CancellationToken) -> impl Future<Output = anyhow::Result<()>> + Send + use<> {
        let broker = self.broker.clone();
        async move {
            let Some(broker) = broker else {
                stop.cancelled().await;
                return Ok(());
            };
            while stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
                let mut broker = lock(&broker);
                if let Some(status) = broker.exited()? {
                    bail!("it ended by itself ({status}); its log is {}", broker.log_file().display());
                }
            }
            Ok(())
        }
    }

    /// Stops the server, if it is ours.
    pub(crate) async fn stop(self) {
        let Some(broker) = self.broker else { return };
        let stopped = tokio::task::spawn_blocking(move || lock(&broker).stop()).await;
        if let Ok(Err(error)) = stopped {
            tracing::warn!(%error, "nats-server did not stop in order");
        }
    }
}

fn find_and_start(store: PathBuf) -> anyhow::Result<Nats> {
    let bin = match broker::find()? {
        Located::External(url) => return Ok(Nats { url, broker: None }),
        Located::Server(server) => server.path,
    };
    let broker = Broker::start(bin, broker::Options::new(store)).context("nats-server cannot be started")?;
    Ok(Nats { url: broker.url(), broker: Some(Arc::new(Mutex::new(broker))) })
}

fn lock(broker: &Mutex<Broker>) -> std::sync::MutexGuard<'_, Broker> {
    broker.lock().unwrap_or_else(PoisonError::into_inner)
}
