//! Rebuilding a view from the log with the real process, beside a reader of the same log that only counts.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use futures::StreamExt;
use tests::{Clients, View};
use touchpoint::Position;

use crate::Scale;
use crate::corpus::{CUSTOMERS, Corpus};
use crate::log::Running;
use crate::sample::median;
use crate::table::{Row, Table, rate};

/// Runs of which the median is taken.
const ROUNDS: usize = 3;
/// Of the rate of a reader that only counts.
const TARGET: f64 = 0.7;
const VIEWS: [View; 3] = [View::Segmentation, View::Satisfaction, View::Churn];

/// Rates of one view: from an empty store to serving, and of a rebuild beside the serving generation.
#[derive(Default)]
struct Rates {
    first: Vec<f64>,
    again: Vec<f64>,
}

/// Measures it.
pub(crate) fn run(scale: Scale) -> Result<Vec<Table>> {
    let corpus = Corpus::new(scale.of(CUSTOMERS));
    tokio::runtime::Runtime::new().context("a runtime")?.block_on(measure(&corpus))
}

async fn measure(corpus: &Corpus) -> Result<Vec<Table>> {
    let running = Running::start().await?;
    running.append(&corpus.entries).await?;
    let last = running.log.last().await?;
    let mut counts = Vec::new();
    let mut rates: [Rates; 3] = Default::default();
    for round in 0..ROUNDS {
        for (view, rates) in VIEWS.into_iter().zip(&mut rates) {
            eprintln!("  round {} of {ROUNDS}: {}", round + 1, view.name());
            counts.push(counted(&running, last).await?);
            build(&running, view, round, last, rates).await?;
        }
    }
    let count = median(&counts);
    let title = format!("Rebuild from the log: {}, median of {ROUNDS} rounds", corpus.about());
    let mut table = Table::new(title);
    table.add(Row::new("reader that only counts", rate(count)));
    for (view, Rates { first, again }) in VIEWS.into_iter().zip(&rates) {
        for (what, built) in [("empty store to serving", median(first)), ("Rebuild, until durable", median(again))] {
            let row = Row::new(format!("{}: {what}", view.name()), rate(built));
            let row = row.beside(format!("{} count", rate(count)), built / count);
            table.add(row.target(format!("≥ {TARGET}"), built / count >= TARGET));
        }
    }
    Ok(vec![table])
}

/// Events a second of a reader that looks at nothing.
async fn counted(running: &Running, last: Position) -> Result<f64> {
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
async fn build(running: &Running, view: View, round: usize, last: Position, rates: &mut Rates) -> Result<()> {
    let name = format!("{}-{round}", view.name());
    let store = running.machine.folder().join(&name);
    let begun = Instant::now();
    let mut projector = running.machine.projector_on(&name, view, &store);
    let clients = Clients::of(tokio::task::block_in_place(|| projector.address()));
    clients.serving(view.service()).await;
    rates.first.push(last.0 as f64 / begun.elapsed().as_secs_f64());
    let serving = clients.reached(last.0).await;
    let begun = Instant::now();
    let rebuilt = clients.rebuilt().await;
    rates.again.push(last.0 as f64 / begun.elapsed().as_secs_f64());
    ensure!(rebuilt.digest == serving.digest, "{name}: the rebuild has another digest");
    projector.terminate();
    tokio::task::block_in_place(|| projector.wait());
    Ok(())
}
