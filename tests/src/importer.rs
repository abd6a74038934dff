//! Importing through the gateway.

use api::v1;
use api::v1::import_request::Item;
use futures::StreamExt;
use history::believable::{Config, Population};
use history::{Arrival, Order, arrange};
use tonic::Status;
use touchpoint::Timestamp;

use crate::clients::Clients;
use crate::events::instant;

/// What became of an import.
#[derive(Debug, Clone, Default)]
pub struct Imported {
    /// What became of each item, in their order.
    pub outcomes: Vec<v1::import_outcome::Result>,
    /// The totals; nothing if the stream broke.
    pub summary: Option<v1::ImportSummary>,
    /// Why it broke, if it did.
    pub broken: Option<Status>,
}

/// Imports items, numbered from 0, and reads every outcome.
///
/// # Panics
/// If outcomes come in another order than the items, or something comes after the summary.
pub async fn import(gateway: &Clients, items: Vec<Option<Item>>) -> Imported {
    let requests = items.into_iter().zip(0..).map(|(item, sequence)| v1::ImportRequest { sequence, item });
    let requests: Vec<_> = requests.collect();
    let mut imported = Imported::default();
    let mut answers = match gateway.touchpoints().import(futures::stream::iter(requests)).await {
        Ok(answers) => answers.into_inner(),
        Err(status) => return Imported { broken: Some(status), ..imported },
    };
    while let Some(answer) = answers.next().await {
        assert_eq!(imported.summary, None, "something comes after the summary");
        match answer.map(|answer| answer.result) {
            Ok(Some(v1::import_response::Result::Outcome(outcome))) => {
                assert_eq!(outcome.sequence, imported.outcomes.len() as u64, "outcomes in the order of the items");
                imported.outcomes.extend(outcome.result);
            }
            Ok(Some(v1::import_response::Result::Summary(summary))) => imported.summary = Some(summary),
            Ok(None) => panic!("an answer without a result"),
            Err(status) => imported.broken = Some(status),
        }
    }
    imported
}

/// An item of CloudEvents JSON.
pub fn json(body: impl Into<Vec<u8>>) -> Option<Item> {
    Some(Item::CloudEventJson(body.into()))
}

/// Imports a believable history of so many customers, which ends with 2025.
///
/// # Panics
/// If the import breaks.
pub async fn import_believable(gateway: &Clients, customers: u64, seed: u64) -> Imported {
    let (sent, _) = Population::new(Config::new(customers, seed, instant("2026-01-01T00:00:00Z"))).sent();
    let arrival = Arrival { order: Order::Recorded, start: Timestamp::MIN, import: true };
    let items = arrange(&sent, arrival).into_iter().map(|arrived| json(&*arrived.body)).collect();
    let imported = import(gateway, items).await;
    assert!(imported.broken.is_none(), "{:?}", imported.broken);
    imported
}
