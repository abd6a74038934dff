//! A server with a log on it, drafts to append, and whole logs read back.

use std::path::Path;
use std::time::Duration;

use broker::Broker;
use event_log::{AppendError, Appender, Draft, Entry, Log, Options, Subject};
use futures::StreamExt;
use tempfile::TempDir;
use tokio::time::Instant;
use touchpoint::{CustomerId, EventId, Position};
use uuid::Uuid;

/// The epoch of every test's log, if it does not say another.
pub(crate) const EPOCH: Uuid = Uuid::from_u128(0xe90c);
/// Far longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(45);

/// A nats-server in a folder of its own.
pub(crate) struct Server {
    pub(crate) broker: Broker,
    pub(crate) folder: TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let broker = start_broker(&folder.path().join("nats"));
        Self { broker, folder }
    }

    pub(crate) fn options(&self) -> Options {
        Options::new(self.broker.url())
    }

    pub(crate) async fn log(&self) -> Log {
        Log::provision(&self.options(), EPOCH).await.unwrap()
    }

    /// What an administrator can do: questions to JetStream's API without the log in between.
    pub(crate) async fn admin(&self, subject: &str, question: serde_json::Value) -> serde_json::Value {
        let client = async_nats::connect(self.broker.url()).await.unwrap();
        let question = if question.is_null() { String::new() } else { question.to_string() };
        let answer = client.request(format!("$JS.API.{subject}"), question.into()).await.unwrap();
        serde_json::from_slice(&answer.payload).unwrap()
    }

    /// Changes options of the stream behind the log's back.
    pub(crate) async fn change(&self, change: impl FnOnce(&mut serde_json::Value)) {
        let mut config = self.admin("STREAM.INFO.TOUCHPOINTS", serde_json::Value::Null).await["config"].clone();
        change(&mut config);
        let answer = self.admin("STREAM.UPDATE.TOUCHPOINTS", config).await;
        assert!(answer["error"].is_null(), "{answer}");
    }
}

pub(crate) fn start_broker(store: &Path) -> Broker {
    let found = broker::find_server().unwrap();
    let options = broker::Options { own_process_group: false, ..broker::Options::new(store) };
    Broker::start(&found.path, options).unwrap()
}

pub(crate) fn soon() -> Instant {
    Instant::now() + PATIENCE
}

pub(crate) fn customer(number: u128) -> CustomerId {
    CustomerId::from_u128(number)
}

/// Event `event` of customer `number`, whose body says so.
pub(crate) fn draft(number: u128, event: u128) -> Draft {
    draft_saying(number, event, "first")
}

pub(crate) fn draft_saying(number: u128, event: u128, word: &str) -> Draft {
    let event_id = EventId::from_u128(event);
    let body = format!(r#"{{"id":"{event_id}","subject":"{}","data":{{"word":"{word}"}}}}"#, customer(number));
    Draft { customer: customer(number), event: event_id, body: body.into() }
}

/// What is said of event `event` with other content, where the first one is at `position`.
pub(crate) fn taken(event: u128, position: u64) -> AppendError {
    AppendError::AlreadyExists { event: EventId::from_u128(event), position: Position(position) }
}

/// Appends events `first..=last` of one customer, one after the other.
pub(crate) async fn append_range(appender: &Appender, number: u128, first: u128, last: u128) {
    let drafts = (first..=last).map(|event| draft(number, event)).collect();
    appender.append_all(drafts, soon()).await.unwrap();
}

/// The whole log, by replay.
pub(crate) async fn whole(log: &Log) -> Vec<Entry> {
    let last = log.last().await.unwrap();
    let mut replay = log.replay(Position(1), last);
    let mut entries = Vec::new();
    while let Some(batch) = tokio::time::timeout(PATIENCE, replay.next()).await.unwrap() {
        entries.extend(batch.unwrap().entries);
    }
    assert_eq!(entries.len() as u64, last.0);
    entries
}

/// Asserts that the log holds this event exactly once, and says where.
pub(crate) fn only_position(entries: &[Entry], draft: &Draft) -> Position {
    let is_it = |entry: &&Entry| entry.body == draft.body && entry.subject == Subject::Customer(draft.customer);
    let found: Vec<_> = entries.iter().filter(is_it).map(|entry| entry.position).collect();
    assert_eq!(found.len(), 1, "{draft:?} is at {found:?}");
    found[0]
}
