//! The rules: every number that a business would tune, as plain values in exact units.
//!
//! The defaults are `rules.toml` beside this file. Rules are an argument of every answer: other rules need no other
//! fold, only another evaluation.

mod activation;
mod blank;
mod condition;
mod counts;
mod form;
mod given;
mod mistake;
pub(crate) mod names;
mod number;
mod parts;
mod read;
mod segments;
mod units;
mod write;

use std::fmt;

pub use activation::Activation;
pub use condition::{Attribute, Axis, Bounds, Condition, Count, Segment, Value};
pub use mistake::{Mistake, RulesError};
pub use parts::{
    ConsultantChanged, Earned, HandoverDelayed, Horizon, Lasting, Months, RepeatComplaints, RevisitMissed,
    RevisitSatisfied, Silence,
};

/// The default rules as a file, with what each of them does.
pub const DEFAULT_FILE: &str = include_str!("rules.toml");

/// All rules of all views.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Numbers of the lifecycle.
    pub lifecycle: Lifecycle,
    /// Limits of complaint handling.
    pub service_levels: ServiceLevels,
    /// Numbers of the satisfaction view.
    pub satisfaction: Satisfaction,
    /// Numbers of the segmentation view.
    pub segmentation: Segmentation,
    /// Numbers of the churn risk view.
    pub churn: Churn,
}

/// Numbers of the lifecycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifecycle {
    /// Days of silence after which a customer without a contract is taken as lost.
    pub lost_after_days: u32,
    /// Months after moving in at which RUN_IN ends.
    pub stable_after_months: u32,
    /// Months after moving in at which STABLE ends.
    pub long_term_after_months: u32,
}

/// Limits of complaint handling; limits are included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceLevels {
    /// Minutes until a complaint is to be acknowledged.
    pub acknowledge_minutes: u32,
    /// Hours until a complaint is to be resolved, by severity LOW, MEDIUM, HIGH, CRITICAL.
    pub resolve_hours: [u32; 4],
}

/// Numbers of the satisfaction view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Satisfaction {
    /// Days that the customer index and the loyalty class look back.
    pub window_days: u32,
    /// Days in which the weight of an observation halves.
    pub half_life_days: u32,
    /// Weight of each service port, in millionths, in the order of `ServicePort::ALL`.
    pub port_weights: [i64; 9],
    /// Weight of an observation inferred from a complaint, in millionths of an answered one.
    pub inferred_weight: i64,
    /// Index in hundredths from which a customer is SATISFIED.
    pub satisfied_from: i64,
    /// Index in hundredths from which a customer is NEUTRAL.
    pub neutral_from: i64,
    /// Fewest values for a rank.
    pub rank_minimum: u32,
    /// |z| below which a change is FLAT, in millionths.
    pub flat_below_z: i64,
    /// Change in basis points from which it is MARKED.
    pub marked_from_bp: i64,
}

/// Numbers of the segmentation view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segmentation {
    /// Most days since the last interaction for recency 5, 4, 3, 2.
    pub recency_days: [u32; 4],
    /// Days in which interaction days are counted.
    pub frequency_days: u32,
    /// Fewest interaction days for frequency 5, 4, 3, 2.
    pub frequency_from: [u32; 4],
    /// Least value of live contracts, in fen, for monetary 5, 4, 3; more than nothing is 2.
    pub monetary_from_fen: [i64; 3],
    /// The score from which recency, frequency and monetary count as high.
    pub high_from: u8,
    /// For the value of live contracts, in fen.
    pub tier_value: Earned<i64>,
    /// For the number of live contracts.
    pub tier_contracts: Earned<u32>,
    /// For the number of converted referrals.
    pub tier_referrals: Earned<u32>,
    /// Points for a promoter, in millionths; a passive earns half.
    pub tier_promoter: i64,
    /// Tier score in hundredths from which a customer is VIP, HIGH, MID.
    pub tier_from: [i64; 3],
    /// The named segments, in the order of their names.
    pub segments: Vec<Segment>,
}

