//! What was committed is what is read back, also after opening again; generations live apart.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod common;

use common::{Records, commit, customer, head, load};
use proptest::prelude::*;
use view_store::{
    CommitError, EncodedPage, Head, LoadError, MAX_GENERATIONS, MAX_RECORD_BYTES, OpenError, Origin, PageError,
    PageNumber, Store, origin,
};

/// One commit: customers with their new record, `None` for a removed one; then perhaps opening again.
type Step = (Vec<(u64, Option<Vec<u8>>)>, bool);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let record = proptest::option::weighted(0.8, proptest::collection::vec(any::<u8>(), 0..600));
    let change = (0..400_u64, record);
    proptest::collection::vec((proptest::collection::vec(change, 0..60), any::<bool>()), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn commits_read_back_equal_the_records_in_memory(steps in steps()) {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(dir.path()).unwrap();
        let generation = store.create_generation(&head(0)).unwrap();
        let mut records = Records::new();
        for (position, (changes, reopen)) in (1..).zip(steps) {
            let touched: Vec<u128> = changes.iter().map(|(number, _)| customer(*number)).collect();
            for (number, record) in changes {
                match record {
                    Some(record) => records.insert(customer(number), record),
                    None => records.remove(&customer(number)),
                };
            }
            commit(&store, generation, &records, touched, &head(position)).unwrap();
            if reopen {
                drop(store);
                store = Store::open(dir.path()).unwrap();
            }
            prop_assert_eq!(&load(&store, generation).unwrap(), &(head(position), records.clone()));
        }
    }
}

#[test]
fn more_pages_than_one_batch_and_a_record_larger_than_a_segment() {
    let dir = tempfile::tempdir().unwrap();
    let mut records: Records = (0..5_000).map(|number| (customer(number), vec![7; 40])).collect();
    records.insert(customer(17), vec![9; 3 << 20]);
    let store = Store::open(dir.path()).unwrap();
    let generation = store.create_generation(&head(0)).unwrap();
    let committed = commit(&store, generation, &records, records.keys().copied(), &head(5)).unwrap();
    assert!(committed.pages > 4_000 && committed.bytes > 3 << 20, "{committed:?}");
    assert!(store.size_on_disk().unwrap() > committed.bytes);
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(load(&store, generation).unwrap(), (head(5), records));
}

#[test]
fn ranges_read_side_by_side_make_the_whole() {
    let dir = tempfile::tempdir().unwrap();
    let records: Records = (0..3_000).map(|number| (customer(number), number.to_le_bytes().to_vec())).collect();
    let store = Store::open(dir.path()).unwrap();
    let generation = store.create_generation(&head(0)).unwrap();
    commit(&store, generation, &records, records.keys().copied(), &head(1)).unwrap();
    for parts in [1, 2, 3, 7, 1_000] {
        let store = &store;
        let read: Records = std::thread::scope(|scope| {
            let part =
                |range| scope.spawn(move || store.pages(generation, range).unwrap().map(Result::unwrap).collect());
            let loaders: Vec<_> = PageNumber::ranges(parts).map(part).collect();
            let pages: Vec<Vec<view_store::Page>> = loaders.into_iter().map(|loader| loader.join().unwrap()).collect();
            let rows = pages.iter().flatten().flat_map(|page| page.records());
            rows.map(|(customer, record)| (customer, record.to_vec())).collect()
        });
        assert_eq!(read, records, "{parts} parts");
    }
}

#[test]
fn generations_live_apart_and_one_serves() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.serving().unwrap(), None);
    let old = store.create_generation(&head(0)).unwrap();
    store.set_serving(old).unwrap();
    let new = store.create_generation(&head(0)).unwrap();
    let (was, is) = (Records::from([(1, vec![1])]), Records::from([(1, vec![2]), (2, vec![3])]));
    commit(&store, old, &was, [1], &head(10)).unwrap();
    commit(&store, new, &is, [1, 2], &head(20)).unwrap();
    assert_eq!(load(&store, old).unwrap(), (head(10), was));
    store.set_serving(new).unwrap();
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!((store.serving().unwrap(), store.generations().unwrap()), (Some(new), vec![old, new]));
    assert!(matches!(store.drop_generation(new), Err(CommitError::Serving(id)) if id == new));
    store.drop_generation(old).unwrap();
    assert!(matches!(store.head(old), Err(LoadError::UnknownGeneration(id)) if id == old));
    assert!(matches!(store.set_serving(old), Err(CommitError::UnknownGeneration(id)) if id == old));
    assert!(matches!(commit(&store, old, &is, [1], &head(30)), Err(CommitError::UnknownGeneration(_))));
    assert_eq!(load(&store, new).unwrap(), (head(20), is));
    let next = store.create_generation(&head(0)).unwrap();
    assert!(next > new, "numbers are not used twice");
}

