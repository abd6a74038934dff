//! A customer's index with what it is made of, loyalty, and complaints.

use api::v1;
use comfy_table::Cell;

use super::complaints;
use crate::client::evidence::Events;
use crate::client::output::{self, Screen};
use crate::client::{format, query, words};

/// Everything about one customer.
pub(super) fn render(screen: Screen, answer: &v1::GetCustomerIndexResponse, events: &Events) -> String {
    let it = answer.customer.clone().unwrap_or_default();
    let mut text = screen.pairs(facts(&it, events));
    if !it.observations.is_empty() {
        text = format!("{text}\n{}", observations(screen, &it.observations, events));
    }
    if !it.complaints.is_empty() {
        let as_of = answer.meta.as_ref().and_then(|meta| meta.as_of);
        text = format!("{text}\n{}", complaints::table(screen, &it.complaints, as_of.as_ref(), false));
    }
    text + &query::basis(answer.meta.as_ref())
}

fn facts(it: &v1::CustomerIndex, events: &Events) -> Vec<(&'static str, String)> {
    let stage = it.lifecycle.as_ref().map_or(0, |lifecycle| lifecycle.stage);
    let mut facts = vec![("customer", it.customer_id.clone()), ("stage", words::stage_title(stage))];
    if it.withheld {
        facts.push(("index", "withheld: the customer withdrew consent to PROFILING".to_owned()));
    } else {
        let index = format::hundredths(it.index_hundredths);
        facts.push(("index", format!("{index} {}", words::class(it.satisfaction_class))));
        facts.push(("loyalty", loyalty(it, events)));
        facts.extend(it.belonging.as_ref().map(|belonging| ("belongs to", words::place(belonging))));
    }
    facts.push(("complaints", it.complaints.len().to_string()));
    facts
}

fn loyalty(it: &v1::CustomerIndex, events: &Events) -> String {
    let dates = it.loyalty_reasons.iter().filter_map(|reason| {
        let last = std::slice::from_ref(reason.evidence.last()?);
        Some(format!("{} {}", reason.code, events.lines(last)))
    });
    let dates = dates.collect::<Vec<_>>().join(", ");
    let class = words::loyalty(it.loyalty_class);
    if dates.is_empty() { class.to_owned() } else { format!("{class} (by {dates})") }
}

fn observations(screen: Screen, observations: &[v1::Observation], events: &Events) -> String {
    let mut table = screen.table(&["Port 端口", ">Value", ">Share", "Dated", "From", "Evidence"]);
    for it in observations {
        let from = if it.inferred { format!("complaint {}", it.complaint_id) } else { "answers".to_owned() };
        table.add_row([
            Cell::new(words::port_title(it.port)),
            Cell::new(it.value),
            // Millionths are a hundred to a basis point.
            Cell::new(format::percent(Some((it.weight_millionths + 50) / 100))),
            Cell::new(format::date(it.dated_at.as_ref())),
            Cell::new(from),
            Cell::new(events.lines(&it.evidence)),
        ]);
    }
    output::text(&table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_shows_what_it_is_made_of() {
        let dated_at = Some(prost_types::Timestamp { seconds: 1_743_442_200, nanos: 0 });
        let observation = |port: v1::ServicePort, value, weight_millionths, complaint: &str| v1::Observation {
            port: port.into(),
            value,
            weight_millionths,
            dated_at,
            inferred: !complaint.is_empty(),
            complaint_id: complaint.to_owned(),
            evidence: vec![],
        };
        let it = v1::CustomerIndex {
            customer_id: "0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11".to_owned(),
            lifecycle: Some(v1::Lifecycle { stage: v1::LifecycleStage::RunIn.into(), ..Default::default() }),
            index_hundredths: Some(7_273),
            satisfaction_class: v1::SatisfactionClass::Neutral.into(),
            loyalty_class: v1::LoyaltyClass::Unknown.into(),
            observations: vec![
                observation(v1::ServicePort::ConstructionQuality, 4, 545_455, ""),
                observation(v1::ServicePort::RepairService, 2, 181_818, "Q-17"),
            ],
            ..Default::default()
        };
        let expect = "\
customer    0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11
stage       RUN_IN 磨合期
index       72.73 NEUTRAL
loyalty     UNKNOWN
complaints  0

Port 端口         Value   Share  Dated       From            Evidence
─────────────────────────────────────────────────────────────────────
Quality 工程质量      4  54.55%  2025-04-01  answers
Repair 维修服务       2  18.18%  2025-04-01  complaint Q-17
";
        assert_eq!(
            render(
                Screen::plain(),
                &v1::GetCustomerIndexResponse { customer: Some(it), meta: None },
                &Events::default()
            ),
            expect
        );
    }
}
