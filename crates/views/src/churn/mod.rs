//! Churn risk (docs/views.md section 5): the probability that the relation yields nothing more within the horizon.
//!
//! p = 1 / (1 + e^−(b₀ + Σ points)); the points come from [`reason`], the lists and totals are in [`totals`].

mod reason;
mod totals;

pub use reason::{Reason, ReasonCode, Reasons};
pub use totals::{AtRisk, Bands, Narrow, Place, Placement, Totals};

pub use crate::Evidence;

use touchpoint::{CustomerId, Date};

use crate::complaint::complaints;
use crate::lifecycle::{Lifecycle, Stage};
use crate::rules::{self, Rules};
use crate::{Moment, Record, Sign, Standing, Timeline, View};

/// One in millionths.
const ONE: u32 = 1_000_000;

/// How high a risk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names of the domain speak for themselves")]
pub enum Band {
    Low,
    Medium,
    High,
    Critical,
}

impl Band {
    /// Every band, the lowest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }

    /// The band of a published p.
    fn of(p: u32, from: &[i64; 3]) -> Self {
        let reached = from.iter().filter(|least| i64::from(p) >= **least).count();
        Self::ALL[reached]
    }
}

/// The months in which people change homes, counted from the latest live signing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepurchaseWindow {
    /// The first Shanghai date of it.
    pub from: Date,
    /// The first Shanghai date after it.
    pub until: Date,
    /// as_of is in it.
    pub open: bool,
}

/// The risk of one customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Risk {
    /// The probability, in millionths.
    pub p: u32,
    /// The band of the published p.
    pub band: Band,
    /// The sum of the points of all reasons, in millionths; nothing for LOST and EXITED, whose p is 1 by definition.
    pub points: Option<i64>,
    /// Why, by |points| descending, then code. Empty for LOST and EXITED.
    pub reasons: Vec<Reason>,
    /// Days that the risk looks ahead.
    pub horizon_days: u32,
    /// When a repurchase is likely; nothing without a live contract.
    pub repurchase: Option<RepurchaseWindow>,
}

impl Risk {
    /// The weights were chosen, not fitted to outcomes.
    pub const CALIBRATED: bool = false;
}

/// What is said of one customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Stage, project, company, consultant.
    pub standing: Standing,
    /// The risk; nothing where consent to profiling is withdrawn.
    pub risk: Option<Risk>,
}

/// The churn risk view.
#[derive(Debug, Clone, Copy)]
pub struct Churn;

impl View for Churn {
    const NAME: &'static str = "churn";
    type Answer = Answer;
    type Placement = Placement;
    type Totals = Totals;

    fn answer(record: &Record, rules: &Rules, moment: &mut Moment) -> Option<Answer> {
        let timeline = Timeline::at(record, moment)?;
        let lifecycle = Lifecycle::fold(&timeline, &rules.lifecycle, moment);
        let standing = Standing::new(&timeline, &lifecycle);
        let risk = (!timeline.withheld).then(|| risk(&timeline, &lifecycle, rules, moment));
        Some(Answer { standing, risk })
    }

    fn placement(answer: &Answer) -> Placement {
        Placement::new(answer)
    }

    fn place(totals: &mut Totals, customer: CustomerId, placement: &Placement, sign: Sign) {
        totals.place(customer, placement, sign);
    }

    fn merge(totals: &mut Totals, others: Totals) {
        totals.merge(others);
    }

    fn rank(placement: &Placement) -> u32 {
        placement.rank()
    }
}

fn risk(timeline: &Timeline<'_>, lifecycle: &Lifecycle<'_>, rules: &Rules, moment: &mut Moment) -> Risk {
    let live = lifecycle.live().next().is_some();
    let horizon_days = if live { rules.churn.horizon.owner_days } else { rules.churn.horizon.other_days };
    let repurchase = repurchase(lifecycle, &rules.churn, moment);
    let Some(base) = stage_index(lifecycle.stage) else {
        return Risk { p: ONE, band: Band::Critical, points: None, reasons: Vec::new(), horizon_days, repurchase };
    };
    let complaints = complaints(timeline, &rules.service_levels, moment);
    let of = reason::Subject { timeline, lifecycle, complaints: &complaints, rules: &rules.churn };
    let (fixed, silence) = reason::all(&of, base, moment);
    let exact = (rules.churn.base[base] + fixed.iter().map(|reason| reason.points).sum::<i64>()) as f64;
    let p = probability((exact + silence.exact()) / f64::from(ONE));
    let mut reasons = fixed;
    let points = reasons.iter().map(|reason| reason.points).sum::<i64>() + silence.rounded();
    reasons.extend(silence.into_reason());
    reasons.retain(|reason| reason.points != 0);
    reasons.sort_by_key(|reason| (std::cmp::Reverse(reason.points.abs()), reason.code.name()));
    Risk { p, band: Band::of(p, &rules.churn.band_from), points: Some(points), reasons, horizon_days, repurchase }
}

/// Where the stage stands in the rules' tables; nothing for the stages that have churned already.
fn stage_index(stage: Stage) -> Option<usize> {
    match stage {
        Stage::Lead | Stage::Prospect => Some(0),
        Stage::Subscribed => Some(1),
        Stage::QuasiOwner => Some(2),
        Stage::RunIn => Some(3),
        Stage::Stable => Some(4),
        Stage::LongTerm => Some(5),
        Stage::Lost | Stage::Exited => None,
    }
}

/// The logistic function in millionths, rounded half up with 1e-9 of the last place for the error of floating point.
fn probability(log_odds: f64) -> u32 {
    let p = 1.0 / (1.0 + (-log_odds).exp());
    (p * f64::from(ONE) + 1e-9 + 0.5).floor() as u32
}

fn repurchase(lifecycle: &Lifecycle<'_>, rules: &rules::Churn, moment: &mut Moment) -> Option<RepurchaseWindow> {
    let signed = lifecycle.live().next_back()?.signing.occurred_at.shanghai_date();
    let [from, until] = [rules.repurchase_months.from, rules.repurchase_months.until].map(|it| signed.plus_months(it));
    let open = moment.reached_date(from) && !moment.reached_date(until);
    Some(RepurchaseWindow { from, until, open })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_probabilities_are_rounded_half_up() {
        assert_eq!(probability(-0.5), 377_541);
        assert_eq!(probability(1.0), 731_059);
        assert_eq!(probability(0.0), 500_000);
    }

    #[test]
    fn bands_start_at_their_cut_points() {
        let from = [200_000, 400_000, 700_000];
        assert_eq!(Band::of(199_999, &from), Band::Low);
        assert_eq!(Band::of(200_000, &from), Band::Medium);
        assert_eq!(Band::of(700_000, &from), Band::Critical);
    }
}
