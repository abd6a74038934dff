//! Reads the log in order without gaps, through cut connections: the tail, and the replay of a range.
//!
//! One session is one consumer on one connection, started at the last position + 1 after the log was recognised. A
//! session ends at the first doubt (another connection, a skipped position, a missed heartbeat) and the next one begins
//! after the last position that arrived. Nothing is acknowledged: the reader's own position is the only truth.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::pull::MessagesError;
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, ReplayPolicy, pull};
use futures::{Stream, StreamExt};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use touchpoint::Position;

use crate::entry::{Batch, Entry};
use crate::error::{Broken, CheckError, TailError};
use crate::identity::{Checkpoint, Recognised, check_loss};
use crate::loss::Lost;
use crate::stream::Log;

/// The most entries of a batch; fewer if no more are there at the moment.
pub const MAX_TAIL_BATCH: usize = 10_000;
/// Bytes of bodies after which a batch is handed over, whatever the number of its entries.
pub const MAX_TAIL_BYTES: usize = 32 * 1024 * 1024;
/// Batches that wait for a slow reader, beside the one that grows.
const READY_BATCHES: usize = 1;
/// Entries that are worth handing over while at least as many follow: each batch wakes its reader, and has its threads.
const WORTH_HANDING_OVER: usize = 4_000;
/// Messages that are looked at in one go.
const READY_MESSAGES: usize = 1_000;
/// A pull that brings nothing ends after this and is made again.
const PULL_EXPIRES: Duration = Duration::from_secs(30);
/// The server says that it is there; two missed end the session.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// How often a session that hears nothing looks whether its connection is still the same.
const CONNECTION_POLL: Duration = Duration::from_millis(50);
/// How long a session waits for a connection before it says so.
const CONNECTION_WAIT: Duration = Duration::from_secs(1);
/// The server forgets a consumer that nobody pulls from.
const CONSUMER_IDLE: Duration = Duration::from_secs(30);
/// How long a closed consumer may take to be deleted; it is forgotten anyway.
const DELETE_TIMEOUT: Duration = Duration::from_secs(1);
/// Pause before a new session; doubles while none brings anything.
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(2);

const NOT_CONNECTED: &str = "no connection to the log";

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

/// A stream of batches, every position that holds a message exactly once and in order. Dropping it ends it.
#[derive(Debug)]
pub struct Tail {
    batches: mpsc::Receiver<Result<Batch, TailError>>,
    state: watch::Receiver<TailState>,
    task: JoinHandle<()>,
}

impl Log {
    /// Everything from a position on, for ever. An error is the last item. What the log has lost is passed over.
    pub fn tail(&self, from: Position) -> Tail {
        self.read_from(from, None)
    }

    /// As [`Log::tail`], but also checks from the first session on that the log still holds what `checkpoint` read, and
    /// begins right after it. Only the loss that the checkpoint knows of is passed over.
    pub fn tail_after(&self, checkpoint: Checkpoint) -> Tail {
        self.start(checkpoint, None)
    }

    /// The positions `from` to `to`, both included; ends where the log ends when it begins. What the log has lost is
    /// passed over.
    pub fn replay(&self, from: Position, to: Position) -> Tail {
        self.read_from(from, Some(to))
    }

    fn read_from(&self, from: Position, to: Option<Position>) -> Tail {
        let before = Position(from.0.saturating_sub(1));
        let mut tail = Reader::new(self.clone(), Checkpoint::start(self.identity()), to);
        tail.received = before;
        tail.takes_any_loss = true;
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
    /// The last position that arrived; the next session begins right after it.
    received: Position,
    /// What arrived and waits for the reader: it grows while the reader is busy, so a slow one gets large batches.
    pending: Batch,
    pending_bytes: usize,
    /// How many messages follow the last one that arrived.
    following: u64,
    to: Option<Position>,
    /// Reads what is there, whatever is lost; else the checkpoint knows what may be.
    takes_any_loss: bool,
    /// What is passed over in this session, and the end of the log at its beginning.
    lost: Lost,
    end: Position,
}

/// Where batches and news of the state go.
struct Out {
    batches: mpsc::Sender<Result<Batch, TailError>>,
    state: watch::Sender<TailState>,
}

impl Reader {
    fn new(log: Log, checkpoint: Checkpoint, to: Option<Position>) -> Self {
        Self {
            received: checkpoint.position,
            log,
            checkpoint,
            pending: nothing(),
            pending_bytes: 0,
            following: 0,
            to,
            takes_any_loss: false,
            lost: Lost::default(),
            end: Position::ZERO,
        }
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
            let before = self.received;
            out.state.send_replace(TailState::Opening);
            let end = self.session(&out).await;
            if !self.flush(&out).await {
                break;
            }
            match end {
                End::Done => break,
                End::Broken(broken) => {
                    out.batches.send(Err(broken.into())).await.ok();
                    break;
                }
                End::Again(reason) => {
                    tracing::debug!(position = %self.received, reason, "the tail begins a new session");
                    out.state.send_replace(TailState::Retrying(reason));
                }
            }
            pause = if self.received > before { PAUSE_MIN } else { (pause * 2).min(PAUSE_MAX) };
            sleep(pause).await;
        }
        out.state.send_replace(TailState::Ended);
    }

