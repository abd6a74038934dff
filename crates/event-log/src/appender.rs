//! Takes events from many callers at once and commits those that wait together as one group.
//!
//! One group is in flight; the next one forms in the queue meanwhile. A dropped call may still be written.
//!
//! An id is compared with what the server remembers (two minutes) and no further: to read the customer's timeline
//! before every append would cost a round trip each, and would still not close the race. An older id is appended
//! again and has no second effect, since every view keeps the first; other content is counted there as a conflict.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout_at};
use touchpoint::{Position, same_content};

use crate::append::{Appended, Draft, Group, MAX_BATCH_BYTES, MAX_BATCH_EVENTS, at_most};
use crate::commit::Committer;
use crate::error::{AppendError, Refused};
use crate::run::Outcomes;
use crate::stream::Log;

/// The longest that an append is tried, whatever its deadline: well inside the server's memory of ids (2 minutes).
pub const MAX_APPEND_TIME: Duration = Duration::from_secs(60);
/// Events that wait for a group; more callers than this wait for a place.
const QUEUE_EVENTS: usize = 4 * MAX_BATCH_EVENTS;
/// Appends with an expected revision on their way at once.
const MAX_SINGLES: usize = 256;
/// Batches of callers on their way at once; the server keeps at most 50 open.
const MAX_BATCHES: usize = 8;
/// How much longer than its deadline a caller waits for a group that is on its way, so that the true reason arrives.
const ANSWER_GRACE: Duration = Duration::from_millis(100);
/// How often the group's task looks for the connection.
const CONNECTION_POLL: Duration = Duration::from_millis(10);

/// Makes events durable. Clones share the group; its task ends with the last clone.
#[derive(Debug, Clone)]
pub struct Appender {
    committer: Arc<Committer>,
    queue: mpsc::Sender<Waiting>,
    singles: Arc<Semaphore>,
    batches: Arc<Semaphore>,
}

/// An event in the queue.
#[derive(Debug)]
struct Waiting {
    draft: Draft,
    until: Instant,
    /// Set by whoever is first: the group that takes the event, or the caller that gives up.
    claimed: Arc<AtomicBool>,
    answer: oneshot::Sender<Result<Appended, AppendError>>,
}

/// An event that waits for its group, as its caller has it. Dropped, it may still be written.
#[derive(Debug)]
pub struct Queued {
    answered: oneshot::Receiver<Result<Appended, AppendError>>,
    claimed: Arc<AtomicBool>,
    until: Instant,
}

impl Appender {
    /// Starts the group's task on the current runtime.
    pub fn start(log: Log) -> Self {
        let committer = Arc::new(Committer::new(log));
        let (queue, waiting) = mpsc::channel(QUEUE_EVENTS);
        tokio::spawn(commit_groups(committer.clone(), waiting));
        let (singles, batches) = (Semaphore::new(MAX_SINGLES), Semaphore::new(MAX_BATCHES));
        Self { committer, queue, singles: Arc::new(singles), batches: Arc::new(batches) }
    }

    /// Appends one event; `Ok` means that it is durable. With `expected`, only if the customer's last event is there
    /// (zero: the customer has none).
    pub async fn append(
        &self,
        draft: Draft,
        expected: Option<Position>,
        until: Instant,
    ) -> Result<Appended, AppendError> {
        let Some(expected) = expected else {
            return self.enqueue(draft, until).await?.outcome().await;
        };
        draft.check_size()?;
        let until = bounded(until);
        let _permit = permit(&self.singles, until).await?;
        self.committer.commit_expecting(&draft, expected, until).await
    }

    /// Takes one event into the queue: events of calls one after the other are written in their order, but for one that
    /// has to be tried again.
    pub async fn enqueue(&self, draft: Draft, until: Instant) -> Result<Queued, AppendError> {
        draft.check_size()?;
        let until = bounded(until);
        let (answer, answered) = oneshot::channel();
        let claimed = Arc::new(AtomicBool::new(false));
        let waiting = Waiting { draft, until, claimed: claimed.clone(), answer };
        match timeout_at(until, self.queue.send(waiting)).await {
            Ok(Ok(())) => Ok(Queued { answered, claimed, until }),
            Ok(Err(_)) => Err(AppendError::Unavailable("appending has stopped".to_owned())),
            Err(_) => Err(AppendError::Unavailable("too many events wait".to_owned())),
        }
    }

    /// Appends all or nothing, in order, at most [`MAX_BATCH_EVENTS`]. Those that are there already with the same
    /// content, in the log or earlier in the request, are answered with their position; one with other content refuses
    /// the whole.
    pub async fn append_all(&self, drafts: Vec<Draft>, until: Instant) -> Result<Vec<Appended>, Refused> {
        at_most(drafts.len(), MAX_BATCH_EVENTS, "events")?;
        for (index, draft) in drafts.iter().enumerate() {
            draft.check_size().map_err(|error| Refused::Event { index, error })?;
        }
        at_most(drafts.iter().map(|draft| draft.body.len()).sum(), MAX_BATCH_BYTES, "bytes")?;
        let (distinct, places) = distinct(drafts)?;
        let until = bounded(until);
        let _permit = permit(&self.batches, until).await?;
        let outcomes = self.committer.commit(&distinct, until, true).await;
        all_or_first_error(outcomes, &places)
    }

