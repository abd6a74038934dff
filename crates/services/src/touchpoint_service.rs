//! TouchpointService: takes touchpoints, and answers once they are durable.

use api::errors::Error;
use api::v1;
use event_log::{Appended, Appender, Draft, MAX_BATCH_EVENTS};
use futures::stream::BoxStream;
use projector::Clock;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};
use touchpoint::{Intake, Position};

use crate::limits::Places;
use crate::{append, call, import, intake};

const SERVICE: &str = "TouchpointService";
/// Imports at once; each holds at most [`import::WINDOW_EVENTS`] events.
const MAX_IMPORTS: usize = 8;

/// The service. It owns nothing but handles.
pub(crate) struct TouchpointService {
    pub(crate) appender: Appender,
    pub(crate) clock: Clock,
    pub(crate) stop: CancellationToken,
    imports: Places,
}

impl TouchpointService {
    pub(crate) fn new(appender: Appender, clock: Clock, stop: CancellationToken) -> Self {
        Self { appender, clock, stop, imports: Places::new("imports", MAX_IMPORTS) }
    }

    /// Every touchpoint is judged before any is appended.
    fn judge_all(&self, sent: &[v1::Touchpoint]) -> Result<Vec<Draft>, Error> {
        if sent.is_empty() || sent.len() > MAX_BATCH_EVENTS {
            let message = format!("expected 1 to {MAX_BATCH_EVENTS} touchpoints, got {}", sent.len());
            return Err(Error::field("touchpoints", message));
        }
        let now = (self.clock)();
        let (mut drafts, mut broken) = (Vec::with_capacity(sent.len()), Vec::new());
        for (index, touchpoint) in sent.iter().enumerate() {
            match intake::message(touchpoint, &format!("touchpoints[{index}]"), now, Intake::Record) {
                Err(violations) => broken.extend(violations),
                Ok(draft) => drafts.push(draft),
            }
        }
        if broken.is_empty() { Ok(drafts) } else { Err(Error::Invalid(broken)) }
    }
}

fn recorded(appended: Appended) -> v1::RecordOutcome {
    v1::RecordOutcome { position: appended.position.0, duplicate: appended.duplicate }
}

#[tonic::async_trait]
impl v1::touchpoint_service_server::TouchpointService for TouchpointService {
    async fn record(&self, request: Request<v1::RecordRequest>) -> Result<Response<v1::RecordResponse>, Status> {
        let until = call::append_by(request.metadata());
        let v1::RecordRequest { touchpoint, expected_revision } = request.into_inner();
        call::answer(SERVICE, "Record", async {
            let sent = touchpoint.ok_or_else(|| Error::field("touchpoint", "is required"))?;
            let draft = intake::message(&sent, "touchpoint", (self.clock)(), Intake::Record).map_err(Error::Invalid)?;
            let appended = append::one(&self.appender, draft, expected_revision.map(Position), until).await;
            let Appended { position, duplicate } = appended.map_err(|it| append::error(it, "touchpoint"))?;
            Ok(v1::RecordResponse { position: position.0, duplicate })
        })
        .await
    }

    async fn record_batch(
        &self,
        request: Request<v1::RecordBatchRequest>,
    ) -> Result<Response<v1::RecordBatchResponse>, Status> {
        let until = call::append_by(request.metadata());
        let sent = request.into_inner().touchpoints;
        call::answer(SERVICE, "RecordBatch", async {
            let drafts = self.judge_all(&sent)?;
            let appended = append::all(&self.appender, drafts, until).await;
            let appended = appended.map_err(|it| append::refused(it, "touchpoints"))?;
            Ok(v1::RecordBatchResponse { outcomes: appended.into_iter().map(recorded).collect() })
        })
        .await
    }

    type ImportStream = BoxStream<'static, Result<v1::ImportResponse, Status>>;

    async fn import(
        &self,
        request: Request<Streaming<v1::ImportRequest>>,
    ) -> Result<Response<Self::ImportStream>, Status> {
        call::answer(SERVICE, "Import", async {
            let place = self.imports.take()?;
            let until = call::given(request.metadata()).map(|given| tokio::time::Instant::now() + given);
            let writer = import::Writer { appender: self.appender.clone(), clock: self.clock.clone(), until };
            Ok(import::outcomes(request.into_inner(), writer, self.stop.clone(), place))
        })
        .await
    }
}
