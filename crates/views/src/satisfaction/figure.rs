//! Published figures: rounded half up, from exact fractions where there are any.

/// What is added to a figure computed in binary floating point before it is rounded half up, in units of its last place.
const FLOAT_ERROR: f64 = 1e-9;
/// Hundredths in one.
const HUNDREDTHS: f64 = 100.0;

/// numerator / denominator, rounded half up to a whole number; nothing for no denominator.
pub(super) fn half_up(numerator: i128, denominator: u64) -> Option<i64> {
    let denominator = i128::from(denominator);
    (denominator > 0).then(|| (2 * numerator + denominator).div_euclid(2 * denominator) as i64)
}

/// A share in basis points.
pub(super) fn basis_points(part: u64, n: u64) -> Option<u32> {
    half_up(i128::from(part) * 10_000, n).map(|points| points as u32)
}

/// A figure computed in floating point, in hundredths.
pub(super) fn hundredths(figure: f64) -> i64 {
    (figure * HUNDREDTHS + FLOAT_ERROR + 0.5).floor() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_up_also_below_zero() {
        assert_eq!(half_up(5, 2), Some(3));
        assert_eq!(half_up(-5, 2), Some(-2));
        assert_eq!(half_up(1, 0), None);
        assert_eq!(hundredths(0.125), 13);
        assert_eq!(hundredths(-0.125), -12);
    }

    #[test]
    fn shares() {
        assert_eq!(basis_points(7, 9), Some(7_778));
        assert_eq!(basis_points(427, 470), Some(9_085));
        assert_eq!(basis_points(0, 0), None);
    }
}
