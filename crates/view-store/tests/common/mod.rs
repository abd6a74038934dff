//! What the tests of the store share: heads, records, and a plain picture of what a store must hold.
#![allow(clippy::expect_used, reason = "a test may panic")]
#![allow(dead_code, reason = "each test binary uses a part")]

use std::collections::BTreeMap;

use view_store::{CommitError, Committed, EncodedPage, GenerationId, Head, LoadError, PageNumber, Store};

/// Records by customer, as the owner has them in memory.
pub(crate) type Records = BTreeMap<u128, Vec<u8>>;

pub(crate) fn head(position: u64) -> Head {
    Head {
        epoch: 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10,
        stream_created_micros: 1_700_000_000_123_456,
        position,
        event_digest: [0xab; 16],
        fold_version: 3,
        view: "churn".to_owned(),
        extra: vec![1, 2, 3],
    }
}

/// Commits every page that holds one of the touched customers.
pub(crate) fn commit(
    store: &Store,
    generation: GenerationId,
    records: &Records,
    touched: impl IntoIterator<Item = u128>,
    head: &Head,
) -> Result<Committed, CommitError> {
    let mut dirty: BTreeMap<PageNumber, Vec<(u128, &[u8])>> =
        touched.into_iter().map(|customer| (PageNumber::of(customer), Vec::new())).collect();
    for (customer, record) in records {
        if let Some(page) = dirty.get_mut(&PageNumber::of(*customer)) {
            page.push((*customer, record));
        }
    }
    let pages = dirty.into_iter().map(|(number, page)| EncodedPage::new(number, page));
    store.commit(generation, pages, head)
}

/// Everything a generation holds.
pub(crate) fn load(store: &Store, generation: GenerationId) -> Result<(Head, Records), LoadError> {
    let head = store.head(generation)?;
    let mut records = Records::new();
    for page in store.pages(generation, PageNumber::all())? {
        records.extend(page?.records().map(|(customer, record)| (customer, record.to_vec())));
    }
    Ok((head, records))
}

/// Spreads small numbers over all pages, as random ids do.
pub(crate) fn customer(number: u64) -> u128 {
    u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
}