    async fn session(&mut self, out: &Out) -> End {
        if !self.log.wait_connected(Instant::now() + CONNECTION_WAIT).await {
            return End::Again(NOT_CONNECTED.to_owned());
        }
        // Noted first: a connection made after this line ends the session.
        let connects = self.log.connects();
        match self.recognise().await {
            Ok(()) => {}
            Err(CheckError::Broken(broken)) => return End::Broken(broken),
            Err(CheckError::Unavailable(reason)) => return End::Again(reason),
        }
        if self.received > self.end {
            return self.beyond(self.end);
        }
        // A range ends where the log ended when its first session began.
        self.to = self.to.map(|to| self.lost.last_present(to.min(self.end.max(self.received))));
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

    /// Compares the log with what was read, and learns where it ends and what is to be passed over.
    async fn recognise(&mut self) -> Result<(), CheckError> {
        let Recognised { end, lost, .. } = self.log.recognise(&self.checkpoint).await?;
        if self.takes_any_loss {
            self.checkpoint.lost = lost;
        }
        check_loss(&self.checkpoint, lost)?;
        (self.end, self.lost) = (end, self.log.lost_of(lost).await?);
        Ok(())
    }

    /// The reader's position is beyond the log: a range there is empty, else the log lost its tail.
    fn beyond(&self, head: Position) -> End {
        if self.to.is_some() && self.checkpoint.position == Position::ZERO {
            return End::Done;
        }
        let found = format!("the log ends at {head}");
        End::Broken(Broken::RolledBack { position: self.received, found })
    }

    async fn consumer(&self) -> Result<Consumer<pull::Config>, String> {
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: self.received.next().0 },
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
        let pulls = consumer.stream().max_messages_per_batch(self.log.pull).expires(PULL_EXPIRES).heartbeat(HEARTBEAT);
        let messages = match pulls.messages().await {
            Ok(messages) => messages,
            Err(error) => return End::Again(error.to_string()),
        };
        out.state.send_replace(TailState::Reading);
        let mut ready = messages.ready_chunks(READY_MESSAGES);
        loop {
            let messages = tokio::select! {
                place = out.batches.reserve(), if self.is_worth_handing_over() => {
                    let Ok(place) = place else { return End::Done };
                    place.send(Ok(self.take_pending()));
                    continue;
                }
                messages = timeout(CONNECTION_POLL, ready.next()), if self.has_room() => messages,
            };
            if self.log.connects() != connects {
                // What arrived may come from a log that is not recognised yet.
                return End::Again("the connection was made anew".to_owned());
            }
            let messages = match messages {
                Ok(Some(messages)) => messages,
                Ok(None) => return End::Again("the consumer ended".to_owned()),
                Err(_) if !self.log.is_connected() => return End::Again(NOT_CONNECTED.to_owned()),
                Err(_) => continue,
            };
            let doubt = self.receive(messages);
            if self.is_done() {
                return End::Done;
            }
            match doubt {
                None => {}
                Some(Doubt::Skipped) => return self.explain_skip().await,
                Some(Doubt::Failed(reason)) => return End::Again(reason),
            }
        }
    }

    /// Takes the messages that follow the last position without an unknown hole, up to the end of the range.
    fn receive(&mut self, messages: Vec<Result<Message, MessagesError>>) -> Option<Doubt> {
        let before = self.received;
        let doubt = messages.into_iter().find_map(|message| self.receive_one(message).err());
        if let Some(last) = self.pending.entries.last().filter(|_| self.received > before) {
            (self.checkpoint.position, self.checkpoint.digest) = (last.position, last.digest());
        }
        doubt
    }

    fn receive_one(&mut self, message: Result<Message, MessagesError>) -> Result<(), Doubt> {
        let message = message.map_err(|error| Doubt::Failed(error.to_string()))?;
        let (entry, following) = Entry::from_delivered(message).map_err(|error| Doubt::Failed(error.to_string()))?;
        let next = self.received.next();
        if entry.position > next && !self.lost.covers(next, entry.position) {
            return Err(Doubt::Skipped);
        }
        if entry.position > self.received && self.to.is_none_or(|to| entry.position <= to) {
            (self.received, self.following) = (entry.position, following);
            self.pending.last = self.end.max(Position(entry.position.0 + following));
            self.pending_bytes += entry.body.len();
            self.pending.entries.push(entry);
        }
        Ok(())
    }

    /// Something waits, and not just a little of much that is about to arrive.
    fn is_worth_handing_over(&self) -> bool {
        let waiting = self.pending.entries.len();
        let is_little = waiting < WORTH_HANDING_OVER && self.following >= WORTH_HANDING_OVER as u64;
        waiting > 0 && (!is_little || !self.has_room())
    }

    fn has_room(&self) -> bool {
        self.pending.entries.len() + READY_MESSAGES <= MAX_TAIL_BATCH && self.pending_bytes < MAX_TAIL_BYTES
    }

    fn take_pending(&mut self) -> Batch {
        self.pending_bytes = 0;
        std::mem::replace(&mut self.pending, nothing())
    }

    /// Hands over what was received before a session ended; false if nobody reads.
    async fn flush(&mut self, out: &Out) -> bool {
        if self.pending.entries.is_empty() {
            return true;
        }
        out.batches.send(Ok(self.take_pending())).await.is_ok()
    }

    fn is_done(&self) -> bool {
        self.to.is_some_and(|to| self.received >= to)
    }

    /// A position was skipped: by the way here, or by the log itself?
    async fn explain_skip(&self) -> End {
        let missing = self.received.next();
        match self.log.leader_get(missing).await {
            // The next session knows of it.
            Ok(None) if self.takes_any_loss => End::Again(format!("position {missing} was lost")),
            Ok(None) => End::Broken(Broken::Gap(format!("position {missing} is missing"))),
            Ok(Some(_)) => End::Again(format!("position {missing} was skipped on the way")),
            Err(error) => End::Again(error.to_string()),
        }
    }
}

fn nothing() -> Batch {
    Batch { entries: Vec::new(), last: Position::ZERO }
}

enum Doubt {
    Skipped,
    Failed(String),
}
