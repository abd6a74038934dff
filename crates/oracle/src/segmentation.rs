//! Segmentation of one customer: RFM, value tier, demand, rule segments, funnel. Section 5.

use std::collections::BTreeMap;

use touchpoint::Timestamp;

use crate::admit::Admitted;
use crate::answers::latest_overall;
use crate::clock::shanghai_date;
use crate::contract::{Contract, converted_referrals, live_contracts};
use crate::customer::{consultant, place};
use crate::event::{Event, Evidence, History, evidence};
use crate::funnel::{Funnel, funnel};
use crate::round::half_up;
use crate::rules::{Attributes, Membership, Segment, members_of};
use crate::stage::{interactions, silent_since, stage};

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
    /// The last interaction.
    pub last_interaction: Option<Evidence>,
    /// The last interaction on each of the days that are counted.
    pub frequency_by: Vec<Evidence>,
    /// Distinct Shanghai dates with an interaction in 365 days.
    pub interaction_days: i64,
    /// The RFM label.
    pub label: &'static str,
    /// The tier score in hundredths.
    pub tier_score: i64,
    /// The parts of the tier score.
    pub tier_parts: [TierPart; 4],
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
    /// The rule segments, in the order of the rules.
    pub segments: Vec<Membership>,
}

/// A part of the tier score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierPart {
    /// VALUE, CONTRACTS, REFERRALS or PROMOTER.
    pub code: &'static str,
    /// Its points, in millionths.
    pub points: i64,
    /// The events behind it.
    pub evidence: Vec<Evidence>,
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
    /// By MOTIVE, HOUSEHOLD, ROOMS or BUDGET: the visit that said it.
    pub visits: BTreeMap<&'static str, Evidence>,
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
    // "Money is a whole number of fen (i64)": a sum beyond that is as much as that.
    let value: i128 = live.iter().map(|contract| i128::from(contract.price_fen)).sum();
    let value = value.min(i128::from(i64::MAX));
    let interaction_days = last_of_each_date(admitted).len() as i64;
    let scores = (recency(admitted), frequency(admitted, interaction_days), monetary(admitted, value));
    let (recency, frequency, monetary) = scores;
    let conversions = converted_referrals(admitted);
    let nps = overall_nps(admitted);
    let tier_parts = tier_parts(admitted, value, &live, &conversions, nps);
    let tier_score = tier_score(&tier_parts);
    let mut profile = Profile {
        recency,
        frequency,
        monetary,
        last_interaction: interactions(admitted).last().map(|event| event.order()),
        frequency_by: evidence(last_of_each_date(admitted)),
        interaction_days,
        label: label(admitted, recency, frequency, monetary),
        tier_score,
        tier_parts: tier_parts.map(|part| part.published),
        tier: tier(admitted, tier_score),
        live_contracts: live.len() as i64,
        contract_value_fen: value,
        largest_contract_fen: live.iter().map(|contract| contract.price_fen).max(),
        conversions: conversions.len() as i64,
        demand: demand(admitted),
        segments: Vec::new(),
    };
    profile.segments = members_of(segments, &attributes(admitted, &profile), admitted);
    profile
}

/// "R by days since the last interaction: ≤ 30 → 5, ≤ 90 → 4, ≤ 180 → 3, ≤ 365 → 2, else 1."
fn recency(admitted: &Admitted<'_>) -> i64 {
    let Some(last) = interactions(admitted).last().copied() else {
        return 1;
    };
    let most: [i64; 4] = admitted.numbers.list("segmentation.recency_days");
    let days = admitted.days_since(last.at);
    (0..4).find(|step| days <= most[*step as usize]).map_or(1, |step| 5 - step)
}

/// "Distinct interaction days (Shanghai dates) in 365": the last interaction of each.
pub(crate) fn last_of_each_date<'a>(admitted: &Admitted<'a>) -> Vec<&'a Event> {
    let mut last: BTreeMap<_, &Event> = BTreeMap::new();
    for event in interactions(admitted).into_iter().filter(|event| in_frequency_window(admitted, event)) {
        last.insert(shanghai_date(event.at), event);
    }
    last.into_values().collect()
}

fn in_frequency_window(admitted: &Admitted<'_>, event: &Event) -> bool {
    admitted.within(event.at, admitted.numbers.whole("segmentation.frequency_days"))
}

/// "≥ 7 → 5, 4–6 → 4, 2–3 → 3, 1 → 2, 0 → 1."
fn frequency(admitted: &Admitted<'_>, days: i64) -> i64 {
    let from: [i64; 4] = admitted.numbers.list("segmentation.frequency_from");
    (0..4).find(|step| days >= from[*step as usize]).map_or(1, |step| 5 - step)
}

