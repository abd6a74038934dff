//! The believable history that all benchmarks use, in the order in which the company learned of it.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use bytes::Bytes;
use history::believable::{Config, Population};
use projector::{Batch, Checkpoint, Entry};
use touchpoint::{CustomerId, Position, Timestamp};

/// Customers of the log of 1 M events.
pub(crate) const CUSTOMERS: u64 = 125_000;
/// Nothing happens after this: 2026-01-01T00:00:00Z.
pub(crate) const UNTIL: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);
/// So that a customer has a little more than [`EVENTS_EACH`] events in the mean; the latest ones are left out.
const YEARS: u32 = 6;
/// Events of a customer in the mean.
const EVENTS_EACH: u64 = 8;
const SEED: u64 = 1;
/// As many as a reader of the log gets at most.
const BATCH_EVENTS: usize = 10_000;

/// Events as a log has them.
pub(crate) struct Corpus {
    /// From position 2 on, by position; the bodies lie one behind the other in memory.
    pub(crate) entries: Vec<Entry>,
    /// Whose.
    pub(crate) customers: Arc<[CustomerId]>,
}

/// The population of so many customers.
pub(crate) fn population(customers: u64) -> Population {
    Population::new(Config { years: YEARS, ..Config::new(customers, SEED, UNTIL) })
}

/// Before the first entry.
pub(crate) fn origin() -> Checkpoint {
    Checkpoint { epoch: 1, created: Timestamp::from_micros(0), position: Position(1), digest: [0; 16], lost: 0 }
}

impl Corpus {
    /// The history of so many customers.
    pub(crate) fn new(customers: u64) -> Self {
        let mut ids = Vec::new();
        let mut events = Vec::new();
        for customer in population(customers).customers() {
            ids.push(customer.id);
            let sent = customer.planned.iter().map(|planned| (planned.recorded_at, planned));
            let again = customer.resent.iter().map(|again| (again.at, &again.planned));
            events.extend(sent.chain(again).map(|(at, planned)| (at, customer.id, planned.body())));
        }
        events.sort_by_key(|(at, ..)| *at);
        events.truncate(usize::try_from(customers * EVENTS_EACH).unwrap_or(usize::MAX));
        let all: Bytes = events.iter().flat_map(|(.., body)| body).copied().collect::<Vec<u8>>().into();
        let mut begin = 0;
        let entries = events.iter().enumerate().map(|(index, (at, customer, body))| {
            let end = begin + body.len();
            let body = all.slice(begin..end);
            begin = end;
            Entry { position: Position(index as u64 + 2), recorded_at: *at, customer: Some(*customer), body }
        });
        Self { entries: entries.collect(), customers: ids.into() }
    }

    /// The entries as a reader of the log gets them.
    pub(crate) fn batches(&self) -> Vec<Batch> {
        let batch = |entries: &[Entry]| Batch { entries: entries.to_vec(), digest: [0; 16], log_end: self.end() };
        self.entries.chunks(BATCH_EVENTS).map(batch).collect()
    }

    /// Writes the entries into a file, for [`read`].
    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        let mut out = BufWriter::new(File::create(file).context("a file for the corpus")?);
        for entry in &self.entries {
            out.write_all(&entry.recorded_at.micros().to_be_bytes())?;
            out.write_all(&entry.customer.map_or(0, CustomerId::as_u128).to_be_bytes())?;
            out.write_all(&(entry.body.len() as u64).to_be_bytes())?;
            out.write_all(&entry.body)?;
        }
        out.flush().context("a file for the corpus")
    }

    /// The last position.
    pub(crate) fn end(&self) -> Position {
        self.entries.last().map_or(Position(1), |entry| entry.position)
    }

    /// How many, as a heading says it.
    pub(crate) fn about(&self) -> String {
        let (events, customers) = (self.entries.len() as u64, self.customers.len() as u64);
        format!("{} events of {} customers", crate::table::count(events), crate::table::count(customers))
    }
}

/// Reads what [`Corpus::write`] wrote, one batch after the other, and at most so many.
pub(crate) fn read(file: &Path, batches: usize, mut each: impl FnMut(Batch)) -> Result<()> {
    let mut input = BufReader::new(File::open(file).context("the file of the corpus")?);
    let mut position = Position(1);
    for _ in 0..batches {
        let mut entries = Vec::with_capacity(BATCH_EVENTS);
        while entries.len() < BATCH_EVENTS && !input.fill_buf()?.is_empty() {
            position = position.next();
            entries.push(read_entry(&mut input, position)?);
        }
        if entries.is_empty() {
            break;
        }
        each(Batch { entries, digest: [0; 16], log_end: position });
    }
    Ok(())
}

fn read_entry(input: &mut impl Read, position: Position) -> Result<Entry> {
    let (mut at, mut customer, mut length) = ([0; 8], [0; 16], [0; 8]);
    input.read_exact(&mut at)?;
    input.read_exact(&mut customer)?;
    input.read_exact(&mut length)?;
    let mut body = vec![0; usize::try_from(u64::from_be_bytes(length))?];
    input.read_exact(&mut body)?;
    let customer = Some(CustomerId::from_u128(u128::from_be_bytes(customer)));
    let recorded_at = Timestamp::from_micros(i64::from_be_bytes(at));
    Ok(Entry { position, recorded_at, customer, body: body.into() })
}
