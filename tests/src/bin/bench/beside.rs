//! Live events and questions beside a rebuild, and beside replays at full speed: how long they take at a fixed rate,
//! without and with.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use api::v1;
use projector::LowPriorityThreads;
use tests::{Clients, View};
use tokio::sync::mpsc;
use tokio::sync::watch::{Receiver, channel};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use touchpoint::CustomerId;

use crate::Scale;
use crate::corpus::{CUSTOMERS, Corpus};
use crate::freshness::read_after_record;
use crate::log::Running;
use crate::rebuild::{durable, serves};
use crate::sample::percentile;
use crate::table::{Row, Table, rate, seconds};

/// Clients, each with a connection of its own.
const CLIENTS: u64 = 8;
/// Questions a second of all clients together.
const RATE: u64 = 2_000;
/// Events a second that are recorded meanwhile, each of a new customer.
const EVENTS_RATE: u32 = 100;
/// How long they are asked without a rebuild.
const ALONE: Duration = Duration::from_secs(5);
/// How often it is measured without and with.
const ROUNDS: usize = 3;
/// Replays of the whole log, again and again, that questions are asked beside.
const REPLAYS: usize = 4;
/// How much longer 99 of 100 answers may take at most.
const TARGET: f64 = 3.0;

/// Who is served meanwhile.
struct Live<'a> {
    askers: Vec<Clients>,
    customers: &'a [CustomerId],
    gateway: Clients,
    /// Customers who were recorded.
    recorded: AtomicU64,
}

/// How long that took, in seconds.
#[derive(Default)]
struct Took {
    /// From when a question was due to its answer.
    answers: Vec<f64>,
    /// From Record's answer to that of the view, which has the event.
    fresh: Vec<f64>,
}

/// Measures it beside rebuilds.
pub(crate) fn run(scale: Scale) -> Result<Vec<Table>> {
    start(scale, false)
}

/// Measures it beside replays.
pub(crate) fn run_replays(scale: Scale) -> Result<Vec<Table>> {
    start(scale, true)
}

fn start(scale: Scale, replays: bool) -> Result<Vec<Table>> {
    let corpus = Corpus::new(scale.of(CUSTOMERS));
    tokio::runtime::Runtime::new().context("a runtime")?.block_on(measure(&corpus, replays))
}

async fn measure(corpus: &Corpus, replays: bool) -> Result<Vec<Table>> {
    let mut running = Running::start().await?;
    running.append(&corpus.entries).await?;
    let last = running.log.last().await?;
    let mut churn = running.machine.projector(View::Churn);
    let [address, gateway_address] = tokio::task::block_in_place(|| [churn.address(), running.gateway.address()]);
    let clients = Clients::of(address);
    clients.serving(View::Churn.service()).await;
    clients.reached(last.0).await;
    let askers = (0..CLIENTS).map(|_| Clients::of(address)).collect();
    let (customers, gateway) = (&corpus.customers[..], Clients::of(gateway_address));
    let live = Live { askers, customers, gateway, recorded: AtomicU64::new(0) };
    let events = Arc::new(AtomicU64::new(0));
    let (mut alone, mut beside) = (Took::default(), Took::default());
    for _ in 0..ROUNDS {
        let for_a_while = async {
            tokio::time::sleep(ALONE).await;
            Ok(())
        };
        alone.add(live.until(for_a_while).await?);
        if replays {
            beside.add(live.until(replayed(gateway_address, &events)).await?);
            continue;
        }
        clients.projector().rebuild(v1::RebuildRequest::default()).await?;
        beside.add(live.until(serves(&clients)).await?);
        durable(&clients).await?;
    }
    let what = if replays { format!("{REPLAYS} replays") } else { "a rebuild".to_owned() };
    let title =
        format!("Beside {what}: {}, {RATE} GetRisk/s and {EVENTS_RATE} events/s, {ROUNDS} rounds", corpus.about());
    let mut table = Table::new(title);
    add(&mut table, "GetRisk", [&alone.answers, &beside.answers], !replays);
    add(&mut table, "Record's answer to the view", [&alone.fresh, &beside.fresh], false);
    if replays {
        let replayed = events.load(Ordering::Relaxed) as f64 / (ALONE * ROUNDS as u32).as_secs_f64();
        table.add(Row::new("replayed by all together", rate(replayed)));
    }
    Ok(vec![table])
}

