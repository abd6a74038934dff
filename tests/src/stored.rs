//! What a store holds, read while nobody has it open, beside a plain refold of the log.

use std::collections::BTreeMap;
use std::path::Path;

use event_log::{Entry, Subject};
use touchpoint::{Event, Position, Recorded};
use view_store::{PageNumber, Store};
use views::{Difference, Record, differences};

/// Checks that every generation of a store holds all that the log says up to its position, and nothing else up to it: no
/// position is ahead of the records, and no generation has anything of another one. One that is known to be wrong is left
/// out.
///
/// # Panics
/// If a generation differs, or the store or the log cannot be read.
pub fn is_what_the_log_says(dir: &Path, log: &[Entry], known_wrong: Option<u64>) {
    let broken = |error: &dyn std::fmt::Display| -> ! { panic!("{}: {error}", dir.display()) };
    let store = Store::open(dir).unwrap_or_else(|error| broken(&error));
    let generations = store.generations().unwrap_or_else(|error| broken(&error));
    for id in generations.into_iter().filter(|id| Some(id.get()) != known_wrong) {
        let position = Position(store.head(id).unwrap_or_else(|error| broken(&error)).position);
        let mut wanted = refold(log, position);
        for page in store.pages(id, PageNumber::all()).unwrap_or_else(|error| broken(&error)) {
            let page = page.unwrap_or_else(|error| broken(&error));
            for (customer, bytes) in page.records() {
                let held = Record::from_bytes(bytes).unwrap_or_else(|error| broken(&error));
                compare(&wanted.remove(&customer).unwrap_or_default(), &held, position, id.get());
            }
        }
        let missing = wanted.len();
        assert_eq!(missing, 0, "generation {id} lacks customers of the log up to {position}");
    }
}

/// What is after the position does not count; an erasure has none.
fn compare(wanted: &Record, held: &Record, position: Position, generation: u64) {
    let mut found = differences(wanted, held, position);
    found.retain(|difference| *difference != Difference::Erased);
    assert!(found.is_empty(), "generation {generation} at position {position}: {found:?}");
}

fn refold(log: &[Entry], through: Position) -> BTreeMap<u128, Record> {
    let mut records = BTreeMap::<u128, Record>::new();
    for Entry { position, recorded_at, subject, body } in log.iter().filter(|entry| entry.position <= through) {
        let Subject::Customer(customer) = subject else { continue };
        let event = Event::decode(body).unwrap_or_else(|error| panic!("position {position}: {error:?}"));
        let recorded = Recorded { position: *position, recorded_at: *recorded_at, event };
        records.entry(customer.as_u128()).or_default().file(&recorded);
    }
    records
}
