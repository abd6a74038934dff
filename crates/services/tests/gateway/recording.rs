//! Record and RecordBatch.

use std::time::Duration;

use api::v1;
use api::v1::touchpoint_service_client::TouchpointServiceClient as Client;
use tonic::Code;
use tonic_types::StatusExt;

use crate::support::{fields, other_visit, refusal, start, visit, with_timeout};

fn record(touchpoint: v1::Touchpoint) -> v1::RecordRequest {
    v1::RecordRequest { touchpoint: Some(touchpoint), expected_revision: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn once_more_is_a_duplicate_and_other_content_a_conflict() {
    let running = start().await;
    let mut client = Client::new(running.channel.clone());
    let first = client.record(record(visit(1, 10))).await.unwrap().into_inner();
    assert_eq!(first, v1::RecordResponse { position: 2, duplicate: false });
    let again = client.record(record(visit(1, 10))).await.unwrap().into_inner();
    assert_eq!(again, v1::RecordResponse { position: 2, duplicate: true });
    let conflict = client.record(record(other_visit(1, 10))).await.unwrap_err();
    assert_eq!(refusal(&conflict), (Code::AlreadyExists, "EVENT_CONFLICT".to_owned()));
    assert_eq!(conflict.get_error_details().error_info().unwrap().metadata["position"], "2");

    let expecting =
        |event, revision| v1::RecordRequest { touchpoint: Some(visit(1, event)), expected_revision: Some(revision) };
    let stale = client.record(expecting(11, 0)).await.unwrap_err();
    assert_eq!(refusal(&stale), (Code::Aborted, "REVISION_MISMATCH".to_owned()));
    assert_eq!(stale.get_error_details().error_info().unwrap().metadata["current_revision"], "2");
    assert_eq!(client.record(expecting(11, 2)).await.unwrap().into_inner().position, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_recorded_whole_or_not_at_all() {
    let running = start().await;
    let mut client = Client::new(running.channel.clone());
    let mut batch = async |touchpoints| client.record_batch(v1::RecordBatchRequest { touchpoints }).await;
    let recorded = batch((0..1_000).map(|event| visit(event / 8, event)).collect()).await.unwrap().into_inner();
    assert_eq!(recorded.outcomes.last(), Some(&v1::RecordOutcome { position: 1_001, duplicate: false }));

    let broken = vec![visit(1, 2_000), v1::Touchpoint { channel: 0, ..visit(1, 2_001) }];
    assert_eq!(fields(&batch(broken).await.unwrap_err()), ["touchpoints[1].channel"]);
    assert_eq!(fields(&batch(Vec::new()).await.unwrap_err()), ["touchpoints"]);
    assert_eq!(fields(&batch(vec![visit(1, 1); 1_001]).await.unwrap_err()), ["touchpoints"]);
    let conflict = batch(vec![visit(1, 3_000), other_visit(0, 1)]).await.unwrap_err();
    assert_eq!(conflict.code(), Code::AlreadyExists);
    assert_eq!(running.log.last().await.unwrap().0, 1_001);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_twice_in_a_batch_is_one_event_and_other_content_names_both() {
    let running = start().await;
    let mut client = Client::new(running.channel.clone());
    let mut batch = async |touchpoints| client.record_batch(v1::RecordBatchRequest { touchpoints }).await;
    let outcome = |position, duplicate| v1::RecordOutcome { position, duplicate };
    let recorded = batch(vec![visit(1, 10), visit(1, 11), visit(1, 10)]).await.unwrap().into_inner();
    assert_eq!(recorded.outcomes, [outcome(2, false), outcome(3, false), outcome(2, true)]);

    let refused = batch(vec![visit(1, 12), visit(1, 12), other_visit(1, 12)]).await.unwrap_err();
    assert_eq!(fields(&refused), ["touchpoints[2].id"]);
    assert!(refused.message().contains("touchpoints[0] has the same id and other content"), "{refused}");
    // An id is one customer's.
    let recorded = batch(vec![visit(1, 13), visit(2, 13)]).await.unwrap().into_inner();
    assert_eq!(recorded.outcomes, [outcome(4, false), outcome(5, false)]);
    assert_eq!(running.log.last().await.unwrap().0, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_not_enter_the_log_is_refused_with_its_fields() {
    let running = start().await;
    let mut client = Client::new(running.channel.clone());
    let pii = v1::Touchpoint { pii: Some("13800138000".to_owned()), ..visit(1, 1) };
    let refused = client.record(record(pii)).await.unwrap_err();
    assert_eq!(fields(&refused), ["touchpoint.pii"]);
    assert!(!refused.message().contains("13800138000"));
    assert_eq!(fields(&client.record(v1::RecordRequest::default()).await.unwrap_err()), ["touchpoint"]);
    let empty = client.record(record(v1::Touchpoint::default())).await.unwrap_err();
    assert!(fields(&empty).contains(&"touchpoint.customer_id".to_owned()), "{empty}");
    assert_eq!(running.log.last().await.unwrap().0, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_log_the_caller_is_told_in_time_to_come_again() {
    let mut running = start().await;
    let mut client = Client::new(running.channel.clone());
    drop(running.broker.take());
    let request = with_timeout(record(visit(1, 1)), Duration::from_millis(800));
    let refused = client.record(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "{refused}");
    assert!(refused.get_error_details().retry_info().is_some());
}
