//! What operators and the world do, at random and at once, for some minutes: imports, crashes, cuts, rebuilds, pauses, other
//! rules. In between everything comes to rest, and all that must hold then is looked at.
//!
//! `cargo run -p tests --bin soak -- [--seed N] [--minutes M]`. The same seed tells the same history and draws the same
//! faults; when they hit is up to the machine. What is wrong ends it, and leaves its folder to be looked at.

mod ask;
mod deeds;
mod dice;
mod floors;
mod following;
mod judging;
mod ledger;
mod operating;
mod pinned;
mod proxy;
mod reading;
mod replaying;
mod resting;
mod run;
mod story;
mod told;
mod world;
mod writing;

use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::FutureExt;

use world::World;

/// What the command line asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// Of everything that is random.
    pub(crate) seed: u64,
    /// How long to go on; the last rest may take longer.
    pub(crate) time: Duration,
}

fn main() -> ExitCode {
    let done = wanted(std::env::args().skip(1)).and_then(|wanted| {
        let runtime = tokio::runtime::Runtime::new().context("no runtime")?;
        runtime.block_on(soak(wanted))
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn wanted(mut arguments: impl Iterator<Item = String>) -> Result<Wanted> {
    let mut wanted = Wanted { seed: 1, time: Duration::from_secs(5 * 60) };
    while let Some(name) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--seed" => wanted.seed = value.parse().with_context(|| format!("--seed {value}"))?,
            "--minutes" => {
                let minutes =
                    value.parse().ok().and_then(|minutes: f64| Duration::try_from_secs_f64(60.0 * minutes).ok());
                wanted.time = minutes.with_context(|| format!("--minutes {value}: expected a number, such as 0.5"))?;
            }
            other => bail!("{other} is unknown; use [--seed N] [--minutes M]"),
        }
    }
    Ok(wanted)
}

async fn soak(wanted: Wanted) -> Result<()> {
    let begun = Instant::now();
    let mut world = World::start().await;
    let ran = AssertUnwindSafe(run::run(&mut world, wanted)).catch_unwind().await;
    if ran.is_err() {
        let folder = world.keep();
        bail!("seed {}, after {:?}; everything is left in {}", wanted.seed, begun.elapsed(), folder.display());
    }
    Ok(())
}
