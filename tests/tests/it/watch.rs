//! Who watches a view hears of every change, through crashes and rebuilds, or is told to list again.

use std::collections::BTreeMap;
use std::process::Command;

use api::v1;
use api::v1::watch_step::Cause;
use serde_json::Value;
use tests::{Clients, PATIENCE, Service, System, View, instant, metrics, until, until_sync, visit};
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt;
use touchpoint::{CustomerId, EventId, Timestamp};

type Stream = Streaming<v1::WatchRiskResponse>;

/// What a client has been told.
struct Watcher {
    stream: Stream,
    state: BTreeMap<String, v1::WatchedRisk>,
    cursor: String,
    /// Every change after the list.
    changes: Vec<v1::RiskChange>,
    /// The position up to which all was told.
    position: u64,
}

async fn open(churn: &Clients, request: v1::WatchRiskRequest) -> Result<Stream, Status> {
    Ok(churn.churn().watch_risk(request).await?.into_inner())
}

impl Watcher {
    /// Lists everybody, and follows.
    async fn start(churn: &Clients) -> Self {
        let stream = open(churn, v1::WatchRiskRequest::default()).await.unwrap();
        let (state, cursor, changes) = Default::default();
        let mut watcher = Self { stream, state, cursor, changes, position: 0 };
        watcher.until("the list", |watcher| !watcher.cursor.is_empty()).await;
        watcher
    }

    /// Begins a new stream where this one is.
    async fn resume(&mut self, churn: &Clients) {
        let request = v1::WatchRiskRequest { cursor: self.cursor.clone(), ..Default::default() };
        self.stream = open(churn, request).await.unwrap();
    }

    /// Reads until this holds.
    async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        while !holds(self) {
            let next = tokio::time::timeout(PATIENCE, self.stream.message()).await;
            let answer = next.unwrap_or_else(|_| panic!("waited {PATIENCE:?} for {what}")).unwrap();
            self.hear(answer.expect("a watch has no end"));
        }
    }

    fn hear(&mut self, answer: v1::WatchRiskResponse) {
        for change in answer.changes {
            let step = change.step.clone().unwrap();
            let had = match (step.effect(), change.after.clone()) {
                (v1::WatchEffect::Left, _) => self.state.remove(&change.customer_id),
                (_, after) => self.state.insert(change.customer_id.clone(), after.unwrap()),
            };
            if step.effect() != v1::WatchEffect::Listed {
                assert_eq!(had, change.before.clone(), "a change is missing, or comes twice: {change:?}");
                self.cursor = step.cursor;
                self.changes.push(change);
            }
        }
        if let Some(mark) = answer.mark {
            (self.cursor, self.position) = (mark.cursor, mark.position);
        }
    }

    /// Reads to the end of the stream.
    async fn ended(&mut self) -> (Code, String) {
        let end = async {
            loop {
                match self.stream.message().await {
                    Ok(answer) => self.hear(answer.expect("a watch ends with a status")),
                    Err(status) => return refusal(&status),
                }
            }
        };
        tokio::time::timeout(PATIENCE, end).await.expect("the end in time")
    }
}

fn refusal(status: &Status) -> (Code, String) {
    (status.code(), status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default())
}

fn customer(number: u128) -> CustomerId {
    CustomerId::from_u128(0x0190_a5c8 << 96 | number)
}

/// Records a visit of now; its position.
async fn record(gateway: &Clients, number: u128, at: Timestamp) -> u64 {
    let touchpoint = Some(visit(customer(number), EventId::from_u128(0x0190_a5c8 << 96 | number), at));
    let request = v1::RecordRequest { touchpoint, expected_revision: None };
    gateway.touchpoints().record(request).await.unwrap().into_inner().position
}

fn now() -> Timestamp {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap())
}

