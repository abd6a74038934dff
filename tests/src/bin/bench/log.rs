//! A machine with its own nats-server, and a log that is filled directly: raw atomic batches, no gateway.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use event_log::{Appender, Draft, Log, MAX_BATCH_EVENTS, Options};
use projector::Entry;
use tests::{Machine, Service};
use touchpoint::Event;

/// How long one batch may take.
const BATCH_WITHIN: Duration = Duration::from_secs(30);
/// How often a long write says how far it is.
const PROGRESS: Duration = Duration::from_secs(5);

/// A machine whose gateway has made the log.
pub(crate) struct Running {
    // Dropped first: it needs the server.
    pub(crate) gateway: Service,
    pub(crate) machine: Machine,
    pub(crate) log: Log,
}

impl Running {
    /// Starts it, and waits for the log.
    pub(crate) async fn start() -> Result<Self> {
        let machine = tokio::task::block_in_place(Machine::start);
        let mut gateway = machine.gateway();
        let address = tokio::task::block_in_place(|| gateway.address());
        tests::Clients::of(address).serving("lifefold.v1.TouchpointService").await;
        let log = Log::open(&Options::new(machine.nats.url())).await.context("the log")?;
        Ok(Self { gateway, machine, log })
    }

    /// Appends in batches of 1,000, one at a time; events a second.
    pub(crate) async fn append(&self, entries: &[Entry]) -> Result<f64> {
        let appender = Appender::start(self.log.clone());
        let begun = Instant::now();
        let mut told = begun;
        for (number, batch) in entries.chunks(MAX_BATCH_EVENTS).enumerate() {
            let drafts = batch.iter().map(draft).collect::<Result<Vec<_>>>()?;
            appender.append_all(drafts, tokio::time::Instant::now() + BATCH_WITHIN).await?;
            if told.elapsed() >= PROGRESS {
                eprintln!("  {} of {} events written", number * MAX_BATCH_EVENTS, entries.len());
                told = Instant::now();
            }
        }
        Ok(entries.len() as f64 / begun.elapsed().as_secs_f64())
    }
}

fn draft(entry: &Entry) -> Result<Draft> {
    let event = Event::decode(&entry.body).ok().context("an event of the corpus")?;
    Ok(Draft { customer: event.customer, event: event.id, body: entry.body.clone() })
}
