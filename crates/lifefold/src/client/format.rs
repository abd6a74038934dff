//! Instants, money, shares and spans as people read them.

use chrono::{DateTime, SecondsFormat, TimeZone, Utc};
use chrono_tz::Asia::Shanghai;
use prost_types::{Duration, Timestamp};

const SECONDS_PER_MINUTE: i64 = 60;
const SECONDS_PER_HOUR: i64 = 3_600;
const SECONDS_PER_DAY: i64 = 86_400;

/// What stands where there is no data.
pub(crate) const NOTHING: &str = "–";

fn utc(time: &Timestamp) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(time.seconds, u32::try_from(time.nanos).ok()?)
}

/// `2025-04-01 01:30:00+08:00`: Shanghai time to the second, with its offset.
pub(crate) fn local(time: Option<&Timestamp>) -> String {
    let shown = |time: DateTime<Utc>| Shanghai.from_utc_datetime(&time.naive_utc()).format("%F %T%:z").to_string();
    time.and_then(utc).map_or_else(|| NOTHING.to_owned(), shown)
}

/// `2025-04-01 01:30:00`: the same where a heading says what time it is.
pub(crate) fn clock(time: Option<&Timestamp>) -> String {
    let shown = |time: DateTime<Utc>| Shanghai.from_utc_datetime(&time.naive_utc()).format("%F %T").to_string();
    time.and_then(utc).map_or_else(|| NOTHING.to_owned(), shown)
}

/// `2025-04-01`: the Shanghai date.
pub(crate) fn date(time: Option<&Timestamp>) -> String {
    let shown = |time: DateTime<Utc>| Shanghai.from_utc_datetime(&time.naive_utc()).format("%F").to_string();
    time.and_then(utc).map_or_else(|| NOTHING.to_owned(), shown)
}

/// `2025-03-31T17:30:00.123456Z`.
pub(crate) fn rfc3339(time: Option<&Timestamp>) -> Option<String> {
    time.and_then(utc).map(|time| time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// A number with thousands apart: `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 event`, `2,345 events`.
pub(crate) fn events(number: u64) -> String {
    format!("{} event{}", count(number), if number == 1 { "" } else { "s" })
}

/// Money: `¥3,200,000`, with fen only where there are some.
pub(crate) fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "−" } else { "" };
    let (yuan, fen) = (fen.unsigned_abs() / 100, fen.unsigned_abs() % 100);
    if fen == 0 { format!("{sign}¥{}", count(yuan)) } else { format!("{sign}¥{}.{fen:02}", count(yuan)) }
}

/// Basis points as `94.00%`.
pub(crate) fn percent(bp: Option<u32>) -> String {
    bp.map_or_else(|| NOTHING.to_owned(), |bp| format!("{}.{:02}%", bp / 100, bp % 100))
}

/// Hundredths as `72.22`.
pub(crate) fn hundredths(value: Option<u32>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| format!("{}.{:02}", value / 100, value % 100))
}

/// Hundredths with their sign: `+29.00`, `−0.40`, `0.00`.
pub(crate) fn change(value: Option<i64>) -> String {
    let Some(value) = value else { return NOTHING.to_owned() };
    format!("{}{}.{:02}", sign(value), value.unsigned_abs() / 100, value.unsigned_abs() % 100)
}

/// A probability in millionths: `0.574443`.
pub(crate) fn probability(millionths: u32) -> String {
    format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000)
}

/// Millionths of a point with their sign: `+0.9`, `−0.333333`; at least one decimal.
pub(crate) fn points(millionths: i64) -> String {
    let size = millionths.unsigned_abs();
    let decimals = format!("{:06}", size % 1_000_000);
    let shown = decimals.trim_end_matches('0');
    format!("{}{}.{}", sign(millionths), size / 1_000_000, if shown.is_empty() { "0" } else { shown })
}

const fn sign(value: i64) -> &'static str {
    match value {
        0 => "",
        1.. => "+",
        _ => "−",
    }
}

/// A span by its two greatest units: `5 d 3 h`, `50 min`, `12 s`.
pub(crate) fn span(span: &Duration) -> String {
    let seconds = span.seconds;
    let parts = [
        (seconds / SECONDS_PER_DAY, "d"),
        (seconds % SECONDS_PER_DAY / SECONDS_PER_HOUR, "h"),
        (seconds % SECONDS_PER_HOUR / SECONDS_PER_MINUTE, "min"),
        (seconds % SECONDS_PER_MINUTE, "s"),
    ];
    let first = parts.iter().position(|(number, _)| *number > 0).unwrap_or(3);
    let shown = parts.iter().skip(first).take(2).enumerate().filter(|(index, (number, _))| *index == 0 || *number > 0);
    shown.map(|(_, (number, unit))| format!("{number} {unit}")).collect::<Vec<_>>().join(" ")
}

/// Bytes by a unit that suits them: `1.4 GiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1024 => return format!("{bytes} B"),
        1024..0x10_0000 => (1 << 10, "KiB"),
        0x10_0000..0x4000_0000 => (1 << 20, "MiB"),
        _ => (1u64 << 30, "GiB"),
    };
    let tenths = bytes / (unit / 10).max(1);
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_of_shanghai_with_its_offset() {
        let time = Timestamp { seconds: 1_743_442_200, nanos: 123_456_000 };
        assert_eq!(local(Some(&time)), "2025-04-01 01:30:00+08:00");
        assert_eq!(clock(Some(&time)), "2025-04-01 01:30:00");
        assert_eq!(date(Some(&time)), "2025-04-01");
        assert_eq!(rfc3339(Some(&time)).as_deref(), Some("2025-03-31T17:30:00.123456Z"));
        assert_eq!(local(None), "–");
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!([count(0), count(999), count(1_000), count(1_234_567)], ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([events(0), events(1), events(2_345)], ["0 events", "1 event", "2,345 events"]);
        assert_eq!([yuan(320_000_000), yuan(150), yuan(-5)], ["¥3,200,000", "¥1.50", "−¥0.05"]);
        assert_eq!([percent(Some(9_405)), percent(Some(0)), percent(None)], ["94.05%", "0.00%", "–"]);
        assert_eq!([change(Some(2_900)), change(Some(-40)), change(Some(0))], ["+29.00", "−0.40", "0.00"]);
        assert_eq!([points(900_000), points(-333_333), points(1_000_000)], ["+0.9", "−0.333333", "+1.0"]);
        assert_eq!(hundredths(Some(8_333)), "83.33");
        assert_eq!([bytes(12), bytes(2_048), bytes(1_610_612_736)], ["12 B", "2.0 KiB", "1.5 GiB"]);
    }

    #[test]
    fn spans_have_two_units() {
        let of = |seconds| span(&Duration { seconds, nanos: 0 });
        assert_eq!([of(3_000), of(432_000), of(443_000), of(0)], ["50 min", "5 d", "5 d 3 h", "0 s"]);
        assert_eq!([of(86_460), of(61)], ["1 d", "1 min 1 s"]);
    }
}
