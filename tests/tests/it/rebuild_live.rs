//! A rebuild while the log grows and clients ask: nobody is refused, nobody is answered anything older than what they
//! wrote or saw, and in the end the new generation is what a fresh fold of the log is.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use api::v1;
use serde_json::Value;
use tests::{Clients, Machine, View, import_believable, instant, text_of, until, visit};
use tokio::task::{JoinSet, spawn_blocking};
use tokio_util::sync::CancellationToken;
use touchpoint::{CustomerId, EventId};

const CUSTOMERS: u64 = 1_000;
/// Events a second that are folded: the rebuild takes some seconds.
const RATE: &str = "2000";
const CALLERS: u128 = 4;
/// Rounds of all callers that must fit beside the rebuild, and that follow the switch.
const ROUNDS: usize = 40;

/// One who records and asks, over and over; every error fails the test.
struct Caller {
    number: u128,
    gateway: Clients,
    churn: Clients,
    /// Customers before anybody recorded anything.
    customers: u64,
    recorded: u64,
    /// The latest position that was answered.
    seen: u64,
}

impl Caller {
    async fn goes_round(mut self, rounds: Arc<AtomicUsize>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let (customer, position) = self.record().await;
            self.ask(customer, position).await;
            rounds.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Records the first event of somebody new.
    async fn record(&mut self) -> (CustomerId, u64) {
        let id = self.number << 64 | u128::from(self.recorded);
        let touchpoint = visit(CustomerId::from_u128(id), EventId::from_u128(id), instant("2025-12-30T00:00:00Z"));
        let request = v1::RecordRequest { touchpoint: Some(touchpoint), expected_revision: None };
        let answer = self.gateway.touchpoints().record(request).await.unwrap().into_inner();
        assert!(!answer.duplicate);
        self.recorded += 1;
        (CustomerId::from_u128(id), answer.position)
    }

    /// Nobody but the event just recorded makes the customer known.
    async fn ask(&mut self, customer: CustomerId, position: u64) {
        let query = Some(v1::ViewQuery { min_position: position, ..Default::default() });
        let request = v1::GetRiskRequest { customer_id: customer.to_string(), query };
        let answer = self.churn.churn().get_risk(request).await.unwrap().into_inner();
        assert_eq!(answer.risk.unwrap().customer_id, customer.to_string());
        self.sees(answer.meta, position);
        let bands = self.churn.churn().count_bands(v1::CountBandsRequest::default()).await.unwrap().into_inner();
        assert!(bands.customers >= self.customers + self.recorded, "{bands:?}");
        self.sees(bands.meta, position);
    }

    fn sees(&mut self, meta: Option<v1::AnswerMeta>, at_least: u64) {
        let position = meta.unwrap().position;
        assert!(position >= at_least.max(self.seen), "{position} after {} and {at_least}", self.seen);
        self.seen = position;
    }
}

/// The callers, and how many rounds they have gone.
struct Callers {
    all: JoinSet<()>,
    rounds: Arc<AtomicUsize>,
    stop: CancellationToken,
}

impl Callers {
    async fn start(gateway: &Clients, churn: &Clients) -> Self {
        let bands = churn.churn().count_bands(v1::CountBandsRequest::default()).await.unwrap().into_inner();
        let (rounds, stop, mut all) = (Arc::default(), CancellationToken::new(), JoinSet::new());
        for number in 1..=CALLERS {
            let (gateway, churn) = (gateway.clone(), churn.clone());
            let caller = Caller { number, gateway, churn, customers: bands.customers, recorded: 0, seen: 0 };
            all.spawn(caller.goes_round(Arc::clone(&rounds), stop.clone()));
        }
        Self { all, rounds, stop }
    }

    fn rounds(&self) -> usize {
        self.rounds.load(Ordering::Relaxed)
    }

    /// Waits until they have gone so many more rounds, all of them alive.
    async fn more(&mut self, rounds: usize) {
        let wanted = self.rounds() + rounds;
        until("more rounds of the callers", async || {
            if let Some(ended) = self.all.try_join_next() {
                ended.expect("a caller was answered wrongly");
            }
            (self.rounds() >= wanted).then_some(())
        })
        .await;
    }

    async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.all.join_next().await {
            ended.expect("a caller was answered wrongly");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_notices_a_rebuild() {
    let machine = Machine::start();
    let (mut gateway, mut churn) = (machine.gateway(), machine.projector(View::Churn));
    let (writer, reader) = (Clients::of(gateway.address()), Clients::of(churn.address()));
    writer.serving("lifefold.v1.TouchpointService").await;
    import_believable(&writer, CUSTOMERS, 6).await;
    reader.serving(View::Churn.service()).await;
    let before = reader.reached(machine.last_position().await.unwrap()).await;

    let mut callers = Callers::start(&writer, &reader).await;
    callers.more(ROUNDS).await;
    let (folder, address) = (machine.folder().to_owned(), format!("http://{}", churn.address()));
    let rounds = callers.rounds();
    let rebuilding = spawn_blocking(move || {
        text_of(&folder, &["rebuild", "churn", "--yes", "--max-rate", RATE, "-o", "ndjson", "--churn", &address])
    });
    let (code, out, err) = rebuilding.await.unwrap();
    let beside = callers.rounds() - rounds;
    callers.more(ROUNDS).await;
    callers.stop().await;
    assert!(beside > ROUNDS, "{beside} rounds beside the rebuild");

    assert_eq!(code, Some(0), "{out}{err}");
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (last, progress) = lines.split_last().unwrap();
    assert_eq!((&last["verdict"], &last["rebuild"]["phase"]), (&"SAME".into(), &"REBUILD_PHASE_SWITCHED".into()));
    assert!(last["after"]["generation"].as_u64().unwrap() > before.generation);
    goes_ahead(progress);

    let end = machine.last_position().await.unwrap();
    let serving = reader.reached(end).await;
    assert_eq!(serving.digest, machine.refolded(View::Churn, end).await.digest);
    churn.never_panicked();
    gateway.never_panicked();
}

/// The lines that tell programs how far it is: one a second at least, ever further, within the rate.
fn goes_ahead(lines: &[Value]) {
    let folding: Vec<_> = lines.iter().filter(|it| it["rebuild"]["phase"] == "REBUILD_PHASE_FOLDING").collect();
    assert!(folding.len() > 1, "{lines:?}");
    let of = |line: &Value, field: &str| line["rebuild"]["progress"][field].as_u64().unwrap();
    for line in &folding {
        assert_eq!(line["view"], "churn");
        assert!(of(line, "position") <= of(line, "head"), "{line}");
        assert_eq!(of(line, "max_events_per_second").to_string(), RATE);
    }
    let positions: Vec<_> = folding.iter().map(|line| of(line, "position")).collect();
    assert!(positions.is_sorted() && positions.first() < positions.last(), "{positions:?}");
}
