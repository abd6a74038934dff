//! 满意度: scores as counters, and the change of a score between two waves.

use std::cmp::Ordering;

use super::{Name, figure};
use crate::{Sign, rules};

/// The least value that counts as satisfied.
const SATISFIED_FROM: u8 = 4;
/// The best value.
const TOP: u8 = 5;

/// A satisfaction rate and what belongs to it, as counts of values of 1 to 5.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// How many values.
    pub n: u64,
    /// How many of 4 or 5.
    pub satisfied: u64,
    /// How many of 5.
    pub top: u64,
    /// The sum of the values.
    pub sum: u64,
}

impl Score {
    pub(super) fn shift(&mut self, value: u8, sign: Sign) {
        sign.count(&mut self.n);
        sign.amount(&mut self.satisfied, u64::from(value >= SATISFIED_FROM));
        sign.amount(&mut self.top, u64::from(value == TOP));
        sign.amount(&mut self.sum, u64::from(value));
    }

    /// 满意度 in basis points; nothing without a value.
    pub fn rate_bp(&self) -> Option<u32> {
        figure::basis_points(self.satisfied, self.n)
    }

    /// Share of the best value in basis points; nothing without a value.
    pub fn top_box_bp(&self) -> Option<u32> {
        figure::basis_points(self.top, self.n)
    }

    /// 100 · (mean − 1) / 4 in hundredths; nothing without a value.
    pub fn mean_index_hundredths(&self) -> Option<u32> {
        let steps = i128::from(self.sum) - i128::from(self.n);
        figure::half_up(steps * 2_500, self.n).map(|index| index as u32)
    }

    /// Compares the exact rates; no values are less than any.
    pub(super) fn rate_order(&self, other: &Self) -> Ordering {
        fraction_order((self.satisfied, self.n), (other.satisfied, other.n))
    }

    /// Compares the exact shares of the best value.
    pub(super) fn top_order(&self, other: &Self) -> Ordering {
        fraction_order((self.top, self.n), (other.top, other.n))
    }
}

fn fraction_order(one: (u64, u64), other: (u64, u64)) -> Ordering {
    (u128::from(one.0) * u128::from(other.1)).cmp(&(u128::from(other.0) * u128::from(one.1)))
}

/// What a change means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names of the domain speak for themselves")]
pub enum Trend {
    Flat,
    SlightUp,
    SlightDown,
    MarkedUp,
    MarkedDown,
}

impl Trend {
    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flat => "FLAT",
            Self::SlightUp => "SLIGHT_UP",
            Self::SlightDown => "SLIGHT_DOWN",
            Self::MarkedUp => "MARKED_UP",
            Self::MarkedDown => "MARKED_DOWN",
        }
    }
}

/// From an earlier wave to this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The earlier wave.
    pub wave: Name,
    /// Its score.
    pub score: Score,
    /// What changed; nothing where one of the waves has no values.
    pub difference: Option<Difference>,
}

/// How two rates differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// The difference in basis points, which are hundredths of a percentage point.
    pub bp: i32,
    /// The two-proportion pooled z, in hundredths.
    pub z_hundredths: i64,
    /// What it means.
    pub trend: Trend,
}

impl Difference {
    /// From the earlier score to the later one; nothing where one of them has no values.
    pub fn between(earlier: &Score, later: &Score, rules: &rules::Satisfaction) -> Option<Self> {
        let cross =
            i128::from(later.satisfied) * i128::from(earlier.n) - i128::from(earlier.satisfied) * i128::from(later.n);
        let bp = figure::half_up(cross * 10_000, earlier.n.checked_mul(later.n)?)?;
        let pooled = Pooled::new(cross.unsigned_abs(), earlier, later);
        let z_hundredths = figure::hundredths(pooled.z() * cross.signum() as f64);
        let marked = cross.unsigned_abs() * 10_000
            >= u128::from(rules.marked_from_bp.unsigned_abs()) * u128::from(earlier.n) * u128::from(later.n);
        let trend = match (pooled.is_flat(rules.flat_below_z), marked, cross > 0) {
            (true, ..) => Trend::Flat,
            (_, false, true) => Trend::SlightUp,
            (_, false, false) => Trend::SlightDown,
            (_, true, true) => Trend::MarkedUp,
            (_, true, false) => Trend::MarkedDown,
        };
        Some(Self { bp: bp as i32, z_hundredths, trend })
    }
}

