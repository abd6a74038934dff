//! The believable history, written through the gateway's import.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use api::v1;
use api::v1::import_outcome::Result as Became;
use api::v1::import_response::Result as Answer;
use api::v1::touchpoint_service_client::TouchpointServiceClient;
use history::Planned;
use uuid::Uuid;

use crate::client::{Progress, count, tell};
use crate::clock;
use crate::demo::{UNTIL, population};
use crate::up::marker::Marker;

/// The last day that is whole.
pub(crate) const LAST_DAY: &str = "2025-12-31";
/// The number of a customer whose risk has several reasons on that day, an open complaint among them.
pub(crate) const SHOWN: u64 = 57;
/// How often it is written down how far the import came, in items.
const NOTE_EVERY: u64 = 5_000;

/// Imports what of the demo is not in the log yet, and gives its last position.
pub(crate) async fn load(customers: u64, gateway: SocketAddr, data: &Path, epoch: Uuid) -> anyhow::Result<u64> {
    let mut marker = Marker::read(data, epoch, customers)?;
    if marker.complete {
        tell(&format!("the demo of {} customers is in the log already", count(customers)));
        return Ok(marker.last_position);
    }
    ensure!(clock::now() >= UNTIL, "the demo ends on 2026-01-01, which this machine's clock says is in the future");
    let made = tokio::task::spawn_blocking(move || population(customers).sent());
    let (items, _) = made.await.context("the demo could not be made")?;
    let [shown, events] = [customers, items.len() as u64].map(count);
    tell(&format!("importing a history of {shown} customers, {events} events, through the gateway …"));
    if marker.acknowledged > 0 {
        tell(&format!("going on after the {} events that are in the log already", count(marker.acknowledged)));
    }
    send(items, gateway, data, &mut marker).await?;
    marker.complete = true;
    marker.write(data)?;
    Ok(marker.last_position)
}

async fn send(items: Vec<Planned>, gateway: SocketAddr, data: &Path, marker: &mut Marker) -> anyhow::Result<()> {
    let total = items.len() as u64;
    let there = marker.acknowledged;
    let mut progress = Progress::new(Some(total));
    let mut client = TouchpointServiceClient::connect(format!("http://{gateway}")).await?;
    let requests = items.into_iter().zip(0..).skip(usize::try_from(marker.acknowledged)?).map(request);
    let mut answers = client.import(tokio_stream::iter(requests)).await?.into_inner();
    while let Some(answer) = answers.message().await? {
        let Some(Answer::Outcome(outcome)) = answer.result else { continue };
        take(marker, outcome)?;
        if marker.acknowledged.is_multiple_of(NOTE_EVERY) {
            marker.write(data)?;
        }
        let done = marker.acknowledged;
        let rate = progress.rate(done - there);
        let [shown, all, rate] = [done, total, rate].map(count);
        progress.at(done, || format!("{shown} of {all} events imported, {rate} events/s"));
    }
    progress.finish();
    ensure!(marker.acknowledged == total, "the import ended after {} of {total} events", marker.acknowledged);
    tell(&format!("imported {} events in {:.1} s", count(total - there), progress.elapsed().as_secs_f64()));
    Ok(())
}

fn request((planned, sequence): (Planned, u64)) -> v1::ImportRequest {
    let body = planned.import_body();
    v1::ImportRequest { sequence, item: Some(v1::import_request::Item::CloudEventJson(body)) }
}

fn take(marker: &mut Marker, outcome: v1::ImportOutcome) -> anyhow::Result<()> {
    match outcome.result {
        Some(Became::Recorded(recorded)) => {
            marker.acknowledged += 1;
            marker.last_position = marker.last_position.max(recorded.position);
            Ok(())
        }
        Some(Became::Refused(refused)) => {
            let fields: Vec<_> =
                refused.violations.iter().map(|one| format!("{}: {}", one.field, one.message)).collect();
            bail!("event {} of the demo is refused: {}", outcome.sequence, fields.join("; "))
        }
        None => bail!("the gateway answered nothing for event {}", outcome.sequence),
    }
}
