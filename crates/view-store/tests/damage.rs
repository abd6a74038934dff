//! Whatever happens to the files, no panic and no wrong record comes out: an error, or an earlier state of the store.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod common;

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use common::{Records, commit, customer, head, load};
use view_store::{GenerationId, LoadError, OpenError, PageNumber, Store, set_aside};

const CUSTOMERS: u64 = 2_000;
/// The store is written as this many commits; damage may bring back any of them, whole.
const COMMITS: u64 = 4;

#[test]
fn a_page_that_is_not_what_was_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let generation = write(dir.path());
    let damaged = PageNumber::of(customer(5));
    let key = u32::try_from(damaged.index()).unwrap().to_be_bytes();
    for change in [|value: &mut Vec<u8>| flip(value), cut, empty] {
        let before = rewrite_row(dir.path(), generation, &key, change);
        let store = Store::open(dir.path()).unwrap();
        let error = load(&store, generation).expect_err("the page is damaged");
        assert!(matches!(&error, LoadError::Page { page, .. } if *page == damaged), "{error}");
        assert!(error.is_damage());
        drop(store);
        rewrite_row(dir.path(), generation, &key, |value| *value = before.clone());
    }
    assert_eq!(load(&Store::open(dir.path()).unwrap(), generation).unwrap(), state(COMMITS));
}

#[test]
fn a_page_under_the_key_of_another_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let generation = write(dir.path());
    let other = PageNumber::of(customer(6));
    let key = |page: PageNumber| u32::try_from(page.index()).unwrap().to_be_bytes();
    let value = rewrite_row(dir.path(), generation, &key(PageNumber::of(customer(5))), |_| ());
    rewrite_row(dir.path(), generation, &key(other), |row| *row = value.clone());
    let error = load(&Store::open(dir.path()).unwrap(), generation).expect_err("the page is another's");
    assert!(matches!(&error, LoadError::Page { page, .. } if *page == other), "{error}");
}

#[test]
fn a_damaged_head_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let generation = write(dir.path());
    rewrite_row(dir.path(), generation, b"position-head", |value| flip(value));
    let error = Store::open(dir.path()).unwrap().head(generation).expect_err("the head is damaged");
    assert!(matches!(error, LoadError::Head { .. }) && error.is_damage(), "{error}");
}

#[test]
fn flipped_bytes_of_the_file_never_give_wrong_records() {
    let pristine = tempfile::tempdir().unwrap();
    let generation = write(pristine.path());
    let bytes = fs::read(database(pristine.path())).unwrap();
    // Anywhere, spread by a multiplier that is prime to every length; and where the records of the last commit are, since
    // the rest of the file is mostly what nobody reads any more.
    let anywhere = (0..20).map(|trial: usize| trial.wrapping_mul(0x9e37_79b9_7f4a_7c15) % bytes.len());
    let last = state(COMMITS).1.into_values().next().unwrap();
    let in_record = |at: &usize| bytes[*at..].starts_with(&last[..last.len() / 2]);
    let records: Vec<_> = (0..bytes.len()).step_by(last.len() / 2).filter(in_record).collect();
    let of_records = records.iter().step_by(records.len() / 20).copied();
    let mut noticed = 0;
    for at in anywhere.chain(of_records) {
        noticed += u64::from(damage_and_open(pristine.path(), generation, |file| {
            let damaged: Vec<_> = bytes[at..].iter().take(64).map(|byte| byte ^ 0x5a).collect();
            file.write_all_at(&damaged, at as u64).unwrap();
        }));
    }
    assert!(noticed > 10, "only {noticed} damages were noticed, of {} records", records.len());
}

#[test]
fn a_truncated_file_never_gives_wrong_records() {
    let pristine = tempfile::tempdir().unwrap();
    let generation = write(pristine.path());
    let length = fs::metadata(database(pristine.path())).unwrap().len();
    let mut noticed = 0;
    for part in 0..20 {
        noticed += u64::from(damage_and_open(pristine.path(), generation, |file| {
            file.set_len(length * part / 20).unwrap();
        }));
    }
    assert!(noticed > 10, "only {noticed} truncations were noticed");
}

