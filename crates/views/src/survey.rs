//! Survey answers that count: one per project × wave × port × item × metric, the latest by order.

use std::collections::HashSet;

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
#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Item<'t> {
    project: Option<&'t Code<'t>>,
    wave: &'t Code<'t>,
    port: ServicePort,
    item: &'t Code<'t>,
    metric: Metric,
}

impl<'t> Item<'t> {
    fn of(event: &'t Filed<'t>, answered: &'t SurveyAnswered<'t>) -> Self {
        Self {
            project: event.project.as_ref(),
            wave: &answered.wave_id,
            port: answered.port,
            item: &answered.item_code,
            metric: answered.metric,
        }
    }
}

/// The latest counting answer on port OVERALL by this metric: the last of [`answers`] that is one, found from behind.
pub fn latest_overall<'t>(timeline: &'t Timeline<'t>, metric: Metric) -> Option<Answer<'t>> {
    let mut not_applicable = HashSet::new();
    timeline.events.iter().rev().find_map(|event| {
        let Touchpoint::SurveyAnswered(answered) = &event.body else { return None };
        if answered.port != ServicePort::Overall || answered.metric != metric {
            return None;
        }
        let Some(score) = answered.score else {
            not_applicable.insert(Item::of(event, answered));
            return None;
        };
        let counts = not_applicable.is_empty() || !not_applicable.contains(&Item::of(event, answered));
        counts.then_some(Answer { event, answered, score })
    })
}
