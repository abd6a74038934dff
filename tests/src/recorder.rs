//! Callers that record without pause and note what was acknowledged, while a test breaks things under them.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use api::v1;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::{Code, Status};
use touchpoint::{CustomerId, EventId, Timestamp};

use crate::clients::Clients;
use crate::events::visit;
use crate::wait::{PATIENCE, until};

/// Events of one customer.
const EVENTS_EACH: u128 = 3;

/// Pause before an event is sent again.
const AGAIN: Duration = Duration::from_millis(20);
/// What a caller hears while a process is down; anything else is a wrong answer.
const MAY_PASS: [Code; 4] = [Code::Unavailable, Code::Unknown, Code::Cancelled, Code::DeadlineExceeded];

/// An event that the gateway said is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledged {
    /// Whose it is.
    pub customer: CustomerId,
    /// Its id.
    pub event: EventId,
    /// Where the gateway said it stands.
    pub position: u64,
}

/// Several callers, each recording one event after the other and sending an event again until it is acknowledged.
#[derive(Debug)]
pub struct Recorder {
    callers: JoinSet<()>,
    gateway: watch::Sender<SocketAddr>,
    stop: watch::Sender<bool>,
    done: Arc<Mutex<Vec<Acknowledged>>>,
}

impl Recorder {
    /// Starts so many callers; every event occurs at `at`.
    pub fn start(callers: u128, gateway: SocketAddr, at: Timestamp) -> Self {
        let (gateway, _) = watch::channel(gateway);
        let (stop, _) = watch::channel(false);
        let done = Arc::new(Mutex::new(Vec::new()));
        let mut set = JoinSet::new();
        for caller in 0..callers {
            set.spawn(record(caller, at, gateway.subscribe(), stop.subscribe(), done.clone()));
        }
        Self { callers: set, gateway, stop, done }
    }

    /// The gateway listens somewhere else now.
    pub fn gateway_moved(&self, address: SocketAddr) {
        self.gateway.send_replace(address);
    }

    fn count(&self) -> usize {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Waits until so many more events are acknowledged.
    pub async fn more(&self, events: usize) {
        let wanted = self.count() + events;
        until(&format!("{wanted} acknowledged events"), async || (self.count() >= wanted).then_some(())).await;
    }

    /// Ends the callers, each after the event that it is about, and gives what was acknowledged.
    ///
    /// # Panics
    /// If a caller panicked: an answer was wrong.
    pub async fn stop(mut self) -> Vec<Acknowledged> {
        self.stop.send_replace(true);
        while let Some(ended) = self.callers.join_next().await {
            ended.unwrap_or_else(|error| panic!("a caller failed: {error}"));
        }
        std::mem::take(&mut *self.done.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn record(
    caller: u128,
    at: Timestamp,
    gateway: watch::Receiver<SocketAddr>,
    stop: watch::Receiver<bool>,
    done: Arc<Mutex<Vec<Acknowledged>>>,
) {
    for number in 0.. {
        if *stop.borrow() {
            return;
        }
        let customer = CustomerId::from_u128(caller << 64 | (number / EVENTS_EACH));
        let event = EventId::from_u128(caller << 64 | number);
        let position = acknowledged(&gateway, visit(customer, event, at)).await;
        done.lock().unwrap_or_else(PoisonError::into_inner).push(Acknowledged { customer, event, position });
    }
}

/// Sends one event until it is acknowledged.
async fn acknowledged(gateway: &watch::Receiver<SocketAddr>, touchpoint: v1::Touchpoint) -> u64 {
    let begun = Instant::now();
    let (mut address, mut clients) = (*gateway.borrow(), Clients::of(*gateway.borrow()));
    while begun.elapsed() < PATIENCE {
        if *gateway.borrow() != address {
            address = *gateway.borrow();
            clients = Clients::of(address);
        }
        let request = v1::RecordRequest { touchpoint: Some(touchpoint.clone()), expected_revision: None };
        match clients.touchpoints().record(request).await {
            Ok(answer) => return answer.into_inner().position,
            Err(status) => assert!(may_pass(&status), "{status}"),
        }
        tokio::time::sleep(AGAIN).await;
    }
    panic!("an event was not acknowledged within {PATIENCE:?}")
}

/// Whether a caller may hear this while things break: sending again may help.
pub fn may_pass(status: &Status) -> bool {
    MAY_PASS.contains(&status.code()) || is_cut(status)
}

/// The connection ended under the call. The client library calls some of that INTERNAL.
fn is_cut(status: &Status) -> bool {
    status.source().is_some_and(|source| source.is::<tonic::transport::Error>())
}
