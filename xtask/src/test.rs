//! `cargo xtask test`: every check in order, each announced with its time; the first failure stops.
//!
//! `cargo test` is the last step, so that its closing lines are the last of the output.

use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::{
    deploy, needs, proto,
    run::must,
    tools::{Tool, buf, cargo},
};

/// How many tests run side by side. Many wait for processes: half as many again as there are cores.
const TEST_THREADS: &str = "RUST_TEST_THREADS";

/// One step: its name, what it does, and what to do when it fails.
struct Step {
    name: &'static str,
    fix: &'static str,
    check: fn() -> Result<Outcome>,
}

/// How a step ended that did not fail.
pub(crate) enum Outcome {
    /// Checked.
    Passed,
    /// Checked, and the last lines of its output must stay the last.
    PassedLast,
    /// Not checked here, and why.
    Skipped(String),
}

const STEPS: &[Step] = &[
    Step { name: "cargo fmt", fix: "cargo fmt --all", check: format },
    Step { name: "cargo clippy", fix: "cargo clippy --workspace --all-targets", check: clippy },
    Step { name: "cargo build", fix: "cargo build --workspace --bins", check: build },
    Step { name: "buf lint", fix: "see proto/buf.yaml", check: || with_buf(proto::lint) },
    Step {
        name: "buf breaking",
        fix: "keep the interface compatible; if breaking it is meant: cargo xtask proto --accept-breaking",
        check: || with_buf(proto::compatible),
    },
    Step { name: "proto image", fix: "cargo xtask proto", check: || with_buf(proto::image_is_fresh) },
    Step { name: "deploy/nats", fix: "nats-server -t -c <file>", check: deploy::nats },
    Step { name: "deploy/systemd", fix: "systemd-analyze verify <unit>", check: deploy::systemd },
    Step {
        name: "deploy/prometheus",
        fix: "promtool check config deploy/prometheus/scrape.yml",
        check: deploy::prometheus,
    },
    Step { name: "cargo test", fix: "cargo test --workspace", check: tests },
];

/// Runs all steps, or those whose name begins with one of `only`.
pub(crate) fn run(only: &[String]) -> Result<()> {
    let wanted = |step: &&Step| only.is_empty() || only.iter().any(|name| step.name.starts_with(name.as_str()));
    let steps: Vec<&Step> = STEPS.iter().filter(wanted).collect();
    if steps.is_empty() {
        let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        bail!("no step begins so; the steps are: {}", names.join(", "));
    }
    if only.is_empty() {
        needs::demand(&[needs::MAKE, needs::PYTHON])?;
    }
    let begin = Instant::now();
    for (index, step) in steps.iter().enumerate() {
        println!("==> {}/{} {} (at {} s)", index + 1, steps.len(), step.name, begin.elapsed().as_secs());
        perform(step)?;
    }
    Ok(())
}

fn perform(step: &Step) -> Result<()> {
    let started = Instant::now();
    let outcome = (step.check)().with_context(|| {
        format!("step `{}` failed after {} s; to see or mend it: {}", step.name, started.elapsed().as_secs(), step.fix)
    })?;
    match outcome {
        Outcome::Passed => println!("    ok, {:.1} s", started.elapsed().as_secs_f64()),
        Outcome::PassedLast => {}
        Outcome::Skipped(reason) => println!("    SKIPPED: {reason}"),
    }
    Ok(())
}

fn format() -> Result<Outcome> {
    must(cargo().args(["fmt", "--all", "--", "--check"]))?;
    Ok(Outcome::Passed)
}

fn clippy() -> Result<Outcome> {
    must(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    Ok(Outcome::Passed)
}

fn build() -> Result<Outcome> {
    must(cargo().args(["build", "--workspace", "--bins"]))?;
    Ok(Outcome::Passed)
}

/// Unit, property, end-to-end and doc tests. They start their own servers and never use one of `NATS_URL`.
fn tests() -> Result<Outcome> {
    let server = broker::find_server()?;
    let mut test = cargo();
    test.args(["test", "--workspace", "--no-fail-fast"]).env("NATS_SERVER_BIN", server.path).env_remove("NATS_URL");
    if std::env::var_os(TEST_THREADS).is_none() {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        test.env(TEST_THREADS, (cores + cores.div_ceil(2)).to_string());
    }
    must(&mut test)?;
    Ok(Outcome::PassedLast)
}

fn with_buf(check: fn(&std::path::Path) -> Result<()>) -> Result<Outcome> {
    match buf()? {
        Tool::Found(buf) => check(&buf).map(|()| Outcome::Passed),
        Tool::Missing(reason) => Ok(Outcome::Skipped(reason)),
    }
}
