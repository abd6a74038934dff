//! Reads the log in order without gaps, through cut connections: the tail, and the replay of a range.
//!
//! One session is one consumer on one connection, started at the last position + 1 after the log was recognised. A
//! session ends at the first doubt (another connection, a skipped position, a missed heartbeat) and the next one begins
//! at the last position that was handed over. Nothing is acknowledged: the reader's own position is the only truth.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::pull::MessagesError;
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, ReplayPolicy, pull};
use futures::{Stream, StreamExt};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use touchpoint::Position;

use crate::entry::{Batch, Entry};
use crate::error::{Broken, CheckError, TailError};
use crate::identity::Checkpoint;
use crate::stream::Log;

/// The most entries of a batch; fewer if no more are there at the moment.
pub const MAX_TAIL_BATCH: usize = 10_000;
/// Batches that wait for a slow reader.
const READY_BATCHES: usize = 2;
/// A pull that brings nothing ends after this and is made again.
const PULL_EXPIRES: Duration = Duration::from_secs(30);
/// The server says that it is there; two missed end the session.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// The server forgets a consumer that nobody pulls from.
const CONSUMER_IDLE: Duration = Duration::from_secs(30);
/// How long a closed consumer may take to be deleted; it is forgotten anyway.
const DELETE_TIMEOUT: Duration = Duration::from_secs(1);
/// Pause before a new session; doubles while none brings anything.
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// What the tail does at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TailState {
    /// A session begins: the log is recognised, a consumer made.
    Opening,
    /// Entries arrive as they are appended.
    Reading,
    /// No session for this reason; another one begins soon, and so on for ever.
    Retrying(String),
    /// The end of the range, or a broken log.
    Ended,
}

/// A stream of batches, every position exactly once and in order. Dropping it ends it.
#[derive(Debug)]
pub struct Tail {
    batches: mpsc::Receiver<Result<Batch, TailError>>,
    state: watch::Receiver<TailState>,
    task: JoinHandle<()>,
}

impl Log {
    /// Everything from a position on, for ever. An error is the last item.
    pub fn tail(&self, from: Position) -> Tail {
        self.read_from(from, None)
    }

    /// As [`Log::tail`], but also checks from the first session on that the log still holds what `checkpoint` read, and
    /// begins right after it.
    pub fn tail_after(&self, checkpoint: Checkpoint) -> Tail {
        self.start(checkpoint, None)
    }

    /// The positions `from` to `to`, both included; ends where the log ends when it begins.
    pub fn replay(&self, from: Position, to: Position) -> Tail {
        self.read_from(from, Some(to))
    }

    fn read_from(&self, from: Position, to: Option<Position>) -> Tail {
        let before = Position(from.0.saturating_sub(1));
        let mut tail = Reader::new(self.clone(), Checkpoint::start(self.identity()), to);
        tail.handed_over = before;
        tail.spawn()
    }

    fn start(&self, checkpoint: Checkpoint, to: Option<Position>) -> Tail {
        Reader::new(self.clone(), checkpoint, to).spawn()
    }
}

impl Tail {
    /// What it does now; changes can be awaited.
    pub fn state(&self) -> watch::Receiver<TailState> {
        self.state.clone()
    }
}

impl Stream for Tail {
    type Item = Result<Batch, TailError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.batches.poll_recv(context)
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Why a session ended.
enum End {
    /// Everything was read, or nobody reads.
    Done,
    Broken(Broken),
    /// Begin another one.
    Again(String),
}

struct Reader {
    log: Log,
    /// What the log must still hold: its position is zero until something was read.
    checkpoint: Checkpoint,
    /// The last position that the reader was given; the next session begins right after it.
    handed_over: Position,
    to: Option<Position>,
}

/// Where batches and news of the state go.
struct Out {
    batches: mpsc::Sender<Result<Batch, TailError>>,
    state: watch::Sender<TailState>,
}

impl Reader {
    fn new(log: Log, checkpoint: Checkpoint, to: Option<Position>) -> Self {
        Self { log, checkpoint, handed_over: checkpoint.position, to }
    }

    fn spawn(self) -> Tail {
        let (batches, received) = mpsc::channel(READY_BATCHES);
        let (state, watched) = watch::channel(TailState::Opening);
        let task = tokio::spawn(self.run(Out { batches, state }));
        Tail { batches: received, state: watched, task }
    }

    async fn run(mut self, out: Out) {
        let mut pause = PAUSE_MIN;
        loop {
            let before = self.handed_over;
            out.state.send_replace(TailState::Opening);
            match self.session(&out).await {
                End::Done => break,
                End::Broken(broken) => {
                    out.batches.send(Err(broken.into())).await.ok();
                    break;
                }
                End::Again(reason) => {
                    tracing::debug!(position = %self.handed_over, reason, "the tail begins a new session");
                    out.state.send_replace(TailState::Retrying(reason));
                }
            }
            pause = if self.handed_over > before { PAUSE_MIN } else { (pause * 2).min(PAUSE_MAX) };
            sleep(pause).await;
        }
        out.state.send_replace(TailState::Ended);
    }

