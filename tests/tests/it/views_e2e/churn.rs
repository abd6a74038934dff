//! Churn risk against the oracle.

use std::collections::BTreeSet;

use api::v1;
use oracle::{AtRisk, WITHHELD};
use tests::Clients;

use crate::views_e2e::question::{Question, band, counts, pages, stage};
use crate::views_e2e::world::World;

/// Every customer by id, with every figure and its evidence.
pub(crate) async fn customers(reader: &Clients, world: &World, question: &Question) {
    let (as_of, known_at) = question.at.unwrap();
    let customer_ids = world.customers.keys().map(ToString::to_string).collect();
    let request = v1::BatchGetRisksRequest { customer_ids, query: question.query() };
    let answer = reader.churn().batch_get_risks(request).await.unwrap().into_inner();
    let mut risks = answer.risks.into_iter();
    let mut not_found = Vec::new();
    for (id, history) in &world.customers {
        let Some(wanted) = oracle::churn(history, as_of, known_at) else {
            not_found.push(id.to_string());
            continue;
        };
        let (found, name) = (risks.next().unwrap(), format!("{id} {}", question.name));
        assert_eq!((&found.customer_id, found.withheld), (&id.to_string(), wanted.risk.is_none()), "{name}");
        assert_eq!(stage(found.lifecycle.as_ref().unwrap().stage), wanted.stage, "{name}");
        let Some(risk) = wanted.risk else {
            assert_eq!((found.p_millionths, &found.reasons[..], &found.belonging), (None, &[][..], &None), "{name}");
            continue;
        };
        let common = oracle::customer(history, as_of, known_at).unwrap();
        assert_eq!(found.p_millionths.map(i64::from), Some(risk.p), "{name}");
        assert_eq!(band(found.band), risk.band, "{name}");
        assert_eq!(
            found.reasons.iter().map(reason).collect::<Vec<_>>(),
            risk.reasons.iter().map(wanted_reason).collect::<Vec<_>>(),
            "{name}"
        );
        assert_eq!(found.points_millionths, risk.points, "{name}");
        assert_eq!(found.horizon_days.map(i64::from), Some(risk.horizon_days), "{name}");
        assert_eq!(found.days_silent.map(i64::from), Some(common.days_silent), "{name}");
        let window = found.repurchase_window.map(|it| (it.from_date, it.until_date, it.open));
        assert_eq!(window, risk.repurchase.map(|it| (it.from, it.until, it.open)), "{name}");
        let belonging = found.belonging.unwrap();
        let places = [&belonging.company_id, &belonging.project_id, &belonging.consultant_id];
        let wanted = [common.company, common.project, common.consultant].map(Option::unwrap_or_default);
        assert_eq!(places.map(String::as_str), wanted.each_ref().map(String::as_str), "{name}");
    }
    assert_eq!(answer.not_found_customer_ids, not_found, "{}", question.name);
}

type Plain = (String, i64, Vec<String>);

fn reason(it: &v1::Reason) -> Plain {
    let evidence = it.evidence.iter().map(|it| it.event_id.clone()).collect();
    (it.code.clone(), it.points_millionths.unwrap(), evidence)
}

fn wanted_reason(it: &oracle::Reason) -> Plain {
    let evidence = it.evidence.iter().map(|(_, id)| touchpoint::EventId::from_u128(*id).to_string()).collect();
    (it.code.to_owned(), it.points, evidence)
}

/// The at-risk list, narrowed in every way, and the totals.
pub(crate) async fn lists(reader: &Clients, question: &Question) {
    let all = &question.wanted.at_risk;
    assert!(!all.is_empty());
    same_list(reader, question, 0, v1::Scope::default(), |_| true).await;
    for number in 1..=4 {
        same_list(reader, question, number, v1::Scope::default(), |it| it.band == band(number)).await;
    }
    let names = |of: fn(&AtRisk) -> Option<String>| all.iter().filter_map(of).collect::<BTreeSet<_>>();
    for project_id in names(|it| it.project.clone()) {
        let scope = v1::Scope { project_id: project_id.clone(), ..Default::default() };
        same_list(reader, question, 3, scope.clone(), |it| {
            it.band == "HIGH" && it.project.as_ref() == Some(&project_id)
        })
        .await;
        same_bands(reader, question, scope, |it| it.project.as_ref() == Some(&project_id)).await;
    }
    for company_id in names(|it| it.company.clone()) {
        let scope = v1::Scope { company_id: company_id.clone(), ..Default::default() };
        same_list(reader, question, 0, scope, |it| it.company.as_ref() == Some(&company_id)).await;
    }
    for consultant_id in names(|it| it.consultant.clone()).into_iter().take(3) {
        let scope = v1::Scope { consultant_id: consultant_id.clone(), ..Default::default() };
        same_list(reader, question, 0, scope, |it| it.consultant.as_ref() == Some(&consultant_id)).await;
    }
    let request = v1::CountBandsRequest { scope: None, query: question.query() };
    let bands = reader.churn().count_bands(request).await.unwrap().into_inner();
    let named = bands.bands.iter().map(|it| (band(it.band), it.customers));
    let given = counts(named.chain([(WITHHELD.to_owned(), bands.withheld)]));
    assert_eq!(&given, &question.wanted.totals["band"], "{}", question.name);
    assert_eq!(bands.customers as i64, question.wanted.customers, "{}", question.name);
    assert_eq!(bands.meta.unwrap().unresolved_references as i64, question.wanted.unresolved, "{}", question.name);
}

async fn same_list(
    reader: &Clients,
    question: &Question,
    band: i32,
    scope: v1::Scope,
    within: impl Fn(&AtRisk) -> bool,
) {
    let listed = pages(async |page_token| {
        let (scope, query) = (Some(scope.clone()), question.query());
        let request = v1::ListAtRiskRequest { band, scope, query, page_size: 60, page_token, without_lost: false };
        let page = reader.churn().list_at_risk(request).await.unwrap().into_inner();
        (page.risks, page.next_page_token)
    })
    .await;
    let listed: Vec<_> = listed.into_iter().map(|it| (i64::from(it.p_millionths.unwrap()), it.customer_id)).collect();
    let wanted = question.wanted.at_risk.iter().filter(|it| within(it)).map(|it| (it.p, it.customer.to_string()));
    assert_eq!(listed, wanted.collect::<Vec<_>>(), "band {band} {scope:?} {}", question.name);
}

async fn same_bands(reader: &Clients, question: &Question, scope: v1::Scope, within: impl Fn(&AtRisk) -> bool) {
    let request = v1::CountBandsRequest { scope: Some(scope.clone()), query: question.query() };
    let bands = reader.churn().count_bands(request).await.unwrap().into_inner().bands;
    for it in bands {
        let wanted = question.wanted.at_risk.iter().filter(|risk| within(risk) && risk.band == band(it.band)).count();
        assert_eq!(it.customers as usize, wanted, "{scope:?} {}", question.name);
    }
}
