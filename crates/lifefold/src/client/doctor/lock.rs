//! Who has a view's store open. The lock is only looked at, never taken: a projector that starts just then must get it.

use std::path::Path;

use super::Finding;

/// The file of a store that its owner locks.
const LOCK_FILE: &str = "lock";
/// Linux says here who holds which lock.
const LOCKS: &str = "/proc/locks";

/// Looks at the store in a folder; nothing if there is none.
pub(super) fn look(view: &str, folder: &Path) -> Option<Finding> {
    let file = folder.join(LOCK_FILE);
    if !file.exists() {
        return None;
    }
    let check = format!("store {}", folder.display());
    Some(match holder(&file) {
        Err(reason) => Finding::note(check, format!("who has it open is not known: {reason}")),
        Ok(None) => Finding::ok(check, format!("nobody has it open: `lifefold projector {view}` can start")),
        Ok(Some(pid)) => Finding::ok(check, format!("open in process {pid}{}", command(pid))),
    })
}

/// The process that holds the lock of a file.
fn holder(file: &Path) -> Result<Option<u32>, String> {
    let inode = inode(file).map_err(|error| error.to_string())?;
    let locks = std::fs::read_to_string(LOCKS).map_err(|error| format!("{LOCKS}: {error}"))?;
    Ok(held(&locks, inode))
}

#[cfg(unix)]
fn inode(file: &Path) -> std::io::Result<u64> {
    use std::os::unix::fs::MetadataExt;
    file.metadata().map(|found| found.ino())
}

#[cfg(not(unix))]
fn inode(_: &Path) -> std::io::Result<u64> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// `1: FLOCK  ADVISORY  WRITE 20221 fe:00:5980174 0 EOF`; who waits for it has an arrow before the word.
fn held(locks: &str, inode: u64) -> Option<u32> {
    locks.lines().find_map(|line| match *line.split_whitespace().collect::<Vec<_>>().as_slice() {
        [_, "FLOCK", _, "WRITE", pid, place, ..] if place.rsplit(':').next() == Some(&inode.to_string()) => {
            pid.parse().ok()
        }
        _ => None,
    })
}

/// The program of a process and its first two words, which are no secret.
fn command(pid: u32) -> String {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words: Vec<_> = line.split(|byte| *byte == 0).take(3).map(String::from_utf8_lossy).collect();
    let words = words.join(" ");
    if words.trim().is_empty() { String::new() } else { format!(" ({})", words.trim()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_told_from_who_waits_and_from_others() {
        let locks = "1: FLOCK  ADVISORY  WRITE 20221 fe:00:5980174 0 EOF\n\
                     1: -> FLOCK  ADVISORY  WRITE 7 fe:00:42 0 EOF\n\
                     2: POSIX  ADVISORY  WRITE 8 fe:00:42 0 EOF\n3: FLOCK  ADVISORY  WRITE 9 fe:00:42 0 EOF\n";
        assert_eq!(held(locks, 42), Some(9));
        assert_eq!(held(locks, 43), None);
    }

    #[test]
    fn a_lock_that_this_process_holds_is_found() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(look("churn", folder.path()), None);
        let file = std::fs::File::create(folder.path().join(LOCK_FILE)).unwrap();
        if cfg!(target_os = "linux") {
            assert!(look("churn", folder.path()).unwrap().says.starts_with("nobody has it open"));
            file.lock().unwrap();
            let says = look("churn", folder.path()).unwrap().says;
            assert!(says.starts_with(&format!("open in process {}", std::process::id())), "{says}");
        }
    }
}
