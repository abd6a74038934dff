//! An executable out of a package of Debian or Ubuntu, without the rights of root: nothing is installed.
//!
//! apt keeps its lists in a folder of ours and checks the archive's signature, as it does for root.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

/// No answer within 20 s is none; root's apt stays root, since the user that it would become cannot write to our cache.
const OPTIONS: [&str; 2] = ["Acquire::http::Timeout=20", "APT::Sandbox::User=root"];

/// An executable in a package.
pub(crate) struct Package {
    /// The package.
    pub(crate) name: &'static str,
    /// Where the executable is in it.
    pub(crate) executable: &'static str,
}

impl Package {
    /// Where the executable lies in `cache` once it was fetched.
    pub(crate) fn cached(&self, cache: &Path) -> PathBuf {
        cache.join(format!("{}-apt", self.name)).join(self.executable)
    }

    /// Downloads the package of this system's archive, and puts what is in it into `cache`, whole or not at all.
    pub(crate) fn fetch(&self, cache: &Path) -> Result<PathBuf> {
        // In the cache itself, since a rename is atomic only within one file system.
        let work = cache.join(format!("{}-apt.{}", self.name, std::process::id()));
        let fetched = self.unpack_in(&work).and_then(|()| self.keep(&work, cache));
        fs::remove_dir_all(&work).ok();
        fetched
    }

    fn unpack_in(&self, work: &Path) -> Result<()> {
        for folder in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(work.join(folder))?;
        }
        apt(work, &["update"])?;
        apt(work, &["download", self.name])?;
        let mut files = fs::read_dir(work)?.filter_map(|entry| Some(entry.ok()?.path()));
        let package = files.find(|file| file.extension().is_some_and(|it| it == "deb"));
        let package = package.context("apt-get left no package")?;
        quietly(Command::new("dpkg-deb").arg("-x").arg(package).arg(work.join("unpacked")))
    }

    fn keep(&self, work: &Path, cache: &Path) -> Result<PathBuf> {
        let target = self.cached(cache);
        fs::create_dir_all(target.parent().unwrap_or(cache))?;
        fs::rename(work.join("unpacked").join(self.executable), &target).context(self.executable)?;
        Ok(target)
    }
}

fn apt(work: &Path, task: &[&str]) -> Result<()> {
    let folders = [("Dir::State::lists", "lists"), ("Dir::Cache", "cache")];
    let folders = folders.map(|(option, folder)| format!("{option}={}", work.join(folder).display()));
    let options = OPTIONS.into_iter().chain(folders.iter().map(String::as_str));
    let mut apt = Command::new("apt-get");
    apt.arg("--quiet=2").args(options.flat_map(|option| ["-o", option])).args(task);
    quietly(apt.current_dir(work))
}

/// Runs to a successful end; what was printed is shown only otherwise, its last line.
fn quietly(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{program}: {}", said.lines().last().unwrap_or("no reason given"));
    }
    Ok(())
}
