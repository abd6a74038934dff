//! The at-risk list and its totals.

use api::v1;
use api::v1::churn_risk_service_client::ChurnRiskServiceClient as Client;
use tonic::transport::Channel;
use views::churn::Churn;

use crate::support::{Log, field, now, serve};

async fn listed(client: &mut Client<Channel>, request: v1::ListAtRiskRequest) -> Vec<v1::Risk> {
    let (mut risks, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListAtRiskRequest { page_token, ..request.clone() };
        let page = client.list_at_risk(request).await.unwrap().into_inner();
        assert!(page.risks.len() <= 7 || page.next_page_token.is_empty());
        risks.extend(page.risks);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return risks;
        }
    }
}

fn at_now() -> Option<v1::ViewQuery> {
    Some(v1::ViewQuery { as_of: Some(api::names::timestamp(now())), ..Default::default() })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_lead_through_the_list_live_and_at_an_instant() {
    let (log, customers) = Log::believable(120);
    let running = serve::<Churn>(&log).await;
    let mut client = Client::new(running.channel.clone());
    let all = listed(&mut client, v1::ListAtRiskRequest { page_size: 1_000, ..Default::default() }).await;
    let order: Vec<_> = all.iter().map(|it| (std::cmp::Reverse(it.p_millionths), it.customer_id.clone())).collect();
    assert!(order.is_sorted() && order.len() > 50 && order.len() <= customers.len());
    let pages = listed(&mut client, v1::ListAtRiskRequest { page_size: 7, ..Default::default() }).await;
    assert_eq!(pages, all);
    let then = listed(&mut client, v1::ListAtRiskRequest { page_size: 7, query: at_now(), ..Default::default() }).await;
    assert_eq!(then, all);

    let bands = client.count_bands(v1::CountBandsRequest::default()).await.unwrap().into_inner();
    for count in &bands.bands {
        let band = count.band;
        let of_band = listed(&mut client, v1::ListAtRiskRequest { band, page_size: 7, ..Default::default() }).await;
        let expected: Vec<_> = all.iter().filter(|it| it.band == band).cloned().collect();
        assert_eq!(of_band, expected);
        assert_eq!(count.customers, expected.len() as u64);
    }
    assert_eq!(bands.customers, all.len() as u64 + bands.withheld);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_lost_can_be_left_out() {
    let (log, _) = Log::believable(120);
    let running = serve::<Churn>(&log).await;
    let mut client = Client::new(running.channel.clone());
    let all = listed(&mut client, v1::ListAtRiskRequest { page_size: 1_000, ..Default::default() }).await;
    let lost = |risk: &v1::Risk| {
        let stage = risk.lifecycle.as_ref().unwrap().stage();
        matches!(stage, v1::LifecycleStage::Lost | v1::LifecycleStage::Exited)
    };
    for (band, query) in
        [(0, None), (0, at_now()), (v1::RiskBand::Critical.into(), None), (v1::RiskBand::High.into(), None)]
    {
        let request = v1::ListAtRiskRequest { band, query, page_size: 7, without_lost: true, ..Default::default() };
        let expected: Vec<_> = all.iter().filter(|it| !lost(it) && (band == 0 || it.band == band)).cloned().collect();
        assert_eq!(listed(&mut client, request).await, expected, "band {band}");
    }
    assert!(all.iter().any(lost) && !all.iter().all(lost));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scope_of_several_units_is_all_of_them() {
    let (log, _) = Log::believable(120);
    let running = serve::<Churn>(&log).await;
    let mut client = Client::new(running.channel.clone());
    let all = listed(&mut client, v1::ListAtRiskRequest { page_size: 1_000, ..Default::default() }).await;
    let belonging = |risk: &v1::Risk| risk.belonging.clone().unwrap();
    let some = all.iter().map(belonging).find(|it| !it.project_id.is_empty() && !it.consultant_id.is_empty()).unwrap();
    let (company_id, project_id) = (some.company_id.clone(), some.project_id.clone());
    let project = v1::Scope { company_id, project_id, consultant_id: String::new() };
    let consultant = v1::Scope { consultant_id: some.consultant_id.clone(), ..project.clone() };
    for (scope, whole) in [(project, false), (consultant, true)] {
        let bands = v1::CountBandsRequest { scope: Some(scope.clone()), query: None };
        let bands = client.count_bands(bands).await.unwrap().into_inner();
        let request = v1::ListAtRiskRequest { scope: Some(scope), page_size: 3, ..Default::default() };
        let within = listed(&mut client, request).await;
        assert_eq!(bands.customers - bands.withheld, within.len() as u64);
        let same = |it: &v1::Belonging| {
            it.company_id == some.company_id
                && it.project_id == some.project_id
                && (!whole || it.consultant_id == some.consultant_id)
        };
        let expected: Vec<_> = all.iter().filter(|risk| same(&belonging(risk))).cloned().collect();
        assert_eq!(within, expected);
        assert!(!within.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_requests_name_their_field() {
    let (log, _) = Log::believable(20);
    let running = serve::<Churn>(&log).await;
    let mut client = Client::new(running.channel.clone());
    let page = v1::ListAtRiskRequest { page_size: 1, ..Default::default() };
    let token = client.list_at_risk(page.clone()).await.unwrap().into_inner().next_page_token;
    for (request, expected) in [
        (v1::ListAtRiskRequest { band: 9, ..page.clone() }, "band"),
        (v1::ListAtRiskRequest { page_size: -1, ..page.clone() }, "page_size"),
        (v1::ListAtRiskRequest { page_token: "x".to_owned(), ..page.clone() }, "page_token"),
        (v1::ListAtRiskRequest { page_token: token, band: 4, ..page.clone() }, "page_token"),
    ] {
        assert_eq!(field(&client.list_at_risk(request).await.unwrap_err()), expected);
    }
    let nobody = v1::GetRiskRequest { customer_id: "x".to_owned(), query: None };
    assert_eq!(field(&client.get_risk(nobody).await.unwrap_err()), "customer_id");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_request_is_the_callers_mistake() {
    let (log, _) = Log::believable(2);
    let running = serve::<Churn>(&log).await;
    let mut client = tonic::client::Grpc::new(running.channel.clone());
    // Field 2 is a number here, and a message in the request that belongs to this method.
    let wrong = v1::GetTimelineRequest { page_size: 5, ..Default::default() };
    let long = v1::GetTimelineRequest { customer_id: "x".repeat(1 << 20), ..Default::default() };
    for request in [wrong, long] {
        client.ready().await.unwrap();
        let codec = tonic_prost::ProstCodec::<_, v1::GetRiskResponse>::default();
        let path = "/lifefold.v1.ChurnRiskService/GetRisk".parse().unwrap();
        let refused = client.unary(tonic::Request::new(request), path, codec).await.unwrap_err();
        assert_eq!(field(&refused), "");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_lists_whom_it_does_not_know() {
    let (log, customers) = Log::believable(20);
    let running = serve::<Churn>(&log).await;
    let mut client = Client::new(running.channel.clone());
    let unknown = "00000000-0000-0000-0000-000000000001".to_owned();
    let known = listed(&mut client, v1::ListAtRiskRequest::default()).await[0].customer_id.clone();
    assert!(customers.iter().any(|it| it.to_string() == known));
    let request = v1::BatchGetRisksRequest { customer_ids: vec![unknown.clone(), known.clone()], query: None };
    let batch = client.batch_get_risks(request).await.unwrap().into_inner();
    assert_eq!(batch.not_found_customer_ids, [unknown]);
    let single = client.get_risk(v1::GetRiskRequest { customer_id: known, query: None }).await.unwrap().into_inner();
    assert_eq!(batch.risks, [single.risk.unwrap()]);
    assert_eq!(batch.meta, single.meta);
}
