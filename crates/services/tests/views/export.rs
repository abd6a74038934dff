//! Every customer of a view in a stream.

use std::collections::HashSet;

use api::v1;
use api::v1::churn_risk_service_client::ChurnRiskServiceClient as Client;
use api::v1::projector_service_client::ProjectorServiceClient;
use api::v1::satisfaction_service_client::SatisfactionServiceClient;
use api::v1::segmentation_service_client::SegmentationServiceClient;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Streaming};
use touchpoint::CustomerId;
use views::churn::Churn;
use views::satisfaction::Satisfaction;
use views::segmentation::Segmentation;

use crate::support::{Log, Running, field, now, refusal, serve};

const CUSTOMERS: u64 = 120;

fn at_now() -> Option<v1::ViewQuery> {
    Some(v1::ViewQuery { as_of: Some(api::names::timestamp(now())), ..Default::default() })
}

async fn begun(client: &mut Client<Channel>, request: v1::ExportRisksRequest) -> Streaming<v1::ExportRisksResponse> {
    client.export_risks(request).await.unwrap().into_inner()
}

/// All customers of a stream, and what it rests on.
async fn taken(mut stream: Streaming<v1::ExportRisksResponse>) -> (Vec<v1::Risk>, v1::ExportSummary) {
    let mut risks = Vec::new();
    while let Some(part) = stream.message().await.unwrap() {
        risks.extend(part.risks);
        assert_eq!(part.summary.is_some(), part.next_page_token.is_empty());
        if let Some(summary) = part.summary {
            assert_eq!((part.done_bp, stream.message().await.unwrap()), (10_000, None));
            return (risks, summary);
        }
    }
    panic!("a stream ended without its last message")
}

async fn applied(client: &mut Client<Channel>, customer: CustomerId, position: u64) -> v1::Risk {
    let query = Some(v1::ViewQuery { min_position: position, ..at_now().unwrap() });
    let request = v1::GetRiskRequest { customer_id: customer.to_string(), query };
    client.get_risk(request).await.unwrap().into_inner().risk.unwrap()
}

