//! Survey answers that count: one per project × wave × port × item × metric, the latest by order.

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
    let said = |(place, event): (usize, &'t Filed<'t>)| match &event.body {
        Touchpoint::SurveyAnswered(answered) => Some((Item::of(event, answered), place, answered)),
        _ => None,
    };
    let mut said: Vec<_> = timeline.events.iter().enumerate().filter_map(said).collect();
    said.sort_unstable_by(|(one, earlier, _), (other, later, _)| one.cmp(other).then(later.cmp(earlier)));
    said.dedup_by(|(other, ..), (latest, ..)| other == latest);
    said.sort_unstable_by_key(|(_, place, _)| *place);
    let answer = |(_, place, answered): (Item<'t>, usize, &'t SurveyAnswered<'t>)| {
        Some(Answer { event: &timeline.events[place], answered, score: answered.score? })
    };
    said.into_iter().filter_map(answer).collect()
}

/// What is asked: one answer of a customer to it counts.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
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