    async fn session(&mut self, out: &Out) -> End {
        // Noted first: a connection made after this line ends the session.
        let connects = self.log.connects();
        let head = match self.log.check(&self.checkpoint).await {
            Ok(head) => head.last,
            Err(CheckError::Broken(broken)) => return End::Broken(broken),
            Err(CheckError::Unavailable(reason)) => return End::Again(reason),
        };
        if self.handed_over > head {
            return self.beyond(head);
        }
        // A range ends where the log ended when its first session began.
        self.to = self.to.map(|to| to.min(head.max(self.handed_over)));
        if self.is_done() {
            return End::Done;
        }
        let consumer = match self.consumer().await {
            Ok(consumer) => consumer,
            Err(reason) => return End::Again(reason),
        };
        let end = self.follow(&consumer, connects, out).await;
        let name = &consumer.cached_info().name;
        timeout(DELETE_TIMEOUT, self.log.stream.delete_consumer(name)).await.ok();
        end
    }

    /// The reader's position is beyond the log: a range there is empty, else the log lost its tail.
    fn beyond(&self, head: Position) -> End {
        if self.to.is_some() && self.checkpoint.position == Position::ZERO {
            return End::Done;
        }
        let found = format!("the log ends at {head}");
        End::Broken(Broken::RolledBack { position: self.handed_over, found })
    }

    async fn consumer(&self) -> Result<Consumer<pull::Config>, String> {
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: self.handed_over.next().0 },
            ack_policy: AckPolicy::None,
            replay_policy: ReplayPolicy::Instant,
            inactive_threshold: CONSUMER_IDLE,
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        };
        self.log.stream.create_consumer(config).await.map_err(|error| error.to_string())
    }

    async fn follow(&mut self, consumer: &Consumer<pull::Config>, connects: u64, out: &Out) -> End {
        let pulls = consumer.stream().max_messages_per_batch(MAX_TAIL_BATCH).expires(PULL_EXPIRES).heartbeat(HEARTBEAT);
        let messages = match pulls.messages().await {
            Ok(messages) => messages,
            Err(error) => return End::Again(error.to_string()),
        };
        out.state.send_replace(TailState::Reading);
        let mut ready = messages.ready_chunks(MAX_TAIL_BATCH);
        while let Some(messages) = ready.next().await {
            if self.log.connects() != connects {
                // Some of these may come from a log that is not recognised yet.
                return End::Again("the connection was made anew".to_owned());
            }
            let Sorted { batch, doubt } = self.sort(messages);
            if !batch.entries.is_empty() && !self.hand_over(batch, out).await {
                return End::Done;
            }
            if self.is_done() {
                return End::Done;
            }
            match doubt {
                None => {}
                Some(Doubt::Skipped) => return self.explain_skip().await,
                Some(Doubt::Failed(reason)) => return End::Again(reason),
            }
        }
        End::Again("the consumer ended".to_owned())
    }

    /// The messages that follow the last position without a hole, up to the end of the range.
    fn sort(&self, messages: Vec<Result<Message, MessagesError>>) -> Sorted {
        let mut batch = Batch { entries: Vec::with_capacity(messages.len()), last: Position::ZERO };
        let mut before = self.handed_over;
        let mut doubt = None;
        for message in messages {
            let delivered = message.map_err(|error| error.to_string());
            let entry = delivered.and_then(|message| Entry::from_delivered(message).map_err(|error| error.to_string()));
            match entry {
                Err(reason) => doubt = Some(Doubt::Failed(reason)),
                Ok((entry, _)) if entry.position > before.next() => doubt = Some(Doubt::Skipped),
                Ok((entry, _)) if entry.position <= before || self.to.is_some_and(|to| entry.position > to) => continue,
                Ok((entry, pending)) => {
                    before = entry.position;
                    batch.last = Position(before.0 + pending);
                    batch.entries.push(entry);
                    continue;
                }
            }
            break;
        }
        Sorted { batch, doubt }
    }

    /// False if nobody reads.
    async fn hand_over(&mut self, batch: Batch, out: &Out) -> bool {
        let Some((position, digest)) = batch.entries.last().map(|last| (last.position, last.digest())) else {
            return true;
        };
        self.handed_over = position;
        self.checkpoint = Checkpoint::at(self.log.identity(), position, digest);
        out.batches.send(Ok(batch)).await.is_ok()
    }

    fn is_done(&self) -> bool {
        self.to.is_some_and(|to| self.handed_over >= to)
    }

    /// A position was skipped: by the way here, or by the log itself?
    async fn explain_skip(&self) -> End {
        let missing = self.handed_over.next();
        match self.log.leader_get(missing).await {
            Ok(None) => End::Broken(Broken::Gap(format!("position {missing} is missing"))),
            Ok(Some(_)) => End::Again(format!("position {missing} was skipped on the way")),
            Err(error) => End::Again(error.to_string()),
        }
    }
}

struct Sorted {
    batch: Batch,
    doubt: Option<Doubt>,
}

enum Doubt {
    Skipped,
    Failed(String),
}
