//! Churn risk of one customer: docs/views.md section 5.

use std::collections::BTreeSet;

use touchpoint::Timestamp;

use crate::admit::Admitted;
use crate::clock::{plus_months, shanghai_date};
use crate::contract::live_contracts;
use crate::event::History;
use crate::reasons::reasons;
use crate::round::{half_up, half_up_float};
use crate::stage::stage;

/// "Horizon 365 days with a live contract, else 90."
const HORIZON_WITH_CONTRACT_DAYS: i64 = 365;
const HORIZON_WITHOUT_CONTRACT_DAYS: i64 = 90;
/// "66–90 months after the Shanghai date of the latest live signing."
const REPURCHASE_FROM_MONTHS: u32 = 66;
const REPURCHASE_UNTIL_MONTHS: u32 = 90;

/// A customer's churn risk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Churn {
    /// The lifecycle stage: also told of a customer who withdrew consent to profiling.
    pub stage: &'static str,
    /// Nothing if consent to profiling is withdrawn.
    pub risk: Option<Risk>,
}

/// The risk that the relation yields nothing more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Risk {
    /// The probability, in millionths.
    pub p: i64,
    /// LOW, MEDIUM, HIGH or CRITICAL.
    pub band: &'static str,
    /// b₀ of the stage, in millionths; nothing for LOST and EXITED.
    pub base: Option<i64>,
    /// The sum of the unrounded points without b₀, in millionths; nothing for LOST and EXITED.
    pub points: Option<i64>,
    /// By |points| descending, then code.
    pub reasons: Vec<Reason>,
    /// In days.
    pub horizon_days: i64,
    /// While a repurchase is likely; nothing without a live contract.
    pub repurchase: Option<RepurchaseWindow>,
    /// No model was fitted.
    pub calibrated: bool,
}

/// One reason of a risk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Its code.
    pub code: &'static str,
    /// Its points in millionths, rounded half up.
    pub points: i64,
    /// The ids of the events behind it.
    pub evidence: BTreeSet<u128>,
}

/// The window in which people change homes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepurchaseWindow {
    /// The first Shanghai date, for example `2030-06-30`.
    pub from: String,
    /// The Shanghai date after the last one.
    pub until: String,
    /// as_of is in it.
    pub open: bool,
}

/// Points that are not yet rounded: millionths, as an exact fraction with a positive denominator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Points {
    pub(crate) numerator: i128,
    pub(crate) denominator: i128,
}

/// The risk at (as_of, known_at); nothing if not found, or erased.
pub fn churn(history: &History, as_of: Timestamp, known_at: Option<Timestamp>) -> Option<Churn> {
    let admitted = history.at(as_of, known_at)?;
    let risk = if history.withheld() { None } else { Some(risk(&admitted)) };
    Some(Churn { stage: stage(&admitted).name, risk })
}

fn risk(admitted: &Admitted<'_>) -> Risk {
    let live = live_contracts(admitted);
    let horizon_days = if live.is_empty() { HORIZON_WITHOUT_CONTRACT_DAYS } else { HORIZON_WITH_CONTRACT_DAYS };
    let mut risk = Risk {
        p: 1_000_000,
        band: "CRITICAL",
        base: None,
        points: None,
        reasons: Vec::new(),
        horizon_days,
        repurchase: repurchase(admitted),
        calibrated: false,
    };
    // "LOST and EXITED are 1, CRITICAL, without reasons."
    let Some((base, gap_days)) = base_and_gap(stage(admitted).name) else {
        return risk;
    };
    let mut exact = Vec::new();
    for (code, points, evidence) in reasons(admitted, gap_days) {
        // "Zero points are not listed."
        if points.numerator != 0 {
            exact.push(points);
            let points = half_up(points.numerator, points.denominator);
            risk.reasons.push(Reason { code, points, evidence });
        }
    }
    // "Reasons are listed by |points| descending, then code."
    risk.reasons.sort_by_key(|reason| (-reason.points.abs(), reason.code));
    let sum = sum(&exact);
    risk.base = Some(base);
    risk.points = Some(half_up(sum.numerator, sum.denominator));
    // "p is computed from unrounded points."
    let exponent = base as f64 / 1e6 + sum.numerator as f64 / sum.denominator as f64 / 1e6;
    risk.p = half_up_float(1.0 / (1.0 + (-exponent).exp()), 1e6);
    risk.band = band(risk.p);
    risk
}

fn sum(points: &[Points]) -> Points {
    let mut sum = Points { numerator: 0, denominator: 1 };
    for one in points {
        sum.numerator = sum.numerator * one.denominator + one.numerator * sum.denominator;
        sum.denominator *= one.denominator;
    }
    sum
}

/// "b₀ and the expected gap in days by stage", b₀ in millionths.
fn base_and_gap(stage: &str) -> Option<(i64, i64)> {
    match stage {
        "LEAD" | "PROSPECT" => Some((-500_000, 14)),
        "SUBSCRIBED" => Some((-1_500_000, 14)),
        "QUASI_OWNER" => Some((-2_500_000, 45)),
        "RUN_IN" => Some((-2_000_000, 90)),
        "STABLE" => Some((-1_500_000, 180)),
        "LONG_TERM" => Some((-1_000_000, 365)),
        _ => None,
    }
}

/// "Bands: < .20 LOW, < .40 MEDIUM, < .70 HIGH, else CRITICAL", of the published figure.
fn band(p: i64) -> &'static str {
    if p < 200_000 {
        "LOW"
    } else if p < 400_000 {
        "MEDIUM"
    } else if p < 700_000 {
        "HIGH"
    } else {
        "CRITICAL"
    }
}

/// "The repurchase window (66–90 months after the Shanghai date of the latest live signing, start included, end
/// excluded)."
fn repurchase(admitted: &Admitted<'_>) -> Option<RepurchaseWindow> {
    let live = live_contracts(admitted);
    let signed_on = shanghai_date(live.last()?.signed.at);
    let from = plus_months(signed_on, REPURCHASE_FROM_MONTHS);
    let until = plus_months(signed_on, REPURCHASE_UNTIL_MONTHS);
    let today = shanghai_date(admitted.as_of);
    Some(RepurchaseWindow { from: from.to_string(), until: until.to_string(), open: from <= today && today < until })
}
