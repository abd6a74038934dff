//! `up` and `bench`: a release build, then the program itself.

use std::{ffi::OsString, os::unix::process::CommandExt, process::Command};

use anyhow::{Context, Result, bail};
use broker::Located;

use crate::{needs, tools};

/// Builds `lifefold` and becomes it, so that Ctrl-C and the exit code are its own.
pub(crate) fn up(demo: Option<u64>, rest: &[OsString]) -> Result<()> {
    // First, since a machine without make or a server should not wait for a build to hear of it.
    needs::demand(&[needs::MAKE])?;
    let located = broker::find()?;
    println!("building lifefold (release; minutes the first time) …");
    let mut build = tools::cargo();
    build.args(["build", "--release", "--package", "lifefold", "--bin", "lifefold"]);
    must(&mut build)?;

    let mut lifefold = Command::new(tools::target()?.join("release/lifefold"));
    lifefold.arg("up");
    let names_data = rest.iter().any(|argument| argument.to_string_lossy().starts_with("--data"));
    if !names_data && std::env::var_os("LIFEFOLD_DATA").is_none() {
        // The clone's own folder, from wherever in it the command was typed.
        let root = tools::root()?;
        let data = if std::env::current_dir()? == root { "./data".into() } else { root.join("data") };
        lifefold.arg("--data").arg(data);
    }
    if let Some(customers) = demo {
        lifefold.arg("--demo").arg(customers.to_string());
    }
    lifefold.args(rest);
    if let Located::Server(server) = located {
        lifefold.env("NATS_SERVER_BIN", server.path);
    }
    Err(lifefold.exec()).context("cannot run lifefold")
}

/// Runs the benchmark of the `tests` package against a server that it starts itself.
pub(crate) fn bench(rest: &[OsString]) -> Result<()> {
    needs::demand(&[needs::MAKE])?;
    let server = broker::find_server()?;
    let mut build = tools::cargo();
    build.args(["build", "--release", "--package", "lifefold", "--bin", "lifefold"]);
    must(&mut build)?;
    let mut bench = tools::cargo();
    bench.args(["run", "--release", "--package", "tests", "--bin", "bench", "--"]).args(rest);
    bench.env("NATS_SERVER_BIN", server.path).env_remove("NATS_URL");
    must(&mut bench)
}

/// Runs from the workspace's folder to a successful end.
pub(crate) fn must(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = command.current_dir(tools::root()?).status().with_context(|| format!("cannot run `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// As one would type it; the program by its name alone.
fn shown(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words: Vec<_> = std::iter::once(program).chain(command.get_args()).map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}
