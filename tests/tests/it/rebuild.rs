//! A rebuild that finds the serving generation wrong: nothing is switched until somebody accepts, and the commands say
//! who differs.

use std::path::Path;

use api::v1;
use serde_json::{Value, json};
use tests::{
    Clients, Machine, Service, View, change_a_text, import_believable, instant, lose_a_page, metrics, text_of, until,
    visit,
};
use touchpoint::{CustomerId, EventId};

const CUSTOMERS: u64 = 60;
/// One who has visited once, and the visit.
const VISITOR: CustomerId = CustomerId::from_u128(7);
const VISIT: EventId = EventId::from_u128(7);
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
        Self::after(|store| lose_a_page(store).len()).await
    }

    /// A mistake has happened to so many customers.
    async fn after(mistake: impl FnOnce(&Path) -> usize) -> Self {
        let machine = Machine::start();
        let mut gateway = machine.gateway();
        let clients = Clients::of(gateway.address());
        clients.serving("lifefold.v1.TouchpointService").await;
        import_believable(&clients, CUSTOMERS, 3).await;
        let touchpoint = visit(VISITOR, VISIT, instant("2025-12-30T00:00:00Z"));
        let request = v1::RecordRequest { touchpoint: Some(touchpoint), expected_revision: None };
        clients.touchpoints().record(request).await.unwrap();
        let last = machine.last_position().await.unwrap();
        let churn = machine.projector(View::Churn);
        let mut scene = Self { gateway, churn, lost: 0, last, machine };
        scene.serving().await;
        scene.churn.terminate();
        scene.churn.wait();
        scene.lost = mistake(&scene.machine.store(View::Churn));
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

    /// Waits until the metrics say whether a rebuild waits for somebody to decide.
    async fn waits_for_a_decision(&mut self, waits: bool) {
        let (address, line) = (self.churn.metrics_address(), u8::from(waits));
        let line = format!("lifefold_projector_rebuild_waits{{view=\"churn\"}} {line}");
        until(&line, async || metrics(address).await.contains(&line).then_some(())).await;
    }

    /// The digest of a fresh fold of the log.
    async fn right_digest(&self) -> String {
        self.machine.refolded(View::Churn, self.last).await.digest
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
    scene.waits_for_a_decision(true).await;
    let told = scene.serving().await.status().await.unwrap().message;
    assert!(told.contains("waits for a decision") && told.contains("`lifefold rebuild status churn`"), "{told}");
    let (code, twice) = scene.rebuild(&["churn", "--yes"]);
    assert!(code == Some(1) && twice.to_string().contains("`lifefold rebuild cancel <view>`"), "{twice}");
    let (code, looked) = scene.rebuild(&["status", "churn"]);
    assert_eq!((code, &looked["rebuild"]["findings"]), (DIFFERS, findings));

    let (code, accepted) = scene.rebuild(&["accept", "churn"]);
    assert_eq!(code, Some(0), "{accepted}");
    assert_eq!((&accepted["after"]["digest"], &accepted["verdict"]), (&right.clone().into(), &"DIFFERS".into()));
    scene.waits_for_a_decision(false).await;
    assert_eq!(scene.serving().await.status().await.unwrap().message, "");
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
    let (code, cancelled) = scene.rebuild(&["cancel", "churn"]);
    assert_eq!((code, cancelled["generation"].as_u64()), (Some(0), Some(served + 1)), "{cancelled}");
    until("the rebuild to be given up", async || {
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
    let (code, retired) = scene.rebuild(&["retire", "churn"]);
    assert_eq!((code, &retired["generation"]), (Some(0), &back["after"]["generation"]), "{retired}");
    assert_eq!(scene.rebuild(&["retire", "churn"]).0, Some(1));
}

/// A consultant other than the one whom the log names.
fn name_another_consultant(store: &Path) {
    change_a_text(store, VISITOR, "K-1", "K-9");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_field_is_named_with_both_values_and_put_right() {
    let mistake = |store: &Path| {
        name_another_consultant(store);
        1
    };
    let mut scene = Scene::after(mistake).await;
    let right = scene.right_digest().await;
    let (code, found) = scene.rebuild(&["churn", "--yes"]);
    assert_eq!(code, DIFFERS, "{found}");
    let findings = &found["rebuild"]["findings"];
    assert_eq!(findings["customers_different"], 1);
    assert_eq!(findings["counts"], json!([{"kind": "DIFFERENCE_KIND_CHANGED", "count": 1}]));
    let field = json!({"field": "data.consultant_id", "serving_value": "\"K-9\"", "new_value": "\"K-1\""});
    let changed = json!({
        "customer_id": VISITOR.to_string(),
        "differences": [{
            "kind": "DIFFERENCE_KIND_CHANGED",
            "event_id": VISIT.to_string(),
            "event_type": "VisitRecorded",
            "position": 0,
            "fields": [field],
        }],
    });
    assert_eq!(findings["customers"], json!([changed]));

    let (folder, address) = (scene.machine.folder().to_owned(), format!("http://{}", scene.churn.address()));
    let (code, table, err) = text_of(&folder, &["rebuild", "status", "churn", "--churn", &address]);
    assert_eq!(code, DIFFERS, "{err}");
    let lines: Vec<Vec<_>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    let (customer, event) = (VISITOR.to_string(), VISIT.to_string());
    assert!(lines.contains(&vec![customer.as_str()]), "{table}");
    assert!(lines.contains(&vec!["CHANGED", "VisitRecorded", event.as_str()]), "{table}");
    assert!(lines.contains(&vec!["CHANGED", "data.consultant_id", "\"K-9\"", "\"K-1\""]), "{table}");

    scene.rebuild(&["cancel", "churn"]);
    let (code, answer) = scene.rebuild(&["churn", "--customer", &VISITOR.to_string()]);
    assert_eq!((code, &answer["difference"]), (DIFFERS, &changed), "{answer}");
    assert_eq!(scene.serving().await.reached(scene.last).await.digest, right);
    assert_eq!(scene.rebuild(&["churn", "--customer", &VISITOR.to_string()]).0, Some(0), "nothing is left to mend");
    scene.churn.never_panicked();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scrub_puts_a_changed_field_right() {
    let mut scene = Scene::after(|_| 0).await;
    let right = scene.serving().await.reached(scene.last).await.digest;
    scene.churn.terminate();
    scene.churn.wait();
    let store = scene.machine.store(View::Churn);
    name_another_consultant(&store);
    let arguments = ["projector", "churn", "--data", &store.to_string_lossy(), "--scrub-rate", "1000"];
    scene.churn = scene.machine.service("scrubbed", arguments);
    let clients = scene.serving().await;
    let scrub =
        until("the record to be put right", async || clients.status().await?.scrub.filter(|scrub| scrub.repaired == 1))
            .await;
    let found = scrub.last_found.unwrap();
    assert_eq!((found.customer_id, found.what.as_str()), (VISITOR.to_string(), "CHANGED VisitRecorded"));
    assert_eq!(clients.reached(scene.last).await.digest, right);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_what_a_rebuild_would_take() {
    let mut scene = Scene::after(|_| 0).await;
    let (code, plan) = scene.rebuild(&["churn", "--dry-run", "--max-rate", "10"]);
    let number = |name: &str| plan[name].as_u64().unwrap_or_else(|| panic!("{name} in {plan}"));
    assert_eq!((code, number("events"), number("sampled_events")), (Some(0), scene.last, scene.last));
    let seconds = scene.last / 10;
    let time: f64 = plan["estimated_time"].as_str().unwrap().trim_end_matches('s').parse().unwrap();
    assert_eq!(number("events_per_second"), 10, "bounded");
    assert!((seconds..seconds + 5).contains(&(time as u64)), "{time} s, at 10 a second {seconds}");
    let serving = scene.serving().await.reached(scene.last).await;
    // As docs/benchmarks.md measured it: bytes a customer beside the records, bytes on disk for a byte of a record.
    assert_eq!(number("memory_bytes"), serving.records_bytes + serving.customers * 720);
    assert_eq!(number("disk_bytes"), (serving.records_bytes as f64 * 1.8) as u64);
    assert!(number("memory_available_bytes") > 1 << 20 && number("disk_free_bytes") > 1 << 20, "{plan}");
    assert_eq!(number("previous_generation"), 0);

    assert_eq!(scene.rebuild(&["status", "churn"]).1["rebuild"]["generation"], 0, "nothing was begun");
    assert_eq!(scene.rebuild(&["churn", "--yes"]).0, Some(0));
    let (_, plan) = scene.rebuild(&["churn", "--dry-run"]);
    assert_eq!(plan["previous_generation"], serving.generation, "{plan}");
    assert!(plan["events_per_second"].as_u64() > Some(10));
}
