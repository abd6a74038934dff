//! Instants in microseconds, days of 24 hours, and calendar dates in Shanghai.

use chrono::{DateTime, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Asia::Shanghai;

/// One minute, in microseconds.
pub(crate) const MINUTE: i64 = 60 * 1_000_000;
/// One hour, in microseconds.
pub(crate) const HOUR: i64 = 60 * MINUTE;
/// "N days are N × 86,400 s": one day, in microseconds.
pub(crate) const DAY: i64 = 86_400 * 1_000_000;

/// The calendar date in Shanghai at an instant.
pub(crate) fn shanghai_date(micros: i64) -> NaiveDate {
    let utc = DateTime::from_timestamp_micros(micros).unwrap_or_default();
    utc.with_timezone(&Shanghai).date_naive()
}

/// The Shanghai month of an instant, for example `2025-04`.
pub(crate) fn shanghai_month(micros: i64) -> String {
    shanghai_date(micros).format("%Y-%m").to_string()
}

/// The first instant of a date in Shanghai.
pub(crate) fn shanghai_midnight(date: NaiveDate) -> i64 {
    let midnight = date.and_time(NaiveTime::MIN);
    // A summer time that begins at midnight leaves no such midnight; the day then begins an hour later.
    let local = Shanghai.from_local_datetime(&midnight).earliest();
    let local = local.or_else(|| Shanghai.from_local_datetime(&(midnight + TimeDelta::hours(1))).earliest());
    local.map_or(0, |time| time.timestamp_micros())
}

/// "Calendar months, day clamped to the month's end."
pub(crate) fn plus_months(date: NaiveDate, months: u32) -> NaiveDate {
    date.checked_add_months(Months::new(months)).unwrap_or(NaiveDate::MAX)
}

/// A calendar date, so many days later.
pub(crate) fn plus_days(date: NaiveDate, days: i64) -> NaiveDate {
    date.checked_add_signed(TimeDelta::days(days)).unwrap_or(NaiveDate::MAX)
}

/// A date as it is written in a field.
pub(crate) fn parse_date(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}
