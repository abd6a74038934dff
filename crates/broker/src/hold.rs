//! Who uses a store: two lock files, so that never two servers write to one store.
//!
//! `owner.lock` is held by the process that owns the [`Broker`](crate::Broker). `server.lock` is handed to
//! the server as its standard input, so the system keeps it locked for as long as the server lives, even
//! when its owner was killed. A free owner with a held server is therefore an orphan, and is ended.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{error::StartError, process};

/// A process that was just killed, or a child between fork and exec, may hold a lock for a moment.
const LOCK_WAIT: Duration = Duration::from_secs(1);
/// How long an orphaned server may take to stop.
const ORPHAN_STOP: Duration = Duration::from_secs(10);

/// Where a store keeps what this crate writes beside JetStream's own folder.
#[derive(Clone, Debug)]
pub(crate) struct Store(pub(crate) PathBuf);

impl Store {
    pub(crate) fn config(&self) -> PathBuf {
        self.0.join("nats-server.conf")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.0.join("nats-server.log")
    }

    pub(crate) fn ports(&self) -> PathBuf {
        self.0.join("ports")
    }

    pub(crate) fn pid_file(&self) -> PathBuf {
        self.0.join("nats-server.pid")
    }

    /// Makes this process the owner, until the file is dropped.
    pub(crate) fn own(&self) -> Result<File, StartError> {
        let path = self.0.join("owner.lock");
        lock(&path, LOCK_WAIT)?.ok_or_else(|| StartError::StoreInUse { store: self.0.clone() })
    }

    /// The lock that the next server inherits. Ends the server of an owner that was killed.
    pub(crate) fn hand_over(&self) -> Result<File, StartError> {
        let path = self.0.join("server.lock");
        if let Some(file) = lock(&path, Duration::ZERO)? {
            return Ok(file);
        }
        if let Some(pid) = self.orphan() {
            // It may have ended by itself since; the lock decides.
            drop(process::terminate(pid));
        }
        lock(&path, ORPHAN_STOP)?.ok_or_else(|| StartError::Orphan { store: self.0.clone(), pid: self.orphan() })
    }

    /// The server named by the pid file, if the process of that id is still that server.
    fn orphan(&self) -> Option<u32> {
        let pid = std::fs::read_to_string(self.pid_file()).ok()?.trim().parse().ok()?;
        let line = process::command_line(pid)?;
        line.contains(&*self.config().to_string_lossy()).then_some(pid)
    }
}

/// `None` if another process holds it for the whole wait.
fn lock(path: &Path, wait: Duration) -> Result<Option<File>, StartError> {
    let file = open(path).map_err(StartError::at(path))?;
    let locked = process::until(wait, || match file.try_lock() {
        Ok(()) => Some(Ok(())),
        Err(TryLockError::WouldBlock) => None,
        Err(TryLockError::Error(error)) => Some(Err(error)),
    });
    locked.transpose().map(|done| done.map(|()| file)).map_err(StartError::at(path))
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}
