//! Taking the log away as Parquet with the real process, beside a reader of the same log that only counts; and the most
//! memory that the exporting process ever has, of half the log and of all of it.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tests::lifefold;

use crate::corpus::{CUSTOMERS, Corpus};
use crate::log::Running;
use crate::rebuild::counted;
use crate::sample::median;
use crate::table::{Row, Table, rate};
use crate::{Scale, host};

/// Runs of which the median is taken.
const ROUNDS: usize = 3;
/// How often the memory of the process is looked at: it only ever grows.
const LOOK: Duration = Duration::from_millis(5);

/// What one export took.
struct Taken {
    seconds: f64,
    peak_kib: u64,
    file_bytes: u64,
}

/// Measures it.
pub(crate) fn run(scale: Scale) -> Result<Vec<Table>> {
    let corpus = Corpus::new(scale.of(CUSTOMERS));
    tokio::runtime::Runtime::new().context("a runtime")?.block_on(measure(&corpus))
}

async fn measure(corpus: &Corpus) -> Result<Vec<Table>> {
    let mut running = Running::start().await?;
    running.append(&corpus.entries).await?;
    let last = running.log.last().await?;
    let (mut counts, mut rates, mut whole) = (Vec::new(), Vec::new(), None);
    let half = tokio::task::block_in_place(|| take(&mut running, last.0 / 2))?;
    for round in 0..ROUNDS {
        eprintln!("  round {} of {ROUNDS}", round + 1);
        counts.push(counted(&running, last).await?);
        let taken = tokio::task::block_in_place(|| take(&mut running, last.0))?;
        rates.push(last.0 as f64 / taken.seconds);
        whole = Some(taken);
    }
    let (count, exported) = (median(&counts), median(&rates));
    let whole = whole.context("a round")?;
    let mut table = Table::new(format!("Export of events to Parquet: {}, median of {ROUNDS} rounds", corpus.about()));
    table.add(Row::new("reader that only counts", rate(count)));
    table.add(Row::new("export events", rate(exported)).beside(format!("{} count", rate(count)), exported / count));
    let mib = |kib: u64| format!("{:.0} MiB", kib as f64 / 1024.0);
    let row = Row::new("peak memory of the exporting process", mib(whole.peak_kib));
    let growth = whole.peak_kib as f64 / half.peak_kib as f64;
    table.add(row.beside(format!("{} of half the log", mib(half.peak_kib)), growth));
    table.add(Row::new("bytes of the file for each event", format!("{:.1}", whole.file_bytes as f64 / last.0 as f64)));
    Ok(vec![table])
}

/// Exports the log up to a position, in a process of its own.
fn take(running: &mut Running, to: u64) -> Result<Taken> {
    let out = running.machine.folder().join("export");
    let gateway = format!("http://{}", running.gateway.address());
    let mut export = Command::new(lifefold());
    export.args(["export", "events", "--force", "--gateway", &gateway, "--to", &to.to_string(), "--out"]).arg(&out);
    let begun = Instant::now();
    let mut child = export.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("lifefold export")?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0;
    let ended = loop {
        let peak = host::field(&status, "VmHWM").and_then(|text| text.split(' ').next()?.parse().ok());
        peak_kib = peak.unwrap_or(peak_kib).max(peak_kib);
        if let Some(ended) = child.try_wait()? {
            break ended;
        }
        std::thread::sleep(LOOK);
    };
    let seconds = begun.elapsed().as_secs_f64();
    ensure!(ended.success(), "the export failed ({ended})");
    let file_bytes = std::fs::metadata(out.join("events.parquet")).context("the file of the export")?.len();
    Ok(Taken { seconds, peak_kib, file_bytes })
}
