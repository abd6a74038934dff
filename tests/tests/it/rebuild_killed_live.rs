//! kill -9 of a projector in every phase of a rebuild, right after going back, and right after the previous generation
//! was retired, while events keep coming: no position on disk is ever ahead of its records, no generation has anything of
//! another one, and in the end the view is what a fresh fold of the log is.

use std::collections::BTreeSet;
use std::path::Path;

use api::v1;
use api::v1::RebuildPhase;
use event_log::Subject;
use tests::{
    Clients, Machine, Recorder, Service, View, import_believable, instant, is_what_the_log_says, lose_a_page, until,
};
use tokio::task::JoinSet;
use tonic::Code;

const CUSTOMERS: u64 = 2_000;
/// Callers who record beside the rebuild.
const RECORDERS: u128 = 2;
/// Events a second: slow enough to be hit in the middle.
const RATE: u64 = 6_000;
/// Rebuilds that are begun until one is seen in a phase that may be short.
const ATTEMPTS: usize = 6;
/// Callers who ask for many customers at once, so that a comparison is held back, and long enough to be hit.
const ASKERS: usize = 4;
/// Customers that they ask for at once: longer than the bound of a millisecond.
const ASKED_FOR: usize = 500;

/// A view, and callers who record.
struct Scene {
    churn: Service,
    recorder: Recorder,
    _gateway: Service,
    // Dropped last: the services run on it.
    machine: Machine,
}

impl Scene {
    /// A mistake happens to the store before anybody records beside.
    async fn new(mistake: impl FnOnce(&Path)) -> Self {
        let machine = Machine::start();
        let mut gateway = machine.gateway();
        let clients = Clients::of(gateway.address());
        clients.serving("lifefold.v1.TouchpointService").await;
        import_believable(&clients, CUSTOMERS, 7).await;
        let store = machine.store(View::Churn);
        let arguments = ["projector", "churn", "--data", &store.to_string_lossy(), "--rebuild-max-p99", "1"];
        let mut churn = machine.service("churn", arguments);
        let last = machine.last_position().await.unwrap();
        Clients::of(churn.address()).kept(last).await;
        churn.terminate();
        churn.wait();
        mistake(&store);
        churn.start();
        let recorder = Recorder::start(RECORDERS, gateway.address(), instant("2025-12-30T00:00:00Z"));
        let mut scene = Self { churn, recorder, _gateway: gateway, machine };
        scene.served(last).await;
        scene
    }

    /// Waits until the projector serves, and gives clients of it. Its first answer is as far as the log was.
    async fn served(&mut self, last: u64) -> Clients {
        let clients = Clients::of(self.churn.address());
        clients.serving(View::Churn.service()).await;
        let answer = clients.churn().count_bands(v1::CountBandsRequest::default()).await.unwrap().into_inner();
        assert!(answer.meta.unwrap().position >= last, "nobody is answered anything old");
        clients
    }

    /// kill -9, a look at what is on disk, and another start.
    async fn killed(&mut self, known_wrong: Option<u64>) -> Clients {
        let last = self.machine.last_position().await.unwrap();
        self.churn.kill();
        is_what_the_log_says(&self.machine.store(View::Churn), &self.machine.log_entries().await, known_wrong);
        self.churn.start();
        self.served(last).await
    }

    /// In the end the view is a fresh fold of the log.
    async fn ends_right(self) {
        let Self { mut churn, recorder, _gateway, machine } = self;
        recorder.stop().await;
        let last = machine.last_position().await.unwrap();
        let serving = Clients::of(churn.address()).reached(last).await;
        assert_eq!(serving.digest, machine.refolded(View::Churn, last).await.digest);
        churn.never_panicked();
    }
}

async fn looked_at(clients: &Clients) -> v1::GetRebuildResponse {
    clients.rebuilds().get_rebuild(v1::GetRebuildRequest {}).await.unwrap().into_inner()
}

/// Waits until the rebuild is in a phase that may be short; begins another one where it was over before it was seen.
/// Gives the generation that serves then, or did, and the new one.
async fn caught_in(clients: &Clients, mut begun: u64, phase: RebuildPhase) -> [u64; 2] {
    for _ in 0..ATTEMPTS {
        let seen = until(&format!("the rebuild to be {}", phase.as_str_name()), async || {
            Some(looked_at(clients).await.phase()).filter(|seen| [phase, RebuildPhase::Switched].contains(seen))
        })
        .await;
        if seen == phase {
            return [begun - 1, begun];
        }
        begun = begin(clients).await;
    }
    panic!("{} was never seen", phase.as_str_name())
}

/// Waits for a phase of this rebuild.
async fn is_at(clients: &Clients, generation: u64, phase: RebuildPhase) {
    until(&format!("the rebuild to be {}", phase.as_str_name()), async || {
        let rebuild = looked_at(clients).await;
        assert!(rebuild.generation == generation && rebuild.phase() != RebuildPhase::GivenUp, "{rebuild:?}");
        (rebuild.phase() == phase).then_some(())
    })
    .await
}

