//! Status, rebuild, health, reflection.

use api::v1;
use api::v1::churn_risk_service_client::ChurnRiskServiceClient as Client;
use api::v1::projector_service_client::ProjectorServiceClient;
use futures::StreamExt;
use projector::{Broken, Trouble};
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1 as reflection;
use views::churn::Churn;

use crate::support::{Log, PATIENCE, refusal, serve};

async fn status(channel: &Channel) -> v1::GetStatusResponse {
    let mut client = ProjectorServiceClient::new(channel.clone());
    client.get_status(v1::GetStatusRequest {}).await.unwrap().into_inner()
}

/// Waits until health says this of the service.
async fn is_health(channel: &Channel, service: &str, wanted: ServingStatus) {
    let mut client = HealthClient::new(channel.clone());
    let request = HealthCheckRequest { service: service.to_owned() };
    let mut changes = client.watch(request).await.unwrap().into_inner();
    let reached = async { while changes.next().await.unwrap().unwrap().status() != wanted {} };
    tokio::time::timeout(PATIENCE, reached).await.expect("health in time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_reaches_the_same_digest_in_the_next_generation() {
    let (log, _) = Log::believable(40);
    let running = serve::<Churn>(&log).await;
    let before = status(&running.channel).await;
    assert_eq!(before.state(), v1::ProjectorState::Serving);
    let serving = before.serving.unwrap();
    assert_eq!((serving.position, serving.lag_events), (log.end(), 0));
    assert_eq!(serving.digest.len(), 32);

    let mut client = ProjectorServiceClient::new(running.channel.clone());
    let begun = client.rebuild(v1::RebuildRequest::default()).await.unwrap().into_inner();
    assert!(begun.generation > serving.generation);
    let rebuilt = async {
        loop {
            let now = status(&running.channel).await.serving.unwrap();
            if now.generation == begun.generation {
                return now;
            }
            tokio::task::yield_now().await;
        }
    };
    let rebuilt = tokio::time::timeout(PATIENCE, rebuilt).await.expect("the rebuild in time");
    assert_eq!((rebuilt.digest, rebuilt.content_digest), (serving.digest, serving.content_digest));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_of_a_broken_log_answers_nothing_but_its_status() {
    const VIEW: &str = "lifefold.v1.ChurnRiskService";
    let (log, customers) = Log::believable(5);
    let running = serve::<Churn>(&log).await;
    is_health(&running.channel, VIEW, ServingStatus::Serving).await;
    log.break_down(Some(Broken::new(Trouble::RolledBack, "position 7 was read, but the log ends at 3")));
    is_health(&running.channel, VIEW, ServingStatus::NotServing).await;

    let mut client = Client::new(running.channel.clone());
    let request = v1::GetRiskRequest { customer_id: customers[0].to_string(), query: None };
    let refused = client.get_risk(request).await.unwrap_err();
    assert_eq!(refusal(&refused), (Code::Unavailable, "ROLLED_BACK".to_owned()));
    let status = status(&running.channel).await;
    assert_eq!(status.state(), v1::ProjectorState::RolledBack);
    is_health(&running.channel, "lifefold.v1.ProjectorService", ServingStatus::Serving).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reflection_lists_every_service() {
    use reflection::server_reflection_request::MessageRequest;
    use reflection::server_reflection_response::MessageResponse;
    let (log, _) = Log::believable(2);
    let running = serve::<Churn>(&log).await;
    let mut client = reflection::server_reflection_client::ServerReflectionClient::new(running.channel.clone());
    let question = reflection::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut answers = client.server_reflection_info(futures::stream::iter([question])).await.unwrap().into_inner();
    let Some(MessageResponse::ListServicesResponse(list)) = answers.next().await.unwrap().unwrap().message_response
    else {
        panic!("no list");
    };
    let names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
    for name in ["lifefold.v1.ChurnRiskService", "lifefold.v1.ProjectorService", "grpc.health.v1.Health"] {
        assert!(names.iter().any(|it| it == name), "{name} is not in {names:?}");
    }
}
