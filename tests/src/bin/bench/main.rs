//! The benchmarks: each prints what it measured beside its limit, measured in the same run.
//!
//! `cargo xtask bench [--quick] [names]`. docs/benchmarks.md says what each means and has the figures.

mod append;
mod beside;
mod corpus;
mod empty;
mod export;
mod fold;
mod freshness;
mod host;
mod log;
mod memory;
mod population;
mod rebuild;
mod records;
mod sample;
mod start;
mod table;
mod unary;

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use table::Table;

/// The allocator of the services, so that what is measured in this process is what they do.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What the command line asks for.
struct Wanted {
    names: Vec<String>,
    scale: Scale,
}

/// How large a benchmark is.
#[derive(Clone, Copy)]
struct Scale {
    quick: bool,
}

impl Scale {
    /// The size, or a tenth of it for a quick run.
    const fn of(self, full: u64) -> u64 {
        if self.quick { full / 10 } else { full }
    }
}

/// A benchmark: its name, what it is about, how it is run.
type Benchmark = (&'static str, &'static str, fn(Scale) -> Result<Vec<Table>>);

/// All of them, in the order in which they run.
const ALL: [Benchmark; 12] = [
    ("fold", "decode and fold from memory, one core", fold::run),
    ("rebuild", "each view from a log of 1 M events, with real processes", rebuild::run),
    ("large", "the same from a log of 5 M events", rebuild::run_large),
    ("beside", "live events and questions beside a rebuild", beside::run),
    ("replays", "the same beside replays at full speed", beside::run_replays),
    ("export", "the log as Parquet, beside a reader that only counts", export::run),
    ("append", "durable appends through the gateway", append::run),
    ("unary", "GetRisk and GetCustomerSegments", unary::run),
    ("freshness", "from Record's answer to the view", freshness::run),
    ("memory", "memory of each view", memory::run),
    ("population", "lists and totals as of another day, 625 k customers", population::run),
    ("start", "start from a store of 1 M customers, and its bytes on disk", start::run),
];

/// Names the built binary to the harness.
const LIFEFOLD: &str = "LIFEFOLD_TEST_BIN";
/// The first argument of a process that a benchmark starts for a part of itself.
const PART: &str = "--part";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((first, rest)) if first == PART => part(rest),
        _ => wanted(&arguments).and_then(|wanted| beside_lifefold(&arguments).and_then(|()| measure(&wanted))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The harness runs the binary that [`LIFEFOLD`] names: the one beside this program, if nothing else is given.
fn beside_lifefold(arguments: &[String]) -> Result<()> {
    if std::env::var_os(LIFEFOLD).is_some() {
        return Ok(());
    }
    let this = std::env::current_exe().context("where this program is")?;
    let lifefold = this.with_file_name("lifefold");
    let error = Command::new(&this).args(arguments).env(LIFEFOLD, lifefold).exec();
    Err(error).context("cannot run itself again")
}

fn wanted(arguments: &[String]) -> Result<Wanted> {
    let mut wanted = Wanted { names: Vec::new(), scale: Scale { quick: false } };
    for argument in arguments {
        match argument.as_str() {
            "--quick" => wanted.scale.quick = true,
            name if ALL.iter().any(|(known, ..)| *known == name) => wanted.names.push(name.to_owned()),
            other => {
                let known: Vec<_> = ALL.iter().map(|(name, about, _)| format!("  {name:10} {about}")).collect();
                bail!("{other} is no benchmark; use [--quick] [NAME]..., where NAME is one of\n{}", known.join("\n"));
            }
        }
    }
    Ok(wanted)
}

fn measure(wanted: &Wanted) -> Result<()> {
    println!("{}", host::line());
    if wanted.scale.quick {
        println!("quick: a tenth of the size; the figures are not to be compared with those of full runs");
    }
    for (name, about, run) in ALL {
        if wanted.names.is_empty() || wanted.names.iter().any(|wanted| wanted == name) {
            eprintln!("{name}: {about} …");
            for table in run(wanted.scale).with_context(|| format!("benchmark {name}"))? {
                println!("\n{table}");
            }
        }
    }
    println!("\n{}", host::load());
    Ok(())
}

/// A part of a benchmark that wants a process of its own.
fn part(arguments: &[String]) -> Result<()> {
    let [name, rest @ ..] = arguments else { bail!("{PART} wants a name") };
    match name.as_str() {
        memory::PART => memory::part(rest),
        empty::PART => empty::part(),
        other => bail!("{other} is no part of a benchmark"),
    }
}
