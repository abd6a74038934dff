//! A log in memory, and histories in it.

pub(crate) mod activations;
pub(crate) mod rebuilt;
pub(crate) mod running;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::{StreamExt, stream};
use history::nasty::{self, Config};
use history::{Arrival, Order, arrange};
use projector::{Batch, Batches, Broken, Checkpoint, Entry, Priority, Source, SourceError, SourceFuture, Trouble};
use tokio::sync::watch;
use touchpoint::{CustomerId, Position, Timestamp};

/// A log that can grow, and break.
#[derive(Clone)]
pub(crate) struct Log {
    entries: Arc<Mutex<Vec<Entry>>>,
    end: watch::Sender<u64>,
    batch: usize,
    broken: Arc<Mutex<Option<Broken>>>,
    created: Arc<Mutex<Timestamp>>,
    tails: Arc<Mutex<Vec<(Position, Priority)>>>,
    unreadable: Arc<Mutex<Option<CustomerId>>>,
    forgotten: Arc<Mutex<Option<CustomerId>>>,
    announced: Arc<Mutex<Position>>,
    unavailable: Arc<AtomicUsize>,
}

impl Log {
    /// A log of these entries, read in batches of this size.
    pub(crate) fn new(entries: Vec<Entry>, batch: usize) -> Self {
        let end = entries.last().map_or(0, |entry| entry.position.0);
        Self {
            entries: Arc::new(Mutex::new(entries)),
            end: watch::Sender::new(end),
            batch,
            broken: Arc::default(),
            created: Arc::new(Mutex::new(origin().created)),
            tails: Arc::default(),
            unreadable: Arc::default(),
            forgotten: Arc::default(),
            announced: Arc::default(),
            unavailable: Arc::default(),
        }
    }

    /// From now on it says that it ends here, where it does not end later.
    pub(crate) fn announce(&self, end: Position) {
        *self.announced.lock().unwrap() = end;
    }

    /// Appends more entries.
    pub(crate) fn append(&self, more: impl IntoIterator<Item = Entry>) {
        let mut entries = self.entries.lock().unwrap();
        entries.extend(more);
        let end = entries.last().map_or(0, |entry| entry.position.0);
        drop(entries);
        self.end.send_replace(end);
    }

    /// From now on it has these entries. No tail is told.
    pub(crate) fn replace(&self, entries: Vec<Entry>) {
        *self.entries.lock().unwrap() = entries;
    }

    /// From now on every tail ends with this.
    pub(crate) fn break_down(&self, trouble: Option<Trouble>) {
        *self.broken.lock().unwrap() = trouble.map(|trouble| Broken::new(trouble, "says the test"));
        self.end.send_modify(|_| {});
    }

    /// So many of the next tails that give way end at once.
    pub(crate) fn make_unavailable(&self, times: usize) {
        self.unavailable.store(times, Ordering::Relaxed);
    }

    /// How many of these are still to come.
    pub(crate) fn unavailable(&self) -> usize {
        self.unavailable.load(Ordering::Relaxed)
    }

    /// From now on the events of this customer cannot be read by themselves.
    pub(crate) fn make_unreadable(&self, customer: CustomerId) {
        *self.unreadable.lock().unwrap() = Some(customer);
    }

    /// Once, the events of this customer are not there when they are read by themselves.
    pub(crate) fn forget_once(&self, customer: CustomerId) {
        *self.forgotten.lock().unwrap() = Some(customer);
    }

    /// From now on the log ends here. No tail is told.
    pub(crate) fn cut_short_in_silence(&self, end: Position) {
        self.entries.lock().unwrap().retain(|entry| entry.position <= end);
        self.end.send_if_modified(|at| {
            *at = end.0;
            false
        });
    }

    /// From now on it is another log with the same messages. No tail is told.
    pub(crate) fn make_anew_in_silence(&self, created: Timestamp) {
        *self.created.lock().unwrap() = created;
    }

    pub(crate) fn end(&self) -> Position {
        Position(*self.end.borrow())
    }

    /// After which positions it was read, in the order of the readers.
    pub(crate) fn tails(&self) -> Vec<Position> {
        self.tails.lock().unwrap().iter().map(|(after, _)| *after).collect()
    }

    /// At which priority it was read, in the order of the readers.
    pub(crate) fn manners(&self) -> Vec<Priority> {
        self.tails.lock().unwrap().iter().map(|(_, priority)| *priority).collect()
    }

    /// The log as a projector reads it.
    pub(crate) fn source(&self) -> Arc<dyn Source> {
        Arc::new(self.clone())
    }

    fn created(&self) -> Timestamp {
        *self.created.lock().unwrap()
    }

    fn entries_that(&self, are_wanted: impl FnMut(&&Entry) -> bool) -> Vec<Entry> {
        self.entries.lock().unwrap().iter().filter(are_wanted).cloned().collect()
    }

