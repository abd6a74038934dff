//! One nats-server process: started, watched, stopped, and ended with its owner.

use std::{
    fs::{self, File},
    io::{self, Seek, SeekFrom},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    time::Duration,
};

use crate::{config, error::StartError, hold::Store, process, ready};

/// How long a server may take to open its store and listen. Opening reads every stream's index.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long a server may take to stop before it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// Length of the server's log, in bytes, from which the next start begins a new one.
const LOG_LIMIT_BYTES: u64 = 16 * 1024 * 1024;

/// How to run a server.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder of everything that the server keeps: its stream files, configuration, log.
    pub store_dir: PathBuf,
    /// Port on 127.0.0.1; `None` takes a free one at the first start and keeps it over restarts.
    pub port: Option<u16>,
    /// Further lines of configuration, for tests that need limits of their own.
    pub extra_config: String,
    /// How long start may take.
    pub ready_within: Duration,
    /// Whether Ctrl-C in the terminal spares the server, so that its owner can drain first and then
    /// stop it. Tests set `false`: Ctrl-C then leaves no server behind.
    pub own_process_group: bool,
}

impl Options {
    /// A free port, nothing extra, spared by Ctrl-C.
    #[must_use]
    pub fn new(store_dir: impl Into<PathBuf>) -> Self {
        Self {
            store_dir: store_dir.into(),
            port: None,
            extra_config: String::new(),
            ready_within: READY_WITHIN,
            own_process_group: true,
        }
    }
}

/// A nats-server that this process started. Dropping it stops the server.
#[derive(Debug)]
pub struct Broker {
    bin: PathBuf,
    options: Options,
    store: Store,
    port: u16,
    child: Option<Child>,
    /// Held for as long as this value lives: one owner per store.
    _owner: File,
}

impl Broker {
    /// Starts `bin` on the store and returns once it greets clients with JetStream on.
    pub fn start(bin: impl AsRef<Path>, options: Options) -> Result<Self, StartError> {
        fs::create_dir_all(&options.store_dir).map_err(StartError::at(&options.store_dir))?;
        // The server is told whole paths, so a later change of folder matters to nobody.
        let store = Store(options.store_dir.canonicalize().map_err(StartError::at(&options.store_dir))?);
        let owner = store.own()?;
        let port = options.port.unwrap_or_default();
        let bin = bin.as_ref().to_path_buf();
        let mut broker = Self { bin, options, store, port, child: None, _owner: owner };
        broker.launch()?;
        Ok(broker)
    }

    /// Where clients connect.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The port on 127.0.0.1, the same over restarts.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's process; `None` while it is stopped.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// The file that the server logs to.
    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.store.log()
    }

    /// How the server ended, if it ended by itself.
    pub fn exited(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.as_mut().map_or(Ok(None), Child::try_wait)
    }

    /// SIGKILL: nothing is flushed, as in a crash of the process.
    pub fn kill(&mut self) -> io::Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        child.kill()?;
        child.wait().map(drop)
    }

    /// SIGTERM, then a bounded wait. A server that does not stop in time is killed, and that is an error.
    pub fn stop(&mut self) -> io::Result<()> {
        let Some(child) = self.child.as_mut() else { return Ok(()) };
        if child.try_wait()?.is_none() {
            process::terminate(child.id())?;
        }
        if process::wait(child, STOP_WITHIN)?.is_some() {
            self.child = None;
            return Ok(());
        }
        self.kill()?;
        Err(io::Error::new(io::ErrorKind::TimedOut, format!("nats-server did not stop within {STOP_WITHIN:?}; killed")))
    }

    /// Starts again on the same port and store, after a stop if the server still runs.
    pub fn restart(&mut self) -> Result<(), StartError> {
        self.stop().map_err(StartError::at(&self.store.0))?;
        self.launch()
    }

    fn launch(&mut self) -> Result<(), StartError> {
        let server_lock = self.store.hand_over()?;
        if self.port != 0 {
            ready::check_port(self.port)?;
        }
        self.write_config()?;
        let (file, log_start) = self.open_log().map_err(StartError::at(&self.store.log()))?;
        self.child = Some(self.spawn(server_lock, file)?);
        let ready = self.wait_until_ready(log_start);
        if ready.is_err() {
            // The reason to report is why it did not start.
            drop(self.kill());
        }
        ready
    }

    /// The log to append to, and where this start begins in it. A long one is put aside, replacing the last such.
    fn open_log(&self) -> io::Result<(File, u64)> {
        let log = self.store.log();
        if fs::metadata(&log).is_ok_and(|file| file.len() > LOG_LIMIT_BYTES) {
            fs::rename(&log, log.with_extension("log.old"))?;
        }
        let mut file = File::options().create(true).append(true).open(&log)?;
        let start = file.seek(SeekFrom::End(0))?;
        Ok((file, start))
    }

    fn write_config(&self) -> Result<(), StartError> {
        let (config, ports) = (self.store.config(), self.store.ports());
        // Files of earlier processes would be taken for this one's.
        if ports.exists() {
            fs::remove_dir_all(&ports).map_err(StartError::at(&ports))?;
        }
        fs::create_dir_all(&ports).map_err(StartError::at(&ports))?;
        let port = Some(self.port).filter(|port| *port != 0);
        let text = config::text(&self.store.0, &ports, &self.store.pid_file(), port, &self.options.extra_config);
        fs::write(&config, text).map_err(StartError::at(&config))
    }

    fn spawn(&self, server_lock: File, log: File) -> Result<Child, StartError> {
        let errors = log.try_clone().map_err(StartError::at(&self.store.log()))?;
        let mut command = Command::new(&self.bin);
        command.arg("-c").arg(self.store.config()).stdin(server_lock).stdout(log).stderr(errors);
        if self.options.own_process_group {
            command.process_group(0);
        }
        command.spawn().map_err(|source| StartError::Spawn { bin: self.bin.clone(), source })
    }

    fn wait_until_ready(&mut self, log_start: u64) -> Result<(), StartError> {
        let (log, within, ports) = (self.store.log(), self.options.ready_within, self.store.ports());
        let Some(child) = self.child.as_mut() else { return Ok(()) };
        let outcome = process::until(within, || match child.try_wait() {
            Ok(None) => ready::listening_port(&ports).filter(|port| ready::greets(*port)).map(Ok),
            Ok(Some(status)) => Some(Err(status)),
            Err(_) => None,
        });
        match outcome {
            Some(Ok(port)) => {
                self.port = port;
                Ok(())
            }
            Some(Err(status)) => Err(self.why_exited(status, log_start)),
            None => Err(StartError::NotReady { within, tail: ready::tail(&log, log_start), log }),
        }
    }

    fn why_exited(&self, status: ExitStatus, log_start: u64) -> StartError {
        let log = self.store.log();
        let tail = ready::tail(&log, log_start);
        if self.port != 0 && tail.contains("address already in use") {
            return StartError::PortInUse { port: self.port };
        }
        StartError::Exited { status, log, tail }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if self.stop().is_err() {
            // Nobody is left to hear of it; the next start deals with a server that still runs.
            drop(self.kill());
        }
    }
}
