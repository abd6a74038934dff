//! TimelineService: reads the log itself.

use std::sync::OnceLock;

use api::errors::Error;
use api::page::Page;
use api::{query, v1};
use event_log::{Log, ReadError};
use futures::stream::BoxStream;
use projector::LowPriorityThreads;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use touchpoint::{CustomerId, Position};

use crate::limits::Places;
use crate::{call, recorded, replay};

const SERVICE: &str = "TimelineService";
/// Replays at once.
const MAX_REPLAYS: usize = 64;
/// Threads of all replays: they decode and filter, and give way to who records and asks.
const REPLAY_THREADS: usize = 2;
/// A page ends early once its events have so many bytes: callers take 4 MiB by default.
const PAGE_BYTES: usize = 2 * 1024 * 1024;

/// The service.
pub(crate) struct TimelineService {
    log: Log,
    stop: CancellationToken,
    replays: Places,
    /// From the first replay on.
    threads: OnceLock<LowPriorityThreads>,
}

impl TimelineService {
    pub(crate) fn new(log: Log, stop: CancellationToken) -> Self {
        Self { log, stop, replays: Places::new("replays", MAX_REPLAYS), threads: OnceLock::new() }
    }

    fn threads(&self) -> Result<&LowPriorityThreads, Error> {
        if let Some(threads) = self.threads.get() {
            return Ok(threads);
        }
        let started = LowPriorityThreads::start("replays", REPLAY_THREADS);
        let started = started.map_err(|error| Error::Internal(format!("no threads to replay on: {error}")))?;
        Ok(self.threads.get_or_init(|| started))
    }

    async fn page(&self, request: v1::GetTimelineRequest) -> Result<v1::GetTimelineResponse, Error> {
        let customer = query::customer_id("customer_id", &request.customer_id)?;
        let page = Page::of(&request)?;
        let after = page.after_position()?.unwrap_or(Position::ZERO);
        let revision = self.log.last_of(customer).await.map_err(unavailable)?;
        let revision = revision.ok_or(Error::CustomerNotFound(customer))?;
        let (events, last) = self.events(customer, after, page.size, request.include_json).await?;
        let next_page_token = if last < revision { page.token_after(last) } else { String::new() };
        Ok(v1::GetTimelineResponse { events, next_page_token, revision: revision.max(last).0 })
    }

    /// The events after a position, and the position of the last one.
    async fn events(
        &self,
        customer: CustomerId,
        after: Position,
        size: usize,
        include_json: bool,
    ) -> Result<(Vec<v1::RecordedTouchpoint>, Position), Error> {
        let entries = self.log.timeline(customer, after, size).await.map_err(unavailable)?;
        let (mut events, mut last, mut bytes) = (Vec::with_capacity(entries.len()), after, 0);
        for entry in &entries {
            bytes += entry.body.len() * if include_json { 2 } else { 1 };
            if bytes > PAGE_BYTES && !events.is_empty() {
                break;
            }
            last = entry.position;
            events.extend(recorded::read(entry).map(|read| read.message(include_json)));
        }
        Ok((events, last))
    }
}

pub(crate) fn unavailable(error: ReadError) -> Error {
    call::log_unavailable(error.to_string())
}

/// Reads the log, but not beyond the deadline.
async fn in_time<T>(until: Instant, read: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let late = |_| call::log_unavailable("the log did not answer before the deadline".to_owned());
    timeout_at(until, read).await.map_err(late)?
}

#[tonic::async_trait]
impl v1::timeline_service_server::TimelineService for TimelineService {
    async fn get_timeline(
        &self,
        request: Request<v1::GetTimelineRequest>,
    ) -> Result<Response<v1::GetTimelineResponse>, Status> {
        let until = call::answer_by(request.metadata());
        call::answer(SERVICE, "GetTimeline", in_time(until, self.page(request.into_inner()))).await
    }

    type ReplayStream = BoxStream<'static, Result<v1::ReplayResponse, Status>>;

    async fn replay(&self, request: Request<v1::ReplayRequest>) -> Result<Response<Self::ReplayStream>, Status> {
        let until = call::answer_by(request.metadata());
        call::answer(SERVICE, "Replay", async {
            let place = self.replays.take()?;
            let plan = in_time(until, replay::plan(&self.log, &request.into_inner())).await?;
            Ok(replay::start(self.threads()?, &self.log, plan, self.stop.clone(), place))
        })
        .await
    }
}
