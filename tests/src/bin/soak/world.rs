//! Everything that runs: nats-server, the gateway, the three projectors, each at an address that it keeps, each with a way
//! of its own to nats-server.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tests::{Clients, Machine, Service, View};

use crate::floors::Floors;
use crate::proxy::{Proxy, Way};

/// How long a process may take to go down.
const DOWN_WITHIN: Duration = Duration::from_secs(10);
/// Ports that no outgoing connection takes while a service is down.
const PORTS: std::ops::Range<u16> = 15_000..30_000;
/// Ports that one soak looks at before it comes to those of the next.
const PORTS_EACH: u32 = 16;
/// Customers a second: a round is soon over.
const SCRUB_RATE: &str = "100";

/// What every line about an error says.
const ERROR: &str = r#""level":"ERROR""#;
/// The client library calls every connection an error that does not come about.
const OF_LIBRARY: &str = r#""target":"async_nats"#;

/// A service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The gateway.
    Gateway,
    /// The projector of a view.
    Projector(View),
}

impl Part {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [
        Self::Gateway,
        Self::Projector(View::Segmentation),
        Self::Projector(View::Satisfaction),
        Self::Projector(View::Churn),
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Projector(view) => view.name(),
        }
    }

    /// What health is asked about.
    const fn service(self) -> &'static str {
        match self {
            Self::Gateway => "lifefold.v1.TouchpointService",
            Self::Projector(view) => view.service(),
        }
    }
}

/// One service as it runs here.
struct Seat {
    part: Part,
    service: Service,
    proxy: Proxy,
    clients: Clients,
}

/// Everything that runs.
pub(crate) struct World {
    seats: Vec<Seat>,
    /// Positions that were answered.
    pub(crate) floors: Floors,
    // Dropped last: the services run on it.
    pub(crate) machine: Machine,
}

impl World {
    /// Starts everything.
    pub(crate) async fn start() -> Self {
        let machine = Machine::start();
        let mut seats = Vec::new();
        for (part, address) in Part::ALL.into_iter().zip(free_addresses()) {
            let proxy = Proxy::start(machine.nats.port()).await;
            let service = service(part, &machine, &proxy, address);
            seats.push(Seat { part, service, proxy, clients: Clients::of(address) });
        }
        let mut world = Self { seats, floors: Floors::default(), machine };
        Part::ALL.into_iter().for_each(|part| world.start_again(part));
        world.serving().await;
        world
    }

    fn seat(&self, part: Part) -> &Seat {
        &self.seats[index(part)]
    }

    /// Clients of a service.
    pub(crate) fn clients(&self, part: Part) -> Clients {
        self.seat(part).clients.clone()
    }

    /// Clients of the gateway.
    pub(crate) fn gateway(&self) -> Clients {
        self.clients(Part::Gateway)
    }

    /// Clients of the projector of a view.
    pub(crate) fn reader(&self, view: View) -> Clients {
        self.clients(Part::Projector(view))
    }

    /// The way of a service to nats-server.
    pub(crate) fn proxy(&self, part: Part) -> &Proxy {
        &self.seat(part).proxy
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self, part: Part) {
        self.seats[index(part)].service.kill();
    }

    /// SIGTERM, to the end.
    ///
    /// # Panics
    /// If it does not end well, or not in time.
    pub(crate) fn terminate(&mut self, part: Part) {
        let service = &mut self.seats[index(part)].service;
        if service.pid().is_none() {
            return;
        }
        // Before it listens nobody has told it what a signal means.
        service.address();
        let begun = Instant::now();
        service.terminate();
        let status = service.wait();
        assert!(status.success(), "{} ended with {status} after SIGTERM", part.name());
        assert!(begun.elapsed() < DOWN_WITHIN, "{} took {:?} to go down", part.name(), begun.elapsed());
    }

    /// Starts a service unless it runs.
    ///
    /// # Panics
    /// If it ended by itself.
    pub(crate) fn start_again(&mut self, part: Part) {
        let service = &mut self.seats[index(part)].service;
        if let Some(status) = service.ended() {
            panic!("{} ended by itself: {status}", part.name());
        }
        if service.pid().is_none() {
            service.start();
        }
    }

    /// Everything runs, and all ways are open.
    ///
    /// # Panics
    /// If something ended by itself.
    pub(crate) fn heal(&mut self) {
        if self.machine.nats.pid().is_none() {
            self.machine.nats.restart().unwrap_or_else(|error| panic!("nats-server: {error}"));
        }
        for part in Part::ALL {
            self.proxy(part).set(Way::Open);
            self.start_again(part);
        }
    }

    /// Waits until everything serves.
    pub(crate) async fn serving(&self) {
        for seat in &self.seats {
            seat.clients.serving(seat.part.service()).await;
        }
    }

    /// Looks for panics in everything that was logged.
    ///
    /// # Panics
    /// If there is one.
    pub(crate) fn never_panicked(&self) {
        self.seats.iter().for_each(|seat| seat.service.never_panicked());
    }

    /// No process has logged an error: nothing that is done here is one.
    ///
    /// # Panics
    /// With the first one.
    pub(crate) fn never_complained(&self) {
        for (file, output) in self.seats.iter().flat_map(|seat| seat.service.outputs()) {
            let error = output.lines().find(|line| line.contains(ERROR) && !line.contains(OF_LIBRARY));
            assert!(error.is_none(), "{}: {error:?}", file.display());
        }
    }

    /// Stops everything, and leaves the folder with all logs and stores.
    pub(crate) fn keep(mut self) -> PathBuf {
        self.seats.iter_mut().for_each(|seat| seat.service.kill());
        self.machine.keep()
    }
}

fn index(part: Part) -> usize {
    match part {
        Part::Gateway => 0,
        Part::Projector(view) => 1 + view as usize,
    }
}

fn service(part: Part, machine: &Machine, proxy: &Proxy, address: SocketAddr) -> Service {
    let (listen, url) = (address.to_string(), proxy.url());
    let mut arguments: Vec<String> = match part {
        Part::Gateway => vec!["gateway".to_owned(), "--provision".to_owned()],
        Part::Projector(view) => projector(view, &machine.store(view)),
    };
    let common = ["--listen", &listen, "--metrics-listen", "off", "--nats-url", &url];
    arguments.extend(common.map(str::to_owned));
    Service::new(part.name(), machine.folder(), arguments)
}

fn projector(view: View, store: &Path) -> Vec<String> {
    let store = store.to_string_lossy().into_owned();
    ["projector", view.name(), "--data", &store, "--scrub-rate", SCRUB_RATE].map(str::to_owned).to_vec()
}

fn free_addresses() -> Vec<SocketAddr> {
    // Several soaks begin at the same time, and have numbers that follow each other.
    let own = std::process::id().wrapping_mul(PORTS_EACH) % u32::from(PORTS.end - PORTS.start);
    let from = PORTS.start + own as u16;
    let ports = (from..PORTS.end).chain(PORTS.start..from);
    let listeners = ports.filter_map(|port| TcpListener::bind(("127.0.0.1", port)).ok());
    // All are held until the last is found, so that none is found twice.
    let held: Vec<_> = listeners.take(Part::ALL.len()).collect();
    let addresses: Vec<_> = held.iter().filter_map(|listener| listener.local_addr().ok()).collect();
    assert_eq!(addresses.len(), Part::ALL.len(), "no free ports in {PORTS:?}");
    addresses
}
