//! 客户满意度指数: the customer index, the weighted mean of what the customer said and of how complaints went.
//!
//! Weights decay by age. All decay alike, so that they are taken relative to the newest observation: the index stands
//! still between events and window ends, and needs no timer for the decay.

use std::cmp::Reverse;

use touchpoint::{Code, ComplaintSeverity, Metric, ServicePort, Timestamp};

use super::{Evidence, PortValue, case, figure};
use crate::complaint::{Complaint, Outcome, State};
use crate::survey::Answer;
use crate::{Moment, rules};

/// One in millionths.
const ONE: i64 = 1_000_000;
/// Points of the index between two neighbouring values of 1 to 5.
const POINTS_PER_STEP: f64 = 25.0;

/// The class of the customer index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names of the domain speak for themselves")]
pub enum Class {
    Satisfied,
    Neutral,
    Dissatisfied,
    /// No observation in the window.
    Unknown,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 4] = [Self::Satisfied, Self::Neutral, Self::Dissatisfied, Self::Unknown];

    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Satisfied => "SATISFIED",
            Self::Neutral => "NEUTRAL",
            Self::Dissatisfied => "DISSATISFIED",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The class of a published index.
    pub(super) fn of(index: Option<u32>, rules: &rules::Satisfaction) -> Self {
        match index.map(i64::from) {
            Some(index) if index >= rules.satisfied_from => Self::Satisfied,
            Some(index) if index >= rules.neutral_from => Self::Neutral,
            Some(_) => Self::Dissatisfied,
            None => Self::Unknown,
        }
    }
}

/// What enters the customer index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The service port.
    pub port: ServicePort,
    /// 1 to 5.
    pub value: u8,
    /// Its share of the weights, in millionths; all shares together are a million.
    pub share: u32,
    /// From when its age counts.
    pub dated_at: Timestamp,
    /// The complaint that it is inferred from; nothing where the customer answered.
    pub inferred_from: Option<Code<'static>>,
    /// The events behind it, in order.
    pub evidence: Vec<Evidence>,
}

/// The observations of the window, the heaviest first. Those on ports without weight are among them, with no share.
pub(super) fn observations(
    values: &[PortValue],
    answers: &[Answer<'_>],
    complaints: &[Complaint<'_>],
    rules: &rules::Satisfaction,
    moment: &mut Moment,
) -> Vec<Observation> {
    let mut observations: Vec<_> = values.iter().map(answered).collect();
    observations.retain(|it| moment.within_days(it.dated_at, rules.window_days));
    for complaint in complaints {
        let inferred = inferred(complaint).filter(|it| stands(it, complaint, answers, rules, moment));
        observations.extend(inferred);
    }
    share_out(&mut observations, rules);
    observations.sort_by_key(|it| (Reverse(it.share), Reverse(it.dated_at), it.port));
    observations
}

/// The index in hundredths; nothing without an observation of any weight.
pub(super) fn index(observations: &[Observation], rules: &rules::Satisfaction) -> Option<u32> {
    let weights = weights(observations, rules);
    let total: f64 = weights.iter().sum();
    let points = observations.iter().map(|it| POINTS_PER_STEP * f64::from(it.value.saturating_sub(1)));
    let weighted: f64 = weights.iter().zip(points).map(|(weight, points)| weight * points).sum();
    (total > 0.0).then(|| figure::hundredths(weighted / total) as u32)
}

fn answered(value: &PortValue) -> Observation {
    Observation {
        port: value.port,
        value: value.value,
        share: 0,
        dated_at: value.dated_at,
        inferred_from: None,
        evidence: value.evidence.clone(),
    }
}

/// What a complaint says without words; a withdrawn one says nothing.
fn inferred(complaint: &Complaint<'_>) -> Option<Observation> {
    let (value, dated_at) = match (complaint.state, complaint.open_since(), complaint.resolved) {
        (State::Withdrawn, ..) => return None,
        (_, Some(since), _) if complaint.severity <= ComplaintSeverity::Medium => (2, since),
        (_, Some(since), _) => (1, since),
        (_, None, Some((at, _))) if complaint.total.outcome == Outcome::Met => (3, at),
        (_, None, resolved) => (2, resolved?.0),
    };
    Some(Observation {
        port: complaint.lodged.port,
        value,
        share: 0,
        dated_at,
        inferred_from: Some(complaint.lodged.complaint_id.clone().into_owned()),
        evidence: case::evidence(complaint),
    })
}

/// It is in the window, and no answer in the window that names the complaint takes its place.
fn stands(
    inferred: &Observation,
    complaint: &Complaint<'_>,
    answers: &[Answer<'_>],
    rules: &rules::Satisfaction,
    moment: &mut Moment,
) -> bool {
    let names_it = |answer: &&Answer<'_>| {
        answer.answered.metric == Metric::Csat
            && answer.answered.complaint_id.as_ref() == Some(&complaint.lodged.complaint_id)
    };
    let Some(answer) = answers.iter().rev().find(names_it) else {
        return moment.within_days(inferred.dated_at, rules.window_days);
    };
    let answered_at = answer.event.occurred_at;
    // An answer that is at least as late outlives the observation in the window: this one never returns.
    answered_at < inferred.dated_at
        && !moment.within_days(answered_at, rules.window_days)
        && moment.within_days(inferred.dated_at, rules.window_days)
}

/// The weight of an observation while it is new.
fn full_weight(it: &Observation, rules: &rules::Satisfaction) -> i64 {
    let kind = if it.inferred_from.is_some() { rules.inferred_weight } else { ONE };
    rules.port_weights[it.port as usize] * kind
}

/// The weights relative to the newest observation that has any.
fn weights(observations: &[Observation], rules: &rules::Satisfaction) -> Vec<f64> {
    let heavy = observations.iter().filter(|it| full_weight(it, rules) > 0);
    let newest = heavy.map(|it| it.dated_at).max();
    let half_life = f64::from(rules.half_life_days) * Timestamp::DAY as f64;
    let weight = |it: &Observation| {
        let age = newest.map_or(0, |newest| newest.since(it.dated_at)) as f64;
        match full_weight(it, rules) {
            full @ 1.. => full as f64 * (-age / half_life).exp2(),
            _ => 0.0,
        }
    };
    observations.iter().map(weight).collect()
}

/// Gives each observation its share, so that all together are exactly a million: what rounding down leaves goes to the
/// largest remainders.
fn share_out(observations: &mut [Observation], rules: &rules::Satisfaction) {
    let weights = weights(observations, rules);
    let total: f64 = weights.iter().sum();
    if total == 0.0 {
        return;
    }
    let exact: Vec<f64> = weights.iter().map(|weight| weight / total * ONE as f64).collect();
    for (observation, exact) in observations.iter_mut().zip(&exact) {
        observation.share = exact.floor() as u32;
    }
    let left = ONE as usize - observations.iter().map(|it| it.share as usize).sum::<usize>().min(ONE as usize);
    let mut by_remainder: Vec<usize> = (0..observations.len()).collect();
    by_remainder.sort_by(|&one, &other| exact[other].fract().total_cmp(&exact[one].fract()));
    for &index in by_remainder.iter().take(left) {
        observations[index].share += 1;
    }
}
