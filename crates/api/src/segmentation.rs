//! Answers of the segmentation view about one customer, and its lists and totals.

use std::sync::Arc;

use touchpoint::{Code, CustomerId, EventId, Household, Motive};
use views::lifecycle::Stage;
use views::rules::Rules;
use views::segmentation::{
    Answer, Demand, Explained, Group, Label, Membership, Part, PartCode, Profile, Rfm, Tier, TierScore, Totals,
};

use crate::errors::Error;
use crate::query::Scope;
use crate::{decision, names, standing, v1};

/// The twin of a label.
pub const fn label(label: Label) -> v1::RfmLabel {
    match label {
        Label::KeyValue => v1::RfmLabel::KeyValue,
        Label::KeyDevelop => v1::RfmLabel::KeyDevelop,
        Label::KeyRetain => v1::RfmLabel::KeyRetain,
        Label::KeyWinBack => v1::RfmLabel::KeyWinBack,
        Label::GeneralValue => v1::RfmLabel::GeneralValue,
        Label::GeneralDevelop => v1::RfmLabel::GeneralDevelop,
        Label::GeneralRetain => v1::RfmLabel::GeneralRetain,
        Label::GeneralWinBack => v1::RfmLabel::GeneralWinBack,
    }
}

/// The twin of a tier.
pub const fn tier(tier: Tier) -> v1::ValueTier {
    match tier {
        Tier::Vip => v1::ValueTier::Vip,
        Tier::High => v1::ValueTier::High,
        Tier::Mid => v1::ValueTier::Mid,
        Tier::Basic => v1::ValueTier::Basic,
    }
}

/// A customer on every axis; where profiling is withheld, the lifecycle only.
pub fn customer_segments(customer: CustomerId, answer: &Answer) -> v1::CustomerSegments {
    let lifecycle_only = v1::CustomerSegments {
        customer_id: customer.into(),
        withheld: answer.standing.withheld,
        lifecycle: Some(standing::lifecycle(&answer.standing)),
        ..Default::default()
    };
    match &answer.profile {
        None => lifecycle_only,
        Some(profile) => v1::CustomerSegments {
            rfm: Some(rfm(&profile.rfm)),
            value: Some(value(&profile.tier)),
            demand: Some(demand(&profile.demand)),
            rule_segments: profile.segments.iter().map(membership).collect(),
            belonging: standing::belonging(&answer.standing),
            ..lifecycle_only
        },
    }
}

/// The same, with the events behind stage, R, F and M, and what decides on rule segments.
pub fn explained(customer: CustomerId, Explained { answer, reasons }: &Explained) -> v1::CustomerSegments {
    let mut segments = customer_segments(customer, answer);
    if let Some(lifecycle) = &mut segments.lifecycle {
        lifecycle.made_by = answer.standing.stage_by.as_ref().map(standing::evidence);
    }
    if let (Some(rfm), Some(profile), Some(reasons)) = (&mut segments.rfm, &answer.profile, reasons) {
        rfm.reasons = rfm_reasons(profile, &reasons.frequency_by);
        segments.segment_decisions = decision::decisions(&reasons.decisions);
    }
    segments
}

/// A customer on a list of members, on which nobody is who withholds the profile.
pub fn member(customer: CustomerId, stage: Stage, profile: &Profile) -> v1::Member {
    v1::Member {
        customer_id: customer.into(),
        stage: standing::stage(stage).into(),
        rfm_label: label(profile.rfm.label).into(),
        value_tier: tier(profile.tier.tier).into(),
    }
}

/// The groups that all members of a list are in; none if neither names anything.
pub fn groups(selector: Option<&v1::MemberSelector>, scope: &Scope, rules: &Rules) -> Result<Vec<Group>, Error> {
    let text = |code: &Option<Code<'_>>| code.as_ref().map(|code| Arc::from(code.as_str()));
    let mut groups: Vec<Group> = [
        text(&scope.company).map(Group::Company),
        text(&scope.project).map(Group::Project),
        text(&scope.consultant).map(Group::Consultant),
    ]
    .into_iter()
    .flatten()
    .collect();
    if let Some(selector) = selector.and_then(|selector| selector.selector.as_ref()) {
        groups.push(group(selector, rules)?);
    }
    Ok(groups)
}

fn group(selector: &v1::member_selector::Selector, rules: &Rules) -> Result<Group, Error> {
    use v1::member_selector::Selector;
    let (field, group) = match selector {
        Selector::Stage(number) => ("stage", standing::stage_from(*number).map(Group::Stage)),
        Selector::RfmLabel(number) => ("rfm_label", twin(Label::ALL, label, *number).map(Group::Label)),
        Selector::ValueTier(number) => ("value_tier", twin(Tier::ALL, tier, *number).map(Group::Tier)),
        Selector::Motive(number) => ("motive", names::motive_from(*number).map(Group::Motive)),
        Selector::Household(number) => ("household", names::household_from(*number).map(Group::Household)),
        Selector::RuleSegment(name) => {
            let segment = rules.segmentation.segments.iter().find(|segment| *segment.name == **name);
            ("rule_segment", segment.map(|segment| Group::Segment(Arc::clone(&segment.name))))
        }
    };
    group.ok_or_else(|| match field {
        "rule_segment" => Error::field("selector.rule_segment", expected_segment(rules)),
        _ => Error::field(format!("selector.{field}"), "expected one of the values, not UNSPECIFIED"),
    })
}

fn expected_segment(rules: &Rules) -> String {
    let names: Vec<_> = rules.segmentation.segments.iter().map(|segment| &*segment.name).collect();
    match names.as_slice() {
        [] => "expected the name of a segment of the rules, which have none".to_owned(),
        names => format!("expected the name of a segment of the rules: {}", names.join(", ")),
    }
}

