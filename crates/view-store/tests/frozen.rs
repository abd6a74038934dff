//! Bytes on disk are read for ever: frozen examples of a page and a head.

mod common;

use common::head;
use view_store::{EncodedPage, Head, PageNumber};

const CUSTOMERS: [u128; 2] = [FIRST, SECOND];
const FIRST: u128 = 0;
const SECOND: u128 = 0;
const PAGE: &str = "";
const HEAD: &str = "";

#[test]
fn a_page_keeps_its_bytes_whatever_the_order_of_its_records() {
    let page = PageNumber::of(CUSTOMERS[0]);
    let records = [(CUSTOMERS[1], &b"\xff\x00"[..]), (CUSTOMERS[0], &b"facts"[..])];
    let one = EncodedPage::new(page, records).unwrap();
    let other = EncodedPage::new(page, records.into_iter().rev()).unwrap();
    assert_eq!((hex(one.as_bytes()), page.index()), (PAGE.to_owned(), PAGE_INDEX));
    assert_eq!(one, other);
    assert!(EncodedPage::new(page, [(0, ""); 0]).unwrap().as_bytes().is_empty());
}

#[test]
fn a_head_keeps_its_bytes() {
    let bytes = head(77).encode().unwrap();
    assert_eq!(hex(&bytes), HEAD);
    assert_eq!(Head::decode(&bytes), Ok(head(77)));
}

#[test]
fn every_flipped_bit_and_every_cut_of_a_head_is_noticed() {
    let bytes = head(77).encode().unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(Head::decode(&flipped).is_err(), "bit {bit}");
    }
    for length in 0..bytes.len() {
        assert!(Head::decode(&bytes[..length]).is_err(), "length {length}");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
