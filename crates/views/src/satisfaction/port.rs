//! Values of survey waves: one for each port of a project, and the single answers behind them.

use touchpoint::{Code, Metric, ServicePort, Timestamp};

use super::Evidence;
use crate::survey::Answer;

/// 端口: the value of a customer × project × wave × port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortValue {
    /// The city company that its latest answer names.
    pub company: Option<Code<'static>>,
    /// The project.
    pub project: Option<Code<'static>>,
    /// 调查期次.
    pub wave: Code<'static>,
    /// The port.
    pub port: ServicePort,
    /// 1 to 5.
    pub value: u8,
    /// The latest of the answers that make it.
    pub dated_at: Timestamp,
    /// The answers that make it, in order.
    pub evidence: Vec<Evidence>,
}

/// A counting answer to one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemValue {
    /// The city company that the answer names.
    pub company: Option<Code<'static>>,
    /// The project that the answer names.
    pub project: Option<Code<'static>>,
    /// 调查期次.
    pub wave: Code<'static>,
    /// The port.
    pub port: ServicePort,
    /// The item.
    pub item: Code<'static>,
    /// What it measures.
    pub metric: Metric,
    /// The score, in the range of the metric.
    pub score: u8,
    /// The answer.
    pub event: Evidence,
}

/// The value of every project × wave × port with a CSAT answer, by the first answer to it.
pub(super) fn port_values(answers: &[Answer<'_>]) -> Vec<PortValue> {
    let mut groups: Vec<Vec<&Answer<'_>>> = Vec::new();
    for answer in answers.iter().filter(|answer| answer.answered.metric == Metric::Csat) {
        match groups.iter_mut().find(|group| group.first().is_some_and(|first| same_port(first, answer))) {
            Some(group) => group.push(answer),
            None => groups.push(vec![answer]),
        }
    }
    groups.iter().filter_map(|group| port_value(group)).collect()
}

fn same_port(one: &Answer<'_>, other: &Answer<'_>) -> bool {
    one.answered.port == other.answered.port
        && one.answered.wave_id == other.answered.wave_id
        && one.event.project == other.event.project
}

/// The headline item if there is one, else the mean of the items, rounded half up.
fn port_value(group: &[&Answer<'_>]) -> Option<PortValue> {
    let made_of = match group.iter().find(|answer| is_headline(answer)) {
        Some(headline) => std::slice::from_ref(headline),
        None => group,
    };
    let (sum, n) = (made_of.iter().map(|answer| usize::from(answer.score.0)).sum::<usize>(), made_of.len());
    let latest = made_of.last()?;
    Some(PortValue {
        company: latest.event.company.clone().map(Code::into_owned),
        project: latest.event.project.clone().map(Code::into_owned),
        wave: latest.answered.wave_id.clone().into_owned(),
        port: latest.answered.port,
        value: ((2 * sum + n) / (2 * n)) as u8,
        dated_at: latest.event.occurred_at,
        evidence: made_of.iter().map(|answer| Evidence::of(answer.event)).collect(),
    })
}

/// The item `<PORT>_OVERALL`.
fn is_headline(answer: &Answer<'_>) -> bool {
    answer.answered.item_code.as_str().strip_suffix("_OVERALL") == Some(answer.answered.port.name())
}

/// Every counting answer, in order.
pub(super) fn item_values(answers: &[Answer<'_>]) -> Vec<ItemValue> {
    let value = |answer: &Answer<'_>| ItemValue {
        company: answer.event.company.clone().map(Code::into_owned),
        project: answer.event.project.clone().map(Code::into_owned),
        wave: answer.answered.wave_id.clone().into_owned(),
        port: answer.answered.port,
        item: answer.answered.item_code.clone().into_owned(),
        metric: answer.answered.metric,
        score: answer.score.0,
        event: Evidence::of(answer.event),
    };
    answers.iter().map(value).collect()
}
