//! Churn risk of one customer: docs/views.md section 5.

use touchpoint::Timestamp;

use crate::admit::Admitted;
use crate::clock::{plus_months, shanghai_date};
use crate::contract::live_contracts;
use crate::event::{Evidence, History};
use crate::reasons::reasons;
use crate::round::{half_up, half_up_float};
use crate::stage::stage;

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
    /// The events behind it.
    pub evidence: Vec<Evidence>,
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
    // "Horizon 365 days with a live contract, else 90."
    let horizon = if live.is_empty() { "churn.horizon_days_other" } else { "churn.horizon_days_owner" };
    let horizon_days = admitted.numbers.whole(horizon);
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
    let Some((base, gap_days)) = base_and_gap(admitted, stage(admitted).name) else {
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
    risk.band = band(admitted, risk.p);
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
fn base_and_gap(admitted: &Admitted<'_>, stage: &str) -> Option<(i64, i64)> {
    let row = match stage {
        "LEAD" | "PROSPECT" => "LEAD_PROSPECT",
        "LOST" | "EXITED" => return None,
        other => other,
    };
    let base = admitted.numbers.millionths(&format!("churn.base.{row}"));
    Some((base, admitted.numbers.whole(&format!("churn.gap_days.{row}"))))
}

/// "Bands: < .20 LOW, < .40 MEDIUM, < .70 HIGH, else CRITICAL", of the published figure.
fn band(admitted: &Admitted<'_>, p: i64) -> &'static str {
    let from = |band: &str| admitted.numbers.millionths(&format!("churn.band_from.{band}"));
    if p < from("MEDIUM") {
        "LOW"
    } else if p < from("HIGH") {
        "MEDIUM"
    } else if p < from("CRITICAL") {
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
    let after = |path| plus_months(signed_on, admitted.numbers.whole(path) as u32);
    let (from, until) = (after("churn.repurchase_from_months"), after("churn.repurchase_until_months"));
    let today = shanghai_date(admitted.as_of);
    Some(RepurchaseWindow { from: from.to_string(), until: until.to_string(), open: from <= today && today < until })
}