#[test]
fn every_other_file_of_sled_may_be_garbage() {
    let pristine = tempfile::tempdir().unwrap();
    let generation = write(pristine.path());
    for entry in fs::read_dir(pristine.path().join("sled")).unwrap() {
        let name = entry.unwrap().file_name();
        let target = copy(pristine.path());
        let path = target.path().join("sled").join(&name);
        if path.is_file() {
            fs::write(&path, b"this is no file of sled, and it is long enough to be read").unwrap();
            open_and_judge(target.path(), generation);
        }
    }
}

#[test]
fn a_damaged_store_is_set_aside_and_a_fresh_one_takes_its_place() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("churn");
    for number in 1..=2 {
        write(&dir);
        for entry in fs::read_dir(dir.join("sled")).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::write(&path, vec![0x77; 70_000]).unwrap();
            }
        }
        let error = Store::open(&dir).err().expect("nothing readable is left");
        assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains(dir.to_str().unwrap()), "{error}");
        let aside = set_aside(&dir).unwrap();
        assert_eq!(aside, parent.path().join(format!("churn.damaged-{number}")));
        assert_eq!(fs::read(database(&aside)).unwrap(), vec![0x77; 70_000], "nothing is deleted");
        assert!(!dir.exists());
        assert_eq!(Store::open(&dir).unwrap().generations().unwrap(), []);
        fs::remove_dir_all(&dir).unwrap();
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_no_damage() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "not a folder").unwrap();
    let error = Store::open(file.join("store")).err().expect("a file has no folders in it");
    assert!(matches!(error, OpenError::Io { .. }), "{error}");
}

/// The records and head after so many commits.
fn state(commits: u64) -> (view_store::Head, Records) {
    (head(commits), (0..CUSTOMERS).map(|number| (customer(number), vec![commits as u8; 100])).collect())
}

fn write(dir: &Path) -> GenerationId {
    let store = Store::open(dir).unwrap();
    let generation = store.create_generation(&head(0)).unwrap();
    store.set_serving(generation).unwrap();
    for (head, records) in (1..=COMMITS).map(state) {
        commit(&store, generation, &records, records.keys().copied(), &head).unwrap();
    }
    generation
}

/// Damages a copy and opens it. True if the damage was noticed.
fn damage_and_open(pristine: &Path, generation: GenerationId, damage: impl FnOnce(&File)) -> bool {
    let target = copy(pristine);
    damage(&File::options().read(true).write(true).open(database(target.path())).unwrap());
    open_and_judge(target.path(), generation)
}

/// Either an error that says damage, or a store whose records are at least what its position explains and were all
/// written by some commit. A store from before the generation has none.
fn open_and_judge(dir: &Path, generation: GenerationId) -> bool {
    let store = match Store::open(dir) {
        Ok(store) => store,
        Err(OpenError::Damaged { .. }) => return true,
        Err(other) => panic!("{other} is not what happened"),
    };
    match load(&store, generation) {
        Ok((head, records)) => {
            let touch = |number| records.get(&customer(number)).map_or(0, |record| u64::from(record[0]));
            assert!((0..CUSTOMERS).all(|number| touch(number) >= head.position), "records behind {}", head.position);
            assert!(records.values().all(|record| *record == vec![record[0]; 100]), "a record that nobody wrote");
            head.position < COMMITS
        }
        Err(error) => {
            let lost = matches!(error, LoadError::UnknownGeneration(_));
            assert!(error.is_damage() || lost && store.serving().unwrap().is_none(), "{error}");
            true
        }
    }
}

fn database(dir: &Path) -> PathBuf {
    dir.join("sled").join("db")
}

fn copy(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    copy_folder(from, to.path());
    to
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Changes one row behind the store's back; answers what it was.
fn rewrite_row(dir: &Path, generation: GenerationId, key: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let db = open_sled(&dir.join("sled"));
    let tree = db.open_tree(format!("generation-{generation}")).unwrap();
    let before = tree.get(key).unwrap().expect("the row is there").to_vec();
    let mut value = before.clone();
    change(&mut value);
    tree.insert(key, value).unwrap();
    db.flush().unwrap();
    before
}

/// sled lets go of its files a moment after it was dropped.
fn open_sled(folder: &Path) -> sled::Db {
    loop {
        match sled::open(folder) {
            Err(error) if error.to_string().contains("could not acquire lock") => std::thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
}

fn flip(value: &mut [u8]) {
    let middle = value.len() / 2;
    value[middle] ^= 1;
}

fn cut(value: &mut Vec<u8>) {
    value.truncate(value.len() - 1);
}

fn empty(value: &mut Vec<u8>) {
    value.clear();
}
