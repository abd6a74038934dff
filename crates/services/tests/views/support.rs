//! A log in memory, a projector on it, and its services behind a port.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use history::believable::{Config, Population};
use history::{Arrival, Order, arrange};
use projector::{
    Batch, Batches, Bounds, Broken, Checkpoint, Entry, Options, Priority, Projector, Source, SourceError, SourceFuture,
    State,
};
use services::Served;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_types::StatusExt;
use touchpoint::{CustomerId, Position, Timestamp};
use views::rules::Rules;

/// Far longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// The present of every test: right after the history.
pub(crate) const NOW: &str = "2026-01-01T00:00:00Z";

pub(crate) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// A log that grows, that may hold back what it has, and that may break.
#[derive(Clone)]
pub(crate) struct Log {
    entries: Arc<Mutex<Vec<Entry>>>,
    /// The last position that readers are given, and the one that the log says it has.
    given: watch::Sender<u64>,
    broken: Arc<Mutex<Option<Broken>>>,
}

impl Log {
    pub(crate) fn new(entries: Vec<Entry>) -> Self {
        let given = watch::Sender::new(entries.len() as u64);
        Self { entries: Arc::new(Mutex::new(entries)), given, broken: Arc::default() }
    }

    /// The history of so many believable customers.
    pub(crate) fn believable(customers: u64) -> (Self, Vec<CustomerId>) {
        let (sent, _) = Population::new(Config::new(customers, 3, now())).sent();
        let arrived = arrange(&sent, Arrival { order: Order::Given, start: Timestamp::MIN, import: true });
        let mut ids: Vec<CustomerId> = sent.iter().map(|it| it.event.customer).collect();
        ids.sort_unstable();
        ids.dedup();
        let entry = |(index, it): (usize, history::Arrived)| Entry {
            position: Position(index as u64 + 2),
            recorded_at: it.recorded_at,
            customer: Some(sent[it.index].event.customer),
            body: Bytes::from(it.body),
        };
        let genesis = Entry { position: Position(1), recorded_at: Timestamp::MIN, customer: None, body: Bytes::new() };
        let entries = std::iter::once(genesis).chain(arrived.into_iter().enumerate().map(entry));
        (Self::new(entries.collect()), ids)
    }

    pub(crate) fn end(&self) -> u64 {
        self.entries.lock().unwrap().len() as u64
    }

    /// Appends a visit of this customer, but gives it to nobody yet; its position.
    pub(crate) fn hold_back_visit(&self, customer: CustomerId) -> u64 {
        let visit = r#"{"visit_id":"V","kind":"FIRST","purpose":"SALES_CENTRE","lead_source":"WALK_IN",
            "consultant_id":"K1"}"#;
        self.hold_back(customer, "VisitRecorded", visit)
    }

    /// Appends an event of this customer, but gives it to nobody yet; its position.
    pub(crate) fn hold_back(&self, customer: CustomerId, kind: &str, data: &str) -> u64 {
        self.hold_back_in("P001", customer, kind, data)
    }

    /// The same, of a project.
    pub(crate) fn hold_back_in(&self, project: &str, customer: CustomerId, kind: &str, data: &str) -> u64 {
        let mut entries = self.entries.lock().unwrap();
        let position = entries.len() as u64 + 1;
        let body = format!(
            r#"{{"specversion":"1.0","id":"00000000-0000-7000-8000-{position:012x}","source":"test","type":"{kind}",
            "dataschema":"urn:lifefold:{kind}:1","subject":"{customer}","time":"{NOW}","channel":"IN_PERSON",
            "projectid":"{project}","data":{data}}}"#
        );
        let (position, customer) = (Position(position), Some(customer));
        entries.push(Entry { position, recorded_at: now(), customer, body: Bytes::from(body) });
        position.0
    }

    /// Gives everything to everybody.
    pub(crate) fn release(&self) {
        self.given.send_replace(self.end());
    }

    pub(crate) fn break_down(&self, broken: Option<Broken>) {
        *self.broken.lock().unwrap() = broken;
        self.given.send_modify(|_| {});
    }

    fn entries_that(&self, are_wanted: impl FnMut(&&Entry) -> bool) -> Vec<Entry> {
        self.entries.lock().unwrap().iter().filter(are_wanted).cloned().collect()
    }
}

