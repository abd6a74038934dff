//! One process of the binary: started, looked at through its log, killed.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Seek, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::binary::lifefold;
use crate::wait::until_sync;

/// Lines of a service's log that a failed test shows.
const SHOWN_LINES: usize = 60;
/// What every line about a panic says: that of the standard library, and the one that the binary logs in its place
/// (`lifefold/src/telemetry.rs`).
const PANICKED: &str = "panicked at";

/// A process of the binary. Killed when dropped; a test that fails shows the end of its log.
#[derive(Debug)]
pub struct Service {
    name: String,
    arguments: Vec<OsString>,
    dir: PathBuf,
    child: Option<Child>,
    starts: u32,
}

impl Service {
    /// A service that does not run yet; its log goes into `dir`, which is also where it runs.
    pub fn new(name: &str, dir: &Path, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        let arguments = arguments.into_iter().map(Into::into).collect();
        Self { name: name.to_owned(), arguments, dir: dir.to_owned(), child: None, starts: 0 }
    }

    /// Starts it, or starts it again.
    ///
    /// # Panics
    /// If it runs, or cannot be run.
    pub fn start(&mut self) {
        self.start_with(|log| log.try_clone().map(Stdio::from));
    }

    /// Starts it with nobody at the other end of its standard output.
    ///
    /// # Panics
    /// If it runs, or cannot be run.
    pub fn start_unread(&mut self) {
        self.start_with(|_| std::io::pipe().map(|(_, unread)| Stdio::from(unread)));
    }

    fn start_with(&mut self, output: impl FnOnce(&File) -> std::io::Result<Stdio>) {
        assert!(self.child.is_none(), "{} runs already", self.name);
        self.starts += 1;
        let log = File::create(self.log_file()).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let output = output(&log).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let mut command = Command::new(lifefold());
        command.args(&self.arguments).current_dir(&self.dir);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("LIFEFOLD_") {
                command.env_remove(name);
            }
        }
        command.stdin(Stdio::null()).stdout(output).stderr(log);
        self.child = Some(command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.name)));
    }

    /// The file of the present process's output.
    pub fn log_file(&self) -> PathBuf {
        self.dir.join(format!("{}.{}.log", self.name, self.starts))
    }

    /// What the present process has written so far.
    pub fn output(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// What it has written since each of its starts, and where that is.
    pub fn outputs(&self) -> impl Iterator<Item = (PathBuf, String)> {
        (1..=self.starts).map(|start| {
            let file = self.dir.join(format!("{}.{start}.log", self.name));
            let output = std::fs::read_to_string(&file).unwrap_or_default();
            (file, output)
        })
    }

    /// Nothing that it did since its first start was a panic.
    ///
    /// # Panics
    /// With the log file that shows one.
    pub fn never_panicked(&self) {
        for (file, output) in self.outputs() {
            let panic = output.lines().find(|line| line.contains(PANICKED));
            assert!(panic.is_none(), "{}: {panic:?}", file.display());
        }
    }

    /// Where the present process serves gRPC: it logs that as soon as it listens.
    ///
    /// # Panics
    /// If it ends before, with its output.
    pub fn address(&mut self) -> SocketAddr {
        self.logged("grpc")
    }

    /// Where the present process serves metrics.
    ///
    /// # Panics
    /// If it ends before, with its output.
    pub fn metrics_address(&mut self) -> SocketAddr {
        self.logged("metrics")
    }

    fn logged(&mut self, field: &str) -> SocketAddr {
        let what = format!("{} to listen", self.name);
        until_sync(&what, || {
            if let Some(status) = self.ended() {
                panic!("{} ended ({status}):\n{}", self.name, self.output());
            }
            self.output().lines().find_map(|line| address_in(line, field))
        })
    }

    /// The process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.as_mut().and_then(|child| child.try_wait().ok().flatten())
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    /// If it does not.
    pub fn wait(&mut self) -> ExitStatus {
        let what = format!("{} to end", self.name);
        let status = until_sync(&what, || self.ended());
        self.child = None;
        status
    }

    /// SIGTERM: it drains and ends.
    ///
    /// # Panics
    /// If it does not run.
    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    /// SIGINT, as Ctrl-C sends it: it drains and ends.
    ///
    /// # Panics
    /// If it does not run.
    pub fn interrupt(&self) {
        self.signal("-INT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.pid().unwrap_or_else(|| panic!("{} does not run", self.name));
        let sent = Command::new("kill").arg(signal).arg(pid.to_string()).status();
        assert!(sent.is_ok_and(|status| status.success()), "cannot signal {}", self.name);
    }

    /// SIGKILL, as in a crash. Nothing if it does not run.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            child.kill().ok();
            child.wait().ok();
        }
    }

    /// SIGKILL and another start.
    pub fn crash(&mut self) {
        self.kill();
        self.start();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let output = self.output();
            let from = output.lines().count().saturating_sub(SHOWN_LINES);
            let tail: Vec<_> = output.lines().skip(from).collect();
            eprintln!("--- the end of {}:\n{}", self.log_file().display(), tail.join("\n"));
        }
    }
}

