//! What no projector can read is parked, shown, read once more, and given up: with real processes.

use std::time::{Duration, Instant};

use api::v1;
use bytes::Bytes;
use event_log::{Appender, Draft, Log, Options};
use serde_json::Value;
use tests::{CONTROL_MESSAGES, PATIENCE, System, View, instant, text_of, until, visit};
use touchpoint::{CustomerId, Event, EventId, Position, Recorded, Unreadable};
use view_store::{EncodedPage, PageNumber, Store};
use views::{Parked, Record};

const CUSTOMER: CustomerId = CustomerId::from_u128(0xc1);
const AT: &str = "2025-03-01T08:00:00Z";
/// An event of a type that no build knows, whose id can be read.
const UNKNOWN: EventId = EventId::from_u128(0xbad);

/// Runs a command against the system: its exit code and what it printed.
fn lifefold(system: &mut System, arguments: &[&str]) -> (Option<i32>, String) {
    let mut flags = vec!["--gateway".to_owned(), format!("http://{}", system.gateway.address())];
    for view in View::ALL {
        flags.extend([format!("--{}", view.name()), format!("http://{}", system.projector(view).address())]);
    }
    let all: Vec<_> = arguments.iter().copied().chain(flags.iter().map(String::as_str)).collect();
    let (code, out, err) = text_of(system.machine.folder(), &all);
    (code, out + &err)
}

/// Records visits of the customer through the gateway; gives the last position.
async fn visits(system: &mut System, ids: std::ops::Range<i64>) -> u64 {
    let mut last = 0;
    for id in ids {
        let event = EventId::from_u128(id.unsigned_abs().into());
        let touchpoint = Some(visit(CUSTOMER, event, instant(AT).plus_days(id)));
        let request = v1::RecordRequest { touchpoint, expected_revision: None };
        last = system.writer().touchpoints().record(request).await.unwrap().into_inner().position;
    }
    last
}

/// Writes bytes to the customer's subject past the gateway.
async fn poison(system: &System, id: EventId, body: String) -> u64 {
    let log = Log::open(&Options::new(system.machine.nats.url())).await.unwrap();
    let draft = Draft { customer: CUSTOMER, event: id, body: Bytes::from(body) };
    let until = tokio::time::Instant::now() + PATIENCE;
    Appender::start(log).append(draft, None, until).await.unwrap().position.0
}

/// What every view has parked once it has applied this position.
async fn parked(system: &mut System, view: View, position: u64) -> Vec<v1::ParkedEvent> {
    let reader = system.reader(view);
    reader.reached(position).await;
    let answer = reader.projector().list_parked(v1::ListParkedRequest::default()).await.unwrap();
    answer.into_inner().events
}

/// How many events the answers about the customer say to be incomplete by: one of each view, and one about everybody.
async fn said_to_be_missing(system: &mut System, min_position: u64) -> [u64; 4] {
    let [segmentation, satisfaction, churn] = View::ALL.map(|view| system.reader(view));
    let (customer_id, query) = (CUSTOMER.to_string(), Some(v1::ViewQuery { min_position, ..Default::default() }));
    let risk = v1::GetRiskRequest { customer_id: customer_id.clone(), query: query.clone() };
    let segments =
        v1::GetCustomerSegmentsRequest { customer_id: customer_id.clone(), query: query.clone(), explain: false };
    let index = v1::GetCustomerIndexRequest { customer_id, query: query.clone() };
    let bands = v1::CountBandsRequest { query, ..Default::default() };
    let metas = [
        churn.churn().get_risk(risk).await.unwrap().into_inner().meta,
        segmentation.segmentation().get_customer_segments(segments).await.unwrap().into_inner().meta,
        satisfaction.satisfaction().get_customer_index(index).await.unwrap().into_inner().meta,
        churn.churn().count_bands(bands).await.unwrap().into_inner().meta,
    ];
    metas.map(|meta| meta.unwrap().parked)
}

/// The digests of a view are those of its rebuild.
async fn equals_a_rebuild(system: &mut System, view: View, position: u64) {
    let reader = system.reader(view);
    let before = reader.reached(position).await;
    let rebuilt = reader.rebuilt().await;
    let digests = |it: &v1::Generation| (it.digest.clone(), it.content_digest.clone(), it.parked);
    assert_eq!(digests(&before), digests(&rebuilt), "{}", view.name());
}

