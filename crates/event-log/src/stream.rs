//! The connection to the log: create the stream, verify it, know its identity.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_nats::client::{Request, RequestErrorKind};
use async_nats::connection::State;
use async_nats::jetstream::{self, stream::Stream};
use async_nats::{Client, ConnectErrorKind, ConnectOptions, ServerAddr};
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::address::mask;
use crate::entry::CONTROL_SUBJECT;
use crate::error::OpenError;
use crate::full::MAX_UNBOUNDED_EVENTS;
use crate::identity::{self, Identity, LOST_EPOCH};
use crate::settings;
use crate::tail::MAX_TAIL_BATCH;
use crate::wire::{self, ApiError, PubAck, StreamInfo};

/// The oldest nats-server whose atomic batches and options the log relies on.
pub const MIN_SERVER: (u64, u64, u64) = (2, 14, 4);
/// The stream's name if none is given.
pub const DEFAULT_STREAM: &str = "TOUCHPOINTS";
/// How long one question to the server may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// How long opening a TCP connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A silent connection is noticed after two of these.
const PING_INTERVAL: Duration = Duration::from_secs(5);
/// Longest pause between attempts to reconnect; they never end.
const RECONNECT_PAUSE_MAX: Duration = Duration::from_millis(500);
/// How often a wait for the connection looks.
const CONNECTION_POLL: Duration = Duration::from_millis(10);
/// Messages that a reader asks for at a time.
const PULL: usize = MAX_TAIL_BATCH;
/// The same where it reads beside others: the server turns to whoever else waits only when it has sent them.
const APART_PULL: usize = 100;

/// Where the log is.
#[derive(Debug, Clone)]
pub struct Options {
    /// Address of the server, such as `nats://127.0.0.1:4222`.
    pub url: String,
    /// Name of the stream.
    pub stream: String,
    /// Copies of each message in a cluster: 1 on one machine, 3 in the cluster. Only provisioning uses it.
    pub replicas: usize,
    /// How this process calls itself to the server's operator.
    pub client_name: String,
}

impl Options {
    /// The log at this address, with every default.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), stream: DEFAULT_STREAM.to_owned(), replicas: 1, client_name: "lifefold".to_owned() }
    }
}

/// The log, verified. Clones share one connection, which reconnects by itself for ever.
#[derive(Clone)]
pub struct Log {
    pub(crate) client: Client,
    pub(crate) stream: Stream<()>,
    pub(crate) options: Arc<Options>,
    /// Of each message, when the log was opened: the server answers a probe in another way if there are several.
    pub(crate) copies: usize,
    /// Messages that a reader asks for at a time.
    pub(crate) pull: usize,
    identity: Identity,
}

impl Log {
    /// Creates the stream and its genesis with this epoch if there are none, then opens it. Doing it again is harmless.
    pub async fn provision(options: &Options, epoch: Uuid) -> Result<Self, OpenError> {
        let client = connect(options).await?;
        let config = settings::wanted(&options.stream, options.replicas).to_string();
        let subject = format!("$JS.API.STREAM.CREATE.{}", options.stream);
        match ask::<Value>(&client, subject, config.into()).await {
            // Verification says better than the server in which options an existing stream differs.
            Ok(_) | Err(AskError::Api(ApiError { err_code: wire::STREAM_NAME_IN_USE, .. })) => {}
            Err(error) => return Err(error.refused("to create the stream")),
        }
        if let Err(OpenError::Options { differences, .. }) = verify_options(&client, options).await
            && settings::is_unbounded(&differences)
        {
            add_bound(&client, options).await?;
        }
        verify_options(&client, options).await?;
        write_genesis(&client, epoch).await?;
        Self::verified(client, options).await
    }

    /// Opens an existing log; refuses an old server, a stream with other options, a stream that never had a genesis.
    pub async fn open(options: &Options) -> Result<Self, OpenError> {
        let client = connect(options).await?;
        Self::verified(client, options).await
    }

    /// The same log, to read much of it beside those who are served: by a connection of its own, whose tasks run where
    /// this is called, and in small pieces. Its readers are told if the stream has become another log.
    pub async fn apart(&self) -> Result<Self, OpenError> {
        Ok(Self { identity: self.identity, pull: APART_PULL, ..Self::open(&self.options).await? })
    }