/// Numbers of the churn risk view. Points and probabilities are in millionths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Churn {
    /// What p is foreseen for.
    pub horizon: Horizon,
    /// b₀ by stage: LEAD and PROSPECT, SUBSCRIBED, QUASI_OWNER, RUN_IN, STABLE, LONG_TERM.
    pub base: [i64; 6],
    /// Expected days between two signs of life, by the same stages.
    pub gap_days: [u32; 6],
    /// Least p of MEDIUM, HIGH, CRITICAL.
    pub band_from: [i64; 3],
    /// After the latest live signing, when a repurchase is likely.
    pub repurchase_months: Months,
    /// SILENCE.
    pub silence: Silence,
    /// OPEN_COMPLAINT: points by severity LOW, MEDIUM, HIGH, CRITICAL.
    pub open_complaint: [i64; 4],
    /// OPEN_COMPLAINT: points of a group complaint, whatever its severity.
    pub open_group_complaint: i64,
    /// OPEN_COMPLAINT: the most that all of them give.
    pub open_complaint_most: i64,
    /// COMPLAINT_OVERDUE.
    pub complaint_overdue: i64,
    /// COMPLAINT_REOPENED, after a reopening.
    pub complaint_reopened: Lasting,
    /// REPEAT_COMPLAINTS.
    pub repeat_complaints: RepeatComplaints,
    /// LOW_SATISFACTION and SATISFIED: points by the latest overall answer 1 to 5.
    pub overall: [i64; 5],
    /// NPS_DETRACTOR.
    pub detractor: i64,
    /// NPS_PROMOTER.
    pub promoter: i64,
    /// HANDOVER_DELAYED.
    pub handover_delayed: HandoverDelayed,
    /// SERIOUS_DEFECT_OPEN.
    pub serious_defect_open: i64,
    /// CONSULTANT_CHANGED.
    pub consultant_changed: ConsultantChanged,
    /// REVISIT_MISSED.
    pub revisit_missed: RevisitMissed,
    /// CONSENT_WITHDRAWN.
    pub consent_withdrawn: i64,
    /// REFERRAL_MADE, after a referral.
    pub referral_made: Lasting,
    /// REPURCHASED, after a signing.
    pub repurchased: Lasting,
    /// REVISIT_SATISFIED.
    pub revisit_satisfied: RevisitSatisfied,
}

/// What tells rules of different meaning apart: comments, order of keys, white space and spelling do not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version(u64);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Default for Rules {
    /// The rules of [`DEFAULT_FILE`], of which a test says that it is complete and without a mistake.
    fn default() -> Self {
        let mut rules = blank::RULES;
        read::read_over(&mut rules, DEFAULT_FILE);
        rules
    }
}

impl Rules {
    /// Reads a rules file; what it leaves out has its default. A file with mistakes is refused with all of them.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        let mut rules = Self::default();
        let (mistakes, _) = read::read_over(&mut rules, text);
        if mistakes.is_empty() { Ok(rules) } else { Err(RulesError { mistakes }) }
    }

    /// The rules as a file in canonical form: every key, without comments. Reading it gives the same rules.
    pub fn to_toml(&self) -> String {
        let mut writer = write::Writer::default();
        form::walk(&mut self.clone(), &mut writer);
        writer.text
    }

    /// The digest of the meaning: of the canonical form.
    pub fn version(&self) -> Version {
        let digest = blake3::hash(self.to_toml().as_bytes());
        let first = digest.as_bytes().first_chunk().copied().unwrap_or_default();
        Version(u64::from_be_bytes(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_file_has_every_key_and_no_mistake() {
        let mut rules = blank::RULES;
        let (mistakes, absent) = read::read_over(&mut rules, DEFAULT_FILE);
        assert_eq!(mistakes, []);
        assert_eq!(absent, Vec::<String>::new());
    }

    #[test]
    fn the_canonical_form_has_every_key_and_the_same_meaning() {
        let mut rules = blank::RULES;
        let (mistakes, absent) = read::read_over(&mut rules, &Rules::default().to_toml());
        assert_eq!((mistakes, absent), (vec![], vec![]));
        assert_eq!(rules, Rules::default());
    }
}