/// "M by the current prices of live contracts: ≥ ¥6M → 5, ≥ 3M → 4, ≥ 1.5M → 3, > 0 → 2, 0 → 1."
fn monetary(admitted: &Admitted<'_>, fen: i128) -> i64 {
    let from: [i64; 3] = admitted.numbers.list("segmentation.monetary_from_fen");
    let otherwise = if fen > 0 { 2 } else { 1 };
    (0..3).find(|step| fen >= i128::from(from[*step as usize])).map_or(otherwise, |step| 5 - step)
}

/// "High is ≥ 3. Label: M high: (R,F) HH KEY_VALUE, HL KEY_DEVELOP, LH KEY_RETAIN, LL KEY_WIN_BACK; M low: GENERAL_…"
fn label(admitted: &Admitted<'_>, recency: i64, frequency: i64, monetary: i64) -> &'static str {
    let high = admitted.numbers.whole("segmentation.high_from");
    match (monetary >= high, recency >= high, frequency >= high) {
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
fn overall_nps<'a>(admitted: &Admitted<'a>) -> Option<(i64, &'a Event)> {
    latest_overall(admitted, "NPS").map(|answer| (answer.score, answer.event))
}

/// A part of the tier score before it is rounded: an exact fraction of millionths.
struct Part {
    numerator: i128,
    denominator: i128,
    published: TierPart,
}

/// "40·min(M/¥10M, 1) + 20·min(live contracts, 3)/3 + 25·min(referrals converted, 4)/4 + 15·(latest NPS: 9–10 → 1;
/// 7–8 → .5; else or none 0)": the four terms, each with what it rests on.
fn tier_parts(
    admitted: &Admitted<'_>,
    fen: i128,
    live: &[Contract<'_>],
    conversions: &[[&Event; 2]],
    nps: Option<(i64, &Event)>,
) -> [Part; 4] {
    let tier = |name: &str| format!("segmentation.tier.{name}");
    let full = |name: &str| i128::from(admitted.numbers.whole(&tier(name)));
    let part = |code, points: &str, reached: i128, full: i128, evidence| {
        let numerator = i128::from(admitted.numbers.millionths(&tier(points))) * reached.min(full);
        Part { numerator, denominator: full, published: TierPart { code, points: half_up(numerator, full), evidence } }
    };
    let halves = match nps {
        Some((9.., _)) => 2,
        Some((7..=8, _)) => 1,
        Some(_) | None => 0,
    };
    let priced = evidence(live.iter().flat_map(|contract| contract.priced_by.clone()));
    let signed = evidence(live.iter().map(|contract| contract.signed));
    let brought = evidence(conversions.iter().flatten().copied());
    [
        part("VALUE", "value_points", fen, full("value_full_fen"), priced),
        part("CONTRACTS", "contracts_points", live.len() as i128, full("contracts_full"), signed),
        part("REFERRALS", "referrals_points", conversions.len() as i128, full("referrals_full"), brought),
        part("PROMOTER", "promoter_points", halves, 2, evidence(nps.map(|(_, event)| event))),
    ]
}

/// The sum in hundredths, exact until it is rounded.
fn tier_score(parts: &[Part; 4]) -> i64 {
    let denominator: i128 = parts.iter().map(|part| part.denominator).product();
    let numerator: i128 = parts.iter().map(|part| part.numerator * (denominator / part.denominator)).sum();
    half_up(numerator, 10_000 * denominator)
}

/// "≥ 70 VIP, ≥ 45 HIGH, ≥ 20 MID, else BASIC"; "classes and bands compare these published figures".
fn tier(admitted: &Admitted<'_>, hundredths: i64) -> &'static str {
    let reached = |tier: &&str| hundredths >= admitted.numbers.hundredths(&format!("segmentation.tier.from.{tier}"));
    ["VIP", "HIGH", "MID"].into_iter().find(reached).unwrap_or("BASIC")
}

/// "Demand from the visits: motive, household, rooms, budget (one pair, from the latest visit that names either bound);
/// latest non-empty of each."
fn demand(admitted: &Admitted<'_>) -> Demand {
    let mut demand = Demand::default();
    for visit in admitted.of("VisitRecorded") {
        if let Some(motive) = visit.text("motive") {
            demand.motive = Some(motive.to_owned());
            demand.visits.insert("MOTIVE", visit.order());
        }
        if let Some(household) = visit.text("household") {
            demand.household = Some(household.to_owned());
            demand.visits.insert("HOUSEHOLD", visit.order());
        }
        if let Some(rooms) = visit.int("rooms") {
            demand.rooms = Some(rooms);
            demand.visits.insert("ROOMS", visit.order());
        }
        let (low, high) = (visit.int("budget_min_fen"), visit.int("budget_max_fen"));
        if low.is_some() || high.is_some() {
            demand.budget_min_fen = low;
            demand.budget_max_fen = high;
            demand.visits.insert("BUDGET", visit.order());
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