async fn status(running: &Running) -> v1::Generation {
    let mut client = ProjectorServiceClient::new(running.channel.clone());
    client.get_status(v1::GetStatusRequest {}).await.unwrap().into_inner().serving.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_customer_is_in_it_once_with_the_answer_that_is_given_to_who_asks() {
    let (log, customers) = Log::believable(CUSTOMERS);
    let running = serve::<Churn>(&log).await;
    let mut client = Client::new(running.channel.clone());
    let request = v1::ExportRisksRequest { query: at_now(), page_size: 7, ..Default::default() };
    let (risks, summary) = taken(begun(&mut client, request.clone()).await).await;
    let ids: HashSet<_> = risks.iter().map(|risk| risk.customer_id.clone()).collect();
    assert_eq!((ids.len(), risks.len() as u64), (risks.len(), summary.customers));

    let customer_ids = customers.iter().map(ToString::to_string).collect();
    let batch = v1::BatchGetRisksRequest { customer_ids, query: at_now() };
    let mut asked = client.batch_get_risks(batch).await.unwrap().into_inner().risks;
    let mut sorted = risks.clone();
    asked.sort_by(|a, b| a.customer_id.cmp(&b.customer_id));
    sorted.sort_by(|a, b| a.customer_id.cmp(&b.customer_id));
    assert_eq!(sorted, asked);
    let count = v1::CountBandsRequest { query: at_now(), ..Default::default() };
    let count = client.count_bands(count).await.unwrap().into_inner();
    assert_eq!((count.customers, count.meta), (summary.customers, summary.meta.clone()));

    let status = status(&running).await;
    let digests = (summary.digest.clone(), summary.content_digest.clone());
    assert_eq!((digests, summary.erased), ((status.digest, status.content_digest), status.erased));
    let again = v1::ExportRisksRequest { page_size: 1_000, ..request };
    assert_eq!(taken(begun(&mut client, again).await).await, (risks, summary), "the order is always the same");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_arrives_meanwhile_is_not_in_it_also_after_a_resume() {
    let (log, customers) = Log::believable(CUSTOMERS);
    let running = serve::<Churn>(&log).await;
    let mut client = Client::new(running.channel.clone());
    let end = log.end();
    let request = v1::ExportRisksRequest { page_size: 5, ..Default::default() };
    let (before, rests_on) = taken(begun(&mut client, request.clone()).await).await;

    let mut stream = begun(&mut client, request.clone()).await;
    let first = stream.message().await.unwrap().unwrap();
    for &customer in &customers {
        let old = before.iter().find(|risk| risk.customer_id == customer.to_string());
        let position = log.hold_back_visit(customer);
        log.release();
        let new = applied(&mut client, customer, position).await;
        assert!(old.is_none_or(|old| old.days_silent != Some(0)) && new.days_silent.is_none_or(|days| days == 0));
    }
    let meta = rests_on.meta.clone().unwrap();
    assert_eq!((meta.position, log.end()), (end, end + customers.len() as u64));
    let resumed = v1::ExportRisksRequest { page_token: first.next_page_token.clone(), ..request.clone() };
    for rest in [stream, begun(&mut client, resumed).await] {
        let (rest, mut summary) = taken(rest).await;
        assert_eq!([&first.risks[..], &rest].concat(), before);
        // How far it is behind the log by now is all that may differ.
        summary.meta.as_mut().unwrap().lag_events = 0;
        assert_eq!(summary, rests_on);
    }
    let other = v1::ExportRisksRequest { query: at_now(), page_token: first.next_page_token, ..request };
    assert_eq!(field(&client.export_risks(other).await.unwrap_err()), "page_token");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_who_take_nothing_hold_nobody_up_and_are_bounded() {
    let (log, customers) = Log::believable(CUSTOMERS);
    let running = serve::<Churn>(&log).await;
    // Less than two customers fit in what such a reader lets come.
    let narrow = Endpoint::from_shared(running.address.clone()).unwrap().initial_stream_window_size(500);
    let mut slow = Client::new(narrow.connect().await.unwrap());
    let request = v1::ExportRisksRequest { page_size: 1, ..Default::default() };
    let mut streams = Vec::new();
    for _ in 0..8 {
        streams.push(begun(&mut slow, request.clone()).await);
    }
    let ninth = slow.export_risks(request).await.unwrap_err();
    assert_eq!(refusal(&ninth), (Code::ResourceExhausted, "TOO_MANY_CALLS".to_owned()));

    let mut client = Client::new(running.channel.clone());
    let count = v1::CountBandsRequest { query: at_now(), ..Default::default() };
    assert!(client.count_bands(count).await.unwrap().into_inner().customers > 0, "a scan has its turn");
    let position = log.hold_back_visit(customers[0]);
    log.release();
    applied(&mut client, customers[0], position).await;
    assert!(!taken(streams.remove(0)).await.0.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_views_have_the_totals_of_their_services() {
    let (log, _) = Log::believable(CUSTOMERS);
    let running = serve::<Segmentation>(&log).await;
    let mut client = SegmentationServiceClient::new(running.channel.clone());
    let request = v1::ExportCustomerSegmentsRequest { query: at_now(), ..Default::default() };
    let mut stream = client.export_customer_segments(request).await.unwrap().into_inner();
    let (mut customers, mut last) = (Vec::new(), None);
    while let Some(part) = stream.message().await.unwrap() {
        customers.extend(part.customers);
        last = part.summary;
    }
    let count = v1::CountMembersRequest { query: at_now(), ..Default::default() };
    let count = client.count_members(count).await.unwrap().into_inner();
    let summary = last.unwrap();
    assert_eq!((customers.len() as u64, summary.customers), (count.customers, count.customers));
    assert_eq!((summary.meta, summary.erased), (count.meta, count.erased));
    for stage in count.stages {
        let of = customers.iter().filter(|it| it.lifecycle.as_ref().unwrap().stage == stage.stage).count();
        assert_eq!(of as u64, stage.customers);
    }

    let running = serve::<Satisfaction>(&log).await;
    let mut client = SatisfactionServiceClient::new(running.channel.clone());
    let request = v1::ExportCustomerIndexesRequest { query: at_now(), page_size: 1_000, ..Default::default() };
    let mut stream = client.export_customer_indexes(request).await.unwrap().into_inner();
    let part = stream.message().await.unwrap().unwrap();
    let count = v1::CountClassesRequest { query: at_now(), ..Default::default() };
    let count = client.count_classes(count).await.unwrap().into_inner();
    for class in count.satisfaction_classes {
        let of = part.customers.iter().filter(|it| !it.withheld && it.satisfaction_class == class.satisfaction_class);
        assert_eq!(of.count() as u64, class.customers);
    }
    assert_eq!(part.summary.unwrap().customers, count.customers);
}
