//! Why a server did not start, by what the caller does next.

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Choose another port, or stop the other program.
    #[error("port {port} on 127.0.0.1 is in use by another program; stop that program, or choose another port")]
    PortInUse {
        /// The port asked for.
        port: u16,
    },
    /// Another living process runs a server on this store.
    #[error("{} is in use by another process that runs its nats-server; stop that one, or choose another folder", store.display())]
    StoreInUse {
        /// The folder.
        store: PathBuf,
    },
    /// A server whose owner was killed did not stop when asked to.
    #[error("{} is held by a nats-server that an earlier run left behind{}; end it and try again", store.display(), pid.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    Orphan {
        /// The folder.
        store: PathBuf,
        /// The process, where it is known.
        pid: Option<u32>,
    },
    /// The executable could not be run.
    #[error("cannot run {}: {source}", bin.display())]
    Spawn {
        /// The executable.
        bin: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The server ended by itself.
    #[error("nats-server ended at start ({status}); the last lines of {}:\n{tail}", log.display())]
    Exited {
        /// How it ended.
        status: ExitStatus,
        /// Its log file.
        log: PathBuf,
        /// The log's end.
        tail: String,
    },
    /// The server runs, but did not listen in time; it was ended.
    #[error("nats-server was not ready within {within:?}; the last lines of {}:\n{tail}", log.display())]
    NotReady {
        /// The deadline.
        within: Duration,
        /// Its log file.
        log: PathBuf,
        /// The log's end.
        tail: String,
    },
    /// A file of the store cannot be used.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl StartError {
    pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |source| Self::File { path, source }
    }
}
