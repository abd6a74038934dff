//! What the gateway acknowledged, to be found in the log.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use event_log::Entry;
use serde_json::Value;
use touchpoint::{CustomerId, EventId};

/// What the gateway acknowledged, and what was meant to be sent.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Bodies of imports, where the gateway said they stand.
    imported: Vec<(u64, Vec<u8>)>,
    /// How often each body was meant to be imported; sent again without an answer does not count.
    meant: HashMap<Vec<u8>, usize>,
    /// Events that were recorded one by one, each meant once.
    recorded: Vec<(u64, CustomerId, EventId)>,
    /// How often something was sent that changes answers about the past: an erasure, a consent.
    silenced: u64,
    refused: u64,
}

impl Ledger {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// These bodies are about to be imported.
    pub(crate) fn means(&self, bodies: &[Vec<u8>]) {
        let mut inner = self.inner();
        for body in bodies {
            *inner.meant.entry(body.clone()).or_default() += 1;
            inner.silenced += u64::from(silences(body));
        }
    }

    /// An erasure is about to be recorded.
    pub(crate) fn erases(&self) {
        self.inner().silenced += 1;
    }

    /// A body was acknowledged there.
    pub(crate) fn imported(&self, position: u64, body: Vec<u8>) {
        self.inner().imported.push((position, body));
    }

    /// A body was refused.
    pub(crate) fn refused(&self) {
        self.inner().refused += 1;
    }

    /// An event was acknowledged there.
    pub(crate) fn recorded(&self, position: u64, customer: CustomerId, event: EventId) {
        self.inner().recorded.push((position, customer, event));
    }

    /// Answers about the past may be others once this is another number.
    pub(crate) fn silenced(&self) -> u64 {
        self.inner().silenced
    }

    /// In words, how much there is.
    pub(crate) fn summary(&self) -> String {
        let inner = self.inner();
        let [imported, recorded] = [inner.imported.len(), inner.recorded.len()];
        format!("{imported} imported, {recorded} recorded, {} refused", inner.refused)
    }

    /// Everything that was acknowledged is in the log where the gateway said, and nothing more often than it was meant.
    ///
    /// # Panics
    /// If something is missing, or there too often.
    pub(crate) fn is_in(&self, log: &[Entry]) {
        let inner = self.inner();
        let at: HashMap<u64, &[u8]> = log.iter().map(|entry| (entry.position.0, &*entry.body)).collect();
        for (position, body) in &inner.imported {
            let found = at.get(position).copied();
            assert_eq!(found.map(String::from_utf8_lossy), Some(String::from_utf8_lossy(body)), "position {position}");
        }
        let mut times = HashMap::<&[u8], usize>::new();
        let mut ids = HashMap::<String, usize>::new();
        for entry in log {
            *times.entry(&entry.body).or_default() += 1;
            *ids.entry(id(&entry.body)).or_default() += 1;
        }
        for (body, times) in times {
            let meant = inner.meant.get(body).copied().unwrap_or(1);
            assert!(times <= meant, "{times} times in the log, meant {meant}: {}", String::from_utf8_lossy(body));
        }
        for (position, customer, event) in &inner.recorded {
            let found = at.get(position).map(|body| id(body));
            assert_eq!(found, Some(event.to_string()), "{customer} at position {position}");
            assert_eq!(ids[&event.to_string()], 1, "{event} of {customer} is in the log more than once");
        }
    }
}

/// What an event says of itself; nothing where it says nothing.
fn id(body: &[u8]) -> String {
    let event: Value = serde_json::from_slice(body).unwrap_or_default();
    event["id"].as_str().unwrap_or_default().to_owned()
}

/// Whether answers about the past change by it, too: who is erased is not found, and the present consent decides.
pub(crate) fn silences(body: &[u8]) -> bool {
    let event: Value = serde_json::from_slice(body).unwrap_or_default();
    let kind = event["type"].as_str().unwrap_or_default();
    kind.contains("CustomerErased") || kind.contains("Consent")
}