/// The value whose twin has this number.
fn twin<T: Copy, E: Into<i32>>(all: &[T], there: fn(T) -> E, number: i32) -> Option<T> {
    all.iter().copied().find(|&it| there(it).into() == number)
}

/// The totals, every value of every axis; the erased customers and what the answer rests on are for the caller to add.
pub fn totals(totals: &Totals, rules: &Rules) -> v1::CountMembersResponse {
    let shown = totals.customers.saturating_sub(totals.withheld);
    let motives = Motive::ALL.iter().map(|&it| (names::motive(it).into(), totals.count(&Group::Motive(it))));
    let households =
        Household::ALL.iter().map(|&it| (names::household(it).into(), totals.count(&Group::Household(it))));
    v1::CountMembersResponse {
        customers: totals.customers,
        withheld: totals.withheld,
        stages: Stage::ALL
            .map(|it| v1::StageCount { stage: standing::stage(it).into(), customers: totals.stage(it) })
            .to_vec(),
        rfm_labels: (Label::ALL.iter())
            .map(|&it| v1::RfmLabelCount { label: label(it).into(), customers: totals.count(&Group::Label(it)) })
            .collect(),
        value_tiers: (Tier::ALL.iter())
            .map(|&it| v1::ValueTierCount { tier: tier(it).into(), customers: totals.count(&Group::Tier(it)) })
            .collect(),
        motives: with_unsaid(motives, shown, |motive, customers| v1::MotiveCount { motive, customers }),
        households: with_unsaid(households, shown, |household, customers| v1::HouseholdCount { household, customers }),
        rule_segments: (rules.segmentation.segments.iter())
            .map(|it| v1::RuleSegmentCount {
                name: it.name.to_string(),
                customers: totals.count(&Group::Segment(Arc::clone(&it.name))),
            })
            .collect(),
        erased: 0,
        meta: None,
    }
}

/// The counts of a demand, the customers of whom no visit says first, as UNSPECIFIED.
fn with_unsaid<T>(counts: impl Iterator<Item = (i32, u64)>, shown: u64, twin: fn(i32, u64) -> T) -> Vec<T> {
    let counts: Vec<_> = counts.collect();
    let said: u64 = counts.iter().map(|(_, customers)| customers).sum();
    let unsaid = (0, shown.saturating_sub(said));
    std::iter::once(unsaid).chain(counts).map(|(value, customers)| twin(value, customers)).collect()
}

fn rfm(rfm: &Rfm) -> v1::Rfm {
    v1::Rfm {
        recency: rfm.recency.into(),
        frequency: rfm.frequency.into(),
        monetary: rfm.monetary.into(),
        label: label(rfm.label).into(),
        last_interaction: rfm.last_interaction.as_ref().map(standing::evidence),
        interaction_days: rfm.interaction_days,
        live_contracts_fen: rfm.value.0,
        reasons: Vec::new(),
    }
}

/// R, F and M with the events behind them; money rests on the same as the tier's part for it.
fn rfm_reasons(profile: &Profile, frequency_by: &[EventId]) -> Vec<v1::Reason> {
    let reason = |code: &str, evidence| v1::Reason { code: code.to_owned(), points_millionths: None, evidence };
    let money = profile.tier.parts.iter().find(|part| part.code == PartCode::Value);
    vec![
        reason("RECENCY", profile.rfm.last_interaction.iter().map(standing::evidence).collect()),
        reason("FREQUENCY", evidence(frequency_by)),
        reason("MONETARY", money.map(|part| evidence(&part.evidence)).unwrap_or_default()),
    ]
}

fn value(score: &TierScore) -> v1::CustomerValue {
    let reason = |part: &Part| v1::Reason {
        code: part.code.name().to_owned(),
        points_millionths: Some(part.points),
        evidence: evidence(&part.evidence),
    };
    v1::CustomerValue {
        tier: tier(score.tier).into(),
        score_hundredths: u32::try_from(score.score).unwrap_or(0),
        reasons: score.parts.iter().map(reason).collect(),
    }
}

fn demand(demand: &Demand) -> v1::Demand {
    let said = [
        ("MOTIVE", demand.motive.map(|said| said.event)),
        ("HOUSEHOLD", demand.household.map(|said| said.event)),
        ("ROOMS", demand.rooms.map(|said| said.event)),
        ("BUDGET", demand.budget.map(|said| said.event)),
    ];
    let reason = |(code, event): (&str, Option<EventId>)| {
        Some(v1::Reason { code: code.to_owned(), points_millionths: None, evidence: evidence(&[event?]) })
    };
    v1::Demand {
        motive: demand.motive.map_or(v1::Motive::Unspecified, |said| names::motive(said.value)).into(),
        household: demand.household.map_or(v1::Household::Unspecified, |said| names::household(said.value)).into(),
        rooms: demand.rooms.map(|said| said.value.0),
        budget_min_fen: demand.budget.and_then(|said| said.value.min).map(|fen| fen.0),
        budget_max_fen: demand.budget.and_then(|said| said.value.max).map(|fen| fen.0),
        reasons: said.into_iter().filter_map(reason).collect(),
    }
}

fn membership(membership: &Membership) -> v1::Membership {
    v1::Membership { name: (*membership.name).to_owned(), evidence: evidence(&membership.evidence) }
}

/// Events of which the view keeps no more than the id.
pub(crate) fn evidence(events: &[EventId]) -> Vec<v1::Evidence> {
    events.iter().map(|event| v1::Evidence { event_id: (*event).into(), occurred_at: None }).collect()
}
