//! Rebuilding a view from the log with the real process, beside a reader of the same log that only counts.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use api::v1;
use api::v1::RebuildPhase;
use futures::StreamExt;
use tests::{Clients, View};
use touchpoint::Position;

use crate::Scale;
use crate::corpus::{CUSTOMERS, Corpus};
use crate::host;
use crate::log::Running;
use crate::sample::median;
use crate::table::{Row, Table, bytes, rate};

const VIEWS: [View; 3] = [View::Segmentation, View::Satisfaction, View::Churn];
/// How often a rebuild is asked whether it serves.
const POLL: Duration = Duration::from_millis(20);

/// How large the log is, and what is wanted.
struct Size {
    customers: u64,
    /// Runs of which the median is taken.
    rounds: usize,
    /// Of the rate of a reader that only counts.
    target: f64,
}

/// A log of 1 M events.
const SMALL: Size = Size { customers: CUSTOMERS, rounds: 3, target: 0.7 };
/// A log of 5 M events.
const LARGE: Size = Size { customers: 5 * CUSTOMERS, rounds: 3, target: 0.8 };

/// Rates of one view, one of each round: of the reader that only counts, right before; from an empty store to serving;
/// of a rebuild beside the serving generation until it serves, and is durable. And the most memory that its process had,
/// in bytes.
#[derive(Default)]
struct Measured {
    count: Vec<f64>,
    first: Vec<f64>,
    again: Vec<f64>,
    durable: Vec<f64>,
    peak: Vec<f64>,
}

/// Measures it with 1 M events.
pub(crate) fn run(scale: Scale) -> Result<Vec<Table>> {
    start(scale, &SMALL)
}

/// Measures it with 5 M events.
pub(crate) fn run_large(scale: Scale) -> Result<Vec<Table>> {
    start(scale, &LARGE)
}

fn start(scale: Scale, size: &Size) -> Result<Vec<Table>> {
    let corpus = Corpus::new(scale.of(size.customers));
    tokio::runtime::Runtime::new().context("a runtime")?.block_on(measure(&corpus, size))
}

async fn measure(corpus: &Corpus, size: &Size) -> Result<Vec<Table>> {
    let running = Running::start().await?;
    running.append(&corpus.entries).await?;
    let last = running.log.last().await?;
    let mut views: [Measured; 3] = Default::default();
    for round in 0..size.rounds {
        for (view, measured) in VIEWS.into_iter().zip(&mut views) {
            eprintln!("  round {} of {}: {}", round + 1, size.rounds, view.name());
            measured.count.push(counted(&running, last).await?);
            build(&running, view, round, last, measured).await?;
        }
    }
    let title = format!("Rebuild from the log: {}, median of {} rounds", corpus.about(), size.rounds);
    let mut table = Table::new(title);
    let counts: Vec<_> = views.iter().flat_map(|measured| &measured.count).copied().collect();
    table.add(Row::new("reader that only counts", rate(median(&counts))));
    for (view, measured) in VIEWS.into_iter().zip(&views) {
        add(&mut table, view, measured, size.target);
    }
    Ok(vec![table])
}

/// A ratio is of one round, so that a machine that is slower for a while is so for both; the median of these.
fn add(table: &mut Table, view: View, measured: &Measured, target: f64) {
    let row = |what: &str, built: &[f64]| {
        let ratios: Vec<_> = built.iter().zip(&measured.count).map(|(built, count)| built / count).collect();
        let count = format!("{} count", rate(median(&measured.count)));
        let row = Row::new(format!("{}: {what}", view.name()), rate(median(built)));
        (row.beside(count, median(&ratios)), median(&ratios))
    };
    for (what, built) in [("empty store to serving", &measured.first), ("Rebuild, until it serves", &measured.again)] {
        let (row, ratio) = row(what, built);
        table.add(row.target(format!("≥ {target}"), ratio >= target));
    }
    table.add(row("Rebuild, until durable", &measured.durable).0);
    table.add(Row::new(format!("{}: most memory", view.name()), bytes(median(&measured.peak))));
}

/// Events a second of a reader that looks at nothing.
pub(crate) async fn counted(running: &Running, last: Position) -> Result<f64> {
    let begun = Instant::now();
    let mut reader = running.log.replay(Position(1), last);
    let mut seen = 0;
    while let Some(batch) = reader.next().await {
        seen += batch?.entries.len();
    }
    ensure!(seen as u64 == last.0, "the reader counted {seen} of {last}");
    Ok(seen as f64 / begun.elapsed().as_secs_f64())
}

/// A new process with an empty store folds the log, evaluates every customer and serves; then it does so once more.
async fn build(running: &Running, view: View, round: usize, last: Position, measured: &mut Measured) -> Result<()> {
    let name = format!("{}-{round}", view.name());
    let store = running.machine.folder().join(&name);
    let begun = Instant::now();
    let mut projector = running.machine.projector_on(&name, view, &store);
    let clients = Clients::of(tokio::task::block_in_place(|| projector.address()));
    clients.serving(view.service()).await;
    measured.first.push(last.0 as f64 / begun.elapsed().as_secs_f64());
    let serving = clients.reached(last.0).await;
    // A rebuild beside a first commit would measure both.
    clients.kept(last.0).await;
    let begun = Instant::now();
    let generation = clients.projector().rebuild(v1::RebuildRequest::default()).await?.into_inner().generation;
    serves(&clients).await?;
    measured.again.push(last.0 as f64 / begun.elapsed().as_secs_f64());
    durable(&clients).await?;
    measured.durable.push(last.0 as f64 / begun.elapsed().as_secs_f64());
    let rebuilt = clients.reached(last.0).await;
    ensure!(rebuilt.generation == generation, "{name}: another generation serves");
    ensure!(rebuilt.digest == serving.digest, "{name}: the rebuild has another digest");
    measured.peak.push(host::peak(projector.pid())? as f64);
    projector.terminate();
    tokio::task::block_in_place(|| projector.wait());
    Ok(())
}

/// Waits until the new generation of a rebuild serves.
pub(crate) async fn serves(clients: &Clients) -> Result<()> {
    is_in(clients, &[RebuildPhase::Saving, RebuildPhase::Switched]).await
}

/// Waits until the new generation of a rebuild is durable, too.
pub(crate) async fn durable(clients: &Clients) -> Result<()> {
    is_in(clients, &[RebuildPhase::Switched]).await
}

/// Waits until the rebuild is in one of these phases.
async fn is_in(clients: &Clients, wanted: &[RebuildPhase]) -> Result<()> {
    loop {
        let rebuild = clients.rebuilds().get_rebuild(v1::GetRebuildRequest {}).await?.into_inner();
        ensure!(rebuild.phase() != RebuildPhase::GivenUp, "the rebuild was given up: {}", rebuild.message);
        ensure!(rebuild.phase() != RebuildPhase::Differs, "the rebuild differs: {}", rebuild.message);
        if wanted.contains(&rebuild.phase()) {
            return Ok(());
        }
        tokio::time::sleep(POLL).await;
    }
}
