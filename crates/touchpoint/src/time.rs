//! Instants in UTC microseconds, and calendar dates in Asia/Shanghai.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Asia::Shanghai;
use serde::{Serialize, Serializer};

use crate::rfc3339;

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
/// UTC+8, without exception since 1992; before that the time-zone database is asked.
const SHANGHAI_OFFSET_SECONDS: i64 = 8 * 3_600;
/// 1992-01-01T00:00:00Z in seconds: after the last summer time in China.
const FIXED_OFFSET_SINCE: i64 = 694_224_000;

/// A text that is no time or no date of the expected form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, got {got:?}")]
pub struct InvalidTime {
    /// What would have been right.
    pub expected: &'static str,
    /// What was there, shortened.
    pub got: String,
}

impl InvalidTime {
    fn new(expected: &'static str, got: &str) -> Self {
        Self { expected, got: got.chars().take(64).collect() }
    }
}

/// An instant: microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// One day of 24 hours, in microseconds.
    pub const DAY: i64 = SECONDS_PER_DAY * MICROS_PER_SECOND;
    /// One hour, in microseconds.
    pub const HOUR: i64 = 3_600 * MICROS_PER_SECOND;
    /// One minute, in microseconds.
    pub const MINUTE: i64 = 60 * MICROS_PER_SECOND;
    /// The earliest instant that an event may carry, 0001-01-01T00:00:00Z.
    pub const MIN: Self = Self(-62_135_596_800 * MICROS_PER_SECOND);
    /// The latest instant that an event may carry, 9999-12-31T23:59:59.999999Z.
    pub const MAX: Self = Self(253_402_300_799 * MICROS_PER_SECOND + 999_999);

    /// The instant this many microseconds after 1970-01-01T00:00:00Z, held between [`Self::MIN`] and [`Self::MAX`].
    pub const fn from_micros(micros: i64) -> Self {
        if micros < Self::MIN.0 {
            Self::MIN
        } else if micros > Self::MAX.0 {
            Self::MAX
        } else {
            Self(micros)
        }
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// This instant moved by so many microseconds, held between [`Self::MIN`] and [`Self::MAX`].
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self::from_micros(self.0.saturating_add(micros))
    }

    /// This instant moved by so many days of 24 hours.
    pub const fn plus_days(self, days: i64) -> Self {
        self.plus_micros(days.saturating_mul(Self::DAY))
    }

    /// Microseconds from `earlier` to this instant; negative if `earlier` is later.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// The calendar date in Shanghai at this instant.
    pub fn shanghai_date(self) -> Date {
        if let Some(day) = self.shanghai_day() {
            return Date(NaiveDate::from_epoch_days(day as i32).unwrap_or(NaiveDate::MAX));
        }
        let utc = DateTime::from_timestamp(self.0.div_euclid(MICROS_PER_SECOND), 0).unwrap_or_default();
        Date(utc.with_timezone(&Shanghai).date_naive())
    }

    /// Both instants are on one calendar date in Shanghai.
    pub fn is_on_date_of(self, other: Self) -> bool {
        match (self.shanghai_day(), other.shanghai_day()) {
            (Some(day), Some(other)) => day == other,
            _ => self.shanghai_date() == other.shanghai_date(),
        }
    }

    /// The date as days since 1970-01-01, where the calendar need not be asked for it.
    fn shanghai_day(self) -> Option<i64> {
        let seconds = self.0.div_euclid(MICROS_PER_SECOND);
        (seconds >= FIXED_OFFSET_SINCE).then(|| (seconds + SHANGHAI_OFFSET_SECONDS).div_euclid(SECONDS_PER_DAY))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC; microseconds only where there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = DateTime::from_timestamp_micros(self.0).unwrap_or_default();
        let form =
            if self.0.rem_euclid(MICROS_PER_SECOND) == 0 { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S%.6fZ" };
        time.format(form).fmt(f)
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTime;

    /// RFC 3339 with any offset. Digits beyond the microsecond are refused, since they would be lost.
    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        const EXPECTED: &str = "an RFC 3339 time with at most 6 decimals, such as 2025-03-31T17:30:00.123456Z";
        let range = Self::MIN.0..=Self::MAX.0;
        let micros = rfc3339::micros(text).filter(|micros| range.contains(micros));
        micros.map(Self).ok_or_else(|| InvalidTime::new(EXPECTED, text))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A calendar date in Asia/Shanghai.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(NaiveDate);

impl Date {
    /// The date of a year, month and day of the month, if there is one in the years 1 to 9999.
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        if !(1..=9999).contains(&year) {
            return None;
        }
        NaiveDate::from_ymd_opt(year, month, day).map(Self)
    }

    /// Days since 1970-01-01.
    pub fn days(self) -> i32 {
        self.0.to_epoch_days()
    }

    /// The date so many days after 1970-01-01, if it is in the years 1 to 9999.
    pub fn from_days(days: i32) -> Option<Self> {
        NaiveDate::from_epoch_days(days).filter(|date| (1..=9999).contains(&date.year())).map(Self)
    }

    /// The year, 1 to 9999.
    pub fn year(self) -> i32 {
        self.0.year()
    }

    /// The month, 1 to 12.
    pub fn month(self) -> u32 {
        self.0.month()
    }

    /// The same day so many calendar months later, or the last day of that month where it is shorter.
    pub fn plus_months(self, months: u32) -> Self {
        Self(self.0.checked_add_months(Months::new(months)).unwrap_or(NaiveDate::MAX))
    }

    /// So many days later.
    pub fn plus_days(self, days: u32) -> Self {
        Self(self.0.checked_add_signed(TimeDelta::days(i64::from(days))).unwrap_or(NaiveDate::MAX))
    }

    /// The first instant of this date in Shanghai.
    pub fn start(self) -> Timestamp {
        let midnight = self.0.and_time(chrono::NaiveTime::MIN);
        let fixed = midnight.and_utc().timestamp() - SHANGHAI_OFFSET_SECONDS;
        if fixed >= FIXED_OFFSET_SINCE {
            return Timestamp::from_micros(fixed.saturating_mul(MICROS_PER_SECOND));
        }
        Timestamp::from_micros(first_instant(midnight).timestamp_micros())
    }
}

/// The first instant whose Shanghai clock shows this midnight or later (summer time once began at midnight).
fn first_instant(midnight: NaiveDateTime) -> DateTime<Utc> {
    (0..=4)
        .find_map(|half_hours| {
            Shanghai.from_local_datetime(&(midnight + TimeDelta::minutes(30 * half_hours))).earliest()
        })
        .map_or_else(|| midnight.and_utc(), |time| time.with_timezone(&Utc))
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), self.0.month(), self.0.day())
    }
}

