//! Memory of each view, by what the process holds more after folding, and after building lists and timers. Each view
//! is folded in a process of its own, so that nothing is reused that another one left.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use projector::{Entry, Generation};
use tempfile::NamedTempFile;
use touchpoint::{CustomerId, Event, Recorded};
use views::churn::Churn;
use views::rules::Rules;
use views::satisfaction::Satisfaction;
use views::segmentation::Segmentation;
use views::{Record, View};

use crate::corpus::{self, CUSTOMERS, Corpus, UNTIL, origin};
use crate::table::{Row, Table, count};
use crate::{Scale, host};

/// The name of the part that runs in a process of its own.
pub(crate) const PART: &str = "memory";
/// How the allocator is told when to give freed memory back to the system.
const ALLOCATOR: &str = "_RJEM_MALLOC_CONF";
const AT_ONCE: &str = "dirty_decay_ms:0,muzzy_decay_ms:0";
/// Bytes for a customer's record.
const TARGET: f64 = 1_024.0;

/// What the process of one view says, in bytes.
struct Held {
    records: u64,
    lists: u64,
}

/// Measures it.
pub(crate) fn run(scale: Scale) -> Result<Vec<Table>> {
    let customers = scale.of(CUSTOMERS);
    let each = |bytes: u64| bytes as f64 / customers as f64;
    let file = NamedTempFile::new().context("a temporary file")?;
    let corpus = Corpus::new(customers);
    corpus.write(file.path())?;
    let events = each(corpus.entries.len() as u64);
    let facts = each(packed(&corpus));
    drop(corpus);
    let title = format!("Memory for each of {} customers with {events:.1} events in the mean", count(customers));
    let mut table = Table::new(title);
    for view in [Segmentation::NAME, Satisfaction::NAME, Churn::NAME] {
        let held = held(view, file.path())?;
        let row = Row::new(format!("{view}: records"), format!("{:.0} B", each(held.records)));
        let row = row.beside(format!("{facts:.0} B packed facts"), each(held.records) / facts);
        table.add(row.target("≤ 1024 B", each(held.records) <= TARGET));
        table.add(Row::new(format!("{view}: lists and timers"), format!("{:.0} B", each(held.lists))));
    }
    Ok(vec![table])
}

/// Bytes of all records, packed.
fn packed(corpus: &Corpus) -> u64 {
    let mut records: HashMap<CustomerId, Record> = HashMap::new();
    for Entry { position, recorded_at, customer, body } in &corpus.entries {
        if let (Some(customer), Ok(event)) = (customer, Event::decode(body)) {
            let recorded = Recorded { position: *position, recorded_at: *recorded_at, event };
            records.entry(*customer).or_default().file(&recorded);
        }
    }
    records.values().map(|record| record.as_bytes().len() as u64).sum()
}

fn held(view: &str, corpus: &Path) -> Result<Held> {
    let this = std::env::current_exe().context("where this program is")?;
    // Memory that is free but not given back yet would be counted.
    let output = Command::new(this).env(ALLOCATOR, AT_ONCE).args([crate::PART, PART, view]).arg(corpus).output();
    let output = output.context("cannot run a part of the benchmark")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<u64> = text.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    match numbers[..] {
        [records, lists] => Ok(Held { records, lists }),
        _ => bail!("the part for {view} failed: {}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// Folds one view and prints what it holds.
pub(crate) fn part(arguments: &[String]) -> Result<()> {
    let [view, file] = arguments else { bail!("a view and a file") };
    let Held { records, lists } = match view.as_str() {
        Segmentation::NAME => fold::<Segmentation>(Path::new(file))?,
        Satisfaction::NAME => fold::<Satisfaction>(Path::new(file))?,
        Churn::NAME => fold::<Churn>(Path::new(file))?,
        other => bail!("{other} is no view"),
    };
    println!("{records} {lists}");
    Ok(())
}

/// Reads batch by batch, so that little but the records is ever held.
fn fold<V: View>(file: &Path) -> Result<Held> {
    // What folding a batch takes for a moment is not what the records take.
    let trial = Generation::<V>::new(origin(), Arc::new(Rules::default()));
    corpus::read(file, 1, |batch| trial.fold(&batch, UNTIL))?;
    trial.settle(UNTIL);
    drop(trial);
    let empty = resident()?;
    let generation = Generation::<V>::new(origin(), Arc::new(Rules::default()));
    corpus::read(file, usize::MAX, |batch| generation.fold(&batch, UNTIL))?;
    generation.settle(UNTIL);
    let filed = resident()?;
    generation.go_live(UNTIL);
    let live = resident()?;
    Ok(Held { records: filed.saturating_sub(empty), lists: live.saturating_sub(filed) })
}

/// Bytes of memory that this process has.
fn resident() -> Result<u64> {
    let text = host::field("/proc/self/status", "VmRSS").context("VmRSS in /proc/self/status")?;
    let kib: u64 = text.trim_end_matches(" kB").parse().context("VmRSS in kB")?;
    Ok(kib * 1_024)
}
