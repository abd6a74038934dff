//! Survey answers that count: one per project × wave × port × item × metric, the latest by order.

use touchpoint::{Metric, Score, ServicePort, SurveyAnswered, Touchpoint};

use crate::{Filed, Timeline};

/// A counting answer.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'t> {
    /// The event.
    pub event: &'t Filed<'t>,
    /// What was answered.
    pub answered: &'t SurveyAnswered<'t>,
    /// The score, which a counting answer always has.
    pub score: Score,
}

/// The counting answers of a customer, in order. Where the latest of its kind is not_applicable there is none.
pub fn answers<'t>(timeline: &'t Timeline<'t>) -> Vec<Answer<'t>> {
    let mut latest: Vec<(&'t Filed<'t>, &'t SurveyAnswered<'t>)> = Vec::new();
    for event in &timeline.events {
        let Touchpoint::SurveyAnswered(answered) = &event.body else { continue };
        latest.retain(|(other_event, other)| !same_item(other_event, other, event, answered));
        latest.push((event, answered));
    }
    let scored = |(event, answered): (&'t Filed<'t>, &'t SurveyAnswered<'t>)| {
        Some(Answer { event, answered, score: answered.score? })
    };
    latest.into_iter().filter_map(scored).collect()
}

fn same_item(one_event: &Filed<'_>, one: &SurveyAnswered<'_>, event: &Filed<'_>, other: &SurveyAnswered<'_>) -> bool {
    one.port == other.port
        && one.metric == other.metric
        && one.item_code == other.item_code
        && one.wave_id == other.wave_id
        && one_event.project == event.project
}

/// The latest counting answer on port OVERALL by this metric.
pub fn latest_overall<'s, 't>(answers: &'s [Answer<'t>], metric: Metric) -> Option<&'s Answer<'t>> {
    let overall =
        |answer: &&Answer<'_>| answer.answered.port == ServicePort::Overall && answer.answered.metric == metric;
    answers.iter().rev().find(overall)
}
