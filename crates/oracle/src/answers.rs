//! Survey answers: which count, and the port and item values made of them. Section 4.

use crate::admit::Admitted;
use crate::event::{Event, Evidence, evidence};
use crate::round::half_up;

/// An answer that counts.
#[derive(Debug, Clone)]
pub(crate) struct Answer<'a> {
    pub(crate) event: &'a Event,
    pub(crate) port: &'a str,
    pub(crate) metric: &'a str,
    pub(crate) wave: &'a str,
    pub(crate) item: &'a str,
    pub(crate) score: i64,
}

/// One value per customer × project × wave × port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortValue {
    /// The project of its answer.
    pub project: Option<String>,
    /// The company of its answer.
    pub company: Option<String>,
    /// The survey wave.
    pub wave: String,
    /// The service port.
    pub port: String,
    /// 1 to 5.
    pub value: i64,
    /// The latest of the answers that make it, in microseconds.
    pub at: i64,
    /// The answers that make it.
    pub evidence: Vec<Evidence>,
}

/// One CSAT answer that counts, for the indicators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemValue {
    /// The project of the answer.
    pub project: Option<String>,
    /// The company of the answer.
    pub company: Option<String>,
    /// The survey wave.
    pub wave: String,
    /// The service port.
    pub port: String,
    /// The item.
    pub item: String,
    /// What was measured: CSAT, NPS, CES, REPURCHASE or RECOMMEND.
    pub metric: String,
    /// The score.
    pub score: i64,
    /// The answer.
    pub event: Evidence,
}

/// "One per customer × project × wave × port × item × metric, the latest by order; if that is not_applicable there is
/// none. Everything below uses only these." In order.
pub(crate) fn counting_answers<'a>(admitted: &Admitted<'a>) -> Vec<Answer<'a>> {
    let answered = admitted.of("SurveyAnswered");
    let mut counting = Vec::new();
    for (index, event) in answered.iter().enumerate() {
        let later = &answered[index + 1..];
        if later.iter().any(|other| same_question(event, other)) {
            continue;
        }
        // Not applicable: there is no score.
        if let Some(score) = event.int("score") {
            counting.push(Answer {
                event,
                port: event.text("port").unwrap_or_default(),
                metric: event.text("metric").unwrap_or_default(),
                wave: event.text("wave_id").unwrap_or_default(),
                item: event.text("item_code").unwrap_or_default(),
                score,
            });
        }
    }
    counting
}

fn same_question(one: &Event, other: &Event) -> bool {
    let fields = ["wave_id", "port", "item_code", "metric"];
    one.project == other.project && fields.iter().all(|field| one.text(field) == other.text(field))
}

/// The latest answer of a metric on port OVERALL, whatever its item, project and wave.
pub(crate) fn latest_overall<'a>(admitted: &Admitted<'a>, metric: &str) -> Option<Answer<'a>> {
    let answers = counting_answers(admitted);
    answers.into_iter().rfind(|answer| answer.port == "OVERALL" && answer.metric == metric)
}

/// "One value per customer × project × wave × port: the valid CSAT item `<PORT>_OVERALL`, else the mean of the valid
/// CSAT items, rounded half up to a whole number."
pub(crate) fn port_values(admitted: &Admitted<'_>) -> Vec<PortValue> {
    let mut csat = counting_answers(admitted);
    csat.retain(|answer| answer.metric == "CSAT");
    let mut values: Vec<PortValue> = Vec::new();
    for first in &csat {
        let same_place = |other: &Answer<'_>| {
            other.event.project == first.event.project && other.wave == first.wave && other.port == first.port
        };
        let done = values
            .iter()
            .any(|value| value.project == first.event.project && value.wave == first.wave && value.port == first.port);
        if !done {
            let group: Vec<&Answer<'_>> = csat.iter().filter(|answer| same_place(answer)).collect();
            values.extend(port_value(&group));
        }
    }
    values
}

/// The value of the counting CSAT answers, in order, of one project, wave and port.
fn port_value(group: &[&Answer<'_>]) -> Option<PortValue> {
    let headline_code = format!("{}_OVERALL", group.first()?.port);
    let headline = group.iter().find(|answer| answer.item == headline_code);
    let (value, made_of) = match headline {
        Some(headline) => (headline.score, vec![*headline]),
        None => {
            let sum: i64 = group.iter().map(|answer| answer.score).sum();
            (half_up(i128::from(sum), group.len() as i128), group.to_vec())
        }
    };
    // "It belongs to the company and project of its answer (by default the latest item's)"; "dated by the latest of the
    // answers that make it".
    let latest = made_of.last()?;
    Some(PortValue {
        project: latest.event.project.clone(),
        company: latest.event.company.clone(),
        wave: latest.wave.to_owned(),
        port: latest.port.to_owned(),
        value,
        at: latest.event.at,
        evidence: evidence(made_of.iter().map(|answer| answer.event)),
    })
}

/// All counting answers, of every metric, in order.
pub(crate) fn item_values(admitted: &Admitted<'_>) -> Vec<ItemValue> {
    let answers = counting_answers(admitted);
    let value = |answer: &Answer<'_>| ItemValue {
        project: answer.event.project.clone(),
        company: answer.event.company.clone(),
        wave: answer.wave.to_owned(),
        port: answer.port.to_owned(),
        item: answer.item.to_owned(),
        metric: answer.metric.to_owned(),
        score: answer.score,
        event: answer.event.order(),
    };
    answers.iter().map(value).collect()
}
