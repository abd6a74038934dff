//! One computer: a folder, a nats-server, services.

use std::path::{Path, PathBuf};

use api::v1;
use broker::Broker;
use event_log::{Entry, Log, Options};
use futures::StreamExt;
use tempfile::TempDir;
use touchpoint::Position;

use crate::clients::Clients;
use crate::service::Service;
use crate::wait::PATIENCE;

/// The views.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Segmentation.
    Segmentation,
    /// Satisfaction.
    Satisfaction,
    /// Churn risk.
    Churn,
}

impl View {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Segmentation, Self::Satisfaction, Self::Churn];

    /// The name in commands.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Segmentation => "segmentation",
            Self::Satisfaction => "satisfaction",
            Self::Churn => "churn",
        }
    }

    /// The gRPC service.
    pub const fn service(self) -> &'static str {
        match self {
            Self::Segmentation => "lifefold.v1.SegmentationService",
            Self::Satisfaction => "lifefold.v1.SatisfactionService",
            Self::Churn => "lifefold.v1.ChurnRiskService",
        }
    }
}

/// A computer with its own nats-server.
#[derive(Debug)]
pub struct Machine {
    /// The nats-server.
    pub nats: Broker,
    // Dropped last: the server's files are in it.
    folder: TempDir,
}

/// Messages at the beginning of a log that are no events: the genesis, and the rules that the gateway gave it.
pub const CONTROL_MESSAGES: usize = 2;

impl Machine {
    /// A fresh one.
    ///
    /// # Panics
    /// If no nats-server can be had.
    pub fn start() -> Self {
        let folder = TempDir::new().unwrap_or_else(|error| panic!("a temporary folder: {error}"));
        let found = broker::find_server().unwrap_or_else(|error| panic!("{error}"));
        let options = broker::Options { own_process_group: false, ..broker::Options::new(folder.path().join("nats")) };
        let nats = Broker::start(&found.path, options).unwrap_or_else(|error| panic!("{error}"));
        Self { nats, folder }
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Stops the nats-server, and leaves the folder there for somebody to look at.
    pub fn keep(self) -> PathBuf {
        drop(self.nats);
        self.folder.keep()
    }

    /// Where the store of a view is.
    pub fn store(&self, view: View) -> PathBuf {
        self.folder().join(view.name())
    }

    /// A gateway that may create the stream, started.
    pub fn gateway(&self) -> Service {
        self.service("gateway", ["gateway", "--provision"])
    }

    /// The projector of a view, started.
    pub fn projector(&self, view: View) -> Service {
        self.projector_on(view.name(), view, &self.store(view))
    }

    /// The projector of a view with its store in this folder, started under a name of its own.
    pub fn projector_on(&self, name: &str, view: View, store: &Path) -> Service {
        self.service(name, ["projector", view.name(), "--data", &store.to_string_lossy()])
    }

    /// A service with this command on this machine's log, started; its name must be its own.
    pub fn service<const N: usize>(&self, name: &str, command: [&str; N]) -> Service {
        let arguments = command.map(str::to_owned).into_iter().chain(self.settings());
        let mut service = Service::new(name, self.folder(), arguments);
        service.start();
        service
    }

    fn settings(&self) -> [String; 6] {
        let any = "127.0.0.1:0".to_owned();
        let [listen, metrics, nats] = ["--listen", "--metrics-listen", "--nats-url"].map(str::to_owned);
        [listen, any.clone(), metrics, any, nats, self.nats.url()]
    }

    /// The serving generation of a fresh projector of this view, once it has folded the log up to this position.
    ///
    /// # Panics
    /// If it does not.
    pub async fn refolded(&self, view: View, position: u64) -> v1::Generation {
        let store = TempDir::new_in(self.folder()).unwrap_or_else(|error| panic!("a temporary folder: {error}"));
        let mut fresh = self.projector_on("fresh", view, store.path());
        let clients = Clients::of(fresh.address());
        clients.serving(view.service()).await;
        clients.reached(position).await
    }

    /// The last position of the log, asked without any service; nothing while the log does not answer.
    pub async fn last_position(&self) -> Option<u64> {
        let log = Log::open(&Options::new(self.nats.url())).await.ok()?;
        log.last().await.ok().map(|last| last.0)
    }

    /// The whole log, read without any service.
    ///
    /// # Panics
    /// If the log cannot be read.
    pub async fn log_entries(&self) -> Vec<Entry> {
        let log = Log::open(&Options::new(self.nats.url())).await.unwrap_or_else(|error| panic!("{error}"));
        let last = log.last().await.unwrap_or_else(|error| panic!("{error}"));
        let mut replay = log.replay(Position(1), last);
        let mut entries = Vec::new();
        loop {
            match tokio::time::timeout(PATIENCE, replay.next()).await {
                Ok(Some(Ok(batch))) => entries.extend(batch.entries),
                Ok(None) => return entries,
                other => panic!("the log cannot be read: {other:?}"),
            }
        }
    }
}
