//! Segmentation against the oracle.

use api::v1;
use api::v1::member_selector::Selector;
use oracle::{UNKNOWN, WITHHELD};
use tests::Clients;

use crate::views_e2e::question::{Question, counts, household, label, lead_source, motive, pages, stage, step, tier};
use crate::views_e2e::world::World;

/// Every customer by id.
pub(crate) async fn customers(reader: &Clients, world: &World, question: &Question) {
    let (as_of, known_at) = question.at.unwrap();
    let customer_ids = world.customers.keys().map(ToString::to_string).collect();
    let request = v1::BatchGetCustomerSegmentsRequest { customer_ids, query: question.query() };
    let answer = reader.segmentation().batch_get_customer_segments(request).await.unwrap().into_inner();
    let mut found = answer.customers.into_iter();
    for (id, history) in &world.customers {
        let Some(wanted) = oracle::segmentation(history, as_of, known_at, &world.segments) else { continue };
        let (found, name) = (found.next().unwrap(), format!("{id} {}", question.name));
        assert_eq!((&found.customer_id, found.withheld), (&id.to_string(), wanted.profile.is_none()), "{name}");
        assert_eq!(stage(found.lifecycle.unwrap().stage), wanted.stage, "{name}");
        let Some(profile) = wanted.profile else {
            assert_eq!((found.rfm, found.value, found.demand), (None, None, None), "{name}");
            continue;
        };
        let (rfm, value, demand) = (found.rfm.unwrap(), found.value.unwrap(), found.demand.unwrap());
        let scores = [rfm.recency, rfm.frequency, rfm.monetary, rfm.interaction_days].map(i64::from);
        let wanted = [profile.recency, profile.frequency, profile.monetary, profile.interaction_days];
        assert_eq!((scores, label(rfm.label)), (wanted, profile.label.to_owned()), "{name}");
        assert_eq!(i128::from(rfm.live_contracts_fen), profile.contract_value_fen, "{name}");
        let score = (tier(value.tier), i64::from(value.score_hundredths));
        assert_eq!(score, (profile.tier.to_owned(), profile.tier_score), "{name}");
        let said = |text: String| Some(text).filter(|text| text != "UNSPECIFIED");
        let looks_for = (said(motive(demand.motive)), said(household(demand.household)), demand.rooms.map(i64::from));
        assert_eq!(looks_for, (profile.demand.motive, profile.demand.household, profile.demand.rooms), "{name}");
        let budget = (demand.budget_min_fen, demand.budget_max_fen);
        assert_eq!(budget, (profile.demand.budget_min_fen, profile.demand.budget_max_fen), "{name}");
        let wanted =
            profile.segments.iter().map(|it| (it.name.clone(), it.evidence.iter().map(|(_, id)| id_of(*id)).collect()));
        let (mut segments, mut wanted) = (memberships(&found.rule_segments), wanted.collect::<Vec<_>>());
        segments.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(segments, wanted, "{name}");
    }
    assert_eq!(found.next(), None, "{}", question.name);
}

/// The rule segments, each with the ids of the events behind it.
fn memberships(memberships: &[v1::Membership]) -> Vec<(String, Vec<String>)> {
    let ids = |it: &v1::Membership| it.evidence.iter().map(|it| it.event_id.clone()).collect();
    memberships.iter().map(|it| (it.name.clone(), ids(it))).collect()
}

fn id_of(event: u128) -> String {
    touchpoint::EventId::from_u128(event).to_string()
}

/// Members of every value of every axis, the totals, the funnel.
pub(crate) async fn lists(reader: &Clients, question: &Question) {
    let mut asked = 0;
    for ((axis, value), members) in &question.wanted.members {
        let Some((selector, scope)) = request(axis, value) else { continue };
        let listed = pages(async |page_token| {
            let selector = Some(v1::MemberSelector { selector: selector.clone() });
            let (scope, query) = (Some(scope.clone()), question.query());
            let request = v1::ListMembersRequest { selector, scope, query, page_size: 60, page_token };
            let page = reader.segmentation().list_members(request).await.unwrap().into_inner();
            (page.members, page.next_page_token)
        });
        let listed: Vec<_> = listed.await.into_iter().map(|member| member.customer_id).collect();
        let wanted: Vec<_> = members.iter().map(ToString::to_string).collect();
        assert_eq!(listed, wanted, "{axis} {value} {}", question.name);
        asked += 1;
    }
    assert!(asked > 20, "only {asked} lists were asked for");
    totals(reader, question).await;
    funnel(reader, question).await;
}

