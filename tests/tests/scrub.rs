//! Records that a mistake has made wrong are put right from the log: one customer by a command, everybody by the scrub.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use serde_json::Value;
use tests::{Clients, Machine, Service, View, import_believable, lose_a_page, lose_an_event, text_of};
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
