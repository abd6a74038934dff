//! Segmentation and satisfaction: lists agree with totals, live and at an instant.

use api::v1;
use api::v1::satisfaction_service_client::SatisfactionServiceClient;
use api::v1::segmentation_service_client::SegmentationServiceClient;
use views::satisfaction::Satisfaction;
use views::segmentation::Segmentation;

use crate::support::{Log, field, now, serve};

fn at_now() -> Option<v1::ViewQuery> {
    Some(v1::ViewQuery { as_of: Some(api::names::timestamp(now())), ..Default::default() })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_are_as_many_as_are_counted() {
    let (log, _) = Log::believable(120);
    let running = serve::<Segmentation>(&log).await;
    let mut client = SegmentationServiceClient::new(running.channel.clone());
    let counts = client.count_members(v1::CountMembersRequest::default()).await.unwrap().into_inner();
    let then = v1::CountMembersRequest { scope: None, query: at_now() };
    let then = client.count_members(then).await.unwrap().into_inner();
    assert_eq!(then, v1::CountMembersResponse { meta: then.meta.clone(), ..counts.clone() });
    for tier in counts.value_tiers {
        let selector = v1::MemberSelector { selector: Some(v1::member_selector::Selector::ValueTier(tier.tier)) };
        let (mut members, mut page_token) = (Vec::new(), String::new());
        loop {
            let selector = Some(selector.clone());
            let request = v1::ListMembersRequest { selector, page_size: 9, page_token, ..Default::default() };
            let page = client.list_members(request).await.unwrap().into_inner();
            members.extend(page.members);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(members.len() as u64, tier.customers);
        assert!(members.iter().all(|member| member.value_tier == tier.tier));
        assert!(members.is_sorted_by(|one, next| one.customer_id < next.customer_id));
    }
    let nothing = client.list_members(v1::ListMembersRequest::default()).await.unwrap_err();
    assert_eq!(field(&nothing), "selector");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scope_splits_totals_and_the_funnel() {
    let (log, _) = Log::believable(120);
    let running = serve::<Segmentation>(&log).await;
    let mut client = SegmentationServiceClient::new(running.channel.clone());
    let whole = client.count_members(v1::CountMembersRequest::default()).await.unwrap().into_inner();
    let funnel = client.get_funnel(v1::GetFunnelRequest::default()).await.unwrap().into_inner();
    let known = |funnel: &v1::GetFunnelResponse| funnel.rows[0].steps[0].customers;
    assert_eq!(known(&funnel), whole.customers);
    assert!(funnel.rows[0].steps[1].median_half_days.is_some());
    assert_eq!(funnel.meta, whole.meta);
    let (mut customers, mut visited) = (0, 0);
    for company in ["C01", "C02"] {
        let scope = Some(v1::Scope { company_id: company.to_owned(), ..Default::default() });
        let counts = v1::CountMembersRequest { scope: scope.clone(), query: None };
        let counts = client.count_members(counts).await.unwrap().into_inner();
        let funnel = v1::GetFunnelRequest { scope, query: None };
        let funnel = client.get_funnel(funnel).await.unwrap().into_inner();
        assert_eq!(known(&funnel), counts.customers);
        assert!(counts.customers > 0);
        customers += counts.customers;
        visited += funnel.rows[0].steps[1].customers;
    }
    assert!(customers <= whole.customers && visited <= funnel.rows[0].steps[1].customers);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_is_answered_alone_and_in_a_batch() {
    let (log, customers) = Log::believable(10);
    let running = serve::<Segmentation>(&log).await;
    let mut client = SegmentationServiceClient::new(running.channel.clone());
    let customer_ids: Vec<_> = customers.iter().map(ToString::to_string).collect();
    let batch = v1::BatchGetCustomerSegmentsRequest { customer_ids, query: None };
    let batch = client.batch_get_customer_segments(batch).await.unwrap().into_inner();
    assert_eq!(batch.customers.len() + batch.not_found_customer_ids.len(), customers.len());
    for expected in batch.customers {
        let request =
            v1::GetCustomerSegmentsRequest { customer_id: expected.customer_id.clone(), query: None, explain: false };
        let single = client.get_customer_segments(request).await.unwrap().into_inner();
        assert_eq!(single.customer, Some(expected.clone()));
        let request =
            v1::GetCustomerSegmentsRequest { customer_id: expected.customer_id.clone(), query: None, explain: true };
        let explained = client.get_customer_segments(request).await.unwrap().into_inner();
        let explained = explained.customer.unwrap();
        assert!(explained.lifecycle.as_ref().unwrap().made_by.is_some());
        let decided: Vec<_> = explained.segment_decisions.iter().map(|it| it.name.as_str()).collect();
        let all = ["complaints_unheard", "first_home", "high_net_worth"];
        assert_eq!(decided, if expected.withheld { &[][..] } else { &all });
        let is_in = |it: &&v1::SegmentDecision| it.decision.as_ref().unwrap().holds;
        let members = explained.segment_decisions.iter().filter(is_in).map(|it| &it.name);
        assert!(members.eq(expected.rule_segments.iter().map(|it| &it.name)), "{explained:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_is_the_same_live_and_at_an_instant() {
    let (log, _) = Log::believable(400);
    let running = serve::<Satisfaction>(&log).await;
    let mut client = SatisfactionServiceClient::new(running.channel.clone());
    let live = client.get_port_scores(v1::GetPortScoresRequest::default()).await.unwrap().into_inner();
    let then = v1::GetPortScoresRequest { query: at_now(), ..Default::default() };
    let then = client.get_port_scores(then).await.unwrap().into_inner();
    assert_eq!((&live.wave_id, &live.scores), (&then.wave_id, &then.scores));
    assert_eq!(live.scores.len(), 9);
    assert!(live.scores[0].score.as_ref().unwrap().n > 0 && live.scores[0].change.is_some());

    let rank = |page_size, page_token| v1::RankUnitsRequest {
        kind: v1::UnitKind::Project.into(),
        page_size,
        page_token,
        ..Default::default()
    };
    let whole = client.rank_units(rank(100, String::new())).await.unwrap().into_inner();
    assert!(whole.units.len() > 3 && whole.next_page_token.is_empty());
    let first = client.rank_units(rank(3, String::new())).await.unwrap().into_inner();
    let rest = client.rank_units(rank(100, first.next_page_token)).await.unwrap().into_inner();
    assert_eq!([first.units, rest.units].concat(), whole.units);
    let nothing = client.rank_units(v1::RankUnitsRequest::default()).await.unwrap_err();
    assert_eq!(field(&nothing), "kind");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_complaints_are_as_many_as_are_counted() {
    let (log, _) = Log::believable(1_500);
    let running = serve::<Satisfaction>(&log).await;
    let mut client = SatisfactionServiceClient::new(running.channel.clone());
    let levels = v1::GetComplaintServiceLevelRequest::default();
    let levels = client.get_complaint_service_level(levels).await.unwrap().into_inner();
    let (mut open, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListOpenComplaintsRequest { page_size: 1, page_token, ..Default::default() };
        let page = client.list_open_complaints(request).await.unwrap().into_inner();
        open.extend(page.complaints);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(open.len() as u64, levels.open);
    assert!(open.len() > 1);
    let due = |it: &v1::Complaint| it.total.as_ref().unwrap().due_at.map(|due| (due.seconds, due.nanos));
    assert!(open.is_sorted_by_key(due));
    let classes = client.count_classes(v1::CountClassesRequest::default()).await.unwrap().into_inner();
    let classed: u64 = classes.satisfaction_classes.iter().map(|it| it.customers).sum();
    assert_eq!(classed + classes.withheld, classes.customers);
}
