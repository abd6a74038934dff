//! Room on the disk of a data folder.

use std::path::Path;

use super::Finding;
use crate::client::format;

/// A store is rewritten beside the old one while it is rebuilt, and the log grows: with less it is time to make room.
const MIN_FREE_BYTES: u64 = 1 << 30;

/// Looks at the disk of a folder, or of the nearest one above it that is there.
pub(super) fn look(folder: &Path) -> Finding {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let there = absolute.ancestors().find(|it| it.is_dir()).unwrap_or(Path::new("/"));
    judged(format!("disk {}", folder.display()), view_store::free_on_disk(there))
}

/// Both folders are there, and on the same disk.
#[cfg(unix)]
pub(super) fn is_shared(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let device = |folder: &Path| folder.metadata().map(|found| found.dev()).ok();
    device(one).is_some_and(|it| device(other) == Some(it))
}

#[cfg(not(unix))]
pub(super) fn is_shared(_: &Path, _: &Path) -> bool {
    false
}

fn judged(check: String, free: Option<u64>) -> Finding {
    match free {
        Some(bytes) if bytes >= MIN_FREE_BYTES => Finding::ok(check, format!("{} free", format::bytes(bytes))),
        Some(bytes) => {
            let (free, least) = (format::bytes(bytes), format::bytes(MIN_FREE_BYTES));
            Finding::failed(check, format!("{free} free, less than {least}: make room, or move the folder"))
        }
        None => Finding::note(check, "the system does not say how much is free"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn little_room_is_a_failure_and_unknown_room_is_none() {
        let verdict = |free| judged("disk ./data".to_owned(), free).verdict;
        assert_eq!(verdict(Some(MIN_FREE_BYTES)), Verdict::Ok);
        assert_eq!(verdict(Some(MIN_FREE_BYTES - 1)), Verdict::Failed);
        assert_eq!(verdict(None), Verdict::Note);
    }

    #[test]
    fn a_folder_shares_its_disk_with_the_one_above_it() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("churn");
        assert!(!is_shared(&below, folder.path()), "it is not there");
        std::fs::create_dir(&below).unwrap();
        assert_eq!(is_shared(&below, folder.path()), cfg!(unix));
        let elsewhere = Path::new("/proc");
        assert!(!is_shared(elsewhere, folder.path()));
    }

    #[test]
    fn the_nearest_folder_that_is_there_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let says = look(&folder.path().join("not/made/yet")).says;
        assert!(says.contains(" free"), "{says}");
    }
}