fn add(table: &mut Table, what: &str, [alone, beside]: [&[f64]; 2], has_target: bool) {
    for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
        let [before, during] = [alone, beside].map(|samples| percentile(samples, share));
        let row = Row::new(format!("{what}: {name}"), seconds(during));
        let row = row.beside(format!("{} without", seconds(before)), during / before);
        let is_bound = has_target && name == "p99";
        table.add(if is_bound { row.target(format!("≤ {TARGET}"), during / before <= TARGET) } else { row });
    }
}

/// Replays everything as fast as it comes, for a while, and counts what comes. The callers of replays would be other
/// machines: here they give way.
async fn replayed(gateway: SocketAddr, events: &Arc<AtomicU64>) -> Result<()> {
    let threads = LowPriorityThreads::start("replaying", REPLAYS).context("threads")?;
    let (failed, mut failure) = mpsc::channel(1);
    for _ in 0..REPLAYS {
        let (failed, events) = (failed.clone(), events.clone());
        threads.spawn(async move {
            let ended = replay_again_and_again(gateway, &events).await;
            failed.send(ended).await.ok();
        });
    }
    tokio::select! {
        () = tokio::time::sleep(ALONE) => Ok(()),
        Some(ended) = failure.recv() => ended.context("a replay"),
    }
}

async fn replay_again_and_again(gateway: SocketAddr, events: &AtomicU64) -> Result<()> {
    let gateway = Clients::of(gateway);
    loop {
        let request = v1::ReplayRequest { json_only: true, ..Default::default() };
        let mut replay = gateway.timelines().replay(request).await?.into_inner();
        while replay.message().await?.is_some() {
            events.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Took {
    fn add(&mut self, more: Self) {
        self.answers.extend(more.answers);
        self.fresh.extend(more.fresh);
    }
}

impl Live<'_> {
    /// Asks and records at the rates until this is over.
    async fn until(&self, over: impl Future<Output = Result<()>>) -> Result<Took> {
        let (stop, stopped) = channel(false);
        let mut asking = JoinSet::new();
        for (number, clients) in self.askers.iter().cloned().enumerate() {
            let (customers, stopped) = (self.customers.to_vec(), stopped.clone());
            asking.spawn(async move { ask(clients, customers.into_iter().cycle().skip(number * 997), stopped).await });
        }
        let over = async {
            let over = over.await;
            stop.send_replace(true);
            over
        };
        let ((), fresh) = tokio::try_join!(over, self.record(stopped))?;
        let mut answers = Vec::new();
        while let Some(asked) = asking.join_next().await {
            answers.extend(asked.context("a client failed")??);
        }
        ensure!(!answers.is_empty() && !fresh.is_empty(), "nothing was answered");
        Ok(Took { answers, fresh })
    }

    /// Records one new customer after the other, and asks for each.
    async fn record(&self, stopped: Receiver<bool>) -> Result<Vec<f64>> {
        let view = self.askers.first().context("a client")?;
        let mut ticks = interval(Duration::from_secs(1) / EVENTS_RATE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut fresh = Vec::new();
        while !*stopped.borrow() {
            ticks.tick().await;
            let number = self.recorded.fetch_add(1, Ordering::Relaxed);
            let customer = CustomerId::from_u128((1 << 100) + u128::from(number));
            fresh.push(read_after_record(View::Churn, &self.gateway, view, customer).await?);
        }
        Ok(fresh)
    }
}

/// One client's questions. What is late is asked at once and counted from when it was due, so that a stall is seen.
async fn ask(
    clients: Clients,
    customers: impl Iterator<Item = CustomerId>,
    stopped: Receiver<bool>,
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
