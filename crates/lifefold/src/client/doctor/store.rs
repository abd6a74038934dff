//! A view's store: who has it open, and if nobody has, whether it is of the log that is there. The lock is only looked
//! at, never taken: a projector that starts just then must get it.

use std::path::Path;

use event_log::Identity;
use view_store::Origin;

use super::Finding;

/// The file of a store that its owner locks.
const LOCK_FILE: &str = "lock";
/// Linux says here who holds which lock.
const LOCKS: &str = "/proc/locks";

/// Looks at the store in a folder; nothing if there is none. Of one that is open its projector says whether it is of
/// this log.
pub(super) fn look(view: &str, folder: &Path, log: Option<Identity>) -> Option<Finding> {
    let file = folder.join(LOCK_FILE);
    if !file.exists() {
        return None;
    }
    let check = format!("store {}", folder.display());
    Some(match holder(&file) {
        Err(reason) => Finding::note(check, format!("who has it open is not known: {reason}")),
        Ok(None) => match (view_store::origin(folder), log) {
            (Ok(Some(origin)), Some(log)) if is_foreign(origin, log) => Finding::failed(check, foreign(view)),
            _ => Finding::ok(check, format!("nobody has it open: `lifefold projector {view}` can start")),
        },
        Ok(Some(pid)) => Finding::ok(check, format!("open in process {pid}{}", command(pid))),
    })
}

/// As the projector would find out. A log that lost its genesis has no epoch that could be compared.
fn is_foreign(origin: Origin, log: Identity) -> bool {
    let other_epoch = !log.epoch.is_nil() && origin.epoch != log.epoch.as_u128();
    other_epoch || origin.stream_created_micros != log.created.micros()
}

fn foreign(view: &str) -> String {
    format!(
        "was folded from another log than the one that is there: is --nats-url right? If it is, start the projector, then \
         `lifefold rebuild {view}`"
    )
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
    use touchpoint::Timestamp;
    use uuid::Uuid;

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
    fn a_store_is_foreign_by_its_epoch_or_by_when_the_stream_was_created() {
        let log = |epoch, micros| Identity { epoch: Uuid::from_u128(epoch), created: Timestamp::from_micros(micros) };
        let origin = Origin { epoch: 1, stream_created_micros: 5 };
        assert!(!is_foreign(origin, log(1, 5)));
        assert!(is_foreign(origin, log(2, 5)) && is_foreign(origin, log(1, 6)));
        assert!(!is_foreign(origin, log(0, 5)), "its genesis is lost");
    }

    #[test]
    fn a_lock_that_this_process_holds_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let look = |folder: &Path| look("churn", folder, None);
        assert_eq!(look(folder.path()), None);
        let file = std::fs::File::create(folder.path().join(LOCK_FILE)).unwrap();
        if cfg!(target_os = "linux") {
            assert!(look(folder.path()).unwrap().says.starts_with("nobody has it open"));
            file.lock().unwrap();
            let says = look(folder.path()).unwrap().says;
            assert!(says.starts_with(&format!("open in process {}", std::process::id())), "{says}");
        }
    }
}
