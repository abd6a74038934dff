//! Survey answers that count: one per project × wave × port × item × metric, the latest by order.

use std::collections::HashMap;

use touchpoint::{Code, Metric, Score, ServicePort, SurveyAnswered, Touchpoint};

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
    let mut latest: HashMap<Item<'t>, (&'t Filed<'t>, &'t SurveyAnswered<'t>)> = HashMap::new();
    for event in &timeline.events {
        if let Touchpoint::SurveyAnswered(answered) = &event.body {
            latest.insert(Item::of(event, answered), (event, answered));
        }
    }
    let scored = latest
        .into_values()
        .filter_map(|(event, answered)| answered.score.map(|score| Answer { event, answered, score }));
    let mut answers: Vec<_> = scored.collect();
    answers.sort_unstable_by_key(|answer| answer.event.order());
    answers
}

/// What is asked: one answer of a customer to it counts.
#[derive(PartialEq, Eq, Hash)]
struct Item<'t> {
    project: Option<&'t str>,
    wave: &'t str,
    port: ServicePort,
    item: &'t str,
    metric: Metric,
}

impl<'t> Item<'t> {
    fn of(event: &'t Filed<'t>, answered: &'t SurveyAnswered<'t>) -> Self {
        Self {
            project: event.project.as_ref().map(Code::as_str),
            wave: answered.wave_id.as_str(),
            port: answered.port,
            item: answered.item_code.as_str(),
            metric: answered.metric,
        }
    }
}

/// The latest counting answer on port OVERALL by this metric.
pub fn latest_overall<'s, 't>(answers: &'s [Answer<'t>], metric: Metric) -> Option<&'s Answer<'t>> {
    let overall =
        |answer: &&Answer<'_>| answer.answered.port == ServicePort::Overall && answer.answered.metric == metric;
    answers.iter().rev().find(overall)
}
