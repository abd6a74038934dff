//! Which instant and which position an answer is of.

use std::time::Duration;

use api::v1;
use api::v1::churn_risk_service_client::ChurnRiskServiceClient as Client;
use tokio::time::Instant;
use tonic::{Code, Request};
use tonic_types::StatusExt;
use touchpoint::{CustomerId, Timestamp};
use views::churn::Churn;

use crate::support::{Log, PATIENCE, field, now, refusal, serve};

fn ask(customer: CustomerId, query: v1::ViewQuery, timeout: Duration) -> Request<v1::GetRiskRequest> {
    let mut request = Request::new(v1::GetRiskRequest { customer_id: customer.to_string(), query: Some(query) });
    request.set_timeout(timeout);
    request
}

fn from(min_position: u64) -> v1::ViewQuery {
    v1::ViewQuery { min_position, ..Default::default() }
}

fn as_of(instant: Timestamp) -> v1::ViewQuery {
    v1::ViewQuery { as_of: Some(api::names::timestamp(instant)), ..Default::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_waits_for_what_its_caller_wrote() {
    let (log, _) = Log::believable(5);
    let running = serve::<Churn>(&log).await;
    let mut client = Client::new(running.channel.clone());
    let customer = CustomerId::from_u128(42);
    let position = log.hold_back_visit(customer);

    let early = client.get_risk(ask(customer, from(position), Duration::from_millis(300))).await.unwrap_err();
    assert_eq!(refusal(&early), (Code::Unavailable, "BEHIND".to_owned()));
    let details = early.get_error_details();
    assert!(details.retry_info().is_some());
    assert_eq!(details.error_info().unwrap().metadata["position"], (position - 1).to_string());

    let mut waiting = client.clone();
    let answer = tokio::spawn(async move { waiting.get_risk(ask(customer, from(position), PATIENCE)).await });
    log.release();
    let answer = answer.await.unwrap().unwrap().into_inner();
    assert!(answer.meta.unwrap().position >= position);
    assert_eq!(answer.risk.unwrap().lifecycle.unwrap().stage(), v1::LifecycleStage::Prospect);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_that_the_log_does_not_have_is_refused_at_once() {
    let (log, customers) = Log::believable(5);
    let running = serve::<Churn>(&log).await;
    let mut client = Client::new(running.channel.clone());
    let start = Instant::now();
    let beyond = client.get_risk(ask(customers[0], from(log.end() + 1), PATIENCE)).await.unwrap_err();
    assert_eq!(refusal(&beyond), (Code::OutOfRange, "BEYOND_HEAD".to_owned()));
    assert!(start.elapsed() < PATIENCE / 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_of_a_log_up_to_a_position_is_said_again() {
    let (log, customers) = Log::believable(5);
    let running = serve::<Churn>(&log).await;
    let mut client = Client::new(running.channel.clone());
    let end = log.end();
    let up_to = v1::ViewQuery { max_position: end, ..as_of(now()) };
    let totals = || v1::CountBandsRequest { query: Some(up_to.clone()), ..Default::default() };
    let list = || v1::ListAtRiskRequest { query: Some(up_to.clone()), ..Default::default() };
    let (counted, listed) = (client.count_bands(totals()).await.unwrap(), client.list_at_risk(list()).await.unwrap());
    let asked = || ask(customers[0], up_to.clone(), PATIENCE);
    let answered = client.get_risk(asked()).await.unwrap().into_inner();

    let (new, old) = (CustomerId::from_u128(42), customers[0]);
    log.hold_back_visit(old);
    let last = log.hold_back_visit(new);
    let ahead = v1::ViewQuery { max_position: last, ..Default::default() };
    let early = client.get_risk(ask(new, ahead.clone(), Duration::from_millis(300))).await.unwrap_err();
    assert_eq!(refusal(&early), (Code::Unavailable, "BEHIND".to_owned()), "it waits for the position");
    log.release();
    let arrived = client.get_risk(ask(new, ahead, PATIENCE)).await.unwrap().into_inner();
    assert_eq!(arrived.meta.unwrap().position, last);
    let moved = client.get_risk(ask(old, from(last), PATIENCE)).await.unwrap().into_inner();
    assert_ne!(moved.risk, answered.risk, "the visit counts");

    let again = client.count_bands(totals()).await.unwrap().into_inner();
    let counted = counted.into_inner();
    assert_eq!((&again.bands, again.customers), (&counted.bands, counted.customers));
    assert_eq!(again.meta.unwrap().position, end);
    assert_eq!(client.list_at_risk(list()).await.unwrap().into_inner().risks, listed.into_inner().risks);
    let again = client.get_risk(asked()).await.unwrap().into_inner();
    assert_eq!((again.risk, again.meta.unwrap().position), (answered.risk, end));
    let unknown = client.get_risk(ask(new, up_to, PATIENCE)).await.unwrap_err();
    assert_eq!(refusal(&unknown), (Code::NotFound, "CUSTOMER_NOT_FOUND".to_owned()));
    let beyond = v1::ViewQuery { max_position: last + 1, ..Default::default() };
    let beyond = client.get_risk(ask(old, beyond, PATIENCE)).await.unwrap_err();
    assert_eq!(refusal(&beyond), (Code::OutOfRange, "BEYOND_HEAD".to_owned()));
    assert!(beyond.message().starts_with("query.max_position: "), "{beyond}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instant_may_be_past_or_as_far_ahead_as_clocks_are() {
    let (log, _) = Log::believable(5);
    let running = serve::<Churn>(&log).await;
    let mut client = Client::new(running.channel.clone());
    let listed = client.list_at_risk(v1::ListAtRiskRequest::default()).await.unwrap().into_inner();
    let customer: CustomerId = listed.risks[0].customer_id.parse().unwrap();
    let mut at = async |instant| client.get_risk(ask(customer, as_of(instant), PATIENCE)).await;

    let answer = at(now()).await.unwrap().into_inner();
    let meta = answer.meta.unwrap();
    assert_eq!((meta.as_of, meta.position), (Some(api::names::timestamp(now())), log.end()));
    assert_eq!(answer.risk.as_ref(), Some(&listed.risks[0]));
    assert!(at(now().plus_micros(5 * Timestamp::MINUTE)).await.is_ok());
    let ahead = at(now().plus_micros(5 * Timestamp::MINUTE + 1)).await.unwrap_err();
    assert_eq!(field(&ahead), "query.as_of");
    let before = at("1990-01-01T00:00:00Z".parse().unwrap()).await.unwrap_err();
    assert_eq!(refusal(&before), (Code::NotFound, "CUSTOMER_NOT_FOUND".to_owned()));
}
