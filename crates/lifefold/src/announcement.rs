//! `endpoints.json`: where a running `lifefold up` listens, for client commands and tests.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::client::tell;

const FILE: &str = "endpoints.json";

/// What `lifefold up` announces in its data folder while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Announcement {
    /// gRPC of the gateway.
    pub(crate) gateway: SocketAddr,
    /// gRPC of the projector of this view.
    pub(crate) segmentation: SocketAddr,
    /// gRPC of the projector of this view.
    pub(crate) satisfaction: SocketAddr,
    /// gRPC of the projector of this view.
    pub(crate) churn: SocketAddr,
    /// Prometheus, of all of them.
    pub(crate) metrics: Option<SocketAddr>,
    /// The NATS server, without a password.
    pub(crate) nats_url: String,
    /// The process.
    pub(crate) pid: u32,
    /// Its nats-server, if it started one.
    pub(crate) nats_pid: Option<u32>,
}

impl Announcement {
    /// The file in a data folder.
    pub(crate) fn path(folder: &Path) -> PathBuf {
        folder.join(FILE)
    }

    /// The value of a setting that says where a process is found.
    pub(crate) fn url(&self, setting: &str) -> Option<String> {
        let address = match setting {
            "gateway" => self.gateway,
            "segmentation" => self.segmentation,
            "satisfaction" => self.satisfaction,
            "churn" => self.churn,
            _ => return None,
        };
        Some(format!("http://{address}"))
    }

    /// Says it to people.
    pub(crate) fn tell(&self) {
        let nats = self.nats_pid.map_or_else(String::new, |pid| format!(" (process {pid})"));
        tell(&format!("nats-server   {}{nats}", self.nats_url));
        tell(&format!("gateway       http://{}", self.gateway));
        tell(&format!("segmentation  http://{}", self.segmentation));
        tell(&format!("satisfaction  http://{}", self.satisfaction));
        tell(&format!("churn         http://{}", self.churn));
        if let Some(metrics) = self.metrics {
            tell(&format!("metrics       http://{metrics}/metrics"));
        }
    }

    /// Writes the file, whole or not at all.
    pub(crate) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let (path, text) = (Self::path(folder), serde_json::to_vec_pretty(self));
        let written = text.map_err(std::io::Error::from).and_then(|text| view_store::replace(&path, &text));
        written.with_context(|| format!("cannot write {}", path.display()))
    }
}

/// What is announced in a folder, if anything readable is.
pub(crate) fn read(folder: &Path) -> Option<Announcement> {
    serde_json::from_slice(&std::fs::read(Announcement::path(folder)).ok()?).ok()
}

/// Takes the announcement back.
pub(crate) fn withdraw(folder: &Path) {
    // Nothing is there to take back, or nobody can be told any more.
    std::fs::remove_file(Announcement::path(folder)).ok();
}