/// z² of two proportions as an exact fraction, D²·N / (Y·(N − Y)·n₁·n₂), where N and Y are the pooled values and
/// satisfied ones and D = y₂·n₁ − y₁·n₂. It fits its type below 10 million values a wave.
struct Pooled {
    numerator: u128,
    denominator: u128,
}

impl Pooled {
    fn new(cross: u128, one: &Score, other: &Score) -> Self {
        let (n, yes) = (u128::from(one.n + other.n), u128::from(one.satisfied + other.satisfied));
        Self {
            numerator: cross.saturating_mul(cross).saturating_mul(n),
            denominator: (yes * (n - yes)).saturating_mul(u128::from(one.n) * u128::from(other.n)),
        }
    }

    /// |z|; 0 if the pooled share is 0 or 1.
    fn z(&self) -> f64 {
        if self.denominator == 0 { 0.0 } else { (self.numerator as f64 / self.denominator as f64).sqrt() }
    }

    /// |z| is below so many millionths, exactly.
    fn is_flat(&self, below_millionths: i64) -> bool {
        const ONE: u128 = 1_000_000 * 1_000_000;
        let below = u128::from(below_millionths.unsigned_abs());
        self.denominator == 0 || less(self.numerator, self.denominator, below * below, ONE)
    }
}

/// a / b < c / d, exactly, without products: whole parts first, then the fractions upside down.
fn less(mut a: u128, mut b: u128, mut c: u128, mut d: u128) -> bool {
    loop {
        let (whole, other) = (a / b, c / d);
        if whole != other {
            return whole < other;
        }
        match (a % b, c % d) {
            (_, 0) => return false,
            (0, _) => return true,
            (rest, other_rest) => (a, b, c, d) = (d, other_rest, b, rest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_compared_exactly() {
        for (a, b, c, d) in [(1, 2, 2, 3), (0, 5, 1, 1_000), (7, 3, 5, 2), (u128::MAX - 1, u128::MAX, 1, 1)] {
            assert!(less(a, b, c, d), "{a}/{b} < {c}/{d}");
            assert!(!less(c, d, a, b), "{c}/{d} > {a}/{b}");
        }
        assert!(!less(2, 4, 1, 2));
        assert!(!less(1, 2, 2, 4));
    }

    #[test]
    fn trends_start_exactly_at_their_limits() {
        let rules = crate::rules::Rules::default().satisfaction;
        let trend = |(yes, n), (later_yes, later_n)| {
            let score = |satisfied, n| Score { n, satisfied, top: 0, sum: 0 };
            Difference::between(&score(yes, n), &score(later_yes, later_n), &rules).map(|it| it.trend)
        };
        // z² = 2 · 98² / 5000 = 1.96².
        assert_eq!(trend((2_451, 5_000), (2_549, 5_000)), Some(Trend::SlightUp));
        assert_eq!(trend((2_549, 5_000), (2_451, 5_000)), Some(Trend::SlightDown));
        assert_eq!(trend((2_451, 5_000), (2_548, 5_000)), Some(Trend::Flat));
        assert_eq!(trend((450, 1_000), (500, 1_000)), Some(Trend::MarkedUp));
        assert_eq!(trend((451, 1_000), (500, 1_000)), Some(Trend::SlightUp));
        assert_eq!(trend((40, 40), (50, 50)), Some(Trend::Flat));
        assert_eq!(trend((0, 0), (50, 50)), None);
    }
}
