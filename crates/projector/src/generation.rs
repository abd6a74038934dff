//! One folding of the log in memory: records, and the lists and totals derived from them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tokio::sync::watch;
use touchpoint::{CustomerId, Position, Timestamp};
use view_store::{EncodedPage, PageError, PageNumber};
use views::rules::Rules;
use views::{Moment, Record, View};

use crate::changes::{Changes, Commit};
use crate::cores::{Priority, Workers};
use crate::counters::{Counters, Counts};
use crate::lists::Lists;
use crate::pages::Pages;
use crate::parking::{ParkedEvent, Parking};
use crate::positions::Positions;
use crate::present::Present;
use crate::rules::RuleBook;
use crate::source::Checkpoint;
use crate::staging::Staging;

/// One folding of the log. Reading is concurrent; [`Generation::fold`] and [`Generation::settle`] are called by one task.
/// What else files or lists (a drain after a wrong clock, a record put right) waits for the same lock, `staging`.
///
/// What it holds is behind locks, whose order docs/architecture.md has; how it does can be read at any time.
pub struct Generation<V: View> {
    /// The records, by page.
    pub(crate) pages: Pages<V>,
    /// Lists, totals and timers, derived from the records.
    pub(crate) lists: RwLock<Lists<V>>,
    /// Which events of the records are parked.
    pub(crate) parking: Mutex<Parking>,
    /// Which rules apply, as answers go by it.
    pub(crate) book: RwLock<Arc<RuleBook>>,
    /// What was taken in and waits to be filed.
    pub(crate) staging: Mutex<Staging>,
    /// What changed since the last commit, and since the digests were summed up.
    pub(crate) changes: Mutex<Changes>,

    /// How far it is in the log.
    pub(crate) positions: Positions,
    /// What "now" is.
    pub(crate) present: Present,
    pub(crate) counters: Counters,
    /// Lists and totals are kept; before, events are only filed.
    live: watch::Sender<bool>,
    /// The last commit that is durable.
    durable: watch::Sender<Commit>,
    workers: Workers,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<V: View> Generation<V> {
    /// An empty generation that begins after this checkpoint, and works on one thread. These rules apply until the
    /// log activates others.
    pub fn new(checkpoint: Checkpoint, rules: Arc<Rules>) -> Self {
        Self::on_threads(1, checkpoint, rules)
    }

    /// As [`Generation::new`], on so many threads where much is to be done.
    pub fn on_threads(threads: usize, checkpoint: Checkpoint, rules: Arc<Rules>) -> Self {
        Self {
            pages: Pages::default(),
            lists: RwLock::default(),
            parking: Mutex::default(),
            book: RwLock::new(Arc::new(RuleBook::new(&rules))),
            staging: Mutex::new(Staging::new(threads)),
            changes: Mutex::new(Changes::after(checkpoint)),
            positions: Positions::after(checkpoint.position),
            present: Present::default(),
            counters: Counters::default(),
            live: watch::Sender::new(false),
            durable: watch::Sender::new(0),
            workers: Workers::new(threads),
        }
    }

    /// Puts a record that was read from disk in its place.
    pub(crate) fn restore(&self, customer: CustomerId, record: Record) {
        let page = PageNumber::of(customer.as_u128());
        self.counters.restored(&record);
        if record.has_parked() {
            lock(&self.parking).update(customer, &record);
        }
        self.pages.write(page, customer, |slot| slot.record = record);
    }

    /// All that was restored is to be summed up.
    pub(crate) fn restored(&self, pages: impl IntoIterator<Item = PageNumber>) {
        lock(&self.changes).stale.extend(pages);
    }

    /// The answer for a customer; nothing if there is none (NOT_FOUND).
    pub fn answer(&self, customer: CustomerId, rules: &Rules, moment: &mut Moment) -> Option<V::Answer> {
        self.read(customer, |record| V::answer(record, rules, moment))
    }

    /// What is read of a customer's record; nothing if there is none.
    pub fn read<T>(&self, customer: CustomerId, read: impl FnOnce(&Record) -> Option<T>) -> Option<T> {
        self.pages.read(customer, |slot| read(&slot.record))?
    }

    /// A customer's record; an empty one if there is none.
    pub(crate) fn record(&self, customer: CustomerId) -> Record {
        self.pages.read(customer, |slot| slot.record.clone()).unwrap_or_default()
    }

    pub(crate) fn encode(&self, page: PageNumber) -> Result<EncodedPage, PageError> {
        self.pages.encode(page)
    }

    /// How many events are parked, and the latest of them.
    pub fn parked(&self) -> (usize, Option<ParkedEvent>) {
        let parking = lock(&self.parking);
        (parking.count(), parking.last().cloned())
    }

    /// How far this generation is, and of which log.
    pub fn checkpoint(&self) -> Checkpoint {
        lock(&self.changes).checkpoint
    }
}

/// How it does.
impl<V: View> Generation<V> {
    /// The position up to which everything is applied.
    pub fn position(&self) -> Position {
        self.positions.applied()
    }

    /// The applied position as it moves.
    pub fn applied(&self) -> watch::Receiver<Position> {
        self.positions.watch_applied()
    }

    /// The position up to which everything is taken in; what is not applied of it is about to be.
    pub fn taken_in(&self) -> Position {
        self.positions.taken_in()
    }

    /// The last position of the log as far as is known.
    pub fn log_end(&self) -> Position {
        self.positions.log_end()
    }

    /// "Now" is never before what the log has recorded, whatever this machine's clock says, and stands still while the
    /// view is paused.
    pub fn at_least(&self, now: Timestamp) -> Timestamp {
        self.present.at_least(now)
    }

    /// The latest recorded_at that was taken in since the start; nothing before the first event.
    pub fn last_recorded_at(&self) -> Option<Timestamp> {
        self.present.last_recorded_at()
    }

    /// Customers who asked to be forgotten.
    pub fn erased(&self) -> u64 {
        self.counts().erased
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counters.read()
    }

    /// Lists and totals are kept.
    pub fn is_live(&self) -> bool {
        *self.live.borrow()
    }

    /// Whether lists and totals are kept, as it changes.
    pub(crate) fn live(&self) -> watch::Receiver<bool> {
        self.live.subscribe()
    }

    /// From now on lists and totals are kept.
    pub(crate) fn note_live(&self) {
        self.live.send_replace(true);
    }

    /// The last commit that is durable, as they come.
    pub(crate) fn durable(&self) -> watch::Receiver<Commit> {
        self.durable.subscribe()
    }

    /// This commit is durable.
    pub(crate) fn note_durable(&self, commit: Commit) {
        self.durable.send_replace(commit);
    }

    /// From now on it is built beside one that serves (low), or serves itself.
    pub(crate) fn prioritise(&self, priority: Priority) {
        self.workers.prioritise(priority);
    }

    /// How its work is done.
    pub(crate) fn priority(&self) -> Priority {
        self.workers.priority()
    }

    /// How its work is done, as it changes.
    pub(crate) fn watch_priority(&self) -> watch::Receiver<Priority> {
        self.workers.watch_priority()
    }

    /// Threads that work side by side where much is to be done.
    pub(crate) fn threads(&self) -> usize {
        self.workers.threads()
    }
}
