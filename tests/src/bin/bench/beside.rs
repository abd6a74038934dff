//! Live questions beside a rebuild: how long they take at a fixed rate, without a rebuild and with one under way.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use api::v1;
use tests::{Clients, View};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use touchpoint::CustomerId;

use crate::Scale;
use crate::corpus::{CUSTOMERS, Corpus};
use crate::log::Running;
use crate::rebuild::{durable, serves};
use crate::sample::percentile;
use crate::table::{Row, Table, seconds};

/// Clients, each with a connection of its own.
const CLIENTS: u64 = 8;
/// Questions a second of all clients together.
const RATE: u64 = 2_000;
/// How long they are asked without a rebuild.
const ALONE: Duration = Duration::from_secs(5);
/// Rebuilds that questions are asked beside.
const REBUILDS: usize = 3;
/// How much longer 99 of 100 answers may take at most.
const TARGET: f64 = 3.0;

/// Measures it.
pub(crate) fn run(scale: Scale) -> Result<Vec<Table>> {
    let corpus = Corpus::new(scale.of(CUSTOMERS));
    tokio::runtime::Runtime::new().context("a runtime")?.block_on(measure(&corpus))
}

async fn measure(corpus: &Corpus) -> Result<Vec<Table>> {
    let running = Running::start().await?;
    running.append(&corpus.entries).await?;
    let last = running.log.last().await?;
    let mut churn = running.machine.projector(View::Churn);
    let address = tokio::task::block_in_place(|| churn.address());
    let clients = Clients::of(address);
    clients.serving(View::Churn.service()).await;
    clients.reached(last.0).await;
    let askers: Vec<_> = (0..CLIENTS).map(|_| Clients::of(address)).collect();
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..REBUILDS {
        let for_a_while = async {
            tokio::time::sleep(ALONE).await;
            Ok(())
        };
        alone.extend(asked(&askers, corpus, for_a_while).await?);
        clients.projector().rebuild(v1::RebuildRequest::default()).await?;
        beside.extend(asked(&askers, corpus, serves(&clients)).await?);
        durable(&clients).await?;
    }
    let title = format!("Live questions beside a rebuild: {}, {RATE} GetRisk/s, {REBUILDS} rebuilds", corpus.about());
    let mut table = Table::new(title);
    let of = |samples: &[f64], share| percentile(samples, share);
    for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
        let (before, during) = (of(&alone, share), of(&beside, share));
        let row = Row::new(format!("during a rebuild: {name}"), seconds(during));
        let row = row.beside(format!("{} without", seconds(before)), during / before);
        table.add(if name == "p99" { row.target(format!("≤ {TARGET}"), during / before <= TARGET) } else { row });
    }
    Ok(vec![table])
}

/// Asks at the rate until this is over; seconds from when each question was due to its answer.
async fn asked(askers: &[Clients], corpus: &Corpus, over: impl Future<Output = Result<()>>) -> Result<Vec<f64>> {
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut asking = JoinSet::new();
    for (number, clients) in askers.iter().cloned().enumerate() {
        let (customers, stopped) = (corpus.customers.clone(), stopped.clone());
        asking.spawn(async move { ask(clients, customers.into_iter().cycle().skip(number * 997), stopped).await });
    }
    over.await?;
    stop.send_replace(true);
    let mut latencies = Vec::new();
    while let Some(asked) = asking.join_next().await {
        latencies.extend(asked.context("a client failed")??);
    }
    ensure!(!latencies.is_empty(), "nothing was answered");
    Ok(latencies)
}

/// One client's questions. What is late is asked at once and counted from when it was due, so that a stall is seen.
async fn ask(
    clients: Clients,
    customers: impl Iterator<Item = CustomerId>,
    stopped: tokio::sync::watch::Receiver<bool>,
) -> Result<Vec<f64>> {
    let mut ticks = interval(Duration::from_secs(CLIENTS) / u32::try_from(RATE)?);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut latencies = Vec::new();
    for customer in customers {
        if *stopped.borrow() {
            break;
        }
        let due: Instant = ticks.tick().await.into();
        let request = v1::GetRiskRequest { customer_id: customer.to_string(), query: None };
        match clients.churn().get_risk(request).await {
            // A customer who was erased is not found, which is an answer too.
            Ok(_) => {}
            Err(status) if status.code() == tonic::Code::NotFound => {}
            Err(status) => return Err(status).context("a question"),
        }
        latencies.push(due.elapsed().as_secs_f64());
    }
    Ok(latencies)
}
