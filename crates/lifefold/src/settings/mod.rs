//! Settings: flag > environment > file > default, with every mistake told at once.

mod flags;
mod gather;
mod parse;
mod show;
mod spec;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use projector::Bounds;
use views::rules::Rules;

use crate::announcement::{self, Announcement};
use crate::telemetry::Filter;
pub(crate) use flags::{Flags, fold};
use gather::{Given, Origin};
use parse::Reader;
pub(crate) use show::shown;

/// For which process the settings are: it decides default ports and folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Process {
    /// The gateway, and every command that is no service
    Gateway,
    /// The projector of the segmentation view
    Segmentation,
    /// The projector of the satisfaction view
    Satisfaction,
    /// The projector of the churn risk view
    Churn,
}

impl Process {
    /// The ports are counted from the gateway's in this order.
    pub(crate) const ALL: [Self; 4] = [Self::Gateway, Self::Segmentation, Self::Satisfaction, Self::Churn];

    /// The name in commands, folders and metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Segmentation => "segmentation",
            Self::Satisfaction => "satisfaction",
            Self::Churn => "churn",
        }
    }

    /// How far its ports are from the gateway's.
    pub(crate) const fn offset(self) -> u16 {
        self as u16
    }
}

/// Every setting, read and judged.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The NATS server.
    pub(crate) nats_url: String,
    /// The stream's name.
    pub(crate) stream: String,
    /// Copies of each event.
    pub(crate) replicas: usize,
    /// Whether the gateway may create the stream.
    pub(crate) provision: bool,
    /// Where gRPC is served.
    pub(crate) listen: SocketAddr,
    /// Where metrics are served.
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// The data folder.
    pub(crate) data: PathBuf,
    /// The rules.
    pub(crate) rules: Arc<Rules>,
    /// What a rebuild leaves to those who are served.
    pub(crate) bounds: Bounds,
    /// Customers a second that a projector scrubs.
    pub(crate) scrub_rate: u32,
    /// What is logged.
    pub(crate) log: Filter,
    /// Where clients find each process, in the order of [`Process::ALL`].
    endpoints: [String; 4],
    given: Vec<Given>,
}

impl Settings {
    /// Where clients find a process.
    pub(crate) fn endpoint(&self, process: Process) -> &str {
        &self.endpoints[process as usize]
    }

    /// Whether somebody gave this setting.
    pub(crate) fn is_given(&self, name: &str) -> bool {
        self.given.iter().any(|one| one.spec.name == name && one.origin != Origin::Default)
    }

    /// Resolves the settings for a process, or says everything that is wrong.
    pub(crate) fn resolve(flags: &Flags, process: Process) -> Result<Self, Mistakes> {
        Self::resolve_in(flags, process, &|name| std::env::var(name).ok())
    }

    fn resolve_in(flags: &Flags, process: Process, environment: gather::Environment<'_>) -> Result<Self, Mistakes> {
        let mut mistakes = Vec::new();
        let mut given = gather::gather(flags, environment, &mut mistakes);
        adjust_defaults(&mut given, process);
        let settings = Self::read(given, &mut mistakes);
        settings.filter(|_| mistakes.is_empty()).ok_or(Mistakes(mistakes))
    }

    fn read(given: Vec<Given>, mistakes: &mut Vec<Mistake>) -> Option<Self> {
        let mut reader = Reader { given: &given, mistakes };
        // All are read before the first `?`, so that all mistakes are noted.
        let (nats_url, stream) = (reader.read("nats_url", parse::nats_url), reader.read("stream", parse::stream));
        let (replicas, provision) = (reader.read("replicas", parse::replicas), reader.read("provision", parse::flag));
        let listen = reader.read("listen", parse::address);
        let metrics_listen = reader.read("metrics_listen", parse::address_or_off);
        let (data, rules) = (reader.read("data", parse::folder), reader.read("rules", parse::rules));
        let lag = reader.read("rebuild_max_lag", parse::millis);
        let p99 = reader.read("rebuild_max_p99", parse::millis);
        let scrub_rate = reader.read("scrub_rate", parse::scrub_rate);
        let log = reader.read("log", parse::log_filter);
        let endpoints = Process::ALL.map(|process| reader.read(process.name(), parse::endpoint));
        let [Some(gateway), Some(segmentation), Some(satisfaction), Some(churn)] = endpoints else { return None };
        Some(Self {
            nats_url: nats_url?,
            stream: stream?,
            replicas: replicas?,
            provision: provision?,
            listen: listen?,
            metrics_listen: metrics_listen?,
            data: data?,
            rules: rules?,
            bounds: Bounds { lag: lag?, p99: p99? },
            scrub_rate: scrub_rate?,
            log: log?,
            endpoints: [gateway, segmentation, satisfaction, churn],
            given,
        })
    }
}

/// Defaults that depend on the process, and on what a running `lifefold up` has announced.
fn adjust_defaults(given: &mut [Given], process: Process) {
    let text_of = |given: &[Given], name| given.iter().find(|one| one.spec.name == name).map(|one| one.text.clone());
    let folder = text_of(given, "data").unwrap_or_default();
    let announced = announcement::read(Path::new(&folder));
    for one in given.iter_mut().filter(|one| one.origin == Origin::Default) {
        match one.spec.name {
            "listen" | "metrics_listen" => one.text = moved(&one.text, process.offset()),
            "data" if process != Process::Gateway => one.text = format!("{}/{}", one.text, process.name()),
            name => announce(one, announced.as_ref().and_then(|it| it.url(name)), &folder),
        }
    }
}

fn announce(one: &mut Given, endpoint: Option<String>, folder: &str) {
    if let Some(text) = endpoint {
        one.text = text;
        one.origin = Origin::Announced(Announcement::path(Path::new(folder)));
    }
}

fn moved(address: &str, offset: u16) -> String {
    match address.parse::<SocketAddr>() {
        Ok(found) => SocketAddr::new(found.ip(), found.port() + offset).to_string(),
        Err(_) => address.to_owned(),
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake(String);

impl Mistake {
    fn of_value(given: &Given, expected: String) -> Self {
        Self(format!("{} = {:?} ({}): {expected}", given.spec.name, show::masked(given), given.origin))
    }

    fn of_file(path: &Path, message: String) -> Self {
        Self(format!("file {}: {message}", path.display()))
    }
}

/// Everything that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistakes(Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("a setting is wrong")?,
            many => write!(f, "{many} settings are wrong")?,
        }
        self.0.iter().try_for_each(|Mistake(text)| write!(f, "\n  {text}"))
    }
}

impl std::error::Error for Mistakes {}
