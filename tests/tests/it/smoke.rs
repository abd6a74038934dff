//! The thinnest path through everything, and what survives when every process on it is killed.

use std::collections::{HashMap, HashSet};

use api::v1;
use tests::{Acknowledged, CONTROL_MESSAGES, Clients, Machine, Recorder, View, import_believable, instant, visit};
use touchpoint::{CustomerId, EventId};

const CUSTOMER: CustomerId = CustomerId::from_u128(0xc1);
/// Callers that record at the same time.
const CALLERS: u128 = 4;
/// Events that are acknowledged between two crashes.
const BETWEEN: usize = 60;

/// Example C1: a prospect, silent for 7 days.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_recorded_is_answered_at_once() {
    let machine = Machine::start();
    let (mut gateway, mut churn) = (machine.gateway(), machine.projector(View::Churn));
    let writer = Clients::of(gateway.address());
    writer.serving("lifefold.v1.TouchpointService").await;
    let visited = instant("2025-03-01T08:00:00Z");
    let touchpoint = Some(visit(CUSTOMER, EventId::from_u128(1), visited));
    let request = v1::RecordRequest { touchpoint, expected_revision: Some(0) };
    let recorded = writer.touchpoints().record(request).await.unwrap().into_inner();
    assert!(!recorded.duplicate);

    let reader = Clients::of(churn.address());
    reader.serving(View::Churn.service()).await;
    let query = v1::ViewQuery {
        as_of: Some(api::names::timestamp(visited.plus_days(7))),
        min_position: recorded.position,
        ..Default::default()
    };
    let request = v1::GetRiskRequest { customer_id: CUSTOMER.to_string(), query: Some(query) };
    let answer = reader.churn().get_risk(request).await.unwrap().into_inner();
    let (risk, meta) = (answer.risk.unwrap(), answer.meta.unwrap());
    assert_eq!(risk.lifecycle.unwrap().stage(), v1::LifecycleStage::Prospect);
    assert_eq!(risk.p_millionths, Some(377_541));
    assert_eq!(risk.band, i32::from(v1::RiskBand::Medium));
    assert_eq!(risk.days_silent, Some(7));
    assert!(meta.position >= recorded.position);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_recorded_in_the_order_of_its_items() {
    let machine = Machine::start();
    let mut gateway = machine.gateway();
    let clients = Clients::of(gateway.address());
    clients.serving("lifefold.v1.TouchpointService").await;
    let imported = import_believable(&clients, 400, 7).await;
    let position = |result: &v1::import_outcome::Result| match result {
        v1::import_outcome::Result::Recorded(recorded) => (!recorded.duplicate).then_some(recorded.position),
        v1::import_outcome::Result::Refused(refused) => panic!("{refused:?}"),
    };
    let positions: Vec<_> = imported.outcomes.iter().filter_map(position).collect();
    assert!(positions.len() > 2_500, "{}", positions.len());
    assert!(positions.is_sorted(), "{positions:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_when_everything_is_killed() {
    let mut machine = Machine::start();
    let (mut gateway, mut churn) = (machine.gateway(), machine.projector(View::Churn));
    let recorder = Recorder::start(CALLERS, gateway.address(), instant("2025-03-01T08:00:00Z"));
    recorder.more(BETWEEN).await;
    churn.crash();
    recorder.more(BETWEEN).await;
    gateway.crash();
    recorder.gateway_moved(gateway.address());
    recorder.more(BETWEEN).await;
    machine.nats.kill().unwrap();
    machine.nats.restart().unwrap();
    recorder.more(BETWEEN).await;
    churn.crash();
    let acknowledged = recorder.stop().await;

    let last = check_log(&machine, &acknowledged).await;
    let reader = Clients::of(churn.address());
    reader.serving(View::Churn.service()).await;
    let resumed = reader.reached(last).await;
    let rebuilt = reader.rebuilt().await;
    assert!(rebuilt.generation > resumed.generation);
    assert_eq!((rebuilt.position, rebuilt.digest_position), (resumed.position, resumed.digest_position));
    assert_eq!((rebuilt.digest, rebuilt.content_digest), (resumed.digest, resumed.content_digest));
    let customers: HashSet<_> = acknowledged.iter().map(|one| one.customer).collect();
    assert_eq!(rebuilt.customers, customers.len() as u64);
    assert_eq!(rebuilt.parked, 0);
}

/// Every acknowledged event is where the gateway said, and once; gives the end of the log.
async fn check_log(machine: &Machine, acknowledged: &[Acknowledged]) -> u64 {
    let entries = machine.log_entries().await;
    let bodies: HashMap<u64, &[u8]> = entries.iter().map(|entry| (entry.position.0, &*entry.body)).collect();
    let mut places = HashMap::new();
    for one in acknowledged {
        let found: serde_json::Value = serde_json::from_slice(bodies[&one.position]).unwrap();
        assert_eq!(found["id"], one.event.to_string());
        assert_eq!(found["subject"], one.customer.to_string());
        assert_eq!(places.insert(one.event, one.position), None, "{one:?} was acknowledged twice");
    }
    assert_eq!(entries.len(), acknowledged.len() + CONTROL_MESSAGES);
    entries.last().map(|entry| entry.position.0).unwrap()
}