    /// Which log this is; constant while the process lives, see [`Log::check`].
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// Whether there is a connection at this moment.
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// How often a connection was made: a change means that something may have been missed.
    pub(crate) fn connects(&self) -> u64 {
        self.client.statistics().connects.load(std::sync::atomic::Ordering::Acquire)
    }

    /// Waits for a connection; false if there was none in time.
    pub(crate) async fn wait_connected(&self, until: Instant) -> bool {
        while !self.is_connected() {
            if Instant::now() >= until {
                return false;
            }
            sleep(CONNECTION_POLL).await;
        }
        true
    }

    pub(crate) async fn stream_info(&self) -> Result<StreamInfo, AskError> {
        self.stream_info_with(Bytes::new()).await
    }

    /// With the list of lost positions.
    pub(crate) async fn stream_info_with_lost(&self) -> Result<StreamInfo, AskError> {
        self.stream_info_with(json!({ "deleted_details": true }).to_string().into()).await
    }

    /// With the number of messages of one subject.
    pub(crate) async fn stream_info_of(&self, subject: &str) -> Result<StreamInfo, AskError> {
        self.stream_info_with(json!({ "subjects_filter": subject }).to_string().into()).await
    }

    async fn stream_info_with(&self, question: Bytes) -> Result<StreamInfo, AskError> {
        ask(&self.client, format!("$JS.API.STREAM.INFO.{}", self.options.stream), question).await
    }

    pub(crate) async fn verified(client: Client, options: &Options) -> Result<Self, OpenError> {
        let info = verify_options(&client, options).await?;
        let stream = jetstream::new(client.clone()).get_stream_no_info(&options.stream).await;
        let stream = stream.map_err(|error| refused("the stream's name", error.to_string()))?;
        let no_genesis = |reason| OpenError::NoGenesis { stream: options.stream.clone(), reason };
        let unread = Identity { epoch: Uuid::nil(), created: touchpoint::Timestamp::MIN };
        let copies = info.config["num_replicas"].as_u64().map_or(1, |copies| copies as usize);
        let log = Self { client, stream, options: Arc::new(options.clone()), copies, pull: PULL, identity: unread };
        let created = wire::server_time(&info.created).map_err(|error| no_genesis(error.to_string()))?;
        let first = log.leader_get(touchpoint::Position(1)).await;
        let first = first.map_err(|error| refused("to read the genesis", error.to_string()))?;
        let epoch = match first {
            Some(first) => identity::epoch_of(&first).map_err(no_genesis)?,
            // Its readers know the stream by its creation time then, and raise the alarm.
            None if info.state.lost() > 0 => LOST_EPOCH,
            None => return Err(no_genesis("there is no message 1".to_owned())),
        };
        Ok(Self { identity: Identity { epoch, created }, ..log })
    }
}

