//! Rates, comparisons of waves, and ranks, with exact fractions. Section 4.

use crate::round::{basis_points, half_up, half_up_float};

/// "Rank ...: n ≥ 30, else INSUFFICIENT_SAMPLE."
const RANK_SAMPLE: i64 = 30;

/// The answers of one unit, wave and port (or item), counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Score {
    /// Valid answers.
    pub n: i64,
    /// 4 or 5 of 5.
    pub yes: i64,
    /// 5 of 5.
    pub top: i64,
    /// The sum of all.
    pub sum: i64,
}

impl Score {
    /// Counts one value of 1 to 5.
    pub fn add(&mut self, value: i64) {
        self.n += 1;
        self.yes += i64::from(value >= 4);
        self.top += i64::from(value == 5);
        self.sum += value;
    }

    /// "Rate = share ≥ 4", in basis points.
    pub fn rate_bp(&self) -> Option<i64> {
        basis_points(self.yes, self.n)
    }

    /// "Top box (5s)", in basis points.
    pub fn top_bp(&self) -> Option<i64> {
        basis_points(self.top, self.n)
    }

    /// "Mean index 100·(mean − 1)/4", in hundredths.
    pub fn mean_index(&self) -> Option<i64> {
        if self.n == 0 { None } else { Some(half_up(i128::from(2500 * (self.sum - self.n)), i128::from(self.n))) }
    }
}

/// NPS answers, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Nps {
    /// Answers.
    pub n: i64,
    /// 9 and 10.
    pub promoters: i64,
    /// 0 to 6.
    pub detractors: i64,
}

impl Nps {
    /// "NPS = % 9–10 − % 0–6", in hundredths of a point.
    pub fn points(&self) -> Option<i64> {
        basis_points(self.promoters - self.detractors, self.n)
    }
}

/// CES answers, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ces {
    /// Answers.
    pub n: i64,
    /// 5 to 7.
    pub easy: i64,
}

impl Ces {
    /// "CES = % 5–7 of 7", in basis points.
    pub fn rate_bp(&self) -> Option<i64> {
        basis_points(self.easy, self.n)
    }
}

/// How one clock of many complaints turned out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// Within the limit.
    pub met: i64,
    /// Past the limit.
    pub breached: i64,
    /// Still running within the limit.
    pub pending: i64,
    /// Withdrawn within the limit.
    pub withdrawn: i64,
}

impl Outcomes {
    /// Counts one outcome.
    pub fn add(&mut self, outcome: &str) {
        match outcome {
            "MET" => self.met += 1,
            "BREACHED" => self.breached += 1,
            "PENDING" => self.pending += 1,
            _ => self.withdrawn += 1,
        }
    }

    /// "Rate = MET / (MET + BREACHED)", in basis points.
    pub fn rate_bp(&self) -> Option<i64> {
        basis_points(self.met, self.met + self.breached)
    }
}

/// Two waves of one unit and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The difference, in hundredths of a percentage point.
    pub delta: i64,
    /// The two-proportion pooled z, in hundredths.
    pub z: i64,
    /// FLAT, SLIGHT_UP, SLIGHT_DOWN, MARKED_UP or MARKED_DOWN.
    pub verdict: &'static str,
}

/// "Difference of two waves in percentage points, with the two-proportion pooled z (0 if the pooled share is 0 or 1).
/// |z| < 1.96 FLAT, else |Δ| < 5 pp SLIGHT_UP/DOWN, else MARKED_UP/DOWN." "No answers there: null."
pub fn compare(earlier: Score, later: Score) -> Option<Comparison> {
    if earlier.n == 0 || later.n == 0 {
        return None;
    }
    let [n1, n2, yes1, yes2] = [earlier.n, later.n, earlier.yes, later.yes].map(i128::from);
    // Δ = difference / (n1·n2).
    let difference = yes2 * n1 - yes1 * n2;
    let delta = half_up(10_000 * difference, n1 * n2);
    // z² = difference²·N / (n1·n2·Y·(N − Y)), with N answers and Y of them yes in both waves.
    let (n, yes) = (n1 + n2, yes1 + yes2);
    let square_top = difference * difference * n;
    let square_bottom = n1 * n2 * yes * (n - yes);
    if square_bottom == 0 {
        return Some(Comparison { delta, z: 0, verdict: "FLAT" });
    }
    let z = difference.signum() as f64 * (square_top as f64 / square_bottom as f64).sqrt();
    // "FLAT/SLIGHT/MARKED [compare] the exact ones": 1.96² = 3.8416.
    let flat = square_top * 10_000 < 38_416 * square_bottom;
    let slight = difference.abs() * 100 < 5 * n1 * n2;
    let verdict = match (flat, slight, difference > 0) {
        (true, _, _) => "FLAT",
        (false, true, true) => "SLIGHT_UP",
        (false, true, false) => "SLIGHT_DOWN",
        (false, false, true) => "MARKED_UP",
        (false, false, false) => "MARKED_DOWN",
    };
    Some(Comparison { delta, z: half_up_float(z, 100.0), verdict })
}

/// One line of a ranking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranked {
    /// The project or city company.
    pub id: String,
    /// Its answers.
    pub score: Score,
    /// Its rank; nothing for INSUFFICIENT_SAMPLE.
    pub rank: Option<usize>,
}

/// "Rank of projects or city companies per wave × port: n ≥ 30, else INSUFFICIENT_SAMPLE (listed last, by id ...).
/// Compare exact fractions; ranks 1, 1, 3; ties are listed by top-box fraction, then n, both descending, then id."
pub fn rank(units: &[(String, Score)]) -> Vec<Ranked> {
    let (mut ranked, mut insufficient): (Vec<_>, Vec<_>) =
        units.iter().cloned().partition(|(_, score)| score.n >= RANK_SAMPLE);
    ranked.sort_by(|(id, one), (other_id, other)| {
        let rate = (other.yes * one.n).cmp(&(one.yes * other.n));
        let top = (other.top * one.n).cmp(&(one.top * other.n));
        rate.then(top).then(other.n.cmp(&one.n)).then(id.cmp(other_id))
    });
    insufficient.sort_by(|(id, _), (other_id, _)| id.cmp(other_id));
    let mut lines = Vec::new();
    for (id, score) in &ranked {
        // The rank is one more than the number of units with a better rate.
        let better = ranked.iter().filter(|(_, other)| other.yes * score.n > score.yes * other.n).count();
        lines.push(Ranked { id: id.clone(), score: *score, rank: Some(better + 1) });
    }
    lines.extend(insufficient.into_iter().map(|(id, score)| Ranked { id, score, rank: None }));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(earlier: (i64, i64), later: (i64, i64)) -> &'static str {
        let score = |(yes, n)| Score { n, yes, top: 0, sum: 0 };
        compare(score(earlier), score(later)).unwrap().verdict
    }

    #[test]
    fn verdicts_compare_exact_figures() {
        assert_eq!(verdict((50, 100), (60, 100)), "FLAT");
        assert_eq!(verdict((5_000, 10_000), (5_499, 10_000)), "SLIGHT_UP");
        assert_eq!(verdict((5_000, 10_000), (5_500, 10_000)), "MARKED_UP");
        assert_eq!(verdict((5_499, 10_000), (5_000, 10_000)), "SLIGHT_DOWN");
        assert_eq!(verdict((10, 10), (20, 20)), "FLAT");
        assert_eq!(compare(Score::default(), Score::default()), None);
    }
}
