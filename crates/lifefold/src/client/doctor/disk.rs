//! Room on the disk of a data folder, as `df` says it: POSIX has no other way that needs no foreign function.

use std::path::Path;
use std::process::Command;

use super::Finding;
use crate::client::format;

/// A store is rewritten beside the old one while it is rebuilt, and the log grows: with less it is time to make room.
const MIN_FREE_BYTES: u64 = 1 << 30;
const BYTES_PER_KIBIBYTE: u64 = 1_024;

/// Looks at the disk of a folder, or of the nearest one above it that is there.
pub(super) fn look(folder: &Path) -> Finding {
    let check = format!("disk {}", folder.display());
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let there = absolute.ancestors().find(|it| it.is_dir()).unwrap_or(Path::new("/"));
    match free(there) {
        Ok(bytes) if bytes >= MIN_FREE_BYTES => Finding::ok(check, format!("{} free", format::bytes(bytes))),
        Ok(bytes) => {
            let (free, least) = (format::bytes(bytes), format::bytes(MIN_FREE_BYTES));
            Finding::failed(check, format!("{free} free, less than {least}: make room, or move the folder"))
        }
        Err(reason) => Finding::note(check, format!("not known: {reason}")),
    }
}

/// Free bytes for who is no administrator.
fn free(folder: &Path) -> Result<u64, String> {
    let done = Command::new("df").arg("-Pk").arg(folder).env("LC_ALL", "C").output();
    let done = done.map_err(|error| format!("df: {error}"))?;
    available(&String::from_utf8_lossy(&done.stdout)).ok_or_else(|| "df gives no answer that can be read".to_owned())
}

/// The fourth column of the second line. A file system's name may have blanks, so it is counted from the percentage.
fn available(text: &str) -> Option<u64> {
    let words: Vec<_> = text.lines().nth(1)?.split_whitespace().collect();
    let percentage = words.iter().rposition(|word| word.ends_with('%'))?;
    let kibibytes: u64 = words.get(percentage.checked_sub(1)?)?.parse().ok()?;
    kibibytes.checked_mul(BYTES_PER_KIBIBYTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_is_read_whatever_the_disk_is_called() {
        let text = "Filesystem 1024-blocks Used Available Capacity Mounted on\nmy nas:/x 100 58 42 58% /mnt\n";
        assert_eq!(available(text), Some(42 * 1_024));
        assert_eq!(available("Filesystem\n"), None);
        assert!(free(Path::new("/")).unwrap() > 0);
    }
}