async fn begin(clients: &Clients) -> u64 {
    let request = v1::RebuildRequest { max_events_per_second: RATE, ..Default::default() };
    clients.projector().rebuild(request).await.unwrap().into_inner().generation
}

async fn served_by(clients: &Clients) -> u64 {
    clients.status().await.unwrap().serving.unwrap().generation
}

/// Callers whose answers take longer than they may, until this is dropped.
struct Askers {
    _all: JoinSet<()>,
}

impl Askers {
    async fn start(clients: &Clients, machine: &Machine) -> Self {
        let mut all = JoinSet::new();
        let log = machine.log_entries().await;
        let customers = log.iter().filter_map(|entry| match &entry.subject {
            Subject::Customer(customer) => Some(customer.to_string()),
            _ => None,
        });
        let customer_ids: Vec<_> = customers.collect::<BTreeSet<_>>().into_iter().take(ASKED_FOR).collect();
        for _ in 0..ASKERS {
            let (clients, customer_ids) = (clients.clone(), customer_ids.clone());
            all.spawn(async move {
                let request = || v1::BatchGetRisksRequest { customer_ids: customer_ids.clone(), query: None };
                while clients.churn().batch_get_risks(request()).await.is_ok() {}
            });
        }
        Self { _all: all }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_survives_a_kill_in_every_phase_while_events_keep_coming() {
    let mut scene = Scene::new(|_| ()).await;
    let clients = scene.served(0).await;
    let begun = begin(&clients).await;
    until("the rebuild to fold a part", async || (looked_at(&clients).await.progress?.position > 2_000).then_some(()))
        .await;
    let clients = scene.killed(None).await;

    let askers = Askers::start(&clients, &scene.machine).await;
    let [before, begun] = caught_in(&clients, begun, RebuildPhase::Verifying).await;
    let clients = scene.killed(None).await;
    drop(askers);
    assert_eq!(served_by(&clients).await, before);

    let [before, begun] = caught_in(&clients, begun, RebuildPhase::Saving).await;
    let clients = scene.killed(None).await;
    assert!([before, begun].contains(&served_by(&clients).await), "the old one, or just marked");
    is_at(&clients, begun, RebuildPhase::Switched).await;
    let clients = scene.killed(None).await;
    assert_eq!(served_by(&clients).await, begun, "also after a restart");
    scene.recorder.more(50).await;
    scene.ends_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_is_found_again_after_a_kill_and_what_was_accepted_is() {
    let mut scene = Scene::new(|store| drop(lose_a_page(store))).await;
    let clients = scene.served(0).await;
    let wrong = served_by(&clients).await;
    let begun = begin(&clients).await;
    is_at(&clients, begun, RebuildPhase::Differs).await;
    let clients = scene.killed(Some(wrong)).await;
    is_at(&clients, begun, RebuildPhase::Differs).await;
    assert_eq!(served_by(&clients).await, wrong);
    clients.rebuilds().accept_rebuild(v1::AcceptRebuildRequest {}).await.unwrap();
    let clients = scene.killed(Some(wrong)).await;
    is_at(&clients, begun, RebuildPhase::Switched).await;
    assert_eq!(served_by(&clients).await, begun);
    scene.ends_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn going_back_and_retiring_survive_a_kill_right_after() {
    let mut scene = Scene::new(|_| ()).await;
    let clients = scene.served(0).await;
    let first = served_by(&clients).await;
    let second = begin(&clients).await;
    is_at(&clients, second, RebuildPhase::Switched).await;
    clients.rebuilds().roll_back(v1::RollBackRequest {}).await.unwrap();
    let clients = scene.killed(None).await;
    is_at(&clients, first, RebuildPhase::Switched).await;
    assert_eq!(served_by(&clients).await, first);

    // Killed while it is asked for: it is there, or it is not.
    let retiring = clients.clone();
    let asked = tokio::spawn(async move { retiring.rebuilds().retire_previous(v1::RetirePreviousRequest {}).await });
    let clients = scene.killed(None).await;
    let was_retired = asked.await.unwrap().is_ok();
    let again = clients.rebuilds().retire_previous(v1::RetirePreviousRequest {}).await;
    match again {
        Ok(retired) => assert!(!was_retired && retired.into_inner().generation == second),
        Err(status) => assert_eq!(status.code(), Code::FailedPrecondition, "{status}"),
    }
    // Killed right after the answer: it is gone.
    let clients = scene.killed(None).await;
    let gone = clients.rebuilds().roll_back(v1::RollBackRequest {}).await.unwrap_err();
    assert_eq!(gone.code(), Code::FailedPrecondition, "{gone}");
    scene.recorder.more(50).await;
    scene.ends_right().await;
}
