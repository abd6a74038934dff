//! kill -9 of a projector at ten points of a rebuild: it goes on each time, nobody is answered anything old, and in the
//! end the new generation is what a fresh fold is.

use api::v1;
use api::v1::RebuildPhase;
use history::believable::{Config, Population};
use history::{Arrival, Order, arrange};
use serde_json::Value;
use tests::{Clients, Imported, Machine, Service, View, import, instant, json, text_of, until};
use touchpoint::Timestamp;

const CUSTOMERS: u64 = 2_500;
/// Events a second: slow enough to be hit in the middle.
const RATE: u64 = 3_000;
/// Kills while the log is folded, at as many parts of it.
const WHILE_FOLDING: u64 = 8;
/// Kills while the new generation serves, and is not durable.
const WHILE_SAVING: u64 = 2;

/// A view that is rebuilt, and everything below it.
struct Scene {
    churn: Service,
    last: u64,
    _gateway: Service,
    // Dropped last: the services run on it.
    machine: Machine,
}

impl Scene {
    async fn new() -> Self {
        let machine = Machine::start();
        let (mut gateway, churn) = (machine.gateway(), machine.projector(View::Churn));
        let clients = Clients::of(gateway.address());
        clients.serving("lifefold.v1.TouchpointService").await;
        let (sent, _) = Population::new(Config::new(CUSTOMERS, 4, instant("2026-01-01T00:00:00Z"))).sent();
        let arrival = Arrival { order: Order::Recorded, start: Timestamp::MIN, import: true };
        let items = arrange(&sent, arrival).into_iter().map(|arrived| json(&*arrived.body)).collect();
        let Imported { broken, .. } = import(&clients, items).await;
        assert!(broken.is_none(), "{broken:?}");
        let last = machine.last_position().await.unwrap();
        let mut scene = Self { churn, last, _gateway: gateway, machine };
        // It served before the import: only after a restart the first answer is as far as the log.
        Clients::of(scene.churn.address()).reached(last).await;
        scene
    }

    /// Waits until the projector serves, and gives clients of it. Its first answer is as far as the log.
    async fn served(&mut self) -> Clients {
        let clients = Clients::of(self.churn.address());
        clients.serving(View::Churn.service()).await;
        let answer = clients.churn().count_bands(v1::CountBandsRequest::default()).await.unwrap().into_inner();
        assert!(answer.meta.unwrap().position >= self.last, "nobody is answered anything old");
        clients
    }

    /// The newest rebuild that is remembered.
    fn remembered(&mut self) -> Value {
        let address = format!("http://{}", self.churn.address());
        let arguments = ["rebuild", "history", "churn", "--churn", &address, "-o", "json"];
        let (code, out, err) = text_of(self.machine.folder(), &arguments);
        assert_eq!(code, Some(0), "{err}");
        serde_json::from_str::<Value>(&out).unwrap()["rebuilds"][0].clone()
    }
}

async fn looked_at(clients: &Clients) -> v1::GetRebuildResponse {
    clients.rebuilds().get_rebuild(v1::GetRebuildRequest {}).await.unwrap().into_inner()
}

/// Waits until the rebuild has folded so much, or is beyond folding.
async fn folds_to(clients: &Clients, position: u64) -> v1::GetRebuildResponse {
    until(&format!("the rebuild to fold to {position}"), async || {
        let rebuild = looked_at(clients).await;
        let folded = rebuild.progress.as_ref().map_or(0, |it| it.position);
        (folded >= position && rebuild.generation > 0).then_some(rebuild)
    })
    .await
}

async fn is_at(clients: &Clients, phase: RebuildPhase) -> v1::GetRebuildResponse {
    until(&format!("the rebuild to be {}", phase.as_str_name()), async || {
        let rebuild = looked_at(clients).await;
        assert!(rebuild.phase() != RebuildPhase::GivenUp, "{rebuild:?}");
        (rebuild.phase() == phase).then_some(rebuild)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_survives_ten_kills() {
    let mut scene = Scene::new().await;
    let clients = scene.served().await;
    let before = clients.reached(scene.last).await;
    let request = v1::RebuildRequest { max_events_per_second: RATE, ..Default::default() };
    let begun = clients.projector().rebuild(request).await.unwrap().into_inner().generation;
    let mut clients = clients;
    for part in 0..WHILE_FOLDING {
        let rebuild = folds_to(&clients, scene.last * part / WHILE_FOLDING).await;
        assert_eq!(rebuild.generation, begun);
        scene.churn.crash();
        clients = scene.served().await;
    }
    for _ in 0..WHILE_SAVING {
        is_at(&clients, RebuildPhase::Saving).await;
        assert_eq!(clients.status().await.unwrap().serving.unwrap().generation, begun);
        scene.churn.crash();
        clients = scene.served().await;
        assert_eq!(clients.status().await.unwrap().serving.unwrap().generation, before.generation);
    }
    is_at(&clients, RebuildPhase::Switched).await;
    let serving = clients.reached(scene.last).await;
    assert_eq!((serving.generation, &serving.digest), (begun, &before.digest));
    assert_eq!(serving.digest, scene.machine.refolded(View::Churn, scene.last).await.digest);

    let remembered = scene.remembered();
    assert_eq!(remembered["generation"], begun, "{remembered}");
    assert_eq!(remembered["resumed"], WHILE_FOLDING + WHILE_SAVING);
    assert_eq!(remembered["outcome"], "REBUILD_PHASE_SWITCHED");
    assert_eq!(
        (remembered["customers_compared"].as_u64(), &remembered["customers_different"]),
        (Some(serving.customers + serving.erased), &0.into())
    );
    scene.churn.crash();
    let clients = scene.served().await;
    assert_eq!(clients.status().await.unwrap().serving.unwrap().generation, begun, "also after a restart");
    scene.churn.never_panicked();
}
