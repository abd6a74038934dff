//! Reads RFC 3339 times and dates as numbers.

use chrono::{DateTime, NaiveDate};

const MICROS_PER_SECOND: i64 = 1_000_000;
/// Decimals of a second that are kept.
const MAX_DECIMALS: usize = 6;

/// Microseconds since 1970-01-01T00:00:00Z; nothing if the text is no time, or has more than microseconds.
pub(crate) fn micros(text: &str) -> Option<i64> {
    canonical(text.as_bytes()).or_else(|| with_offset(text))
}

/// Calendar dates of the form `YYYY-MM-DD`.
pub(crate) fn date(text: &[u8]) -> Option<NaiveDate> {
    if text.len() != 10 || text[4] != b'-' || text[7] != b'-' {
        return None;
    }
    NaiveDate::from_ymd_opt(number(&text[..4])? as i32, number(&text[5..7])?, number(&text[8..])?)
}

/// `YYYY-MM-DDTHH:MM:SS[.f{1,6}]Z`, the form in which nearly all times come: ten times as fast as the general one.
fn canonical(text: &[u8]) -> Option<i64> {
    let (second, rest) = text.split_at_checked(19)?;
    if [second[10], second[13], second[16]] != *b"T::" {
        return None;
    }
    let fraction = match rest.strip_suffix(b"Z")? {
        [] => 0,
        [b'.', digits @ ..] if (1..=MAX_DECIMALS).contains(&digits.len()) => {
            number(digits)? * 10u32.pow((MAX_DECIMALS - digits.len()) as u32)
        }
        _ => return None,
    };
    let days = i64::from(date(&second[..10])?.to_epoch_days());
    let (hours, minutes, seconds) = (number(&second[11..13])?, number(&second[14..16])?, number(&second[17..])?);
    if hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    let seconds = days * 86_400 + i64::from(hours * 3_600 + minutes * 60 + seconds);
    Some(seconds * MICROS_PER_SECOND + i64::from(fraction))
}

/// Any other form of RFC 3339: offsets, lower-case letters, leap seconds.
fn with_offset(text: &str) -> Option<i64> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    // The parser drops what is beyond the nanosecond, so the digits are looked at here.
    let decimals = text.split_once('.').map_or("", |(_, rest)| rest);
    let decimals = decimals.bytes().take_while(u8::is_ascii_digit);
    decimals.skip(MAX_DECIMALS).all(|digit| digit == b'0').then(|| time.timestamp_micros())
}

/// A short run of decimal digits.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Both ways of reading give the same, or the canonical one leaves the text to the other.
    fn check(text: &str) -> Option<i64> {
        if let Some(read) = canonical(text.as_bytes()) {
            assert_eq!(with_offset(text), Some(read), "{text}");
        }
        micros(text)
    }

    #[test]
    fn the_short_way_reads_what_the_general_one_reads() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-01T00:00:01.5Z", Some(1_500_000)),
            ("1970-01-01T00:00:00.000001Z", Some(1)),
            ("1970-01-01T00:00:00.0000010Z", Some(1)),
            ("1970-01-01T00:00:00.0000001Z", None),
            ("1970-01-01T00:00:00.0000000001Z", None),
            ("1970-01-01t08:00:00+08:00", Some(0)),
            ("1969-12-31T23:59:59Z", Some(-1_000_000)),
            ("2024-02-29T00:00:00Z", Some(1_709_164_800_000_000)),
            ("2025-02-29T00:00:00Z", None),
            ("2025-13-01T00:00:00Z", None),
            ("2025-01-01T24:00:00Z", None),
            ("2025-01-01T00:60:00Z", None),
            ("2025-01-01T00:00:00.Z", None),
            ("2025-01-01T00:00:00", None),
            ("+025-01-01T00:00:00Z", None),
            ("2025-01-01T00:00:0éZ", None),
            ("", None),
        ] {
            assert_eq!(check(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_instant_is_read_the_same_both_ways(time in -62_135_596_800_000_000i64..253_402_300_800_000_000) {
            let text = crate::Timestamp::from_micros(time).to_string();
            prop_assert_eq!(check(&text), Some(time));
        }

        #[test]
        fn any_text_is_read_the_same_both_ways(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-6][0-9](\\.[0-9]{0,8})?[Zz]?") {
            check(&text);
        }
    }
}