fn address_in(line: &str, field: &str) -> Option<SocketAddr> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    let fields = line.get("fields")?;
    if fields.get("message")? != "listening" {
        return None;
    }
    fields.get(field)?.as_str()?.parse().ok()
}

/// Runs a command of the binary to its end, in `dir`: its exit code, standard output and standard error.
///
/// # Panics
/// If it cannot be run.
pub fn text_of(dir: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    text_of_fed(dir, arguments, "")
}

/// As [`text_of`], with this text on its standard input.
///
/// # Panics
/// If it cannot be run.
pub fn text_of_fed(dir: &Path, arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
    let run = || -> std::io::Result<Output> {
        let mut fed = tempfile::tempfile()?;
        fed.write_all(input.as_bytes())?;
        fed.rewind()?;
        Command::new(lifefold()).args(arguments).current_dir(dir).stdin(fed).output()
    };
    let done = run().unwrap_or_else(|error| panic!("lifefold {arguments:?}: {error}"));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (done.status.code(), text(done.stdout), text(done.stderr))
}

/// The page of metrics that is served here.
///
/// # Panics
/// If nobody serves one.
pub async fn metrics(address: SocketAddr) -> String {
    let page = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await?;
        let mut page = String::new();
        stream.read_to_string(&mut page).await.map(|_| page)
    };
    page.await.unwrap_or_else(|error: std::io::Error| panic!("{address}: {error}"))
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    const LISTENING: &str = r#"{"level":"INFO","fields":{"message":"listening","grpc":"127.0.0.1:7403"}}"#;
    /// Before the binary has begun to log.
    const OF_THE_LIBRARY: &str = "thread 'main' (7) panicked at crates/lifefold/src/main.rs:1:1:\nby the test";
    /// As the binary logs it.
    const LOGGED: &str = r#"{"timestamp":"2026-11-30T11:00:00.000000Z","level":"ERROR","fields":{"message":"a task panicked at crates/projector/src/follow.rs:1:1","reason":"by the test"},"target":"lifefold::telemetry"}"#;

    #[test]
    fn a_panic_of_any_start_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let panicked = |logs: [&str; 2]| {
            let mut service = Service::new("churn", folder.path(), ["projector"]);
            for log in logs {
                service.starts += 1;
                std::fs::write(service.log_file(), [LISTENING, log, LISTENING].join("\n")).unwrap();
            }
            catch_unwind(AssertUnwindSafe(|| service.never_panicked())).is_err()
        };
        assert!(!panicked([LISTENING, LISTENING]));
        for panic in [OF_THE_LIBRARY, LOGGED] {
            assert!(panicked([panic, LISTENING]) && panicked([LISTENING, panic]), "{panic}");
        }
    }
}
