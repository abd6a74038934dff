//! Stores that a mistake has made wrong: nobody may have them open.

use std::path::Path;

use touchpoint::CustomerId;
use view_store::{EncodedPage, PageNumber, Store};
use views::Record;

/// Customers of a page, and their records.
type Records = Vec<(u128, Vec<u8>)>;

/// Takes the records of one page out of a store. Gives whose they were.
///
/// # Panics
/// If the store cannot be read or written, or is empty.
pub fn lose_a_page(dir: &Path) -> Vec<CustomerId> {
    let lose = |records: &mut Records| {
        let lost = std::mem::take(records).into_iter().map(|(customer, _)| CustomerId::from_u128(customer));
        Some(lost.collect())
    };
    change_a_page(dir, lose).unwrap_or_else(|| panic!("no page to lose in {}", dir.display()))
}

/// Takes the last event of one customer out of their record. Gives whose it was.
///
/// # Panics
/// If the store cannot be read or written, or no customer has two events.
pub fn lose_an_event(dir: &Path) -> CustomerId {
    let lose = |records: &mut Records| {
        records.iter_mut().find_map(|(customer, record)| {
            *record = without_the_last(record)?;
            Some(CustomerId::from_u128(*customer))
        })
    };
    change_a_page(dir, lose).unwrap_or_else(|| panic!("no event to lose in {}", dir.display()))
}

/// Puts a text in the place of another of the same length, once, in the record of a customer.
///
/// # Panics
/// If the store cannot be read or written, or the text is not there.
pub fn change_a_text(dir: &Path, customer: CustomerId, from: &str, to: &str) {
    assert_eq!(from.len(), to.len(), "its length stands beside it");
    let change = |records: &mut Records| {
        let (_, record) = records.iter_mut().find(|(of, _)| *of == customer.as_u128())?;
        let at = record.windows(from.len()).position(|bytes| bytes == from.as_bytes())?;
        record[at..at + to.len()].copy_from_slice(to.as_bytes());
        Some(())
    };
    change_a_page(dir, change).unwrap_or_else(|| panic!("no {from} of {customer} in {}", dir.display()));
}

/// The record with one event less, if it has two: the longest beginning that is a record.
fn without_the_last(record: &[u8]) -> Option<Vec<u8>> {
    let empty = Record::default().as_bytes().len();
    let mut beginnings = (empty + 1..record.len()).rev().map(|end| &record[..end]);
    beginnings.find(|bytes| Record::from_bytes(bytes).is_ok()).map(<[u8]>::to_vec)
}

/// Changes the first page that can be changed so.
fn change_a_page<T>(dir: &Path, change: impl Fn(&mut Records) -> Option<T>) -> Option<T> {
    let store = Store::open(dir).ok()?;
    let serving = store.serving().ok()??;
    let mut pages = store.pages(serving, PageNumber::all()).ok()?;
    let (number, records, changed) = pages.find_map(|page| {
        let page = page.ok()?;
        let mut records = page.records().map(|(customer, record)| (customer, record.to_vec())).collect();
        let changed = change(&mut records)?;
        Some((page.number(), records, changed))
    })?;
    drop(pages);
    let page = EncodedPage::new(number, records.iter().map(|(customer, it)| (*customer, it.as_slice()))).ok()?;
    store.commit(serving, [Ok(page)], &store.head(serving).ok()?).ok()?;
    Some(changed)
}
