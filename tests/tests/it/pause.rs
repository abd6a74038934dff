//! A paused view stands still, in the log and in time, says so, and goes on when it is resumed: with real processes.

use api::v1;
use serde_json::Value;
use tests::{Clients, Machine, Service, View, instant, metrics, text_of, until, visit};
use tonic::{Code, Status};
use tonic_types::StatusExt;
use touchpoint::{CustomerId, EventId};

const CUSTOMER: CustomerId = CustomerId::from_u128(0xc1);
const AT: &str = "2025-03-01T08:00:00Z";
const VIEW: View = View::Churn;

struct Scene {
    gateway: Service,
    churn: Service,
    // Dropped last: the services run on it.
    machine: Machine,
}

impl Scene {
    async fn new() -> Self {
        let machine = Machine::start();
        let (mut gateway, churn) = (machine.gateway(), machine.projector(VIEW));
        Clients::of(gateway.address()).serving("lifefold.v1.TouchpointService").await;
        let mut scene = Self { gateway, churn, machine };
        scene.view().await;
        scene
    }

    /// The view, once it answers.
    async fn view(&mut self) -> Clients {
        let clients = Clients::of(self.churn.address());
        clients.serving(VIEW.service()).await;
        clients
    }

    /// Records an event; gives its position.
    async fn record(&mut self, id: u128) -> u64 {
        let touchpoint = Some(visit(CUSTOMER, EventId::from_u128(id), instant(AT)));
        let request = v1::RecordRequest { touchpoint, expected_revision: None };
        let gateway = Clients::of(self.gateway.address());
        gateway.touchpoints().record(request).await.unwrap().into_inner().position
    }

    fn lifefold(&mut self, arguments: &[&str]) -> (Option<i32>, Value) {
        let address = format!("http://{}", self.churn.address());
        let all = [arguments, &["--churn", &address, "-o", "json"]].concat();
        let (code, out, err) = text_of(self.machine.folder(), &all);
        (code, serde_json::from_str(&out).unwrap_or_else(|_| Value::String(format!("{out}{err}"))))
    }
}

async fn ask(view: &Clients, query: v1::ViewQuery) -> Result<v1::AnswerMeta, Status> {
    let request = v1::GetRiskRequest { customer_id: CUSTOMER.to_string(), query: Some(query) };
    Ok(view.churn().get_risk(request).await?.into_inner().meta.unwrap())
}

fn reason(status: &Status) -> (Code, String) {
    (status.code(), status.get_error_details().error_info().unwrap().reason.clone())
}

/// What holds of a view that is paused at this position since this instant, and misses so many events.
async fn stands(view: &Clients, position: u64, since: prost_types::Timestamp, behind: u64) {
    let status = until("the view to see what it misses", async || {
        view.status().await.filter(|status| status.serving.as_ref().unwrap().lag_events == behind)
    })
    .await;
    assert_eq!((status.state(), status.serving.unwrap().position), (v1::ProjectorState::Paused, position));
    let pause = status.pause.unwrap();
    assert_eq!((pause.by.as_str(), pause.reason.as_str(), pause.at), ("an operator", "a test", Some(since)));
    let meta = ask(view, v1::ViewQuery::default()).await.unwrap();
    assert_eq!((meta.position, meta.lag_events, meta.as_of), (position, behind, Some(since)));
    let beyond = ask(view, v1::ViewQuery { min_position: position + 1, ..Default::default() }).await.unwrap_err();
    assert_eq!(reason(&beyond), (Code::Unavailable, "PAUSED".to_owned()));
    assert!(beyond.message().contains("an operator") && beyond.message().contains("a test"), "{}", beyond.message());
    let no_end = ask(view, v1::ViewQuery { min_position: position + 1_000, ..Default::default() }).await.unwrap_err();
    assert_eq!(no_end.code(), Code::OutOfRange);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_view_stands_still_also_after_a_restart() {
    let mut scene = Scene::new().await;
    let before = scene.record(1).await;
    let view = scene.view().await;
    let digest = view.reached(before).await.digest;
    let (code, paused) = scene.lifefold(&["pause", "churn", "--by", "an operator", "--reason", "a test"]);
    assert_eq!((code, &paused["pause"]["position"]), (Some(0), &before.into()), "{paused}");
    let since = view.status().await.unwrap().pause.unwrap().at.unwrap();
    let (first, last) = (scene.record(2).await, scene.record(3).await);
    assert_eq!(first, before + 1);
    stands(&view, before, since, 2).await;
    let (code, twice) = scene.lifefold(&["pause", "churn"]);
    assert!(code == Some(1) && twice.to_string().contains("an operator"), "{twice}");
    let (code, refused) = scene.lifefold(&["rebuild", "churn", "--yes"]);
    assert!(code == Some(1) && refused.to_string().contains("paused by an operator"), "{refused}");

    for restart in 0..2 {
        if restart == 0 {
            scene.churn.crash();
        } else {
            scene.churn.terminate();
            scene.churn.wait();
            scene.churn.start();
        }
        let view = scene.view().await;
        stands(&view, before, since, 2).await;
        assert_eq!(view.reached(before).await.digest, digest);
    }
    let address = scene.churn.metrics_address();
    until("the metrics", async || {
        let page = metrics(address).await;
        let is_one = |name: &str| page.contains(&format!("lifefold_projector_{name}{{view=\"churn\"}} 1"));
        (is_one("paused") && is_one("serving")).then_some(())
    })
    .await;

    assert_eq!(scene.lifefold(&["resume", "churn"]).0, Some(0));
    let view = scene.view().await;
    let after = view.reached(last).await;
    let meta = ask(&view, v1::ViewQuery { min_position: last, ..Default::default() }).await.unwrap();
    assert!(meta.as_of.unwrap().seconds > since.seconds || meta.as_of.unwrap().nanos != since.nanos);
    assert_eq!(view.rebuilt().await.digest, after.digest);
    let (code, never) = scene.lifefold(&["resume", "churn"]);
    assert!(code == Some(1) && never.to_string().contains("not paused"), "{never}");
    // And the pause is forgotten.
    scene.churn.crash();
    assert_eq!(scene.view().await.reached(last).await.digest, after.digest);
    scene.churn.never_panicked();
}