#[tokio::test(flavor = "multi_thread")]
async fn poison_is_listed_retried_in_vain_and_dropped_in_all_views_at_once() {
    let mut system = System::start().await;
    visits(&mut system, 1..3).await;
    let broken = poison(&system, EventId::from_u128(0xb0), "not an event: 13800138000".to_owned()).await;
    let body = format!(r#"{{"specversion":"1.0","id":"{UNKNOWN}","type":"HouseBlessed","subject":"{CUSTOMER}"}}"#);
    let unknown = poison(&system, UNKNOWN, body).await;
    let last = visits(&mut system, 3..4).await;

    for view in View::ALL {
        let events = parked(&mut system, view, last).await;
        let told: Vec<_> = events.iter().map(|it| (it.position, it.reason.as_str(), it.event_id.clone())).collect();
        let expect = [(broken, "MALFORMED", String::new()), (unknown, "UNKNOWN_TYPE", UNKNOWN.to_string())];
        assert_eq!(told, expect, "{}", view.name());
        equals_a_rebuild(&mut system, view, last).await;
    }
    assert_eq!(said_to_be_missing(&mut system, last).await, [2; 4]);

    let (code, out) = lifefold(&mut system, &["parked", "list", "churn", "-o", "ndjson"]);
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((code, lines.len(), &lines[0]["reason"]), (Some(0), 2, &Value::from("MALFORMED")));
    let (code, out) = lifefold(&mut system, &["parked", "show", "churn", &broken.to_string()]);
    assert!(code == Some(0) && out.contains("MALFORMED") && !out.contains("13800138000"), "{out}");
    let (code, out) = lifefold(&mut system, &["parked", "show", "churn", &broken.to_string(), "--raw"]);
    assert!(code == Some(0) && out.contains("not an event: 13800138000"), "{out}");
    let (code, out) = lifefold(&mut system, &["parked", "show", "churn", "1"]);
    assert!(code == Some(1) && out.contains("nothing is parked there"), "{out}");
    let (code, out) = lifefold(&mut system, &["parked", "retry", "churn"]);
    assert!(code == Some(1) && out.contains("still parked  MALFORMED"), "{out}");
    equals_a_rebuild(&mut system, View::Churn, last).await;

    let (code, out) = lifefold(&mut system, &["parked", "drop", &broken.to_string()]);
    assert_eq!(code, Some(0), "{out}");
    let (code, out) = lifefold(&mut system, &["parked", "drop", &UNKNOWN.to_string()]);
    assert_eq!(code, Some(0), "{out}");
    let last = system.machine.last_position().await.unwrap();
    for view in View::ALL {
        assert_eq!(parked(&mut system, view, last).await, [], "{}", view.name());
        equals_a_rebuild(&mut system, view, last).await;
        assert_eq!(parked(&mut system, view, last).await, [], "{} after a rebuild", view.name());
    }
    assert_eq!(said_to_be_missing(&mut system, last).await, [0; 4]);
    let (code, out) = lifefold(&mut system, &["parked", "drop", &broken.to_string()]);
    assert!(code == Some(1) && out.contains("no view has such an event parked"), "{out}");
    system.never_panicked();
}

/// Puts into a view's store what a build would have left that could not read the event at a position.
async fn unread(system: &System, view: View, position: u64) {
    let entries = system.machine.log_entries().await;
    let mut record = Record::default();
    for entry in &entries[CONTROL_MESSAGES..] {
        let event = Event::decode(&entry.body).unwrap();
        let (at, recorded_at) = (entry.position, entry.recorded_at);
        if at == Position(position) {
            record.park(Parked { position: at, recorded_at, reason: Unreadable::UnknownType, id: Some(event.id) });
        } else {
            record.file(&Recorded { position: at, recorded_at, event });
        }
    }
    // The killed process lets go of its folder a moment later.
    let begun = Instant::now();
    let store = loop {
        match Store::open(system.machine.store(view)) {
            Ok(store) => break store,
            Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let (customer, generation) = (CUSTOMER.as_u128(), store.serving().unwrap().unwrap());
    let head = store.head(generation).unwrap();
    let page = EncodedPage::new(PageNumber::of(customer), [(customer, record.as_bytes())]).unwrap();
    store.commit(generation, [Ok(page)], &head).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_newer_build_can_read_takes_its_place() {
    let mut system = System::start().await;
    let last = visits(&mut system, 1..6).await;
    let view = View::Churn;
    system.reader(view).reached(last).await;
    system.projector(view).terminate();
    until("the projector to end", async || system.projector(view).ended()).await;
    unread(&system, view, last - 2).await;
    system.projector(view).crash();
    system.reader(view).serving(view.service()).await;

    let waiting = parked(&mut system, view, last).await;
    assert_eq!(waiting.iter().map(|it| it.position).collect::<Vec<_>>(), [last - 2]);
    let without = system.reader(view).reached(last).await;
    let (code, out) = lifefold(&mut system, &["parked", "retry", "churn", &(last - 2).to_string(), "-o", "json"]);
    assert!(code == Some(0) && out.contains("RETRY_OUTCOME_READ"), "{out}");
    assert_eq!(parked(&mut system, view, last).await, []);
    let with = system.reader(view).reached(last).await;
    assert_ne!(with.digest, without.digest);
    equals_a_rebuild(&mut system, view, last).await;
    assert_eq!(lifefold(&mut system, &["parked", "retry", "churn"]).1, "nothing is parked\n");
    system.never_panicked();
}