    fn batch_after(&self, at: Position) -> Option<Batch> {
        let entries = self.entries.lock().unwrap();
        let batch: Vec<_> = entries.iter().filter(|entry| entry.position > at).take(self.batch).cloned().collect();
        batch_of(batch, entries.last()?.position.max(*self.announced.lock().unwrap()))
    }
}

impl Source for Log {
    fn origin(&self) -> SourceFuture<'_, Checkpoint> {
        answer(Ok(Checkpoint { created: self.created(), ..origin() }))
    }

    fn tail(&self, after: Checkpoint, priority: Priority) -> Batches {
        self.tails.lock().unwrap().push((after.position, priority));
        let one_less = |left: usize| left.checked_sub(1);
        if priority == Priority::Low
            && self.unavailable.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
        {
            return stream::iter([Err(SourceError::Unavailable("says the test".to_owned()))]).boxed();
        }
        let (log, changes) = (self.clone(), self.end.subscribe());
        stream::unfold((log, changes, after.position), |(log, mut changes, at)| async move {
            loop {
                changes.borrow_and_update();
                if let Some(reason) = log.broken.lock().unwrap().clone() {
                    return Some((Err(SourceError::Broken(reason)), (log.clone(), changes, at)));
                }
                if let Some(batch) = log.batch_after(at) {
                    let last = batch.entries.last()?.position;
                    return Some((Ok(batch), (log, changes, last)));
                }
                changes.changed().await.ok()?;
            }
        })
        .boxed()
    }

    fn check(&self, checkpoint: Checkpoint) -> SourceFuture<'_, Position> {
        let end = self.end();
        answer(match self.broken.lock().unwrap().clone() {
            Some(reason) => Err(SourceError::Broken(reason)),
            None if checkpoint.created != self.created() => {
                Err(Broken::new(Trouble::Recreated, "another log is there").into())
            }
            None if checkpoint.position > end => {
                Err(Broken::new(Trouble::RolledBack, format!("the log ends at {end}")).into())
            }
            None => Ok(end),
        })
    }

    fn end(&self) -> SourceFuture<'_, Position> {
        answer(Ok(self.end()))
    }

    fn entries(&self, after: Position, limit: usize) -> SourceFuture<'_, Vec<Entry>> {
        let mut entries = self.entries_that(|it| it.position > after);
        entries.truncate(limit);
        answer(Ok(entries))
    }

    fn control(&self, through: Position) -> SourceFuture<'_, Vec<Entry>> {
        answer(Ok(self.entries_that(|it| it.customer.is_none() && it.position <= through)))
    }

    fn timeline(&self, customer: CustomerId, _through: Position) -> SourceFuture<'_, Vec<Entry>> {
        let is_forgotten = self.forgotten.lock().unwrap().take_if(|it| *it == customer).is_some();
        let is_unreadable = *self.unreadable.lock().unwrap() == Some(customer);
        answer(match is_unreadable {
            true => Err(SourceError::Unavailable("says the test".to_owned())),
            false => Ok(self.entries_that(|it| it.customer == Some(customer) && !is_forgotten)),
        })
    }
}

/// An answer that is there at once.
fn answer<T: Send + 'static>(answer: Result<T, SourceError>) -> SourceFuture<'static, T> {
    Box::pin(std::future::ready(answer))
}

/// A batch of these entries.
pub(crate) fn batch_of(entries: Vec<Entry>, log_end: Position) -> Option<Batch> {
    let last = entries.last()?.position.0;
    let mut digest = [0; 16];
    digest[..8].copy_from_slice(&last.to_be_bytes());
    Some(Batch { entries, digest, log_end })
}

/// Before the first entry.
pub(crate) fn origin() -> Checkpoint {
    Checkpoint { epoch: 7, created: Timestamp::from_micros(0), position: Position::ZERO, digest: [0; 16], lost: 0 }
}

/// A message that nobody reads, as the log's genesis is.
pub(crate) fn genesis() -> Entry {
    Entry {
        position: Position(1),
        recorded_at: Timestamp::from_micros(0),
        customer: None,
        body: Bytes::from_static(b"{}"),
    }
}

/// The histories of a nasty population, in one log, and the instants that matter to them.
pub(crate) fn population(seed: u64, customers: u64, order: Order) -> (Vec<Entry>, Vec<Timestamp>) {
    let histories = nasty::population(seed, customers, &Config::default());
    let planned = nasty::flatten(&histories);
    let arrived = arrange(&planned, Arrival { order, start: Timestamp::MIN, import: true });
    let customer = |index: usize| -> CustomerId { planned[index].event.customer };
    let entries = arrived.into_iter().map(|it| Entry {
        position: it.position,
        recorded_at: it.recorded_at,
        customer: Some(customer(it.index)),
        body: Bytes::from(it.body),
    });
    let mut instants: Vec<_> = histories.into_iter().flat_map(|history| history.interesting).collect();
    instants.sort_unstable();
    instants.dedup();
    (std::iter::once(genesis()).chain(entries).collect(), instants)
}