impl Source for Log {
    fn origin(&self) -> SourceFuture<'_, Checkpoint> {
        answer(Ok(origin()))
    }

    fn tail(&self, after: Checkpoint, _priority: Priority) -> Batches {
        let (log, given) = (self.clone(), self.given.subscribe());
        futures::stream::unfold((log, given, after.position), |(log, mut given, at)| async move {
            loop {
                let end = *given.borrow_and_update();
                if let Some(reason) = log.broken.lock().unwrap().clone() {
                    return Some((Err(SourceError::Broken(reason)), (log.clone(), given, at)));
                }
                if end > at.0 {
                    let entries = log.entries.lock().unwrap()[at.0 as usize..end as usize].to_vec();
                    let batch = Batch { entries, digest: [7; 16], log_end: Position(end) };
                    return Some((Ok(batch), (log, given, Position(end))));
                }
                given.changed().await.ok()?;
            }
        })
        .boxed()
    }

    fn check(&self, _checkpoint: Checkpoint) -> SourceFuture<'_, Position> {
        let broken = self.broken.lock().unwrap().clone();
        answer(broken.map_or(Ok(Position(self.end())), |reason| Err(SourceError::Broken(reason))))
    }

    fn end(&self) -> SourceFuture<'_, Position> {
        answer(Ok(Position(self.end())))
    }

    fn entries(&self, _after: Position, _limit: usize) -> SourceFuture<'_, Vec<Entry>> {
        answer(Ok(Vec::new()))
    }

    fn control(&self, through: Position) -> SourceFuture<'_, Vec<Entry>> {
        answer(Ok(self.entries_that(|it| it.customer.is_none() && it.position <= through)))
    }

    fn timeline(&self, customer: CustomerId, _through: Position) -> SourceFuture<'_, Vec<Entry>> {
        answer(Ok(self.entries_that(|it| it.customer == Some(customer))))
    }
}

/// An answer that is there at once.
fn answer<T: Send + 'static>(answer: Result<T, SourceError>) -> SourceFuture<'static, T> {
    Box::pin(std::future::ready(answer))
}

fn origin() -> Checkpoint {
    Checkpoint { epoch: 7, created: Timestamp::from_micros(0), position: Position::ZERO, digest: [0; 16], lost: 0 }
}

/// A projector and its services.
pub(crate) struct Running {
    pub(crate) channel: Channel,
    pub(crate) address: String,
    stop: CancellationToken,
    _folder: TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Serves a view of this log; waits until it answers.
pub(crate) async fn serve<V: Served>(log: &Log) -> Running {
    let (folder, stop) = (TempDir::new().unwrap(), CancellationToken::new());
    let options = Options {
        dir: folder.path().join(V::NAME),
        rules: Arc::new(Rules::default()),
        rules_given: false,
        source: Arc::new(log.clone()),
        clock: Arc::new(now),
        bounds: Bounds::default(),
    };
    let projector = Projector::<V>::start(options, stop.clone()).await.unwrap();
    let process = services::view(&projector);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let ended = stop.clone().cancelled_owned();
    let server = services::server().add_routes(process.routes);
    tokio::spawn(async move { server.serve_with_incoming_shutdown(TcpListenerStream::new(listener), ended).await });
    tokio::spawn(process.health);
    let runs = projector.clone();
    tokio::spawn(async move { runs.run().await });
    let mut state = projector.state();
    let serving = state.wait_for(|state| *state == State::Serving);
    tokio::time::timeout(PATIENCE, serving).await.expect("serving in time").unwrap();
    let address = format!("http://{address}");
    let channel = Endpoint::from_shared(address.clone()).unwrap().connect().await.unwrap();
    Running { channel, address, stop, _folder: folder }
}

/// The code, and the reason of the ErrorInfo.
pub(crate) fn refusal(status: &Status) -> (Code, String) {
    let reason = status.get_error_details().error_info().map(|info| info.reason.clone());
    (status.code(), reason.unwrap_or_default())
}

/// The first field that a status names.
pub(crate) fn field(status: &Status) -> String {
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    status.get_error_details().bad_request().unwrap().field_violations[0].field.clone()
}
