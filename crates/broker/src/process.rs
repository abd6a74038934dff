//! Signals and bounded waits, by process id.

use std::{
    io,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Pause between two looks at a condition that the system does not report.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Asks until `look` answers, at most to the deadline.
pub(crate) fn until<T>(within: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + within;
    loop {
        if let Some(answer) = look() {
            return Some(answer);
        }
        if Instant::now() >= deadline {
            return None;
        }
        thread::sleep(LOOK_AGAIN);
    }
}

/// SIGTERM, by the shell's own `kill`: bare images have no `kill` program.
pub(crate) fn terminate(pid: u32) -> io::Result<()> {
    let status = Command::new("sh").arg("-c").arg(format!("kill -TERM {pid}")).stderr(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("cannot signal process {pid}"))) }
}

/// Waits for the end of a child, at most to the deadline.
pub(crate) fn wait(child: &mut Child, within: Duration) -> io::Result<Option<ExitStatus>> {
    until(within, || child.try_wait().transpose()).transpose()
}

/// The command line of a process, as far as the system tells.
pub(crate) fn command_line(pid: u32) -> Option<String> {
    if let Ok(bytes) = std::fs::read(format!("/proc/{pid}/cmdline")) {
        return Some(String::from_utf8_lossy(&bytes).replace('\0', " "));
    }
    let output = Command::new("ps").args(["-o", "args=", "-p", &pid.to_string()]).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
