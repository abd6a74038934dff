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
    fn the_nearest_folder_that_is_there_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let says = look(&folder.path().join("not/made/yet")).says;
        assert!(says.contains(" free"), "{says}");
    }
}
