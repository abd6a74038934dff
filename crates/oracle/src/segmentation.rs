//! Segmentation of one customer: RFM, value tier, demand, rule segments, funnel. Section 5.

use touchpoint::Timestamp;

use crate::admit::Admitted;
use crate::answers::latest_overall;
use crate::clock::shanghai_date;
use crate::contract::{converted_referrals, live_contracts};
use crate::customer::{consultant, place};
use crate::event::History;
use crate::funnel::{Funnel, funnel};
use crate::round::half_up;
use crate::rules::{Attributes, Segment, members_of};
use crate::stage::{interactions, silent_since, stage};

/// ¥1M, in fen.
const MILLION: i128 = 100_000_000;

/// A customer's segmentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segmentation {
    /// The lifecycle stage: also told of a customer who withdrew consent to profiling.
    pub stage: &'static str,
    /// Nothing if consent to profiling is withdrawn.
    pub profile: Option<Profile>,
    /// The way through the funnel, which is no profiling.
    pub funnel: Funnel,
}

/// What profiling says about a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// R, 1 to 5.
    pub recency: i64,
    /// F, 1 to 5.
    pub frequency: i64,
    /// M, 1 to 5.
    pub monetary: i64,
    /// Distinct Shanghai dates with an interaction in 365 days.
    pub interaction_days: i64,
    /// The RFM label.
    pub label: &'static str,
    /// The tier score in hundredths.
    pub tier_score: i64,
    /// VIP, HIGH, MID or BASIC.
    pub tier: &'static str,
    /// Live contracts.
    pub live_contracts: i64,
    /// The current prices of the live contracts, in fen.
    pub contract_value_fen: i128,
    /// The largest of them.
    pub largest_contract_fen: Option<i64>,
    /// Converted referrals.
    pub conversions: i64,
    /// What the customer looks for.
    pub demand: Demand,
    /// The names of the rule segments, in the order of the rules.
    pub segments: Vec<String>,
}

/// What the customer looks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demand {
    /// Why.
    pub motive: Option<String>,
    /// For whom.
    pub household: Option<String>,
    /// How many rooms.
    pub rooms: Option<i64>,
    /// The lower bound of the budget.
    pub budget_min_fen: Option<i64>,
    /// The upper bound, of the same visit.
    pub budget_max_fen: Option<i64>,
}

/// The segmentation at (as_of, known_at); nothing if not found, or erased.
pub fn segmentation(
    history: &History,
    as_of: Timestamp,
    known_at: Option<Timestamp>,
    segments: &[Segment],
) -> Option<Segmentation> {
    let admitted = history.at(as_of, known_at)?;
    let withheld = history.withheld();
    Some(Segmentation {
        stage: stage(&admitted).name,
        profile: if withheld { None } else { Some(profile(&admitted, segments)) },
        funnel: funnel(&admitted),
    })
}

fn profile(admitted: &Admitted<'_>, segments: &[Segment]) -> Profile {
    let live = live_contracts(admitted);
    let value: i128 = live.iter().map(|contract| i128::from(contract.price_fen)).sum();
    let interaction_days = interaction_days(admitted);
    let (recency, frequency, monetary) = (recency(admitted), frequency(interaction_days), monetary(value));
    let conversions = converted_referrals(admitted);
    let tier_score = tier_score(value, live.len() as i64, conversions, overall_nps(admitted));
    let mut profile = Profile {
        recency,
        frequency,
        monetary,
        interaction_days,
        label: label(recency, frequency, monetary),
        tier_score,
        tier: tier(tier_score),
        live_contracts: live.len() as i64,
        contract_value_fen: value,
        largest_contract_fen: live.iter().map(|contract| contract.price_fen).max(),
        conversions,
        demand: demand(admitted),
        segments: Vec::new(),
    };
    profile.segments = members_of(segments, &attributes(admitted, &profile), admitted);
    profile
}

/// "R by days since the last interaction: ≤ 30 → 5, ≤ 90 → 4, ≤ 180 → 3, ≤ 365 → 2, else 1."
fn recency(admitted: &Admitted<'_>) -> i64 {
    match interactions(admitted).last().map(|event| admitted.days_since(event.at)) {
        Some(0..=30) => 5,
        Some(31..=90) => 4,
        Some(91..=180) => 3,
        Some(181..=365) => 2,
        Some(_) | None => 1,
    }
}

/// "Distinct interaction days (Shanghai dates) in 365."
fn interaction_days(admitted: &Admitted<'_>) -> i64 {
    let recent = interactions(admitted).into_iter().filter(|event| admitted.within(event.at, 365));
    let mut dates: Vec<_> = recent.map(|event| shanghai_date(event.at)).collect();
    dates.sort_unstable();
    dates.dedup();
    dates.len() as i64
}

/// "≥ 7 → 5, 4–6 → 4, 2–3 → 3, 1 → 2, 0 → 1."
fn frequency(days: i64) -> i64 {
    match days {
        7.. => 5,
        4..=6 => 4,
        2..=3 => 3,
        1 => 2,
        _ => 1,
    }
}