impl FromStr for Date {
    type Err = InvalidTime;

    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        rfc3339::date(text.as_bytes())
            .and_then(|date| Self::from_ymd(date.year(), date.month(), date.day()))
            .ok_or_else(|| InvalidTime::new("a calendar date such as 2025-04-01", text))
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shanghai_midnight_is_16_utc_the_day_before() {
        let date: Date = "2025-04-01".parse().unwrap();
        assert_eq!(date.start().to_string(), "2025-03-31T16:00:00Z");
        assert_eq!(date.start().shanghai_date(), date);
        assert_eq!(date.start().plus_micros(-1).shanghai_date().to_string(), "2025-03-31");
    }

    #[test]
    fn summer_time_of_1986_to_1991_is_known() {
        let noon: Timestamp = "1990-07-01T15:30:00Z".parse().unwrap();
        assert_eq!(noon.shanghai_date().to_string(), "1990-07-02");
        assert_eq!("1990-07-02".parse::<Date>().unwrap().start().to_string(), "1990-07-01T15:00:00Z");
        assert!(noon.is_on_date_of(noon.plus_micros(-Timestamp::MINUTE * 30)));
        assert!(!noon.is_on_date_of(noon.plus_micros(-Timestamp::MINUTE * 30 - 1)));
    }

    #[test]
    fn months_clamp_to_the_end_of_the_month() {
        let leap: Date = "2024-02-29".parse().unwrap();
        assert_eq!(leap.plus_months(12).to_string(), "2025-02-28");
        assert_eq!(leap.plus_months(24).to_string(), "2026-02-28");
    }

    #[test]
    fn times_are_read_with_offsets_and_refused_beyond_microseconds() {
        let time: Timestamp = "2025-04-01T01:30:00.5+08:00".parse().unwrap();
        assert_eq!(time.to_string(), "2025-03-31T17:30:00.500000Z");
        assert!("2025-04-01T01:30:00.1234567Z".parse::<Timestamp>().is_err());
        assert!("2025-04-01".parse::<Timestamp>().is_err());
        assert!("0000-12-31T23:59:59Z".parse::<Timestamp>().is_err());
        assert!("9999-12-31T23:59:59-01:00".parse::<Timestamp>().is_err());
        assert!("0000-12-31".parse::<Date>().is_err());
        assert!("2025-02-29".parse::<Date>().is_err());
        assert!("2025-0é-1".parse::<Date>().is_err());
    }
}
