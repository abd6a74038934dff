//! Numbers of the rules file: decimals, read and written exactly, never through a float.

use toml::de::DeValue;

/// Most decimal digits of a number in its smallest unit; 18 of them fit 64 bits.
const MAX_DIGITS: i64 = 18;

/// What a number of the rules file may be. The value is kept in units of 10^−decimals.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit {
    /// What it counts, for messages.
    pub(super) name: &'static str,
    /// Most decimals in the file.
    pub(super) decimals: u32,
    /// Least, in the smallest unit.
    pub(super) low: i64,
    /// Most, in the smallest unit.
    pub(super) high: i64,
}

impl Unit {
    /// Whole numbers within these bounds.
    pub(super) const fn whole(name: &'static str, low: i64, high: i64) -> Self {
        Self { name, decimals: 0, low, high }
    }

    /// Numbers with decimals, the bounds in whole ones.
    pub(super) const fn decimal(name: &'static str, decimals: u32, low: i64, high: i64) -> Self {
        let one = 10i64.pow(decimals);
        Self { name, decimals, low: low * one, high: high * one }
    }

    /// Reads a value exactly, or says what was expected instead.
    pub(super) fn read(&self, value: &DeValue<'_>) -> Result<i64, String> {
        let read = match value {
            DeValue::Integer(whole) => integer(whole.as_str(), whole.radix(), self.decimals),
            DeValue::Float(decimal) => scaled(decimal.as_str(), self.decimals),
            _ => None,
        };
        let fits = read.filter(|number| (self.low..=self.high).contains(number));
        fits.ok_or_else(|| format!("expected {}, got {}", self.describe(), quote(value)))
    }

    /// The unit in words.
    fn describe(&self) -> String {
        let (low, high) = (self.write(self.low), self.write(self.high));
        match self.decimals {
            0 => format!("a whole number of {} from {low} to {high}", self.name),
            decimals => format!("{} from {low} to {high} with at most {decimals} decimals", self.name),
        }
    }

    /// A value as the file has it: as few digits as it needs.
    pub(super) fn write(&self, value: i64) -> String {
        let one = 10u64.pow(self.decimals);
        let sign = if value < 0 { "-" } else { "" };
        let (whole, part) = (value.unsigned_abs() / one, value.unsigned_abs() % one);
        if part == 0 {
            return format!("{sign}{whole}");
        }
        let decimals = format!("{part:0width$}", width = self.decimals as usize);
        format!("{sign}{whole}.{}", decimals.trim_end_matches('0'))
    }
}

/// A value of the file as it is quoted in a message: short, and on one line.
pub(super) fn quote(value: &DeValue<'_>) -> String {
    const MAX_QUOTED_CHARS: usize = 40;
    let text = match value {
        DeValue::String(text) => format!("{text:?}"),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(_) => return "a list".to_owned(),
        DeValue::Table(_) => return "a table".to_owned(),
    };
    match text.chars().count() {
        0..=MAX_QUOTED_CHARS => text,
        _ => format!("{}…", text.chars().take(MAX_QUOTED_CHARS).collect::<String>()),
    }
}

fn integer(digits: &str, radix: u32, decimals: u32) -> Option<i64> {
    i64::from_str_radix(digits, radix).ok()?.checked_mul(10i64.pow(decimals))
}

/// The number of this text in units of 10^−decimals; nothing if it is none, or finer, or too large.
fn scaled(text: &str, decimals: u32) -> Option<i64> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{part}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let significant = digits.trim_end_matches('0');
    let dropped = (digits.len() - significant.len()) as i64;
    let significant = significant.trim_start_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    let exponent = i64::from(exponent.parse::<i32>().ok()?);
    let shift = exponent + dropped - part.len() as i64 + i64::from(decimals);
    if shift < 0 || significant.len() as i64 + shift > MAX_DIGITS {
        return None;
    }
    let value = significant.parse::<i64>().ok()? * 10i64.pow(u32::try_from(shift).ok()?);
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_exactly_however_they_are_spelled() {
        for (text, expected) in [
            ("0.6", Some(600_000)),
            ("0.60", Some(600_000)),
            ("6e-1", Some(600_000)),
            ("+0.6", Some(600_000)),
            ("-2.5", Some(-2_500_000)),
            ("0.000001", Some(1)),
            ("0.0000010", Some(1)),
            ("0.0000001", None),
            ("-0.0", Some(0)),
            ("100.0", Some(100_000_000)),
            ("1E3", Some(1_000_000_000)),
            ("inf", None),
            ("nan", None),
            ("1e99", None),
            ("1e99999999999", None),
        ] {
            assert_eq!(scaled(text, 6), expected, "{text}");
        }
    }

    #[test]
    fn numbers_are_written_with_as_few_digits_as_they_need() {
        let points = Unit::decimal("points", 6, -10, 10);
        for (value, text) in [(600_000, "0.6"), (-2_500_000, "-2.5"), (0, "0"), (1, "0.000001"), (-10, "-0.00001")] {
            assert_eq!(points.write(value), text);
            assert_eq!(scaled(text, 6), Some(value));
        }
    }
}
