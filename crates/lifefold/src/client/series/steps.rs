//! The days of a series: calendar steps from the first one.

use clap::ValueEnum;
use touchpoint::Date;

/// Most instants of one series: each asks for totals of everybody.
const MAX_STEPS: u32 = 1_000;
const DAYS_PER_WEEK: u32 = 7;
const MONTHS_PER_QUARTER: u32 = 3;
const MONTHS_PER_YEAR: u32 = 12;

/// How far the instants of a series are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Every {
    /// A day
    Day,
    /// Seven days
    Week,
    /// A calendar month
    Month,
    /// Three calendar months
    Quarter,
    /// A calendar year
    Year,
}

impl Every {
    /// As it is typed.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    /// So many steps after a date. Months count from the first date, so that 31 January leads to 31 March.
    fn after(self, from: Date, steps: u32) -> Date {
        match self {
            Self::Day => from.plus_days(steps),
            Self::Week => from.plus_days(DAYS_PER_WEEK * steps),
            Self::Month => from.plus_months(steps),
            Self::Quarter => from.plus_months(MONTHS_PER_QUARTER * steps),
            Self::Year => from.plus_months(MONTHS_PER_YEAR * steps),
        }
    }
}

/// The days from the first up to and including the last one that is not after `to`.
pub(super) fn dates(from: Date, to: Date, every: Every) -> Result<Vec<Date>, String> {
    if from > to {
        return Err(format!("--from {from} is after --to {to}"));
    }
    let dates: Vec<_> = (0..=MAX_STEPS).map(|steps| every.after(from, steps)).take_while(|&date| date <= to).collect();
    if dates.len() > MAX_STEPS as usize {
        let each = every.name();
        return Err(format!(
            "from {from} to {to}, every {each}, is more than {MAX_STEPS} instants: take a longer --every or less time"
        ));
    }
    Ok(dates)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(from: &str, to: &str, every: Every) -> Vec<String> {
        let date = |text: &str| text.parse().unwrap();
        dates(date(from), date(to), every).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn steps_follow_the_calendar_and_clamp_to_the_end_of_a_month() {
        let months = ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"];
        assert_eq!(shown("2024-01-31", "2024-05-30", Every::Month), months);
        assert_eq!(shown("2024-02-29", "2026-03-01", Every::Year), ["2024-02-29", "2025-02-28", "2026-02-28"]);
        assert_eq!(shown("2024-11-30", "2025-02-28", Every::Quarter), ["2024-11-30", "2025-02-28"]);
        assert_eq!(shown("2024-02-28", "2024-03-01", Every::Day), ["2024-02-28", "2024-02-29", "2024-03-01"]);
        assert_eq!(shown("2024-12-30", "2025-01-06", Every::Week), ["2024-12-30", "2025-01-06"]);
    }

    #[test]
    fn a_series_is_bounded_and_goes_forward() {
        let date = |text: &str| text.parse().unwrap();
        let far = dates(date("2000-01-01"), date("2025-01-01"), Every::Day).unwrap_err();
        assert!(far.contains("more than 1000 instants"), "{far}");
        let back = dates(date("2025-01-02"), date("2025-01-01"), Every::Day).unwrap_err();
        assert_eq!(back, "--from 2025-01-02 is after --to 2025-01-01");
    }
}
