//! Import: any number of items, each by itself, answered in their order.
//!
//! The answering stream drives everything: an item is taken only while there is room in the window, and the window moves
//! only as the caller reads the outcomes. What waits at the same moment is written as one group by the appender.

use std::future::{Future, ready};
use std::sync::Arc;
use std::time::Duration;

use api::v1::import_outcome::Result as Became;
use api::{timeline, v1};
use event_log::{AppendError, Appended, Appender};
use futures::future::Either;
use futures::stream::BoxStream;
use futures::{FutureExt, Stream, StreamExt, stream};
use projector::Clock;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use touchpoint::{Intake, Violation};

use crate::{append, call, damaged, intake};

/// Events of one import on their way at once: two groups of the log, one in flight while the next one forms.
pub(crate) const WINDOW_EVENTS: usize = 2_000;
/// How long one item may take; a log that does not answer for so long ends the import.
const ITEM_TIME: Duration = Duration::from_secs(30);

/// Takes one item at a time.
pub(crate) struct Writer {
    pub(crate) appender: Appender,
    pub(crate) clock: Clock,
    /// The caller's deadline for the whole import, if there is one.
    pub(crate) until: Option<Instant>,
}

/// The outcomes of all items, then the summary. The place is given back when the stream is dropped.
pub(crate) fn outcomes(
    items: impl Stream<Item = Result<v1::ImportRequest, Status>> + Send + 'static,
    writer: Writer,
    stop: CancellationToken,
    place: OwnedSemaphorePermit,
) -> BoxStream<'static, Result<v1::ImportResponse, Status>> {
    let writer = Arc::new(writer);
    answers(items, stop, move |item| writer.clone().take(item))
        .inspect(move |_| {
            // The place belongs to the stream, and is free again when that is dropped.
            let _: &OwnedSemaphorePermit = &place;
        })
        .boxed()
}

/// What becomes of each item: taken one after the other, so that the log has them in their order, awaited several at
/// once, and answered in their order; then the summary. The first error of the items, or of an outcome, is the last
/// answer, and so is a process that goes down.
fn answers<T, F>(
    items: impl Stream<Item = Result<v1::ImportRequest, Status>> + Send + 'static,
    stop: CancellationToken,
    take: impl Fn(v1::ImportRequest) -> T + Send + 'static,
) -> impl Stream<Item = Result<v1::ImportResponse, Status>> + Send + 'static
where
    T: Future<Output = F> + Send + 'static,
    F: Future<Output = Result<v1::ImportOutcome, Status>> + Send + 'static,
{
    let outcomes = items
        .take_until(stop.clone().cancelled_owned())
        .then(move |item| match item {
            Ok(item) => Either::Left(take(item).map(Either::Left)),
            Err(status) => Either::Right(ready(Either::Right(ready(Err(damaged::blame(status)))))),
        })
        .buffered(WINDOW_EVENTS)
        .map(|outcome| outcome.map(Some));
    let end = stream::once(async move { if stop.is_cancelled() { Err(call::draining().into()) } else { Ok(None) } });
    let tally = (v1::ImportSummary::default(), false);
    outcomes.chain(end).scan(tally, |(summary, over), outcome| {
        let answer = (!*over).then(|| outcome.map(|outcome| answer(summary, outcome)));
        *over |= !matches!(answer, Some(Ok(_)));
        ready(answer)
    })
}

/// An outcome, counted; nothing means that there are no more.
fn answer(summary: &mut v1::ImportSummary, outcome: Option<v1::ImportOutcome>) -> v1::ImportResponse {
    use v1::import_response::Result as Answer;
    let Some(outcome) = outcome else {
        return v1::ImportResponse { result: Some(Answer::Summary(*summary)) };
    };
    summary.received += 1;
    match &outcome.result {
        Some(Became::Recorded(it)) => {
            *if it.duplicate { &mut summary.duplicates } else { &mut summary.recorded } += 1;
            summary.last_position = summary.last_position.max(it.position);
        }
        Some(Became::Refused(_)) | None => summary.refused += 1,
    }
    v1::ImportResponse { result: Some(Answer::Outcome(outcome)) }
}

impl Writer {
    /// Judges one item and hands it over to the log; what this gives waits for what becomes of it. Only what has nothing
    /// to do with the item ends the import.
    async fn take(
        self: Arc<Self>,
        item: v1::ImportRequest,
    ) -> impl Future<Output = Result<v1::ImportOutcome, Status>> + use<> {
        let v1::ImportRequest { sequence, item } = item;
        let own = Instant::now() + ITEM_TIME;
        let until = self.until.map_or(own, |until| until.min(own));
        let taken = match self.judge(item) {
            Ok(draft) => Ok(append::hand_over(&self.appender, draft, until).await),
            Err(violations) => Err(Became::Refused(refusal(v1::ImportRefusalReason::Invalid, &violations))),
        };
        async move {
            let became = match taken {
                Ok(appended) => became(appended.await).map_err(|error| append::error(error, ""))?,
                Err(refused) => refused,
            };
            Ok(v1::ImportOutcome { sequence, result: Some(became) })
        }
    }

