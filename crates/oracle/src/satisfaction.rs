//! Satisfaction of one customer: index, loyalty class, complaints, survey values. Section 4.

use touchpoint::Timestamp;

use crate::admit::Admitted;
use crate::answers::{ItemValue, PortValue, counting_answers, item_values, latest_overall, port_values};
use crate::clock::DAY;
use crate::complaint::{Complaint, complaints};
use crate::event::{Evidence, History};
use crate::round::half_up_float;
use crate::stage::stage;

/// "Customer index 0–100 over 730 days"; loyalty looks as far back.
fn in_window(admitted: &Admitted<'_>, at: i64) -> bool {
    admitted.within(at, admitted.numbers.whole("satisfaction.window_days"))
}

/// A customer's satisfaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Satisfaction {
    /// The lifecycle stage: also told of a customer who withdrew consent to profiling.
    pub stage: &'static str,
    /// Nothing if consent to profiling is withdrawn.
    pub opinion: Option<Opinion>,
    /// The complaints, by lodging: no profiling.
    pub complaints: Vec<Complaint>,
    /// One value per project, wave and port, for the port rates: no profiling.
    pub port_values: Vec<PortValue>,
    /// All answers that count, in order.
    pub item_values: Vec<ItemValue>,
}

/// What profiling says about the customer's satisfaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Opinion {
    /// 0 to 100, in hundredths; nothing without observations of any weight.
    pub index: Option<i64>,
    /// SATISFIED, NEUTRAL, DISSATISFIED or UNKNOWN.
    pub class: &'static str,
    /// What the index is made of, those on ports of weight 0 included.
    pub observations: Vec<Observation>,
    /// LOYAL, FAVOURABLE, VULNERABLE, AT_RISK, NEUTRAL or UNKNOWN.
    pub loyalty: &'static str,
    /// The overall, repurchase and recommendation answers behind the class, with their scores; none while one is missing.
    pub loyalty_answers: Vec<(&'static str, i64, Evidence)>,
}

/// One observation of the customer index.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The service port.
    pub port: String,
    /// 1 to 5.
    pub quality: i64,
    /// The complaint that it is inferred from; nothing if it is answered.
    pub inferred_from: Option<String>,
    /// From when its age runs, in microseconds.
    pub at: i64,
    /// Port weight × 2^(−age days/365) × m.
    pub weight: f64,
    /// The answers, or the events behind the complaint.
    pub evidence: Vec<Evidence>,
}

/// The satisfaction at (as_of, known_at); nothing if not found, or erased.
pub fn satisfaction(history: &History, as_of: Timestamp, known_at: Option<Timestamp>) -> Option<Satisfaction> {
    let admitted = history.at(as_of, known_at)?;
    Some(Satisfaction {
        stage: stage(&admitted).name,
        opinion: if history.withheld() { None } else { Some(opinion(&admitted)) },
        complaints: complaints(&admitted),
        port_values: port_values(&admitted),
        item_values: item_values(&admitted),
    })
}

fn opinion(admitted: &Admitted<'_>) -> Opinion {
    let observations = observations(admitted);
    let index = index(&observations);
    let loyalty_answers = loyalty_answers(admitted);
    Opinion { index, class: class(admitted, index), observations, loyalty: loyalty(&loyalty_answers), loyalty_answers }
}

/// "Σ w·s / Σ w, s = 100·(q − 1)/4."
fn index(observations: &[Observation]) -> Option<i64> {
    let mut weighted = 0.0;
    let mut weights = 0.0;
    for observation in observations {
        weighted += observation.weight * 25.0 * (observation.quality - 1) as f64;
        weights += observation.weight;
    }
    if weights > 0.0 { Some(half_up_float(weighted / weights, 100.0)) } else { None }
}

