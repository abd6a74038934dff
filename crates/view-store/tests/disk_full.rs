//! A full disk stops commits, not the store: the next commit with room succeeds, and nothing durable is lost.
//!
//! The disk is "full" by a limit on the size of files. It holds for a whole process, so the test binary is started
//! again with `CHILD_FOLDER` set, ignoring the signal that the limit sends; `prlimit` (util-linux) moves the limit.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]
#![cfg(target_os = "linux")]

mod common;

use std::path::Path;
use std::process::{Command, id};

use common::{Records, commit, customer, head, load};
use view_store::{CommitError, Store};

const CHILD_FOLDER: &str = "VIEW_STORE_FULL_FOLDER";
const CUSTOMERS: u64 = 4_000;
const DONE: &str = "the store outlived the full disk";

#[test]
fn a_full_disk_stops_commits_and_not_the_store() {
    if let Some(folder) = std::env::var_os(CHILD_FOLDER) {
        return fill_and_free(Path::new(&folder));
    }
    let dir = tempfile::tempdir().unwrap();
    let child = Command::new("sh")
        .args(["-c", r#"trap "" XFSZ; exec "$0" --exact a_full_disk_stops_commits_and_not_the_store --nocapture"#])
        .arg(std::env::current_exe().unwrap())
        .env(CHILD_FOLDER, dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains(DONE), "{said}{}", String::from_utf8_lossy(&child.stderr));
}

fn fill_and_free(folder: &Path) {
    let store = Store::open(folder).unwrap();
    let generation = store.create_generation(&head(0)).unwrap();
    store.set_serving(generation).unwrap();
    let mut durable = Records::new();
    for round in 1..=3_u8 {
        let records: Records = (0..CUSTOMERS).map(|number| (customer(number), vec![round; 900])).collect();
        limit_files_to(&store.size_on_disk().unwrap().min(256 << 10).to_string());
        for _ in 0..2 {
            let refused = commit(&store, generation, &records, records.keys().copied(), &head(round.into()));
            assert!(matches!(refused, Err(CommitError::Io(_))), "round {round}: {refused:?}");
        }
        limit_files_to("unlimited");
        let (found, there) = load(&store, generation).unwrap();
        assert_eq!(found.position, u64::from(round) - 1, "the head is the durable one");
        assert!(durable.keys().all(|customer| there.contains_key(customer)), "nothing durable is lost");
        commit(&store, generation, &records, records.keys().copied(), &head(round.into())).unwrap();
        durable = records;
    }
    drop(store);
    assert_eq!(load(&Store::open(folder).unwrap(), generation).unwrap(), (head(3), durable));
    println!("{DONE}");
}

fn limit_files_to(bytes: &str) {
    let limit = format!("--fsize={bytes}:unlimited");
    let set = Command::new("prlimit").args(["--pid", &id().to_string(), &limit]).status();
    assert!(set.expect("prlimit, of util-linux, is installed").success());
}