    fn judge(&self, item: Option<v1::import_request::Item>) -> Result<event_log::Draft, Vec<Violation>> {
        use v1::import_request::Item;
        match item {
            Some(Item::Touchpoint(sent)) => intake::message(&sent, "", (self.clock)(), Intake::Import),
            Some(Item::CloudEventJson(body)) => intake::json(body, (self.clock)(), Intake::Import),
            None => Err(vec![violation("item", "is required: a touchpoint or its JSON")]),
        }
    }
}

/// What the log says of an item, as far as it is about the item.
fn became(appended: Result<Appended, AppendError>) -> Result<Became, AppendError> {
    match appended {
        Ok(Appended { position, duplicate }) => {
            Ok(Became::Recorded(v1::RecordOutcome { position: position.0, duplicate }))
        }
        Err(error @ AppendError::AlreadyExists { .. }) => {
            Ok(Became::Refused(refusal(v1::ImportRefusalReason::Conflict, &[violation("id", error.to_string())])))
        }
        Err(error @ AppendError::CustomerFull { .. }) => Ok(Became::Refused(refusal(
            v1::ImportRefusalReason::CustomerFull,
            &[violation("subject", error.to_string())],
        ))),
        Err(error @ AppendError::TooLarge { .. }) => {
            Ok(Became::Refused(refusal(v1::ImportRefusalReason::Invalid, &[violation("", error.to_string())])))
        }
        // An import expects no revision, so that a conflict of revisions is not about the item either.
        Err(error) => Err(error),
    }
}

fn violation(field: &str, message: impl Into<String>) -> Violation {
    Violation { field: field.to_owned(), message: message.into() }
}

fn refusal(reason: v1::ImportRefusalReason, violations: &[Violation]) -> v1::ImportRefusal {
    v1::ImportRefusal { reason: reason.into(), violations: timeline::field_violations(violations) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchpoint::{EventId, Position};

    async fn import(
        items: Vec<Result<v1::ImportRequest, Status>>,
        stop: CancellationToken,
    ) -> Vec<Result<v1::ImportResponse, Status>> {
        let take = |item: v1::ImportRequest| {
            ready(async move {
                let duplicate = item.sequence == 2;
                let position = Position(10 + item.sequence);
                let appended = match item.sequence {
                    4 => Err(AppendError::AlreadyExists { event: EventId::from_u128(4), position }),
                    5 => Err(AppendError::Unavailable("down".to_owned())),
                    _ => Ok(Appended { position, duplicate }),
                };
                let result = became(appended).map_err(|error| Status::unavailable(error.to_string()))?;
                Ok(v1::ImportOutcome { sequence: item.sequence, result: Some(result) })
            })
        };
        answers(stream::iter(items), stop, take).collect().await
    }

    fn item(sequence: u64) -> Result<v1::ImportRequest, Status> {
        Ok(v1::ImportRequest { sequence, item: None })
    }

    #[tokio::test]
    async fn refused_items_do_not_stop_the_others_and_the_summary_is_last() {
        let answers = import((1..=4).map(item).collect(), CancellationToken::new()).await;
        assert_eq!(answers.len(), 5);
        let last = answers.into_iter().next_back().unwrap().unwrap().result.unwrap();
        let expected = v1::ImportSummary { received: 4, recorded: 2, duplicates: 1, refused: 1, last_position: 13 };
        assert_eq!(last, v1::import_response::Result::Summary(expected));
    }

    #[tokio::test]
    async fn a_log_that_is_away_ends_the_import_without_a_summary() {
        let answers = import(vec![item(1), item(5), item(3)], CancellationToken::new()).await;
        assert_eq!(answers.len(), 2);
        assert_eq!(answers[1].as_ref().unwrap_err().code(), tonic::Code::Unavailable);
    }

    #[tokio::test]
    async fn what_cannot_be_read_ends_the_import() {
        let answers = import(vec![item(1), Err(Status::internal("cut")), item(2)], CancellationToken::new()).await;
        assert_eq!(answers.last().unwrap().as_ref().unwrap_err().code(), tonic::Code::Internal);
        assert_eq!(answers.len(), 2);
    }

    #[tokio::test]
    async fn a_process_that_goes_down_says_so_instead_of_a_summary() {
        let stop = CancellationToken::new();
        stop.cancel();
        let answers = import(vec![item(1)], stop).await;
        assert_eq!(answers.len(), 1);
        assert_eq!(answers[0].as_ref().unwrap_err().code(), tonic::Code::Unavailable);
    }
}