/// "≥ 80 SATISFIED, ≥ 60 NEUTRAL, else DISSATISFIED; none UNKNOWN", of the published figure.
fn class(admitted: &Admitted<'_>, index: Option<i64>) -> &'static str {
    match index {
        Some(index) if index >= admitted.numbers.hundredths("satisfaction.satisfied_from") => "SATISFIED",
        Some(index) if index >= admitted.numbers.hundredths("satisfaction.neutral_from") => "NEUTRAL",
        Some(_) => "DISSATISFIED",
        None => "UNKNOWN",
    }
}

fn observations(admitted: &Admitted<'_>) -> Vec<Observation> {
    let mut observations = Vec::new();
    // "A port value as above ... (m = 1 ...; the value is made of all counting answers, then its date is asked against
    // the 730 days)."
    for value in port_values(admitted) {
        let weight = weight(admitted, &value.port, value.at);
        observations.push(Observation {
            port: value.port,
            quality: value.value,
            inferred_from: None,
            at: value.at,
            weight,
            evidence: value.evidence,
        });
    }
    // "... or inferred from a complaint (m = .5) on its port."
    for complaint in complaints(admitted) {
        if let Some((quality, at)) = inferred(&complaint)
            && !is_answered(admitted, &complaint)
        {
            let inferred = admitted.numbers.millionths("satisfaction.inferred_weight") as f64 / 1e6;
            let weight = inferred * weight(admitted, &complaint.port, at);
            let (inferred_from, evidence) = (Some(complaint.complaint_id), complaint.evidence);
            observations.push(Observation { port: complaint.port, quality, inferred_from, at, weight, evidence });
        }
    }
    observations.retain(|observation| in_window(admitted, observation.at));
    observations
}

/// "Port weight × 2^(−age days/365)"; "ages in the satisfaction index are exact".
fn weight(admitted: &Admitted<'_>, port: &str, at: i64) -> f64 {
    let age_days = (admitted.as_of - at) as f64 / DAY as f64;
    let half_life_days = admitted.numbers.whole("satisfaction.half_life_days") as f64;
    port_weight(admitted, port) * (-age_days / half_life_days).exp2()
}

/// "Port weights: OVERALL .25, SALES .15, DESIGN .10, QUALITY .15, REPAIR .10, PROPERTY .15, COMPLAINT .10; other ports
/// 0."
fn port_weight(admitted: &Admitted<'_>, port: &str) -> f64 {
    admitted.numbers.millionths(&format!("satisfaction.port_weights.{port}")) as f64 / 1e6
}

/// "Open LOW/MEDIUM q = 2, open HIGH/CRITICAL q = 1, resolved or closed within its limit (total clock) q = 3, late
/// q = 2; its age runs from lodging or the last reopening while open, else from the last resolution. WITHDRAWN gives
/// none."
fn inferred(complaint: &Complaint) -> Option<(i64, i64)> {
    if complaint.state == "WITHDRAWN" {
        return None;
    }
    if complaint.open() {
        let quality = if matches!(complaint.severity.as_str(), "LOW" | "MEDIUM") { 2 } else { 1 };
        let at = complaint.reopenings.last().map_or(complaint.lodged_at, |(_, at)| *at);
        return Some((quality, at));
    }
    let quality = if complaint.total_open <= complaint.limit { 3 } else { 2 };
    Some((quality, complaint.last_resolved_at?))
}

/// "A counting CSAT answer within 730 days that names the complaint replaces the inferred one."
fn is_answered(admitted: &Admitted<'_>, complaint: &Complaint) -> bool {
    counting_answers(admitted).iter().any(|answer| {
        answer.metric == "CSAT"
            && in_window(admitted, answer.event.at)
            && answer.event.text("complaint_id") == Some(&complaint.complaint_id)
    })
}

/// "The latest overall (CSAT), REPURCHASE and RECOMMEND answers on port OVERALL, 730 days"; none while one is missing.
fn loyalty_answers(admitted: &Admitted<'_>) -> Vec<(&'static str, i64, Evidence)> {
    let mut answers = Vec::new();
    for metric in ["CSAT", "REPURCHASE", "RECOMMEND"] {
        if let Some(answer) = latest_overall(admitted, metric)
            && in_window(admitted, answer.event.at)
        {
            answers.push((metric, answer.score, answer.event.order()));
        }
    }
    if answers.len() == 3 { answers } else { Vec::new() }
}

/// "LOYAL all 5; FAVOURABLE all ≥ 4; VULNERABLE overall ≥ 4 and another ≤ 3; AT_RISK overall ≤ 2; else NEUTRAL; UNKNOWN
/// while one is missing."
fn loyalty(answers: &[(&'static str, i64, Evidence)]) -> &'static str {
    let Some((_, overall, _)) = answers.first() else {
        return "UNKNOWN";
    };
    if answers.iter().all(|(_, score, _)| *score == 5) {
        "LOYAL"
    } else if answers.iter().all(|(_, score, _)| *score >= 4) {
        "FAVOURABLE"
    } else if *overall >= 4 {
        "VULNERABLE"
    } else if *overall <= 2 {
        "AT_RISK"
    } else {
        "NEUTRAL"
    }
}
