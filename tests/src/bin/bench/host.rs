//! The machine that measures.

use std::fs::read_to_string;

use anyhow::{Context, Result};
use touchpoint::Timestamp;

/// Cores, memory, CPU and date.
pub(crate) fn line() -> String {
    let cores = cores();
    let model = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown CPU".to_owned());
    let memory = field("/proc/meminfo", "MemTotal").and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    let gib = memory.unwrap_or_default() / f64::from(1 << 20);
    format!("machine: {cores} cores, {gib:.0} GiB, {model}; {}; {}", now().shanghai_date(), load())
}

/// How many threads can work at the same time.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What else the machine does: figures of a loaded one say little.
pub(crate) fn load() -> String {
    let load = read_to_string("/proc/loadavg").unwrap_or_default();
    format!("load average {}", load.split(' ').next().unwrap_or("unknown"))
}

/// The time.
pub(crate) fn now() -> Timestamp {
    #[allow(clippy::disallowed_methods, reason = "a benchmark is a binary: it reads the clock")]
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// The text behind the first such name in a file of /proc.
pub(crate) fn field(file: &str, name: &str) -> Option<String> {
    let text = read_to_string(file).ok()?;
    let (_, value) = text.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| key.trim() == name)?;
    Some(value.trim().to_owned())
}

/// The most memory that a process had, in bytes.
pub(crate) fn peak(pid: Option<u32>) -> Result<u64> {
    let file = format!("/proc/{}/status", pid.context("the process does not run")?);
    let text = field(&file, "VmHWM").context("the system does not say how much memory a process had")?;
    let kibibytes: u64 = text.trim_end_matches(" kB").parse().context("VmHWM is no number")?;
    Ok(kibibytes << 10)
}
