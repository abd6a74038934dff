//! The value tier: a score of four parts, each in proportion to what earns all its points. Exact: the parts are
//! fractions until the published figure is rounded.

use touchpoint::{EventId, Metric, Touchpoint};

use super::rule::in_order;
use crate::contract::Contract;
use crate::first::Firsts;
use crate::lifecycle::Lifecycle;
use crate::rules::names::names;
use crate::survey::latest_overall;
use crate::{Filed, Timeline, rules};

/// Points are kept in millionths, the score is published in hundredths.
const MILLIONTHS_PER_HUNDREDTH: i128 = 10_000;
/// The least NPS answer of a promoter, and of a passive.
const PROMOTER_FROM: u8 = 9;
const PASSIVE_FROM: u8 = 7;

names! {
    /// The value tier.
    Tier {
        /// The most valuable.
        Vip = "VIP",
        /// Of high value.
        High = "HIGH",
        /// Of middling value.
        Mid = "MID",
        /// The others.
        Basic = "BASIC",
    }
}

names! {
    /// A part of the tier score.
    PartCode {
        /// The value of the live contracts.
        Value = "VALUE",
        /// The number of live contracts.
        Contracts = "CONTRACTS",
        /// Converted referrals.
        Referrals = "REFERRALS",
        /// The latest NPS answer on port OVERALL.
        Promoter = "PROMOTER",
    }
}

/// The tier of a customer and how it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierScore {
    /// The tier.
    pub tier: Tier,
    /// The score in hundredths, rounded half up.
    pub score: i64,
    /// The four parts.
    pub parts: [Part; 4],
}

/// A part of the tier score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Which part.
    pub code: PartCode,
    /// The points in millionths, rounded half up.
    pub points: i64,
    /// The events behind it.
    pub evidence: Vec<EventId>,
}

/// A referral of which both events are there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Conversion<'t> {
    pub(super) made: &'t Filed<'t>,
    pub(super) converted: &'t Filed<'t>,
}

/// The referrals that led to a contract, in the order in which they were made.
pub(super) fn converted_referrals<'t>(timeline: &'t Timeline<'t>) -> Vec<Conversion<'t>> {
    let made = Firsts::of(&timeline.events, |body| match body {
        Touchpoint::ReferralMade(made) => Some((&made.referral_id, made)),
        _ => None,
    });
    let converted = Firsts::of(&timeline.events, |body| match body {
        Touchpoint::ReferralConverted(converted) => Some((&converted.referral_id, converted)),
        _ => None,
    });
    let conversions = made.all.iter().filter_map(|(event, made)| {
        let (converted, _) = converted.all[converted.index(&made.referral_id)?];
        Some(Conversion { made: event, converted })
    });
    conversions.collect()
}

/// Points in millionths as a fraction that is not negative.
#[derive(Clone, Copy)]
struct Points {
    over: i128,
    under: i128,
}

impl Points {
    /// So much of `full` earns so much of `points`, but not more than all. `full` is never 0: see the rules file.
    fn share(points: i64, value: i64, full: i64) -> Self {
        Self { over: i128::from(points) * i128::from(value.clamp(0, full)), under: i128::from(full) }
    }

    fn plus(self, other: Self) -> Self {
        Self { over: self.over * other.under + other.over * self.under, under: self.under * other.under }
    }

    /// In so many millionths, rounded half up.
    fn rounded(self, unit: i128) -> i64 {
        ((2 * self.over + self.under * unit) / (2 * self.under * unit)) as i64
    }
}

impl TierScore {
    pub(super) fn new(
        timeline: &Timeline<'_>,
        lifecycle: &Lifecycle<'_>,
        referrals: &[Conversion<'_>],
        rules: &rules::Segmentation,
    ) -> Self {
        let signings: Vec<_> = lifecycle.live().map(|contract| contract.signing.id).collect();
        let priced = in_order(lifecycle.live().flat_map(Contract::priced_by).collect());
        let brought = in_order(referrals.iter().flat_map(|referral| [referral.made, referral.converted]).collect());
        let nps = latest_overall(timeline, Metric::Nps);
        let halves = nps.map_or(0, |answer| match answer.score.0 {
            PROMOTER_FROM.. => 2,
            PASSIVE_FROM.. => 1,
            _ => 0,
        });
        let (value, contracts, brought_in) = (rules.tier_value, rules.tier_contracts, rules.tier_referrals);
        let contract_count = signings.len() as i64;
        let referral_count = referrals.len() as i64;
        let parts = [
            (PartCode::Value, Points::share(value.points, lifecycle.live_value().0, value.full), priced),
            (PartCode::Contracts, Points::share(contracts.points, contract_count, contracts.full.into()), signings),
            (PartCode::Referrals, Points::share(brought_in.points, referral_count, brought_in.full.into()), brought),
            (
                PartCode::Promoter,
                Points::share(rules.tier_promoter, halves, 2),
                nps.map(|it| it.event.id).into_iter().collect(),
            ),
        ];
        let none = Points { over: 0, under: 1 };
        let score = parts.iter().fold(none, |sum, part| sum.plus(part.1)).rounded(MILLIONTHS_PER_HUNDREDTH);
        let tier = match rules.tier_from {
            [vip, ..] if score >= vip => Tier::Vip,
            [_, high, _] if score >= high => Tier::High,
            [.., mid] if score >= mid => Tier::Mid,
            _ => Tier::Basic,
        };
        let part = |(code, points, evidence): (PartCode, Points, _)| Part { code, points: points.rounded(1), evidence };
        Self { tier, score, parts: parts.map(part) }
    }
}
