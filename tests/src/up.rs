//! `lifefold up` as a process.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::clients::Clients;
use crate::machine::View;
use crate::service::Service;
use crate::wait::until_sync;

/// `lifefold up` with everything on free ports.
#[derive(Debug)]
pub struct Up {
    /// The process.
    pub service: Service,
    data: PathBuf,
}

impl Up {
    /// Starts it on a data folder below `dir`, with these further arguments.
    pub fn start(dir: &Path, arguments: &[&str]) -> Self {
        let mut up = Self::new(dir, arguments);
        up.service.start();
        up
    }

    /// As [`Up::start`], but it does not run yet.
    pub fn new(dir: &Path, arguments: &[&str]) -> Self {
        let data = dir.join("data");
        let any = ["--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"];
        let all = ["up"].iter().chain(&any).chain(arguments).map(|&argument| argument.into());
        let all = all.chain(["--data".into(), data.clone().into_os_string()]);
        Self { service: Service::new("up", dir, all), data }
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Waits until it says that it is ready, and gives everything it has said.
    ///
    /// # Panics
    /// If it ends before.
    pub fn ready(&mut self) -> String {
        until_sync("`up` to be ready", || {
            let output = self.service.output();
            if let Some(status) = self.service.ended() {
                panic!("`up` ended ({status}):\n{output}");
            }
            output.contains("\nready;").then_some(output)
        })
    }

    /// What it announces in its data folder, while it does.
    pub fn announced(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&std::fs::read(self.data.join("endpoints.json")).ok()?).ok()
    }

    /// Clients of the gateway.
    pub fn gateway(&self) -> Clients {
        Clients::of(self.address("gateway"))
    }

    /// Clients of a projector.
    pub fn view(&self, view: View) -> Clients {
        Clients::of(self.address(view.name()))
    }

    /// Where something listens.
    ///
    /// # Panics
    /// If nothing is announced.
    pub fn address(&self, name: &str) -> SocketAddr {
        let announced = self.announced().unwrap_or_else(|| panic!("nothing is announced"));
        let address = announced[name].as_str().unwrap_or_else(|| panic!("no {name} in {announced}"));
        address.parse().unwrap_or_else(|error| panic!("{address}: {error}"))
    }
}