/// Who is at risk, as the lists say it.
async fn listed(churn: &Clients, min_position: u64) -> BTreeMap<String, Option<u32>> {
    let query = Some(v1::ViewQuery { min_position, ..Default::default() });
    let request = v1::ListAtRiskRequest { query, page_size: 1_000, ..Default::default() };
    let risks = churn.churn().list_at_risk(request).await.unwrap().into_inner().risks;
    risks.into_iter().map(|risk| (risk.customer_id, risk.p_millionths)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_told_with_its_event_and_a_restart_ends_the_cursor() {
    let mut system = System::start().await;
    let (gateway, churn) = (system.writer(), system.reader(View::Churn));
    let at = instant("2026-01-10T08:00:00Z");
    let mut watcher = Watcher::start(&churn).await;
    for number in 0..20 {
        let position = record(&gateway, number, at).await;
        watcher.until("the change", |watcher| watcher.changes.len() as u128 == number + 1).await;
        let change = watcher.changes.last().unwrap();
        let step = change.step.as_ref().unwrap();
        assert_eq!(
            (change.customer_id.clone(), step.effect()),
            (customer(number).to_string(), v1::WatchEffect::Entered)
        );
        assert_eq!(step.cause, Some(Cause::Position(position)));
        if number % 3 == 0 {
            watcher.resume(&churn).await;
        }
    }
    // Nothing is missed by who is away for a while.
    let mut last = 0;
    for number in 20..60 {
        last = record(&gateway, number, at).await;
    }
    let fresh = listed(&churn, last).await;
    watcher.resume(&churn).await;
    watcher.until("the mark", |watcher| watcher.position >= last).await;
    let told: BTreeMap<_, _> = watcher.state.iter().map(|(id, it)| (id.clone(), Some(it.p_millionths))).collect();
    assert_eq!((told.len(), told), (60, fresh));

    let request = v1::WatchRiskRequest { cursor: watcher.cursor.clone(), ..Default::default() };
    let other = v1::WatchRiskRequest { at_least: v1::RiskBand::High.into(), ..request.clone() };
    let other = refusal(&open(&churn, other).await.err().unwrap());
    assert_eq!(other, (Code::OutOfRange, "CURSOR_OF_OTHER_FILTER".to_owned()));
    let garbage = v1::WatchRiskRequest { cursor: "soon".to_owned(), ..Default::default() };
    assert_eq!(refusal(&open(&churn, garbage).await.err().unwrap()).0, Code::InvalidArgument);
    system.projector(View::Churn).crash();
    let churn = system.reader(View::Churn);
    churn.serving(View::Churn.service()).await;
    let ended = refusal(&open(&churn, request).await.err().unwrap());
    assert_eq!(ended, (Code::OutOfRange, "CURSOR_ENDED".to_owned()));
    let again = Watcher::start(&churn).await;
    assert_eq!(again.state.len(), 60);
    system.never_panicked();
}

/// Waits until the metrics say that so many watch the churn risk.
async fn watched_by(system: &mut System, watchers: u32) {
    let address = system.projector(View::Churn).metrics_address();
    let line = format!("lifefold_projector_watchers{{view=\"churn\"}} {watchers}\n");
    until("the number of watchers", async || metrics(address).await.contains(&line).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_and_the_end_of_the_process_end_a_watch() {
    let mut system = System::start().await;
    let (gateway, churn) = (system.writer(), system.reader(View::Churn));
    let at = instant("2026-01-10T08:00:00Z");
    let mut watcher = Watcher::start(&churn).await;
    let position = record(&gateway, 1, at).await;
    watcher.until("the mark", |watcher| watcher.position >= position).await;
    watched_by(&mut system, 1).await;
    churn.rebuilt().await;
    assert_eq!(watcher.ended().await, (Code::OutOfRange, "CURSOR_ENDED".to_owned()));
    let request = v1::WatchRiskRequest { cursor: watcher.cursor.clone(), ..Default::default() };
    assert_eq!(refusal(&open(&churn, request).await.err().unwrap()), (Code::OutOfRange, "CURSOR_ENDED".to_owned()));
    watched_by(&mut system, 0).await;

    let mut again = Watcher::start(&churn).await;
    assert_eq!(again.state, watcher.state);
    let position = record(&gateway, 2, at).await;
    again.until("the mark", |watcher| watcher.position >= position).await;
    system.projector(View::Churn).terminate();
    assert_eq!(again.ended().await, (Code::Unavailable, "DRAINING".to_owned()));
    assert!(system.projector(View::Churn).wait().success());
    system.never_panicked();
}

/// A watch of segmentation: into a tier's stage and out of it again.
#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_the_filter_is_told_too() {
    let mut system = System::start().await;
    let (gateway, segmentation) = (system.writer(), system.reader(View::Segmentation));
    let stage = v1::member_selector::Selector::Stage(v1::LifecycleStage::Prospect.into());
    let selector = Some(v1::MemberSelector { selector: Some(stage) });
    let request = v1::WatchTransitionsRequest { selector, ..Default::default() };
    let mut stream = segmentation.segmentation().watch_transitions(request).await.unwrap().into_inner();
    let first = stream.message().await.unwrap().unwrap();
    assert!(first.mark.unwrap().list_complete && first.changes.is_empty());

    // Who was silent for long would be LOST already.
    let at = now();
    record(&gateway, 1, at).await;
    let lost = v1::LeadLost { reason: v1::LostReason::Price.into() };
    let lost = v1::Touchpoint {
        event: Some(v1::touchpoint::Event::LeadLost(lost)),
        ..visit(customer(1), EventId::from_u128(7), at.plus_micros(1))
    };
    let request = v1::RecordRequest { touchpoint: Some(lost), expected_revision: None };
    let position = gateway.touchpoints().record(request).await.unwrap().into_inner().position;
    let (mut changes, mut reached) = (Vec::new(), 0);
    while reached < position {
        let next = tokio::time::timeout(PATIENCE, stream.message()).await.expect("a mark in time");
        let answer = next.unwrap().unwrap();
        changes.extend(answer.changes);
        reached = answer.mark.map_or(reached, |mark| mark.position);
    }
    let told: Vec<_> = changes.iter().map(|it| (it.step.as_ref().unwrap().effect(), it.moved.clone())).collect();
    assert_eq!(told[0], (v1::WatchEffect::Entered, vec![]));
    assert_eq!((told.len(), told[1].0), (2, v1::WatchEffect::Left));
    assert!(told[1].1.contains(&"stage".to_owned()), "{told:?}");
    assert_eq!(changes[1].after.as_ref().unwrap().stage(), v1::LifecycleStage::Lost);
    system.never_panicked();
}

/// The lines that a command has printed so far.
fn lines(service: &Service) -> Vec<Value> {
    service.output().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_lists_again_by_itself_and_ends_with_the_last_cursor() {
    let mut system = System::start().await;
    let gateway = system.writer();
    let address = format!("http://{}", system.projector(View::Churn).address());
    let words = ["churn", "watch", "-o", "ndjson", "--with-lost", "--churn", &address];
    let mut command = Service::new("watching", system.machine.folder(), words);
    command.start();
    let marked = |lines: &[Value]| lines.iter().filter(|line| line["mark"]["list_complete"] == true).count();
    until_sync("the list", || (marked(&lines(&command)) == 1).then_some(()));
    let position = record(&gateway, 1, instant("2026-01-10T08:00:00Z")).await;
    let told = until_sync("the change", || lines(&command).into_iter().find(|line| line["change"].is_object()));
    assert_eq!(told["change"]["step"]["position"], position, "{told}");
    assert_eq!(told["change"]["customer_id"], customer(1).to_string());

    system.reader(View::Churn).rebuilt().await;
    until_sync("the list again", || (marked(&lines(&command)) == 2).then_some(()));
    let again = lines(&command).into_iter().find(|line| line["list_again"].is_object()).unwrap();
    assert_eq!(again["list_again"]["reason"], "CURSOR_ENDED");
    let of_list = lines(&command).into_iter().any(|it| it["change"]["step"]["effect"] == "WATCH_EFFECT_LISTED");
    assert!(of_list, "the customer is listed now");

    let sent = Command::new("kill").arg("-INT").arg(command.pid().unwrap().to_string()).status().unwrap();
    assert!(sent.success());
    assert_eq!(command.wait().code(), Some(0));
    let last = lines(&command).into_iter().rev().find_map(|line| Some(line["mark"]["cursor"].as_str()?.to_owned()));
    assert!(command.output().contains(&format!("--cursor {}", last.unwrap())), "{}", command.output());
    system.never_panicked();
}
