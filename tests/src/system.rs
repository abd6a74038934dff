//! Everything that runs in production, on one machine: gateway and three projectors.

use std::net::SocketAddr;

use tokio::sync::watch;

use crate::clients::Clients;
use crate::machine::{Machine, View};
use crate::service::Service;

/// A gateway and the projector of every view.
#[derive(Debug)]
pub struct System {
    /// The gateway.
    pub gateway: Service,
    /// The projectors, in the order of [`View::ALL`].
    pub projectors: [Service; 3],
    // Dropped last: the services run on it.
    /// The machine.
    pub machine: Machine,
}

impl System {
    /// Starts everything, and waits until it serves.
    pub async fn start() -> Self {
        let machine = Machine::start();
        let mut system =
            Self { gateway: machine.gateway(), projectors: View::ALL.map(|it| machine.projector(it)), machine };
        system.serving().await;
        system
    }

    /// Waits until everything serves.
    pub async fn serving(&mut self) {
        self.writer().serving("lifefold.v1.TouchpointService").await;
        for view in View::ALL {
            self.reader(view).serving(view.service()).await;
        }
    }

    /// Clients of the gateway as it runs now.
    pub fn writer(&mut self) -> Clients {
        Clients::of(self.gateway.address())
    }

    /// Where the gateway listens now, for callers that follow it when it moves.
    pub fn gateway_listens(&mut self) -> watch::Receiver<SocketAddr> {
        watch::channel(self.gateway.address()).1
    }

    /// Clients of the projector of a view as it runs now.
    pub fn reader(&mut self, view: View) -> Clients {
        Clients::of(self.projector(view).address())
    }

    /// The projector of a view.
    pub fn projector(&mut self, view: View) -> &mut Service {
        &mut self.projectors[view as usize]
    }

    /// No process has panicked since it was first started.
    ///
    /// # Panics
    /// If one has.
    pub fn never_panicked(&self) {
        self.gateway.never_panicked();
        self.projectors.iter().for_each(Service::never_panicked);
    }
}