    pub(crate) fn committer(&self) -> &Committer {
        &self.committer
    }
}

impl Queued {
    /// What became of the event; `Ok` means that it is durable.
    pub async fn outcome(self) -> Result<Appended, AppendError> {
        let Self { mut answered, claimed, until } = self;
        let answer = match timeout_at(until, &mut answered).await {
            Ok(answer) => answer,
            Err(_) if !claimed.swap(true, Ordering::AcqRel) => {
                return Err(AppendError::Unavailable("the log took nothing in time".to_owned()));
            }
            Err(_) => match timeout_at(until + ANSWER_GRACE, answered).await {
                Ok(answer) => answer,
                Err(_) => return Err(AppendError::OutcomeUnknown("no answer in time".to_owned())),
            },
        };
        answer.unwrap_or_else(|_| Err(AppendError::OutcomeUnknown("appending has stopped".to_owned())))
    }
}

/// The deadline that a caller wants, if an append may take so long.
pub(crate) fn bounded(until: Instant) -> Instant {
    until.min(Instant::now() + MAX_APPEND_TIME)
}

async fn permit(places: &Semaphore, until: Instant) -> Result<tokio::sync::SemaphorePermit<'_>, AppendError> {
    match timeout_at(until, places.acquire()).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(AppendError::Unavailable("too many appends wait".to_owned())),
    }
}

/// The group's task: one group at a time, from what waits at that moment.
async fn commit_groups(committer: Arc<Committer>, mut queue: mpsc::Receiver<Waiting>) {
    let mut left_over = None;
    loop {
        let first = match left_over.take() {
            Some(waiting) => waiting,
            None => match queue.recv().await {
                Some(waiting) => waiting,
                None => return,
            },
        };
        // While nothing can be sent nothing is taken: callers that give up then know that nothing was written.
        while !committer.log().is_connected() && !queue.is_closed() {
            sleep(CONNECTION_POLL).await;
        }
        let (group, rest) = form_group(first, &mut queue);
        left_over = rest;
        commit_group(&committer, group).await;
    }
}

fn form_group(first: Waiting, queue: &mut mpsc::Receiver<Waiting>) -> (Vec<Waiting>, Option<Waiting>) {
    let mut group = Group::new();
    let mut next = Some(first);
    while let Some(waiting) = next.take() {
        let draft = waiting.draft.clone();
        if let Err(waiting) = group.offer(&draft, waiting) {
            return (group.members, Some(waiting));
        }
        next = if group.is_full() { None } else { queue.try_recv().ok() };
    }
    (group.members, None)
}

async fn commit_group(committer: &Committer, group: Vec<Waiting>) {
    let taken: Vec<Waiting> =
        group.into_iter().filter(|waiting| !waiting.claimed.swap(true, Ordering::AcqRel)).collect();
    let Some(until) = taken.iter().map(|waiting| waiting.until).max() else { return };
    let (drafts, answers): (Vec<_>, Vec<_>) = taken.into_iter().map(|waiting| (waiting.draft, waiting.answer)).unzip();
    let outcomes = committer.commit(&drafts, until, false).await;
    for (answer, outcome) in answers.into_iter().zip(outcomes) {
        let outcome = outcome.unwrap_or_else(|| Err(AppendError::Unavailable("not written".to_owned())));
        // A caller that has gone does not want to know.
        answer.send(outcome).ok();
    }
}

/// The drafts without repetitions, and for each draft which of them it is.
fn distinct(drafts: Vec<Draft>) -> Result<(Vec<Draft>, Vec<usize>), Refused> {
    let mut first_of = HashMap::new();
    let mut kept: Vec<Draft> = Vec::with_capacity(drafts.len());
    let mut places = Vec::with_capacity(drafts.len());
    for (index, draft) in drafts.into_iter().enumerate() {
        let (place, first) = *first_of.entry((draft.customer, draft.event)).or_insert((kept.len(), index));
        match kept.get(place) {
            None => kept.push(draft),
            Some(one) if same_content(&one.body, &draft.body) => {}
            Some(_) => return Err(Refused::Repeated { index, first }),
        }
        places.push(place);
    }
    Ok((kept, places))
}

fn all_or_first_error(outcomes: Outcomes, places: &[usize]) -> Result<Vec<Appended>, Refused> {
    let failed = |(index, place): (usize, &usize)| match &outcomes[*place] {
        Some(Err(error)) => Some(Refused::Event { index, error: error.clone() }),
        _ => None,
    };
    if let Some(refused) = places.iter().enumerate().find_map(failed) {
        return Err(refused);
    }
    let mut seen = vec![false; outcomes.len()];
    let mut appended = Vec::with_capacity(places.len());
    for place in places {
        let Some(Ok(mut one)) = outcomes[*place].clone() else {
            return Err(AppendError::Unavailable("not written".to_owned()).into());
        };
        // The second of two equal events in one request was there when its turn came.
        one.duplicate |= std::mem::replace(&mut seen[*place], true);
        appended.push(one);
    }
    Ok(appended)
}
