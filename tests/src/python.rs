//! Python with pinned packages, for readers and clients that share nothing with the code under test.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Scripts, and the pins of what they need.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python");

/// The Python of an environment.
#[derive(Debug)]
pub struct Python {
    program: PathBuf,
}

impl Python {
    /// With the packages of this file of pins, kept in a folder from run to run. It is made anew when the pins change, and
    /// whole or not at all.
    ///
    /// # Panics
    /// If it cannot be had.
    pub fn with(pins: &str, kept: &str) -> Self {
        let pins = format!("{FOLDER}/{pins}");
        let text = std::fs::read(&pins).unwrap_or_else(|error| panic!("{pins}: {error}"));
        let folder = Path::new(kept).join(format!("python-{:08x}", checksum(&text)));
        let (program, whole) = (folder.join("bin/python"), folder.join("whole"));
        if !whole.exists() {
            let place = folder.to_string_lossy();
            run(Path::new("python3"), &["-m", "venv", "--clear", &place], "install Python 3 with its venv module");
            let install =
                ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", &pins];
            run(&program, &install, "pip needs PyPI or a mirror of it: set PIP_INDEX_URL or a proxy");
            std::fs::write(&whole, "").unwrap_or_else(|error| panic!("{}: {error}", whole.display()));
        }
        Self { program }
    }

    /// What a script prints, as JSON.
    ///
    /// # Panics
    /// If it fails, with what it says.
    pub fn run(&self, script: &str, arguments: &[&str]) -> serde_json::Value {
        let script = format!("{FOLDER}/{script}");
        let arguments: Vec<_> = std::iter::once(script.as_str()).chain(arguments.iter().copied()).collect();
        let done = run(&self.program, &arguments, "see what it says");
        serde_json::from_slice(&done.stdout).unwrap_or_else(|error| panic!("{script} printed no JSON: {error}"))
    }
}

/// Runs a program to its end. Says what it printed if it fails.
fn run(program: &Path, arguments: &[&str], hint: &str) -> Output {
    let done = Command::new(program).args(arguments).output();
    let done = done.unwrap_or_else(|error| panic!("cannot run {}: {error}; {hint}", program.display()));
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{} {arguments:?} failed: {hint}\n{errors}", program.display());
    done
}

/// FNV-1a: tells pins apart, and is no protection.
fn checksum(text: &[u8]) -> u32 {
    text.iter().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
