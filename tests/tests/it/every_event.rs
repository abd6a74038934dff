//! Every event type, by every way in and out of the gateway: each frozen fixture goes in as a message and as JSON, and
//! comes back the same.

use api::v1;
use api::v1::import_outcome::Result::Recorded;
use api::v1::import_request::Item;
use futures::StreamExt;
use tests::{CONTROL_MESSAGES, Clients, Machine, import, instant, json, visit};
use tonic::{Code, Status};
use touchpoint::{CustomerId, Event, EventId, Kind};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/touchpoint/fixtures");
/// Who has the events that were sent as messages.
const BY_MESSAGE: CustomerId = CustomerId::from_u128(0xe1);
const BATCHED: CustomerId = CustomerId::from_u128(0xe2);
const NOBODY: CustomerId = CustomerId::from_u128(0xe3);

#[tokio::test(flavor = "multi_thread")]
async fn every_fixture_goes_in_and_comes_back() {
    let machine = Machine::start();
    let mut gateway = machine.gateway();
    let clients = Clients::of(gateway.address());
    clients.serving("lifefold.v1.TouchpointService").await;
    let bodies = fixtures();
    for kind in Kind::ALL {
        assert!(bodies.iter().any(|body| decode(body).body.kind() == *kind), "{kind} has no fixture");
    }
    as_messages(&clients, &bodies).await;
    as_json(&clients, &bodies).await;
    all_or_nothing(&clients).await;
    replays(&clients, &machine).await;
    gateway.never_panicked();
}

/// The bodies, by name.
fn fixtures() -> Vec<Vec<u8>> {
    let files = std::fs::read_dir(FIXTURES).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|it| it == "json")).collect();
    files.sort();
    files.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn decode(body: &[u8]) -> Event<'_> {
    Event::decode(body).unwrap_or_else(|broken| panic!("{broken}"))
}

/// The event as a message of somebody else, so that ids are free; without what only an import may say.
fn message(body: &[u8]) -> v1::Touchpoint {
    api::touchpoints::from_event(&Event { customer: BY_MESSAGE, first_recorded_at: None, ..decode(body) })
}

async fn as_messages(gateway: &Clients, bodies: &[Vec<u8>]) {
    let sent: Vec<_> = bodies.iter().map(|body| message(body)).collect();
    let mut positions = Vec::new();
    for touchpoint in &sent {
        let revision = positions.last().copied().unwrap_or(0);
        let request = v1::RecordRequest { touchpoint: Some(touchpoint.clone()), expected_revision: Some(revision) };
        let recorded = gateway.touchpoints().record(request).await;
        let recorded = recorded.unwrap_or_else(|status| panic!("{touchpoint:?}: {status}")).into_inner();
        assert!(!recorded.duplicate);
        positions.push(recorded.position);
    }
    let found = timeline(gateway, BY_MESSAGE, false).await.unwrap();
    assert_eq!(found.iter().map(|it| it.position).collect::<Vec<_>>(), positions);
    assert_eq!(found.into_iter().map(touchpoint_of).collect::<Vec<_>>(), sent);
}

/// Stored as sent, byte for byte; read as the newest version.
async fn as_json(gateway: &Clients, bodies: &[Vec<u8>]) {
    let customer = decode(&bodies[0]).customer;
    assert!(bodies.iter().all(|body| decode(body).customer == customer));
    let items = || bodies.iter().map(|body| json(&**body)).collect();
    let (first, second) = (import(gateway, items()).await, import(gateway, items()).await);
    let summary = |recorded, duplicates, last_position| {
        let received = bodies.len() as u64;
        Some(v1::ImportSummary { received, recorded, duplicates, refused: 0, last_position })
    };
    let positions = |outcomes: &[v1::import_outcome::Result]| -> Vec<u64> {
        let position = |it: &_| if let Recorded(it) = it { it.position } else { panic!("{it:?}") };
        outcomes.iter().map(position).collect()
    };
    let last = positions(&first.outcomes).into_iter().max().unwrap();
    assert_eq!(first.summary, summary(bodies.len() as u64, 0, last));
    assert_eq!(second.summary, summary(0, bodies.len() as u64, last));
    assert_eq!(positions(&second.outcomes), positions(&first.outcomes), "sending again is harmless");

    let found = timeline(gateway, customer, true).await.unwrap();
    let mut sent: Vec<_> = positions(&first.outcomes).into_iter().zip(bodies).collect();
    sent.sort_unstable();
    assert_eq!(found.len(), sent.len());
    for (found, (position, body)) in found.into_iter().zip(sent) {
        assert_eq!((found.position, &found.cloud_event_json), (position, body));
        assert_eq!(touchpoint_of(found), api::touchpoints::from_event(&decode(body)));
    }
}

fn touchpoint_of(recorded: v1::RecordedTouchpoint) -> v1::Touchpoint {
    match recorded.content {
        Some(v1::recorded_touchpoint::Content::Touchpoint(touchpoint)) => touchpoint,
        other => panic!("{other:?}"),
    }
}

/// All pages, of seven events each.
async fn timeline(
    gateway: &Clients,
    customer: CustomerId,
    include_json: bool,
) -> Result<Vec<v1::RecordedTouchpoint>, Status> {
    let customer_id = customer.to_string();
    let mut request = v1::GetTimelineRequest { customer_id, page_size: 7, page_token: String::new(), include_json };
    let mut events = Vec::new();
    loop {
        let page = gateway.timelines().get_timeline(request.clone()).await?.into_inner();
        assert!(page.events.len() == 7 || page.next_page_token.is_empty(), "pages are full");
        events.extend(page.events);
        if page.next_page_token.is_empty() {
            assert_eq!(events.last().map(|it| it.position), Some(page.revision));
            return Ok(events);
        }
        request.page_token = page.next_page_token;
    }
}

