//! The events that gave an axis or attribute of the rule segments its value.

use crate::admit::Admitted;
use crate::answers::latest_overall;
use crate::contract::{converted_referrals, live_contracts};
use crate::customer::place_by;
use crate::event::Event;
use crate::segmentation::last_of_each_date;
use crate::stage::{interactions, silent_since, stage_by};

/// "Each reason names ... the ids of the events behind it."
pub(crate) fn behind<'a>(attribute: &str, admitted: &Admitted<'a>) -> Vec<&'a Event> {
    let live = live_contracts(admitted);
    let all = |attributes: &[&str]| attributes.iter().flat_map(|attribute| behind(attribute, admitted)).collect();
    let visit = |fields: &[&str]| {
        let visits = admitted.of("VisitRecorded");
        let says = |visit: &&Event| fields.iter().any(|field| visit.data.contains_key(field));
        visits.into_iter().rfind(says).into_iter().collect()
    };
    match attribute {
        "stage" => {
            let by = stage_by(admitted);
            admitted.events.iter().copied().filter(|event| Some(event.order()) == by).collect()
        }
        "label" => all(&["recency", "frequency", "monetary"]),
        "tier" => {
            let promoter = latest_overall(admitted, "NPS").map(|answer| answer.event);
            let mut behind: Vec<&Event> = all(&["contract_value_fen", "conversions"]);
            behind.extend(promoter);
            behind
        }
        "motive" => visit(&["motive"]),
        "household" => visit(&["household"]),
        "rooms" => visit(&["rooms"]),
        "budget_min_fen" | "budget_max_fen" => visit(&["budget_min_fen", "budget_max_fen"]),
        "project" => place_by(admitted, |event| event.project.clone()).into_iter().collect(),
        "company" => place_by(admitted, |event| event.company.clone()).into_iter().collect(),
        "consultant" => {
            let names = |event: &&&Event| matches!(event.kind, "VisitRecorded" | "ConsultantReassigned");
            admitted.events.iter().rfind(names).into_iter().copied().collect()
        }
        "recency" => interactions(admitted).last().copied().into_iter().collect(),
        "frequency" => last_of_each_date(admitted),
        "monetary" | "contract_value_fen" => live.into_iter().flat_map(|contract| contract.priced_by).collect(),
        "live_contracts" => live.into_iter().map(|contract| contract.signed).collect(),
        "largest_contract_fen" => {
            let largest = live.iter().map(|contract| contract.price_fen).max();
            let first = live.into_iter().find(|contract| Some(contract.price_fen) == largest);
            first.map(|contract| contract.priced_by).unwrap_or_default()
        }
        "conversions" => converted_referrals(admitted).into_iter().flatten().collect(),
        "days_silent" => vec![silent_since(admitted)],
        _ => Vec::new(),
    }
}