/// How an axis is asked for; nothing for what other views have.
fn request(axis: &str, value: &str) -> Option<(Option<Selector>, v1::Scope)> {
    if value == UNKNOWN {
        return None;
    }
    let number = |prefix: &str, of: fn(&str) -> Option<i32>| of(&format!("{prefix}{value}")).unwrap();
    let scope = |company: &str, project: &str, consultant: &str| v1::Scope {
        company_id: company.to_owned(),
        project_id: project.to_owned(),
        consultant_id: consultant.to_owned(),
    };
    let nobody = || scope("", "", "");
    Some(match axis {
        "stage" => {
            let of = |name: &str| v1::LifecycleStage::from_str_name(name).map(Into::into);
            (Some(Selector::Stage(number("LIFECYCLE_STAGE_", of))), nobody())
        }
        "label" => {
            let of = |name: &str| v1::RfmLabel::from_str_name(name).map(Into::into);
            (Some(Selector::RfmLabel(number("RFM_LABEL_", of))), nobody())
        }
        "tier" => {
            let of = |name: &str| v1::ValueTier::from_str_name(name).map(Into::into);
            (Some(Selector::ValueTier(number("VALUE_TIER_", of))), nobody())
        }
        "motive" => {
            let of = |name: &str| v1::Motive::from_str_name(name).map(Into::into);
            (Some(Selector::Motive(number("MOTIVE_", of))), nobody())
        }
        "household" => {
            let of = |name: &str| v1::Household::from_str_name(name).map(Into::into);
            (Some(Selector::Household(number("HOUSEHOLD_", of))), nobody())
        }
        "segment" => (Some(Selector::RuleSegment(value.to_owned())), nobody()),
        "company" => (None, scope(value, "", "")),
        "project" => (None, scope("", value, "")),
        "consultant" => (None, scope("", "", value)),
        _ => return None,
    })
}

async fn totals(reader: &Clients, question: &Question) {
    let request = v1::CountMembersRequest { scope: None, query: question.query() };
    let found = reader.segmentation().count_members(request).await.unwrap().into_inner();
    let (wanted, name) = (&question.wanted, &question.name);
    let given = [found.customers, found.withheld, found.erased].map(|count| count as i64);
    assert_eq!(given, [wanted.customers, wanted.withheld, wanted.erased], "{name}");
    assert_eq!(counts(found.stages.iter().map(|it| (stage(it.stage), it.customers))), wanted.stages, "{name}");
    let withheld = || [(WITHHELD.to_owned(), found.withheld)];
    let labels = found.rfm_labels.iter().map(|it| (label(it.label), it.customers));
    assert_eq!(counts(labels.chain(withheld())), wanted.totals["label"], "{name}");
    let tiers = found.value_tiers.iter().map(|it| (tier(it.tier), it.customers));
    assert_eq!(counts(tiers.chain(withheld())), wanted.totals["tier"], "{name}");
    let of_members = |axis: &str| {
        let of_axis = wanted.members.iter().filter(|((it, _), _)| *it == axis);
        counts(of_axis.map(|((_, value), members)| (value.clone(), members.len() as u64)))
    };
    let said = |value: String| if value == "UNSPECIFIED" { UNKNOWN.to_owned() } else { value };
    let motives = found.motives.iter().map(|it| (said(motive(it.motive)), it.customers));
    assert_eq!(counts(motives), of_members("motive"), "{name}");
    let households = found.households.iter().map(|it| (said(household(it.household)), it.customers));
    assert_eq!(counts(households), of_members("household"), "{name}");
    let segments = found.rule_segments.iter().map(|it| (it.name.clone(), it.customers));
    assert_eq!(counts(segments), of_members("segment"), "{name}");
    assert_eq!(found.meta.unwrap().unresolved_references as i64, wanted.unresolved, "{name}");
}

async fn funnel(reader: &Clients, question: &Question) {
    let request = v1::GetFunnelRequest { scope: None, query: question.query() };
    let found = reader.segmentation().get_funnel(request).await.unwrap().into_inner();
    let mut rows = std::collections::BTreeMap::new();
    for row in found.rows {
        let cohort = Some(row.cohort).filter(|cohort| !cohort.is_empty());
        let source = match row.source {
            Some(v1::funnel_row::Source::LeadSource(0)) => Some(UNKNOWN.to_owned()),
            Some(v1::funnel_row::Source::LeadSource(number)) => Some(lead_source(number)),
            _ => None,
        };
        let cells: Vec<_> = row.steps.iter().map(cell).collect();
        assert_eq!(rows.insert((cohort, source), cells), None, "{}", question.name);
    }
    assert_eq!(rows, question.wanted.funnel, "{}", question.name);
}

fn cell(it: &v1::FunnelStepCount) -> oracle::Cell {
    let named = step(it.step);
    oracle::Cell {
        step: oracle::STEPS.into_iter().find(|step| *step == named).unwrap(),
        count: it.customers as i64,
        of_known_bp: it.of_known_bp.map(Into::into),
        of_previous_bp: it.of_previous_bp.map(Into::into),
        median_half_days: it.median_half_days,
    }
}
