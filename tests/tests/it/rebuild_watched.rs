//! Who watches a rebuild goes on watching it when its projector is killed and starts again; several may, and none of
//! them ends it by ending.

use std::net::TcpListener;

use api::v1;
use serde_json::Value;
use tests::{Clients, Machine, Service, View, import_believable, text_of, until};
use tokio::task::{JoinHandle, spawn_blocking};

const CUSTOMERS: u64 = 1_000;
/// Events a second: slow enough to be killed in the middle.
const RATE: &str = "2000";

/// A projector at an address that it keeps when it starts again.
fn projector(machine: &Machine) -> Service {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (store, url) = (machine.store(View::Churn), machine.nats.url());
    let arguments = [
        ["projector", "churn"],
        ["--data", &store.to_string_lossy()],
        ["--listen", &free.to_string()],
        ["--metrics-listen", "off"],
        ["--nats-url", &url],
    ];
    let arguments: Vec<_> = arguments.as_flattened().iter().map(|text| (*text).to_owned()).collect();
    let mut service = Service::new("churn", machine.folder(), arguments);
    service.start();
    service
}

/// A rebuild at [`RATE`], by a command whose output can be looked at while it runs.
fn rebuilding(machine: &Machine, churn: &mut Service) -> Service {
    let address = format!("http://{}", churn.address());
    let arguments = ["rebuild", "churn", "--yes", "--max-rate", RATE, "--churn", &address, "-o", "json"];
    let mut command = Service::new("rebuilding", machine.folder(), arguments);
    command.start();
    command
}

/// The JSON that ends a command's output.
fn answer(output: &str) -> Value {
    let json = output.find('{').map_or("", |begin| &output[begin..]);
    serde_json::from_str(json).unwrap_or_else(|_| Value::String(output.to_owned()))
}

/// A command that watches: its exit code, its JSON, and what it says beside.
type Watching = JoinHandle<(Option<i32>, Value, String)>;

fn watch(machine: &Machine, churn: &mut Service, arguments: &[&str]) -> Watching {
    let (folder, address) = (machine.folder().to_owned(), format!("http://{}", churn.address()));
    let arguments: Vec<_> = arguments.iter().map(|text| (*text).to_owned()).collect();
    spawn_blocking(move || {
        let all: Vec<&str> = arguments.iter().map(String::as_str).chain(["--churn", &address, "-o", "json"]).collect();
        let (code, out, err) = text_of(&folder, &all);
        (code, answer(&out), err)
    })
}

/// Waits until the rebuild has folded more than this.
async fn folds_beyond(clients: &Clients, position: u64) {
    until("the rebuild to fold a part", async || {
        let rebuild = clients.rebuilds().get_rebuild(v1::GetRebuildRequest {}).await.ok()?.into_inner();
        (rebuild.progress?.position > position).then_some(())
    })
    .await;
}

/// A view of some customers that serves, with who may be asked about it.
struct Scene {
    /// To be taken first, so that it is dropped last: the services run on it.
    machine: Machine,
    _gateway: Service,
    clients: Clients,
    last: u64,
    churn: Service,
}

impl Scene {
    async fn new() -> Self {
        let machine = Machine::start();
        let mut gateway = machine.gateway();
        let writer = Clients::of(gateway.address());
        writer.serving("lifefold.v1.TouchpointService").await;
        import_believable(&writer, CUSTOMERS, 8).await;
        let last = machine.last_position().await.unwrap();
        let mut churn = projector(&machine);
        let clients = Clients::of(churn.address());
        clients.serving(View::Churn.service()).await;
        Self { machine, _gateway: gateway, clients, last, churn }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_watches_goes_on_watching_when_the_projector_starts_again() {
    let Scene { machine, _gateway, clients, last, mut churn } = Scene::new().await;
    let before = clients.kept(last).await;

    let mut begun = rebuilding(&machine, &mut churn);
    folds_beyond(&clients, last / 4).await;
    let followed = watch(&machine, &mut churn, &["rebuild", "status", "churn", "--follow"]);
    folds_beyond(&clients, last / 2).await;
    churn.kill();
    until("the command to find nobody", async || begun.output().contains("asking again").then_some(())).await;
    churn.start();

    let begun = spawn_blocking(move || (begun.wait().code(), answer(&begun.output()), begun.output())).await.unwrap();
    let followed = followed.await.unwrap();
    for (code, answer, err) in [begun, followed] {
        assert_eq!((code, &answer["verdict"]), (Some(0), &"SAME".into()), "{answer}\n{err}");
        assert_eq!(answer["rebuild"]["phase"], "REBUILD_PHASE_SWITCHED");
        assert_eq!(answer["after"]["digest"], before.digest);
    }
    let (_, history, _) = watch(&machine, &mut churn, &["rebuild", "history", "churn"]).await.unwrap();
    assert_eq!(history["rebuilds"][0]["resumed"], 1, "{history}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_watching_is_told_that_the_rebuild_goes_on() {
    let Scene { machine, _gateway, clients, last, mut churn } = Scene::new().await;
    let mut begun = rebuilding(&machine, &mut churn);
    folds_beyond(&clients, last / 4).await;
    begun.terminate();
    assert_eq!(begun.wait().code(), Some(1));
    let told = begun.output();
    assert!(
        told.contains("the rebuild goes on") && told.contains("`lifefold rebuild status churn --follow`"),
        "{told}"
    );
    let followed = watch(&machine, &mut churn, &["rebuild", "status", "churn", "--follow"]).await.unwrap();
    assert_eq!((followed.0, &followed.1["verdict"]), (Some(0), &"SAME".into()), "{}", followed.2);
}
