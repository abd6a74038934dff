//! What holds for every event, and for every sequence of bytes.

use proptest::prelude::*;
use touchpoint::{Event, compact};

use crate::generator::valid_event;

fn packed(event: &Event<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    compact::pack(&event.body, &mut bytes);
    bytes
}

/// Reads bytes as packed events; what is read packs to what it was read from.
fn unpack_all(bytes: &[u8]) {
    let mut reader = compact::Reader::new(bytes);
    while !reader.rest().is_empty() {
        let before = reader.rest();
        let Some(body) = compact::unpack(&mut reader) else { return };
        let mut again = Vec::new();
        compact::pack(&body, &mut again);
        assert_eq!(again, before[..before.len() - reader.rest().len()]);
    }
}

/// Damages bytes at one place, then cuts them.
fn damaged(mut bytes: Vec<u8>, place: proptest::sample::Index, mask: u8, length: proptest::sample::Index) -> Vec<u8> {
    let place = place.index(bytes.len());
    bytes[place] ^= mask;
    bytes.truncate(length.index(bytes.len() + 1));
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_valid_event_comes_back_from_json_and_from_the_packed_form(json in valid_event()) {
        let body = serde_json::to_vec(&json).unwrap();
        let event = Event::decode(&body).map_err(|broken| TestCaseError::fail(format!("{json}: {broken}")))?;
        let written = serde_json::to_vec(&event).unwrap();
        prop_assert!(Event::decode(&written).as_ref() == Ok(&event), "{json}");
        let packed = packed(&event);
        let mut reader = compact::Reader::new(&packed);
        prop_assert!(compact::unpack(&mut reader).as_ref() == Some(&event.body), "{json}");
        prop_assert!(reader.rest().is_empty());
    }

    #[test]
    fn the_layout_of_the_json_does_not_matter(json in valid_event()) {
        let (tight, wide) = (serde_json::to_vec(&json).unwrap(), serde_json::to_vec_pretty(&json).unwrap());
        prop_assert_eq!(Event::decode(&tight), Event::decode(&wide));
        prop_assert!(touchpoint::same_content(&tight, &wide));
    }

    #[test]
    fn a_damaged_event_is_an_event_or_refused(
        json in valid_event(), place: proptest::sample::Index, mask in 1u8.., length: proptest::sample::Index
    ) {
        let body = damaged(serde_json::to_vec(&json).unwrap(), place, mask, length);
        if let Err(broken) = Event::decode(&body) {
            prop_assert!(!broken.is_empty());
        }
    }

    #[test]
    fn damaged_packed_bytes_are_refused_or_read_in_their_only_form(
        json in valid_event(), place: proptest::sample::Index, mask in 1u8.., length: proptest::sample::Index
    ) {
        let body = serde_json::to_vec(&json).unwrap();
        let packed = packed(&Event::decode(&body).unwrap());
        unpack_all(&damaged(packed, place, mask, length));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Event::decode(&bytes).is_err());
        unpack_all(&bytes);
    }
}