async fn all_or_nothing(gateway: &Clients) {
    let one = |customer, event| visit(customer, EventId::from_u128(event), instant("2025-03-01T08:00:00Z"));
    let batch = async |touchpoints: Vec<v1::Touchpoint>| {
        gateway
            .touchpoints()
            .record_batch(v1::RecordBatchRequest { touchpoints })
            .await
            .map(tonic::Response::into_inner)
    };
    let bad = v1::Touchpoint { channel: 0, ..one(NOBODY, 3) };
    let status = batch(vec![one(NOBODY, 1), one(NOBODY, 2), bad]).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(timeline(gateway, NOBODY, false).await.unwrap_err().code(), Code::NotFound, "nothing is recorded");

    let good: Vec<_> = (1..=1_000).map(|event| one(BATCHED, event)).collect();
    let first = batch(good.clone()).await.unwrap().outcomes;
    let begin = first[0].position;
    let wanted = (begin..).map(|position| v1::RecordOutcome { position, duplicate: false });
    assert_eq!(first, wanted.take(good.len()).collect::<Vec<_>>());
    let again = batch(good).await.unwrap().outcomes;
    assert!(again.iter().all(|it| it.duplicate));
    let place = |outcomes: &[v1::RecordOutcome]| outcomes.iter().map(|it| it.position).collect::<Vec<_>>();
    assert_eq!(place(&again), place(&first));

    let taken = v1::Touchpoint { channel: v1::Channel::Phone.into(), ..one(BATCHED, 1) };
    let status = batch(vec![one(NOBODY, 1), taken, one(NOBODY, 2)]).await.unwrap_err();
    assert_eq!(status.code(), Code::AlreadyExists);
    assert_eq!(timeline(gateway, NOBODY, false).await.unwrap_err().code(), Code::NotFound, "nothing is recorded");

    // Some there already, some new: the new ones are recorded, the others stay where they are.
    let mixed = batch(vec![one(BATCHED, 1_001), one(BATCHED, 7)]).await.unwrap().outcomes;
    assert_eq!(mixed[1], v1::RecordOutcome { position: first[6].position, duplicate: true });
    assert!(!mixed[0].duplicate && mixed[0].position > first[999].position);
}

async fn replays(gateway: &Clients, machine: &Machine) {
    let log = machine.log_entries().await;
    let all = replay(gateway, v1::ReplayRequest::default()).await.0;
    assert_eq!(
        all.iter().map(|it| it.0).collect::<Vec<_>>(),
        log[CONTROL_MESSAGES..].iter().map(|it| it.position.0).collect::<Vec<_>>()
    );
    for kind in Kind::ALL {
        let of_kind: Vec<_> = all.iter().filter(|(_, name)| name == kind.name()).cloned().collect();
        assert!(!of_kind.is_empty());
        let request = v1::ReplayRequest { event_types: vec![kind.name().to_owned()], ..Default::default() };
        assert_eq!(replay(gateway, request).await.0, of_kind, "{kind}");
    }
    // In parts, each from where the one before says that it came to.
    let names: Vec<_> = [Kind::VisitRecorded, Kind::SurveyAnswered].iter().map(|kind| kind.name().to_owned()).collect();
    let (mut from, mut parts) = (1, Vec::new());
    loop {
        let start = Some(v1::replay_request::Start::FromPosition(from));
        let event_types = names.clone();
        let request = v1::ReplayRequest { start, event_types, max_events: Some(300), ..Default::default() };
        let (events, reached) = replay(gateway, request).await;
        assert!(events.len() <= 300);
        parts.extend(events);
        if reached == log.last().unwrap().position.0 {
            break;
        }
        from = reached + 1;
    }
    let wanted: Vec<_> = all.into_iter().filter(|(_, name)| names.contains(name)).collect();
    assert_eq!(parts, wanted);
}

/// The events of a replay as positions and types, and how far it came.
async fn replay(gateway: &Clients, request: v1::ReplayRequest) -> (Vec<(u64, String)>, u64) {
    use v1::replay_response::Result::{Event, Progress};
    let mut answers =
        gateway.timelines().replay(v1::ReplayRequest { include_json: true, ..request }).await.unwrap().into_inner();
    let (mut events, mut done) = (Vec::new(), None);
    while let Some(answer) = answers.next().await {
        assert_eq!(done, None, "something comes after the end");
        match answer.unwrap().result {
            Some(Event(it)) => events.push((it.position, decode(&it.cloud_event_json).body.kind().name().to_owned())),
            Some(Progress(it)) => done = it.done.then_some(it.position),
            None => panic!("an answer without a result"),
        }
    }
    (events, done.expect("a replay says that it is done"))
}

/// Also the other form of an item takes every event.
#[tokio::test(flavor = "multi_thread")]
async fn every_fixture_is_imported_as_a_message() {
    let machine = Machine::start();
    let mut gateway = machine.gateway();
    let clients = Clients::of(gateway.address());
    clients.serving("lifefold.v1.TouchpointService").await;
    let messages: Vec<_> = fixtures().iter().map(|body| api::touchpoints::from_event(&decode(body))).collect();
    let imported = import(&clients, messages.iter().cloned().map(|it| Some(Item::Touchpoint(it))).collect()).await;
    assert_eq!(imported.summary.unwrap().recorded, messages.len() as u64);
    let found = timeline(&clients, messages[0].customer_id.parse().unwrap(), false).await.unwrap();
    assert_eq!(found.into_iter().map(touchpoint_of).collect::<Vec<_>>(), messages);
    gateway.never_panicked();
}
