//! A rebuild that finds the serving generation wrong: nothing is switched until somebody accepts, and the commands say
//! who differs.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use serde_json::Value;
use tests::{Clients, Machine, Service, View, import_believable, lose_a_page, text_of};

const CUSTOMERS: u64 = 60;
/// The exit code of "differs".
const DIFFERS: Option<i32> = Some(3);

/// A log, and a view of it whose store has lost some customers.
struct Scene {
    gateway: Service,
    churn: Service,
    lost: usize,
    last: u64,
    // Dropped last: the services run on it.
    machine: Machine,
}

impl Scene {
    async fn new() -> Self {
        let machine = Machine::start();
        let mut gateway = machine.gateway();
        let clients = Clients::of(gateway.address());
        clients.serving("lifefold.v1.TouchpointService").await;
        import_believable(&clients, CUSTOMERS, 3).await;
        let last = machine.last_position().await.unwrap();
        let churn = machine.projector(View::Churn);
        let mut scene = Self { gateway, churn, lost: 0, last, machine };
        scene.serving().await;
        scene.churn.terminate();
        scene.churn.wait();
        scene.lost = lose_a_page(&scene.machine.store(View::Churn)).len();
        scene.churn.start();
        scene.serving().await;
        scene
    }

    async fn serving(&mut self) -> Clients {
        let clients = Clients::of(self.churn.address());
        clients.serving(View::Churn.service()).await;
        clients.reached(self.last).await;
        clients
    }

    /// Runs `rebuild` with these arguments: its exit code, and its JSON.
    fn rebuild(&mut self, arguments: &[&str]) -> (Option<i32>, Value) {
        let address = format!("http://{}", self.churn.address());
        let all: Vec<_> = ["rebuild"].iter().chain(arguments).copied().chain(["--churn", &address]).collect();
        let (code, out, err) = text_of(self.machine.folder(), &[&all[..], &["-o", "json"]].concat());
        (code, serde_json::from_str(&out).unwrap_or_else(|_| Value::String(format!("{out}{err}"))))
    }

    /// The digest of a fresh fold of the log.
    async fn right_digest(&self) -> String {
        let store = self.machine.folder().join("fresh");
        let mut fresh = self.machine.projector_on("fresh", View::Churn, &store);
        let clients = Clients::of(fresh.address());
        clients.serving(View::Churn.service()).await;
        clients.reached(self.last).await.digest
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seeded_wrong_record_is_shown_and_the_switch_waits_for_somebody() {
    let mut scene = Scene::new().await;
    let right = scene.right_digest().await;
    let wrong = scene.serving().await.reached(scene.last).await;
    assert_ne!(wrong.digest, right);

    let (code, found) = scene.rebuild(&["churn", "--yes"]);
    assert_eq!((code, &found["verdict"]), (DIFFERS, &"DIFFERS".into()), "{found}");
    let findings = &found["rebuild"]["findings"];
    assert_eq!(findings["customers_different"], scene.lost);
    assert_eq!(findings["customers"][0]["differences"][0]["kind"], "DIFFERENCE_KIND_EXTRA");
    assert_eq!(found["after"]["generation"], wrong.generation, "the old one serves");
    let (code, looked) = scene.rebuild(&["status", "churn"]);
    assert_eq!((code, &looked["rebuild"]["findings"]), (DIFFERS, findings));

    let (code, accepted) = scene.rebuild(&["accept", "churn"]);
    assert_eq!(code, Some(0), "{accepted}");
    assert_eq!((&accepted["after"]["digest"], &accepted["verdict"]), (&right.clone().into(), &"DIFFERS".into()));
    let (code, again) = scene.rebuild(&["churn", "--yes"]);
    assert_eq!((code, &again["verdict"]), (Some(0), &"SAME".into()), "{again}");
    assert_eq!(again["after"]["digest"], right);
    scene.churn.never_panicked();
    scene.gateway.never_panicked();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_rebuild_leaves_what_was_served_and_an_accepted_one_does_not_wait() {
    let mut scene = Scene::new().await;
    let served = scene.serving().await.reached(scene.last).await.generation;
    let (code, none) = scene.rebuild(&["cancel", "churn"]);
    assert_eq!(code, Some(1));
    assert!(none.to_string().contains("no rebuild"), "{none}");

    assert_eq!(scene.rebuild(&["churn", "--yes"]).0, DIFFERS);
    assert_eq!(scene.rebuild(&["cancel", "churn"]).0, Some(0));
    tests::until("the rebuild to be given up", async || {
        let (code, looked) = scene.rebuild(&["status", "churn"]);
        (looked["rebuild"]["phase"] == "REBUILD_PHASE_GIVEN_UP" && code == Some(1)).then_some(())
    })
    .await;
    assert_eq!(scene.serving().await.reached(scene.last).await.generation, served);

    let right = scene.right_digest().await;
    let (code, switched) = scene.rebuild(&["churn", "--accept", "--yes"]);
    assert_eq!((code, &switched["after"]["digest"]), (Some(0), &right.into()), "{switched}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_is_one_command_and_keeps_the_way_back() {
    let mut scene = Scene::new().await;
    let wrong = scene.serving().await.reached(scene.last).await;
    assert_eq!(scene.rebuild(&["rollback", "churn"]).0, Some(1), "nothing to go back to");
    let (_, switched) = scene.rebuild(&["churn", "--accept", "--yes"]);
    let (code, back) = scene.rebuild(&["rollback", "churn"]);
    assert_eq!((code, &back["after"]["digest"]), (Some(0), &wrong.digest.clone().into()), "{back}");
    let (code, again) = scene.rebuild(&["rollback", "churn"]);
    assert_eq!((code, &again["after"]["digest"]), (Some(0), &switched["after"]["digest"]), "{again}");
    assert_eq!(scene.rebuild(&["retire", "churn"]).0, Some(0));
    assert_eq!(scene.rebuild(&["retire", "churn"]).0, Some(1));
}
