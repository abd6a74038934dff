//! A log that is not there, goes away, or is another one.

use std::time::Duration;

use api::v1;
use tests::{Clients, Machine, System, View, instant, visit};
use tonic::{Request, Status};
use tonic_health::ServingStatus;
use touchpoint::{CustomerId, EventId};

use crate::bad_input::told::{Expect, Told, check, trouble};

const CUSTOMER: CustomerId = CustomerId::from_u128(0xd);
/// Shorter than the log stays away.
const DEADLINE: Duration = Duration::from_millis(800);
const WRITES: &str = "lifefold.v1.TouchpointService";

fn touchpoint(event: u128) -> v1::Touchpoint {
    visit(CUSTOMER, EventId::from_u128(event), instant("2025-03-01T08:00:00Z"))
}

async fn record(gateway: &Clients, event: u128) -> Result<v1::RecordResponse, Status> {
    let touchpoint = Some(touchpoint(event));
    let mut request = Request::new(v1::RecordRequest { touchpoint, expected_revision: None });
    request.set_timeout(DEADLINE);
    gateway.touchpoints().record(request).await.map(tonic::Response::into_inner)
}

async fn risk(reader: &Clients) -> Result<v1::GetRiskResponse, Status> {
    let request = v1::GetRiskRequest { customer_id: CUSTOMER.to_string(), query: None };
    reader.churn().get_risk(request).await.map(tonic::Response::into_inner)
}

async fn not_serving(clients: &Clients, service: &str) {
    tests::until(&format!("{service} to stop serving"), async || {
        (clients.health(service).await == Some(health(ServingStatus::NotServing))).then_some(())
    })
    .await;
}

fn health(status: ServingStatus) -> tonic_health::pb::health_check_response::ServingStatus {
    status.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn services_wait_for_a_log_that_is_not_there_yet() {
    let mut machine = Machine::start();
    machine.nats.kill().unwrap();
    let (mut gateway, mut churn) = (machine.gateway(), machine.projector(View::Churn));
    let (writer, reader) = (Clients::of(gateway.address()), Clients::of(churn.address()));
    not_serving(&writer, WRITES).await;
    not_serving(&reader, View::Churn.service()).await;
    let starting = trouble("UNAVAILABLE STARTING RETRY", &["the log is not open yet", "send again"]);
    check("Record", record(&writer, 1).await, starting);
    check("GetRisk", risk(&reader).await, starting);
    for service in [&gateway, &churn] {
        let told = tests::until("the reason to be logged", async || {
            service.output().lines().find(|line| line.contains("no log; trying again")).map(str::to_owned)
        });
        assert!(told.await.contains(&machine.nats.port().to_string()), "the log names the server");
    }
    machine.nats.restart().unwrap();
    writer.serving(WRITES).await;
    reader.serving(View::Churn.service()).await;
    reader.reached(record(&writer, 1).await.unwrap().position).await;
    assert_eq!(risk(&reader).await.unwrap().risk.unwrap().customer_id, CUSTOMER.to_string());
    [&gateway, &churn].into_iter().for_each(tests::Service::never_panicked);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_log_is_away_views_answer_and_nothing_is_acknowledged() {
    let mut system = System::start().await;
    let (writer, reader) = (system.writer(), system.reader(View::Churn));
    let first = record(&writer, 1).await.unwrap().position;
    reader.reached(first).await;
    system.machine.nats.kill().unwrap();
    let told = Told::from(record(&writer, 2).await);
    let away = ["UNAVAILABLE LOG_UNAVAILABLE RETRY", "UNAVAILABLE OUTCOME_UNKNOWN RETRY"];
    assert!(away.contains(&told.kind()), "{told:?}");
    not_serving(&writer, WRITES).await;
    let again = trouble("UNAVAILABLE LOG_UNAVAILABLE RETRY", &["log"]);
    check("a timeline", timeline(&writer).await, again);
    assert_eq!(risk(&reader).await.unwrap().meta.unwrap().position, first);

    system.machine.nats.restart().unwrap();
    writer.serving(WRITES).await;
    // The same id again: once in the log, whatever became of the first attempt.
    let second = tests::until("the event to be recorded", async || record(&writer, 2).await.ok()).await.position;
    reader.reached(second).await;
    let found = timeline(&writer).await.unwrap().events;
    assert_eq!(found.iter().map(|event| event.position).collect::<Vec<_>>(), [first, second]);
    system.never_panicked();
}

async fn timeline(gateway: &Clients) -> Result<v1::GetTimelineResponse, Status> {
    let customer_id = CUSTOMER.to_string();
    let mut request = Request::new(v1::GetTimelineRequest { customer_id, ..Default::default() });
    request.set_timeout(DEADLINE);
    gateway.timelines().get_timeline(request).await.map(tonic::Response::into_inner)
}

/// The store of one stream, under a projector of another.
#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_of_another_stream_is_not_served_until_it_is_rebuilt() {
    let (one, other) = (Machine::start(), Machine::start());
    let (mut gateway, mut churn) = (one.gateway(), one.projector(View::Churn));
    let position =
        tests::until("the event to be recorded", async || record(&Clients::of(gateway.address()), 1).await.ok());
    let position = position.await.position;
    let reader = Clients::of(churn.address());
    reader.reached(position).await;
    churn.terminate();
    assert_eq!(churn.wait().code(), Some(0));

    let mut other_gateway = other.gateway();
    Clients::of(other_gateway.address()).serving(WRITES).await;
    let mut moved = other.projector_on("moved", View::Churn, &one.store(View::Churn));
    let reader = Clients::of(moved.address());
    let status = tests::until("the other stream to be noticed", async || {
        reader.status().await.filter(|status| status.state() == v1::ProjectorState::Recreated)
    });
    let status = status.await;
    assert!(status.message.contains("RECREATED") && status.message.contains("rebuild"), "{}", status.message);
    not_serving(&reader, View::Churn.service()).await;
    let words = ["RECREATED", "run a rebuild"];
    check("GetRisk", risk(&reader).await, trouble("UNAVAILABLE RECREATED RETRY", &words));
    assert_eq!(moved.ended(), None, "it waits for its operator");

    let rebuilt = reader.rebuilt().await;
    let beginning = tests::CONTROL_MESSAGES as u64;
    assert_eq!((rebuilt.customers, rebuilt.position), (0, beginning), "nothing of the other stream is left");
    reader.serving(View::Churn.service()).await;
    let nobody = Expect { kind: "NOT_FOUND CUSTOMER_NOT_FOUND", fields: &[], message: &[] };
    check("GetRisk", risk(&reader).await, nobody);
    [&gateway, &churn, &other_gateway, &moved].into_iter().for_each(tests::Service::never_panicked);
}
