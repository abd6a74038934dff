//! Bytes on disk are read for ever: frozen examples of a page and a head.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod common;

use common::head;
use view_store::{EncodedPage, Head, PageNumber};

/// Two customers that share a page.
const CUSTOMERS: [u128; 2] = [0x0192_f3a4_b5c6_7d8e_9fa0_b1c2_d3e4_f506, 0x0192_f3a4_b5c6_7d8e_9fa0_b1c2_d3e5_714d];
const PAGE_INDEX: usize = 42_802;
const PAGE: &str = concat!(
    "01",
    "02000000",
    "0192f3a4b5c67d8e9fa0b1c2d3e4f506",
    "05000000",
    "6661637473",
    "0192f3a4b5c67d8e9fa0b1c2d3e5714d",
    "02000000",
    "ff00",
    "a40c7fa0",
);
const HEAD: &str = concat!(
    "0211",
    "100f0e0d0c0b0a090807060504030201",
    "40222018240a0600",
    "4d00000000000000",
    "abababababababababababababababab",
    "03000000",
    "05000000",
    "636875726e",
    "03000000",
    "010203",
    "9c25e2801aeecfa2869bfc26a6802a16",
);

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
