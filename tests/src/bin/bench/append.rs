//! Durable appends through the gateway, beside raw atomic batches to the same server.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use api::v1;
use futures::StreamExt;
use projector::Entry;
use tests::{Clients, visit};
use tokio::task::JoinSet;
use touchpoint::{CustomerId, EventId};
use v1::import_response::Result as Answer;

use crate::corpus::Corpus;
use crate::log::Running;
use crate::sample::{median, percentile};
use crate::table::{Row, Table, count, rate, seconds};
use crate::{Scale, host};

/// Customers of the history that is written raw and imported, half each.
const CUSTOMERS: u64 = 50_000;
/// Rounds of raw batches and imports.
const ROUNDS: usize = 4;
const CALLERS: [u64; 3] = [1, 16, 256];
/// Connections that the callers share.
const CONNECTIONS: u64 = 16;
/// How long callers record.
const SECONDS: u64 = 10;

/// Measures it.
pub(crate) fn run(scale: Scale) -> Result<Vec<Table>> {
    let corpus = Corpus::new(scale.of(CUSTOMERS));
    let recording = Duration::from_millis(scale.of(SECONDS * 1_000));
    tokio::runtime::Runtime::new().context("a runtime")?.block_on(measure(&corpus, recording))
}

async fn measure(corpus: &Corpus, recording: Duration) -> Result<Vec<Table>> {
    let mut running = Running::start().await?;
    let gateway = tokio::task::block_in_place(|| running.gateway.address());
    let connections: Vec<Clients> = (0..CONNECTIONS).map(|_| Clients::of(gateway)).collect();
    let (mut raws, mut imports) = (Vec::new(), Vec::new());
    // In turn, so that a slow minute of the machine slows both.
    for part in corpus.entries.chunks(corpus.entries.len().div_ceil(2 * ROUNDS)).collect::<Vec<_>>().chunks(2) {
        let [raw, import] = part else { continue };
        raws.push(running.append(raw).await?);
        imports.push(imported(&connections[0], import).await?);
    }
    let (raw, import) = (median(&raws), median(&imports));
    let limit = format!("{} raw", rate(raw));
    let events = count((corpus.entries.len() / 2) as u64);
    let title = format!(
        "Durable appends ({events} events raw and imported, {} for the callers)",
        seconds(recording.as_secs_f64())
    );
    let mut table = Table::new(title);
    table.add(Row::new("raw atomic batches of 1 000, one at a time", rate(raw)));
    table.add(Row::new("Import, one stream", rate(import)).beside(limit.clone(), import / raw));
    for callers in CALLERS {
        let (per_second, latencies) = record(&connections, callers, recording).await?;
        let [p50, p99] = [0.5, 0.99].map(|share| seconds(percentile(&latencies, share)));
        let what = format!("Record, {callers} callers: p50 {p50}, p99 {p99}");
        table.add(Row::new(what, rate(per_second)).beside(limit.clone(), per_second / raw));
    }
    Ok(vec![table])
}

/// Events a second, to the answer for the last one.
async fn imported(clients: &Clients, entries: &[Entry]) -> Result<f64> {
    let item = |(entry, sequence): (&Entry, u64)| {
        let item = v1::import_request::Item::CloudEventJson(entry.body.to_vec());
        v1::ImportRequest { sequence, item: Some(item) }
    };
    let items: Vec<_> = entries.iter().zip(1..).map(item).collect();
    let begun = Instant::now();
    let mut outcomes = clients.touchpoints().import(futures::stream::iter(items)).await?.into_inner();
    while let Some(outcome) = outcomes.next().await {
        if let Some(Answer::Summary(summary)) = outcome?.result {
            anyhow::ensure!(summary.refused == 0, "{} events were refused", summary.refused);
        }
    }
    Ok(entries.len() as f64 / begun.elapsed().as_secs_f64())
}

/// Events a second, and how long each took.
async fn record(connections: &[Clients], callers: u64, recording: Duration) -> Result<(f64, Vec<f64>)> {
    let mut calling = JoinSet::new();
    let begun = Instant::now();
    for (caller, clients) in (0..callers).zip(connections.iter().cycle()) {
        let mut touchpoints = clients.touchpoints();
        calling.spawn(async move {
            let mut latencies = Vec::new();
            while begun.elapsed() < recording {
                let event = (u128::from(callers) << 96) + (u128::from(caller) << 64) + latencies.len() as u128;
                let touchpoint = visit(CustomerId::from_u128(event), EventId::from_u128(event), host::now());
                let request = v1::RecordRequest { touchpoint: Some(touchpoint), expected_revision: None };
                let sent = Instant::now();
                touchpoints.record(request).await?;
                latencies.push(sent.elapsed().as_secs_f64());
            }
            Ok::<_, tonic::Status>(latencies)
        });
    }
    let mut all = Vec::new();
    while let Some(latencies) = calling.join_next().await {
        all.extend(latencies.context("a caller failed")??);
    }
    Ok((all.len() as f64 / begun.elapsed().as_secs_f64(), all))
}
