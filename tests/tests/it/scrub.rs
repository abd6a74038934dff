//! Records that a mistake has made wrong are put right from the log: one customer by a command, everybody by the scrub.

use serde_json::Value;
use tests::{Clients, Machine, Service, View, import_believable, lose_a_page, lose_an_event, metrics, text_of, until};
use touchpoint::CustomerId;

const CUSTOMERS: u64 = 60;
/// The exit code of "differs".
const DIFFERS: Option<i32> = Some(3);

/// A log, and a view of it that was stopped in order.
struct Scene {
    churn: Service,
    last: u64,
    right: String,
    _gateway: Service,
    // Dropped last: the services run on it.
    machine: Machine,
}

impl Scene {
    async fn new() -> Self {
        let machine = Machine::start();
        let mut gateway = machine.gateway();
        let clients = Clients::of(gateway.address());
        clients.serving("lifefold.v1.TouchpointService").await;
        import_believable(&clients, CUSTOMERS, 5).await;
        let last = machine.last_position().await.unwrap();
        let mut churn = machine.projector(View::Churn);
        let right = Clients::of(churn.address()).reached(last).await.digest;
        churn.terminate();
        churn.wait();
        Self { churn, last, right, _gateway: gateway, machine }
    }

    /// Starts the view, and gives its digest once it serves.
    async fn started(&mut self) -> String {
        self.churn.start();
        let clients = Clients::of(self.churn.address());
        clients.serving(View::Churn.service()).await;
        clients.reached(self.last).await.digest
    }

    fn lifefold(&mut self, arguments: &[&str]) -> (Option<i32>, Value) {
        let address = format!("http://{}", self.churn.address());
        let all = [arguments, &["--churn", &address, "-o", "json"]].concat();
        let (code, out, err) = text_of(self.machine.folder(), &all);
        (code, serde_json::from_str(&out).unwrap_or_else(|_| Value::String(format!("{out}{err}"))))
    }

    fn rebuild(&mut self, customer: CustomerId) -> (Option<i32>, Value) {
        self.lifefold(&["rebuild", "churn", "--customer", &customer.to_string()])
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_customer_is_put_right_by_a_command_durably() {
    let mut scene = Scene::new().await;
    let store = scene.machine.store(View::Churn);
    let (lost, short) = (lose_a_page(&store), lose_an_event(&store));
    assert_ne!(scene.started().await, scene.right);

    let (code, answer) = scene.rebuild(short);
    assert_eq!((code, &answer["differences"]), (DIFFERS, &1.into()), "{answer}");
    let difference = &answer["difference"]["differences"][0];
    assert_eq!(difference["kind"], "DIFFERENCE_KIND_EXTRA", "{answer}");
    for customer in lost {
        assert_eq!(scene.rebuild(customer).0, DIFFERS);
    }
    // Killed right after the answer: it is durable.
    scene.churn.kill();
    assert_eq!(scene.started().await, scene.right);

    let (code, answer) = scene.rebuild(short);
    assert_eq!((code, answer["position"].as_u64(), answer.get("difference")), (Some(0), Some(scene.last), None));
    let (code, nobody) = scene.rebuild(CustomerId::from_u128(1));
    assert!(code == Some(1) && nobody.to_string().contains("is not known"), "{nobody}");
    scene.churn.never_panicked();
}

/// A number of the metrics page.
async fn metric(service: &mut Service, name: &str) -> Option<f64> {
    let text = metrics(service.metrics_address()).await;
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.rsplit_once(' ')?.1.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scrub_finds_what_is_wrong_counts_it_and_puts_it_right() {
    let mut scene = Scene::new().await;
    let store = scene.machine.store(View::Churn);
    let wrong = lose_a_page(&store).len() + 1;
    let short = lose_an_event(&store);
    scene.churn = scene.machine.service(
        "scrubbed",
        ["projector", View::Churn.name(), "--data", &store.to_string_lossy(), "--scrub-rate", "1000"],
    );
    let clients = Clients::of(scene.churn.address());
    clients.serving(View::Churn.service()).await;
    let scrub = until("a whole round", async || {
        clients.status().await?.scrub.filter(|scrub| scrub.round > 1 && scrub.repaired == wrong as u64)
    })
    .await;
    assert_eq!((scrub.different, scrub.waiting.as_str()), (wrong as u64, ""), "{scrub:?}");
    assert!(scrub.checked >= CUSTOMERS && scrub.last_round.is_some());
    assert_eq!(clients.reached(scene.last).await.digest, scene.right, "as a fresh fold of the log");

    assert_eq!(metric(&mut scene.churn, "lifefold_projector_scrub_different_total").await, Some(wrong as f64));
    assert_eq!(metric(&mut scene.churn, "lifefold_projector_scrub_repaired_total").await, Some(wrong as f64));
    let told: Vec<Value> = scene.churn.output().lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let told: Vec<_> = told.iter().filter(|line| line["level"] == "ERROR").map(|line| &line["fields"]).collect();
    assert_eq!(told.len(), wrong, "{told:?}");
    assert!(
        told.iter().any(|it| it["customer"] == short.to_string() && it["what"].as_str().unwrap().starts_with("EXTRA "))
    );
    let (code, status) = scene.lifefold(&["status"]);
    assert_eq!(status[2]["scrub"]["different"], wrong, "{code:?} {status}");
    // Killed at once: what was counted as repaired is durable.
    scene.churn.kill();
    scene.churn = scene.machine.projector_on("again", View::Churn, &store);
    let clients = Clients::of(scene.churn.address());
    clients.serving(View::Churn.service()).await;
    assert_eq!(clients.reached(scene.last).await.digest, scene.right);
    scene.churn.never_panicked();
}