#[test]
fn generations_are_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    for _ in 0..MAX_GENERATIONS {
        store.create_generation(&head(0)).unwrap();
    }
    assert!(matches!(store.create_generation(&head(0)), Err(CommitError::TooManyGenerations)));
}

#[test]
fn the_head_never_goes_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let generation = store.create_generation(&head(8)).unwrap();
    let refused = store.commit(generation, [], &head(7));
    assert!(matches!(refused, Err(CommitError::Backwards { held: 8, given: 7, .. })), "{refused:?}");
    store.commit(generation, [], &head(8)).unwrap();
}

#[test]
fn a_page_that_cannot_be_made_leaves_the_head_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let generation = store.create_generation(&head(8)).unwrap();
    let (one, too_long) = (customer(1), vec![0; MAX_RECORD_BYTES + 1]);
    let page = |record: &[u8]| EncodedPage::new(PageNumber::of(one), [(one, record)]);
    let refused = store.commit(generation, [page(b"there"), page(&too_long)], &head(9));
    assert!(matches!(refused, Err(CommitError::Page(PageError::TooLong { .. }))), "{refused:?}");
    assert_eq!(store.head(generation).unwrap().position, 8);
    store.commit(generation, [page(b"there")], &head(9)).unwrap();
    assert_eq!(store.head(generation).unwrap().position, 9);
}

#[test]
fn a_second_opener_is_told_who_it_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let second = Store::open(dir.path()).err().expect("the store has one owner");
    assert!(matches!(second, OpenError::InUse { .. }), "{second:?}");
    assert!(second.to_string().contains("in use by another process"), "{second}");
    assert!(view_store::set_aside(dir.path()).is_err(), "a store in use is not set aside");
    drop(store);
    Store::open(dir.path()).unwrap();
}

#[test]
fn records_that_make_no_page_are_refused() {
    let (one, page) = (customer(1), PageNumber::of(customer(1)));
    let other = (2..).map(customer).find(|other| PageNumber::of(*other) != page).unwrap();
    assert_eq!(EncodedPage::new(page, [(one, "a"), (one, "b")]), Err(PageError::Twice(one)));
    let wrong = PageError::WrongPage { customer: other, given: page, right: PageNumber::of(other) };
    assert_eq!(EncodedPage::new(page, [(other, "a")]), Err(wrong));
    let long = vec![0; view_store::MAX_RECORD_BYTES + 1];
    assert_eq!(EncodedPage::new(page, [(one, &long)]), Err(PageError::TooLong { customer: one, bytes: long.len() }));
}

#[test]
fn ids_that_share_their_leading_bits_spread_over_the_pages() {
    let start = 0x0192_0000_0000_7000_8000_0000_0000_0000_u128;
    let mut pages: Vec<PageNumber> = (0..10_000).map(|number| PageNumber::of(start + number)).collect();
    pages.sort_unstable();
    pages.dedup();
    assert!(pages.len() > 9_300, "{} pages", pages.len());
}

#[test]
fn a_note_is_the_last_one_put_and_none_before() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.note("rebuilds.json").unwrap(), None);
    store.put_note("rebuilds.json", b"one, and longer").unwrap();
    store.put_note("rebuilds.json", b"two").unwrap();
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.note("rebuilds.json").unwrap().as_deref(), Some(&b"two"[..]));
    assert_eq!(store.note("paused.json").unwrap(), None);
}

#[test]
fn the_log_of_what_serves_is_known_without_opening_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let noted = || origin(dir.path()).unwrap();
    let of = |head: &Head| Some(Origin { epoch: head.epoch, stream_created_micros: head.stream_created_micros });
    let store = Store::open(dir.path()).unwrap();
    let first = store.create_generation(&head(0)).unwrap();
    assert_eq!(noted(), None, "nothing serves yet");
    store.set_serving(first).unwrap();
    assert_eq!(noted(), of(&head(0)));

    let another = Head { epoch: 7, ..head(0) };
    store.set_serving(store.create_generation(&another).unwrap()).unwrap();
    assert_eq!(noted(), of(&another));

    drop(store);
    for spoil in ["", "epoch 7"] {
        std::fs::write(dir.path().join("log"), spoil).unwrap();
        assert_eq!(noted(), None);
        drop(Store::open(dir.path()).unwrap());
        assert_eq!(noted(), of(&another), "opening says it again");
    }
}