impl fmt::Debug for Log {
    /// The client's own form fills a page and says where it is connected.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log")
            .field("stream", &self.options.stream)
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

pub(crate) async fn connect(options: &Options) -> Result<Client, OpenError> {
    let unreachable = |reason: String| OpenError::Unreachable { url: mask(&options.url), reason };
    let address: ServerAddr = options.url.parse().map_err(|error: std::io::Error| unreachable(error.to_string()))?;
    let client = login(&address)
        .name(&options.client_name)
        .connection_timeout(CONNECT_TIMEOUT)
        .request_timeout(Some(REQUEST_TIMEOUT))
        .ping_interval(PING_INTERVAL)
        .reconnect_delay_callback(|attempt| {
            let doubled = Duration::from_millis(1 << attempt.min(9));
            doubled.min(RECONNECT_PAUSE_MAX)
        })
        .connect(&address)
        .await
        .map_err(|error| match error.kind() {
            ConnectErrorKind::AuthorizationViolation => {
                OpenError::NotLetIn { url: mask(&options.url), reason: error.to_string() }
            }
            _ => unreachable(error.to_string()),
        })?;
    let found = client.server_info().version;
    if version(&found).is_none_or(|found| found < MIN_SERVER) {
        return Err(OpenError::OldServer { found });
    }
    Ok(client)
}

/// The user and password of the address, which the client library takes from its options only.
fn login(address: &ServerAddr) -> ConnectOptions {
    let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    match (address.username(), address.password()) {
        (Some(user), Some(password)) => ConnectOptions::with_user_and_password(plain(user), plain(password)),
        (Some(token), None) => ConnectOptions::with_token(plain(token)),
        (None, _) => ConnectOptions::new(),
    }
}

fn version(text: &str) -> Option<(u64, u64, u64)> {
    let mut parts = text.trim_start_matches('v').split(['.', '-', '+']);
    let mut part = || parts.next()?.parse().ok();
    Some((part()?, part()?, part()?))
}

async fn verify_options(client: &Client, options: &Options) -> Result<StreamInfo, OpenError> {
    let subject = format!("$JS.API.STREAM.INFO.{}", options.stream);
    let info: StreamInfo = match ask(client, subject, Bytes::new()).await {
        Ok(info) => info,
        Err(AskError::Api(ApiError { err_code: wire::STREAM_NOT_FOUND, .. })) => {
            return Err(OpenError::NoStream(options.stream.clone()));
        }
        Err(error) => return Err(error.refused("to describe the stream")),
    };
    let differences = settings::differences(&options.stream, &info.config);
    if differences.is_empty() {
        return Ok(info);
    }
    Err(OpenError::Options { stream: options.stream.clone(), differences })
}

/// Gives an older stream the bound of one customer's events, if nobody is near it: the server deletes what is beyond.
async fn add_bound(client: &Client, options: &Options) -> Result<(), OpenError> {
    let subject = format!("$JS.API.STREAM.INFO.{}", options.stream);
    let (mut seen, mut most) = (0, 0);
    let config = loop {
        let question = json!({ "subjects_filter": ">", "offset": seen }).to_string();
        let page: StreamInfo = ask(client, subject.clone(), question.into())
            .await
            .map_err(|error| error.refused("to count each customer's events"))?;
        seen += page.state.subjects.len();
        most = page.state.subjects.into_values().fold(most, u64::max);
        if seen >= page.total {
            break page.config;
        }
    };
    if most > MAX_UNBOUNDED_EVENTS {
        tracing::warn!(most, "some customer has too many events for the bound to be added");
        return Ok(());
    }
    let subject = format!("$JS.API.STREAM.UPDATE.{}", options.stream);
    let updated = ask::<Value>(client, subject, settings::bounded(config).to_string().into()).await;
    updated.map(drop).map_err(|error| error.refused("to bound the events of one customer"))
}

/// Writes message 1 unless there is one: of two gateways that start at once, the server lets one win.
async fn write_genesis(client: &Client, epoch: Uuid) -> Result<(), OpenError> {
    let mut headers = wire::single_headers(identity::GENESIS_ID, None);
    headers.insert(wire::EXPECTED_SEQUENCE, "0");
    let request = Request::new().headers(headers).payload(identity::genesis(epoch).into());
    let ack: PubAck = match client.send_request(CONTROL_SUBJECT, request).await {
        Ok(answer) => serde_json::from_slice(&answer.payload).map_err(|error| refused("genesis", error.to_string()))?,
        Err(error) => return Err(refused("genesis", error.to_string())),
    };
    match ack.error {
        Some(error) if error.err_code != wire::WRONG_LAST_SEQUENCE => Err(refused("genesis", error.description)),
        _ => Ok(()),
    }
}

fn refused(what: &'static str, reason: String) -> OpenError {
    OpenError::Refused { what, reason }
}

/// Why a question to JetStream's API has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    #[error("{} ({})", .0.description, .0.err_code)]
    Api(ApiError),
    #[error("no answer: {0}")]
    Silent(String),
}

impl AskError {
    fn refused(self, what: &'static str) -> OpenError {
        refused(what, self.to_string())
    }
}

/// One question to JetStream's API.
pub(crate) async fn ask<T: DeserializeOwned>(client: &Client, subject: String, question: Bytes) -> Result<T, AskError> {
    let answer = client.request(subject, question).await.map_err(|error| {
        AskError::Silent(match error.kind() {
            RequestErrorKind::NoResponders => "JetStream is not enabled, or starting".to_owned(),
            _ => error.to_string(),
        })
    })?;
    #[derive(serde::Deserialize)]
    struct Failure {
        error: ApiError,
    }
    if let Ok(Failure { error }) = serde_json::from_slice(&answer.payload) {
        return Err(AskError::Api(error));
    }
    serde_json::from_slice(&answer.payload).map_err(|error| AskError::Silent(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers() {
        assert_eq!(version("2.15.1"), Some((2, 15, 1)));
        assert_eq!(version("2.14.4-RC.1"), Some((2, 14, 4)));
        assert!(version("2.9.10") < Some(MIN_SERVER));
        assert_eq!(version("dev"), None);
    }
}
