//! The rounding rules: docs/views.md section 1.

/// "Where it is computed in binary floating point, add 1e-9 before rounding half up": in units of the last place.
const FLOAT_GUARD: f64 = 1e-9;

/// Rounds the exact fraction `numerator / denominator` half up to a whole number; the denominator is positive.
pub(crate) fn half_up(numerator: i128, denominator: i128) -> i64 {
    (2 * numerator + denominator).div_euclid(2 * denominator) as i64
}

/// Rounds a number computed in floating point half up, to this many units per whole (100 for two decimals).
pub(crate) fn half_up_float(value: f64, units: f64) -> i64 {
    (value * units + FLOAT_GUARD + 0.5).floor() as i64
}

/// "Rates are whole basis points, (20000·n_yes + n) div (2·n), div towards minus infinity." "No data is null."
pub(crate) fn basis_points(yes: i64, n: i64) -> Option<i64> {
    if n == 0 {
        return None;
    }
    Some((20_000 * yes + n).div_euclid(2 * n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_up_also_below_zero() {
        assert_eq!([half_up(1, 2), half_up(-1, 2), half_up(-3, 2), half_up(-51, 100)], [1, 0, -1, -1]);
        assert_eq!([half_up_float(1.005, 100.0), half_up_float(-0.005, 100.0)], [101, 0]);
    }

    #[test]
    fn no_data_is_no_rate() {
        assert_eq!([basis_points(0, 0), basis_points(1, 3), basis_points(-1, 3)], [None, Some(3_333), Some(-3_333)]);
    }
}
