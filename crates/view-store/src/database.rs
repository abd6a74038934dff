//! sled behind a wall: no panic leaves it, what it says is sorted into faults, and after a fault it is opened anew.
//!
//! sled remembers an error of writing for ever and refuses all later calls, so a full disk would end the store.
//! Therefore the handle is dropped at every fault and the next call opens the files again, which also brings
//! memory back to what is on disk.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Bound of sled's own cache. Records are served from the owner's memory, but a commit rewrites sled's nodes, and one
/// that is not cached is read from disk first: at 620 MB of pages a commit took three times as long with 128 MiB.
const CACHE_BYTES: u64 = 512 << 20;

/// sled's own threads let go of the files a moment after the handle is dropped.
const LET_GO_WAIT: Duration = Duration::from_secs(5);
const LET_GO_POLL: Duration = Duration::from_millis(5);

/// sled keeps values that do not fit its segments in files of this folder, and does not sync them.
const BLOBS: &str = "blobs";

/// What a call into sled ended with.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The files are not what sled wrote.
    Damaged(String),
    /// The machine refused.
    Io(io::Error),
}

pub(crate) struct Database {
    folder: PathBuf,
    /// `None` after a fault, until the next call opens the files again.
    handle: Mutex<Option<sled::Db>>,
}

impl Database {
    pub(crate) fn open(folder: PathBuf) -> Result<Self, Fault> {
        let handle = Mutex::new(Some(open(&folder)?));
        Ok(Self { folder, handle })
    }

    /// Runs one piece of work on the open database.
    pub(crate) fn run<T>(&self, work: impl FnOnce(&sled::Db) -> Result<T, Fault>) -> Result<T, Fault> {
        let db = self.handle()?;
        let outcome = guarded(|| work(&db));
        let_go(db);
        if outcome.is_err() {
            self.close();
        }
        outcome
    }

    /// Makes everything written so far survive a power cut: sled's `flush` alone does not (measured: 3 of 41 stores
    /// were intact after one; with the sync of its files 32 of 32).
    pub(crate) fn sync(&self) -> Result<(), Fault> {
        self.run(|db| {
            db.flush()?;
            sync_files(&self.folder)?;
            Ok(())
        })
    }

    /// Drops the handle, and with it what is only in memory.
    fn close(&self) {
        if let Some(db) = self.lock().take() {
            let_go(db);
        }
    }

    fn handle(&self) -> Result<sled::Db, Fault> {
        let mut handle = self.lock();
        let db = match handle.take() {
            Some(db) => db,
            None => open(&self.folder)?,
        };
        *handle = Some(db.clone());
        Ok(db)
    }

    fn lock(&self) -> MutexGuard<'_, Option<sled::Db>> {
        self.handle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.close();
    }
}

impl From<sled::Error> for Fault {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Io(error) => error.into(),
            other => Self::Damaged(other.to_string()),
        }
    }
}

impl From<io::Error> for Fault {
    /// Only what the machine refuses leaves hope that the files are sound. sled reports its own surprises (a file that
    /// ends early, a missing one) as input errors of other kinds.
    fn from(error: io::Error) -> Self {
        let refused = matches!(
            error.kind(),
            ErrorKind::StorageFull
                | ErrorKind::QuotaExceeded
                | ErrorKind::FileTooLarge
                | ErrorKind::PermissionDenied
                | ErrorKind::ReadOnlyFilesystem
                | ErrorKind::OutOfMemory
                | ErrorKind::ResourceBusy
                | ErrorKind::WouldBlock
                | ErrorKind::TimedOut
                | ErrorKind::Interrupted
        );
        if refused || error.to_string().contains("Too many open files") {
            Self::Io(error)
        } else {
            Self::Damaged(error.to_string())
        }
    }
}

/// Turns a panic into the damage that caused it: sled asserts what it reads.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Err(Fault::Damaged(format!("sled panicked: {said}")))
    })
}

/// Drops what holds sled open; the last one to go writes, and may panic doing so. What it could not write was not
/// acknowledged, so a panic changes nothing.
pub(crate) fn let_go<T>(held: T) {
    let dropped = guarded(|| {
        drop(held);
        Ok(())
    });
    if dropped.is_err() {
        tracing::warn!("sled panicked while it was closed");
    }
}

fn open(folder: &Path) -> Result<sled::Db, Fault> {
    let deadline = Instant::now() + LET_GO_WAIT;
    loop {
        let opened = guarded(|| Ok(sled::Config::new().path(folder).cache_capacity(CACHE_BYTES).open()?));
        match opened {
            // The folder is ours (the store's own lock), so the holder is a former handle of this process.
            Err(Fault::Damaged(reason)) if reason.contains("could not acquire lock") => {
                if Instant::now() > deadline {
                    return Err(Fault::Io(io::Error::new(ErrorKind::ResourceBusy, reason)));
                }
                thread::sleep(LET_GO_POLL);
            }
            other => return other,
        }
    }
}

fn sync_files(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name() == BLOBS {
            sync_files(&entry.path())?;
        } else {
            sync_one(&entry.path())?;
        }
    }
    File::open(folder)?.sync_all()
}

/// sled may remove a superseded file at any moment; that one needs no sync.
fn sync_one(path: &Path) -> io::Result<()> {
    match File::open(path).and_then(|file| file.sync_all()) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}
