//! kill -9 at random moments of commits: the position on disk is never ahead of the records, and nothing that was
//! acknowledged is lost.
//!
//! The child is this test binary started again with `CHILD_FOLDER` set. At position P it has given customer `c` the
//! record "last touched at the greatest q ≤ P with q mod CUSTOMERS = c"; so what must be there is known from P alone.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod common;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Records, commit, customer, head, load};
use view_store::{GenerationId, Store};

const CHILD_FOLDER: &str = "VIEW_STORE_CRASH_FOLDER";
const CUSTOMERS: u64 = 9_000;
/// More pages than two batches hold, so that kills fall between batches.
const POSITIONS_PER_COMMIT: u64 = 4_500;
const KILLS: u64 = 20;

#[test]
fn killed_between_batches_the_position_is_never_ahead() {
    if let Some(folder) = std::env::var_os(CHILD_FOLDER) {
        return commit_for_ever(Path::new(&folder));
    }
    let dir = tempfile::tempdir().unwrap();
    let (mut furthest, mut torn) = (0, 0);
    for kill in 0..KILLS {
        // A different moment of the commit each time, over about two commits.
        let acknowledged = run_and_kill(dir.path(), Duration::from_millis(kill * 37 % 400)).max(furthest);
        let store = Store::open(dir.path()).expect("kill -9 does not damage a store");
        let generation = store.serving().unwrap().expect("set before the first acknowledgement");
        let (found, records) = load(&store, generation).unwrap();
        assert!(found.position >= acknowledged, "{} is behind the acknowledged {acknowledged}", found.position);
        torn += u64::from(check(&records, found.position));
        furthest = found.position;
    }
    assert!(furthest > POSITIONS_PER_COMMIT, "the children did commit");
    assert!(torn > 0, "no kill fell between batches: the test shows nothing");
}

/// Every record is at least what the position explains. True if some are ahead of it.
fn check(records: &Records, position: u64) -> bool {
    let mut ahead = false;
    for (number, expected) in (0..CUSTOMERS).map(|number| (number, last_touch(number, position))) {
        let found = records.get(&customer(number)).map(|record| touch_of(record));
        assert!(found >= expected, "customer {number} is at {found:?}, but position {position} needs {expected:?}");
        ahead |= found > expected;
    }
    ahead
}

fn last_touch(number: u64, position: u64) -> Option<u64> {
    let since = (position + CUSTOMERS - number) % CUSTOMERS;
    position.checked_sub(since).filter(|touch| *touch > 0)
}

fn record(touch: u64) -> Vec<u8> {
    touch.to_le_bytes().repeat(40)
}

fn touch_of(record: &[u8]) -> u64 {
    let touch = u64::from_le_bytes(record[..8].try_into().unwrap());
    assert_eq!(record, self::record(touch), "a record is whole");
    touch
}

/// Answers the last position that the child acknowledged.
fn run_and_kill(folder: &Path, after_first: Duration) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed_between_batches_the_position_is_never_ahead", "--nocapture"])
        .env(CHILD_FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = next_position(&mut lines).expect("the child commits");
    let deadline = Instant::now() + after_first;
    let killer = std::thread::spawn(move || kill_at(deadline, &mut child));
    while let Some(position) = next_position(&mut lines) {
        acknowledged = position;
    }
    killer.join().unwrap();
    acknowledged
}

fn kill_at(deadline: Instant, child: &mut Child) {
    while Instant::now() < deadline {
        std::thread::park_timeout(deadline - Instant::now());
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

fn next_position(lines: &mut impl Iterator<Item = std::io::Result<String>>) -> Option<u64> {
    lines.map_while(Result::ok).find_map(|line| line.strip_prefix("durable ")?.parse().ok())
}

fn commit_for_ever(folder: &Path) {
    let store = Store::open(folder).unwrap();
    let (generation, mut records) = resume(&store);
    let mut position = store.head(generation).unwrap().position;
    loop {
        let touches = position + 1..=position + POSITIONS_PER_COMMIT;
        records.extend(touches.clone().map(|touch| (customer(touch % CUSTOMERS), record(touch))));
        position = *touches.end();
        let touched = touches.map(|touch| customer(touch % CUSTOMERS));
        commit(&store, generation, &records, touched, &head(position)).unwrap();
        println!("durable {position}");
    }
}

fn resume(store: &Store) -> (GenerationId, Records) {
    if let Some(generation) = store.serving().unwrap() {
        return (generation, load(store, generation).unwrap().1);
    }
    let generation = store.create_generation(&head(0)).unwrap();
    store.set_serving(generation).unwrap();
    (generation, Records::new())
}
