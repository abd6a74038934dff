//! A nats-server, a gateway on it, and touchpoints to send.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use api::v1;
use broker::Broker;
use event_log::{Appender, Log, Options};
use services::RulesInLog;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;
use touchpoint::{CustomerId, EventId, Timestamp};
use uuid::Uuid;

/// The gateway's present. The log's own clock stamps what is recorded.
pub(crate) const NOW: &str = "2026-01-01T00:00:00Z";

pub(crate) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// A gateway and its log.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) channel: Channel,
    pub(crate) broker: Option<Broker>,
    pub(crate) log: Log,
    pub(crate) appender: Appender,
    pub(crate) rules: RulesInLog,
    pub(crate) stop: CancellationToken,
    _folder: TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(crate) async fn start() -> Running {
    let folder = TempDir::new().unwrap();
    let found = broker::find_server().unwrap();
    let options = broker::Options { own_process_group: false, ..broker::Options::new(folder.path().join("nats")) };
    let broker = Broker::start(&found.path, options).unwrap();
    let log = Log::provision(&Options::new(broker.url()), Uuid::from_u128(7)).await.unwrap();
    let (appender, stop) = (Appender::start(log.clone()), CancellationToken::new());
    let ids = AtomicU64::new(1);
    let fresh_id = Arc::new(move || EventId::from_u128(ids.fetch_add(1, Ordering::Relaxed).into()));
    let rules = RulesInLog::new(log.clone(), appender.clone(), fresh_id);
    let gateway = services::Gateway {
        log: log.clone(),
        appender: appender.clone(),
        rules: rules.clone(),
        clock: Arc::new(now),
        stop: stop.clone(),
    };
    let process = services::gateway(gateway);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = services::server().add_routes(process.routes);
    tokio::spawn(async move { server.serve_with_incoming(TcpListenerStream::new(listener)).await });
    tokio::spawn(process.health);
    let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    Running { address, channel, broker: Some(broker), log, appender, rules, stop, _folder: folder }
}

/// A visit of this customer.
pub(crate) fn visit(customer: u128, event: u128) -> v1::Touchpoint {
    v1::Touchpoint {
        id: EventId::from_u128(event).to_string(),
        source: "test".to_owned(),
        customer_id: CustomerId::from_u128(customer).to_string(),
        occurred_at: Some(api::names::timestamp(now())),
        channel: v1::Channel::InPerson.into(),
        event: Some(v1::touchpoint::Event::VisitRecorded(v1::VisitRecorded {
            visit_id: format!("V{event}"),
            kind: v1::VisitKind::First.into(),
            purpose: v1::VisitPurpose::SalesCentre.into(),
            lead_source: v1::LeadSource::WalkIn.into(),
            consultant_id: "K1".to_owned(),
            ..Default::default()
        })),
        ..Default::default()
    }
}

/// The same visit with other content.
pub(crate) fn other_visit(customer: u128, event: u128) -> v1::Touchpoint {
    v1::Touchpoint { source: "elsewhere".to_owned(), ..visit(customer, event) }
}

pub(crate) fn with_timeout<T>(message: T, timeout: Duration) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(timeout);
    request
}

/// The code, and the reason of the ErrorInfo.
pub(crate) fn refusal(status: &Status) -> (Code, String) {
    let reason = status.get_error_details().error_info().map(|info| info.reason.clone());
    (status.code(), reason.unwrap_or_default())
}

/// Every field that a status names.
pub(crate) fn fields(status: &Status) -> Vec<String> {
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    let details = status.get_error_details();
    details.bad_request().unwrap().field_violations.iter().map(|it| it.field.clone()).collect()
}
