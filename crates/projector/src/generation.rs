//! One folding of the log in memory: records, and the lists and totals derived from them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tokio::sync::watch;
use touchpoint::{CustomerId, MAX_CLOCK_LEAD, Position, Timestamp};
use view_store::{EncodedPage, PageError, PageNumber};
use views::rules::Rules;
use views::{Moment, Record, View};

use crate::changes::Changes;
use crate::cores::Priority;
use crate::lists::Lists;
use crate::pages::Pages;
use crate::parking::{ParkedEvent, Parking};
use crate::refold::Commit;
use crate::rules::RuleBook;
use crate::source::Checkpoint;
use crate::staging::Staging;

/// One folding of the log. Reading is concurrent; [`Generation::fold`] and [`Generation::settle`] are called by one task.
/// What else files or lists (a drain after a wrong clock, a record put right) waits for the same lock, `staging`.
pub struct Generation<V: View> {
    /// Which rules apply, as answers go by it.
    pub(crate) book: RwLock<Arc<RuleBook>>,
    pub(crate) pages: Pages<V>,
    pub(crate) lists: RwLock<Lists<V>>,
    /// Lists and totals are kept; before, events are only filed.
    pub(crate) live: watch::Sender<bool>,
    /// Threads that work side by side where much is to be done.
    pub(crate) threads: usize,
    /// Nobody is served from it yet: whoever is goes before.
    gives_way: AtomicBool,
    /// What was taken in and waits to be filed.
    pub(crate) staging: Mutex<Staging>,
    /// The last position that was taken in.
    pub(crate) taken_in: AtomicU64,
    /// What changed since the last commit, and since the digests were summed up.
    pub(crate) changes: Mutex<Changes>,
    pub(crate) parking: Mutex<Parking>,
    pub(crate) applied: watch::Sender<Position>,
    /// The number of the last commit that is durable.
    pub(crate) commits: watch::Sender<Commit>,
    /// The last position of the log as far as is known.
    pub(crate) log_end: AtomicU64,
    pub(crate) erased: AtomicU64,
    pub(crate) record_bytes: AtomicU64,
    /// The latest recorded_at that was taken in, in microseconds: "now" is never before it.
    pub(crate) recorded: AtomicU64,
    pub(crate) counters: Counters,
    /// While the view is paused: "now" is never after this, in microseconds; 0 if it is not.
    stands_at: AtomicU64,
}

/// What happened since the start of the process.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) folded: AtomicU64,
    pub(crate) duplicates: AtomicU64,
    pub(crate) conflicts: AtomicU64,
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
            threads,
            gives_way: AtomicBool::new(false),
            staging: Mutex::new(Staging::new(threads)),
            taken_in: AtomicU64::new(checkpoint.position.0),
            record_bytes: AtomicU64::new(0),
            book: RwLock::new(Arc::new(RuleBook::new(&rules))),
            pages: Pages::default(),
            lists: RwLock::default(),
            live: watch::Sender::new(false),
            changes: Mutex::new(Changes::after(checkpoint)),
            parking: Mutex::default(),
            applied: watch::Sender::new(checkpoint.position),
            commits: watch::Sender::new(0),
            log_end: AtomicU64::new(checkpoint.position.0),
            erased: AtomicU64::new(0),
            recorded: AtomicU64::new(0),
            counters: Counters::default(),
            stands_at: AtomicU64::new(0),
        }
    }

    /// From now on it is built beside one that serves, or serves itself.
    pub(crate) fn give_way(&self, gives_way: bool) {
        self.gives_way.store(gives_way, Ordering::Relaxed);
    }

    /// How its work is done.
    pub(crate) fn priority(&self) -> Priority {
        if self.gives_way.load(Ordering::Relaxed) { Priority::Low } else { Priority::Normal }
    }

    /// Puts a record that was read from disk in its place.
    pub(crate) fn restore(&self, customer: CustomerId, record: Record) {
        let page = PageNumber::of(customer.as_u128());
        self.erased.fetch_add(u64::from(record.is_erased()), Ordering::Relaxed);
        self.record_bytes.fetch_add(record.as_bytes().len() as u64, Ordering::Relaxed);
        if record.has_parked() {
            lock(&self.parking).update(customer, &record);
        }
        self.pages.write(page, customer, |slot| slot.record = record);
    }

    /// All that was restored is to be summed up.
    pub(crate) fn restored(&self, pages: impl IntoIterator<Item = PageNumber>) {
        lock(&self.changes).stale.extend(pages);
    }

    /// "Now" is never before what the log has recorded, whatever this machine's clock says: so that who reads what
    /// they have just written, finds it. But it is not taken far ahead by one wrong stamp.
    pub fn at_least(&self, now: Timestamp) -> Timestamp {
        let stands_at = self.stands_at.load(Ordering::Relaxed);
        let now = if stands_at == 0 { now } else { now.min(Timestamp::from_micros(stands_at.cast_signed())) };
        let latest = now.plus_micros(MAX_CLOCK_LEAD);
        self.last_recorded_at().map_or(now, |recorded| now.max(recorded.min(latest)))
    }

    /// From now on time stands still at this instant, or goes on.
    pub(crate) fn stand_still(&self, at: Option<Timestamp>) {
        let micros = at.map_or(0, |at| u64::try_from(at.micros()).unwrap_or(1));
        self.stands_at.store(micros, Ordering::Relaxed);
    }

    /// Time stands still.
    pub(crate) fn stands(&self) -> bool {
        self.stands_at.load(Ordering::Relaxed) != 0
    }

    /// The log was seen to end here, or further.
    pub(crate) fn saw_end(&self, end: Position) {
        self.log_end.fetch_max(end.0, Ordering::Relaxed);
    }

    /// The position up to which everything is applied.
    pub fn position(&self) -> Position {
        *self.applied.borrow()
    }

    /// The position up to which everything is taken in; what is not applied of it is about to be.
    pub fn taken_in(&self) -> Position {
        Position(self.taken_in.load(Ordering::Relaxed))
    }

    /// The last position of the log as far as is known.
    pub fn log_end(&self) -> Position {
        Position(self.log_end.load(Ordering::Relaxed)).max(self.position())
    }

    /// The latest recorded_at that was taken in since the start; nothing before the first event.
    pub fn last_recorded_at(&self) -> Option<Timestamp> {
        let micros = i64::try_from(self.recorded.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        (micros > 0).then(|| Timestamp::from_micros(micros))
    }

    /// Customers who asked to be forgotten.
    pub fn erased(&self) -> u64 {
        self.erased.load(Ordering::Relaxed)
    }

    /// The applied position as it moves.
    pub fn applied(&self) -> watch::Receiver<Position> {
        self.applied.subscribe()
    }

    /// How far this generation is, and of which log.
    pub fn checkpoint(&self) -> Checkpoint {
        lock(&self.changes).checkpoint
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

    /// Since the start: events folded, seen again, and of another content under a known id.
    pub(crate) fn counts(&self) -> [u64; 3] {
        let Counters { folded, duplicates, conflicts } = &self.counters;
        [folded, duplicates, conflicts].map(|counter| counter.load(Ordering::Relaxed))
    }

    /// Bytes of the records in memory.
    pub(crate) fn record_bytes(&self) -> u64 {
        self.record_bytes.load(Ordering::Relaxed)
    }
}
