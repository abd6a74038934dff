//! The folder of a store: its lock, its size, the room around it, and setting a damaged one aside.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Our own lock, beside sled's: it is kept while sled is closed after a full disk, and it tells "in use" apart from
/// every other failure.
const LOCK_FILE: &str = "lock";

/// Holds the folder for one owner until dropped.
pub(crate) struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the folder, which must exist; `None` if another has it.
    pub(crate) fn take(dir: &Path) -> io::Result<Option<Self>> {
        let file = File::options().create(true).truncate(false).write(true).open(dir.join(LOCK_FILE))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// Renames the folder of a store to `<dir>.damaged-<n>` with the first free number, and says where it is now.
/// Nothing is deleted. Refuses while somebody has the store open.
pub fn set_aside(dir: &Path) -> io::Result<PathBuf> {
    let Some(_lock) = FolderLock::take(dir)? else {
        return Err(io::Error::new(ErrorKind::ResourceBusy, format!("the store {} is in use", dir.display())));
    };
    let name = dir.file_name().ok_or(ErrorKind::InvalidInput)?.to_owned();
    for number in 1_u64.. {
        let mut aside = name.clone();
        aside.push(format!(".damaged-{number}"));
        let aside = dir.with_file_name(aside);
        if !fs::exists(&aside)? {
            fs::rename(dir, &aside)?;
            sync_parent(dir)?;
            return Ok(aside);
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// Makes the name of the folder itself survive a power cut.
pub(crate) fn sync_parent(dir: &Path) -> io::Result<()> {
    match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

/// Bytes that are free, for who is no administrator, on the disk of this folder; nothing if the system does not say.
pub fn free_on_disk(dir: &Path) -> Option<u64> {
    let there = rustix::fs::statvfs(dir).ok()?;
    there.f_bavail.checked_mul(there.f_frsize)
}

/// Bytes of all files in the folder and below.
pub(crate) fn size(dir: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        bytes += match entry.metadata() {
            Ok(found) if found.is_dir() => size(&entry.path())?,
            Ok(found) => found.len(),
            // sled removed it meanwhile.
            Err(error) if error.kind() == ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
    }
    Ok(bytes)
}