/// "M by the current prices of live contracts: ≥ ¥6M → 5, ≥ 3M → 4, ≥ 1.5M → 3, > 0 → 2, 0 → 1."
fn monetary(fen: i128) -> i64 {
    if fen >= 6 * MILLION {
        5
    } else if fen >= 3 * MILLION {
        4
    } else if 2 * fen >= 3 * MILLION {
        3
    } else if fen > 0 {
        2
    } else {
        1
    }
}

/// "High is ≥ 3. Label: M high: (R,F) HH KEY_VALUE, HL KEY_DEVELOP, LH KEY_RETAIN, LL KEY_WIN_BACK; M low: GENERAL_…"
fn label(recency: i64, frequency: i64, monetary: i64) -> &'static str {
    match (monetary >= 3, recency >= 3, frequency >= 3) {
        (true, true, true) => "KEY_VALUE",
        (true, true, false) => "KEY_DEVELOP",
        (true, false, true) => "KEY_RETAIN",
        (true, false, false) => "KEY_WIN_BACK",
        (false, true, true) => "GENERAL_VALUE",
        (false, true, false) => "GENERAL_DEVELOP",
        (false, false, true) => "GENERAL_RETAIN",
        (false, false, false) => "GENERAL_WIN_BACK",
    }
}

/// "Latest NPS on OVERALL, no window."
fn overall_nps(admitted: &Admitted<'_>) -> Option<i64> {
    latest_overall(admitted, "NPS").map(|answer| answer.score)
}

/// "40·min(M/¥10M, 1) + 20·min(live contracts, 3)/3 + 25·min(referrals converted, 4)/4 + 15·(latest NPS: 9–10 → 1;
/// 7–8 → .5; else or none 0)", in hundredths, exact until it is rounded.
fn tier_score(fen: i128, contracts: i64, conversions: i64, nps: Option<i64>) -> i64 {
    let ten_million = 10 * MILLION;
    // Halves of the last term.
    let halves: i128 = match nps {
        Some(9..) => 2,
        Some(7..=8) => 1,
        Some(_) | None => 0,
    };
    // Everything over the common denominator 12 · ¥10M.
    let numerator = 12 * 40 * fen.min(ten_million)
        + 4 * 20 * i128::from(contracts.min(3)) * ten_million
        + 3 * 25 * i128::from(conversions.min(4)) * ten_million
        + 6 * 15 * halves * ten_million;
    half_up(100 * numerator, 12 * ten_million)
}

/// "≥ 70 VIP, ≥ 45 HIGH, ≥ 20 MID, else BASIC"; "classes and bands compare these published figures".
fn tier(hundredths: i64) -> &'static str {
    if hundredths >= 7000 {
        "VIP"
    } else if hundredths >= 4500 {
        "HIGH"
    } else if hundredths >= 2000 {
        "MID"
    } else {
        "BASIC"
    }
}

/// "Demand from the visits: motive, household, rooms, budget (one pair, from the latest visit that names either bound);
/// latest non-empty of each."
fn demand(admitted: &Admitted<'_>) -> Demand {
    let mut demand = Demand::default();
    for visit in admitted.of("VisitRecorded") {
        if let Some(motive) = visit.text("motive") {
            demand.motive = Some(motive.to_owned());
        }
        if let Some(household) = visit.text("household") {
            demand.household = Some(household.to_owned());
        }
        if let Some(rooms) = visit.int("rooms") {
            demand.rooms = Some(rooms);
        }
        let (low, high) = (visit.int("budget_min_fen"), visit.int("budget_max_fen"));
        if low.is_some() || high.is_some() {
            demand.budget_min_fen = low;
            demand.budget_max_fen = high;
        }
    }
    demand
}

fn attributes(admitted: &Admitted<'_>, profile: &Profile) -> Attributes {
    let stage = stage(admitted);
    let texts = [
        ("stage", Some(stage.name.to_owned())),
        ("label", Some(profile.label.to_owned())),
        ("tier", Some(profile.tier.to_owned())),
        ("motive", profile.demand.motive.clone()),
        ("household", profile.demand.household.clone()),
        ("project", place(admitted, |event| event.project.clone())),
        ("company", place(admitted, |event| event.company.clone())),
        ("consultant", consultant(admitted)),
    ];
    let numbers = [
        ("rooms", profile.demand.rooms.map(i128::from)),
        ("budget_min_fen", profile.demand.budget_min_fen.map(i128::from)),
        ("budget_max_fen", profile.demand.budget_max_fen.map(i128::from)),
        ("recency", Some(i128::from(profile.recency))),
        ("frequency", Some(i128::from(profile.frequency))),
        ("monetary", Some(i128::from(profile.monetary))),
        ("days_silent", Some(i128::from(admitted.days_since(silent_since(admitted).at)))),
        ("live_contracts", Some(i128::from(profile.live_contracts))),
        ("contract_value_fen", Some(profile.contract_value_fen)),
        ("largest_contract_fen", profile.largest_contract_fen.map(i128::from)),
        ("conversions", Some(i128::from(profile.conversions))),
    ];
    Attributes {
        texts: texts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
        numbers: numbers.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
        open_contract: stage.open_contract,
    }
}
