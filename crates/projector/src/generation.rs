//! One folding of the log in memory: records, and the lists and totals derived from them.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tokio::sync::watch;
use touchpoint::{CustomerId, Event, Position, Recorded, Timestamp, Unreadable};
use view_store::{EncodedPage, PageError, PageNumber};
use views::rules::Rules;
use views::{Digests, Filing, Moment, Parked, Record, Sign, View};

use crate::lists::{Lists, Placed};
use crate::pages::Pages;
use crate::parking::{ParkedEvent, Parking};
use crate::source::{Batch, Checkpoint, Entry};

/// Customers that are moved in the lists under one lock, so that queries get in between.
const MOVED_AT_ONCE: usize = 256;

/// One folding of the log. Reading is concurrent; [`Generation::fold`] is called by one task.
pub struct Generation<V: View> {
    rules: Arc<Rules>,
    pages: Pages<V>,
    lists: RwLock<Lists<V>>,
    /// Lists and totals are kept; before, events are only filed.
    live: watch::Sender<bool>,
    /// What changed since the last commit, and since the digests were summed up.
    changes: Mutex<Changes>,
    parking: Mutex<Parking>,
    applied: watch::Sender<Position>,
    /// The last position of the log as far as is known.
    log_end: AtomicU64,
    erased: AtomicU64,
    /// The latest recorded_at that was folded, in microseconds: "now" is never before it.
    recorded: AtomicU64,
    counters: Counters,
}

struct Changes {
    checkpoint: Checkpoint,
    dirty: HashSet<PageNumber>,
    stale: HashSet<PageNumber>,
    digests: Digests,
}

/// What happened since the start of the process.
#[derive(Debug, Default)]
struct Counters {
    folded: AtomicU64,
    duplicates: AtomicU64,
    conflicts: AtomicU64,
}

/// What a commit takes along.
pub(crate) struct Dirty {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) pages: HashSet<PageNumber>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<V: View> Generation<V> {
    /// An empty generation that begins after this checkpoint.
    pub fn new(checkpoint: Checkpoint, rules: Arc<Rules>) -> Self {
        let (dirty, stale, digests) = Default::default();
        Self {
            rules,
            pages: Pages::default(),
            lists: RwLock::default(),
            live: watch::Sender::new(false),
            changes: Mutex::new(Changes { checkpoint, dirty, stale, digests }),
            parking: Mutex::default(),
            applied: watch::Sender::new(checkpoint.position),
            log_end: AtomicU64::new(checkpoint.position.0),
            erased: AtomicU64::new(0),
            recorded: AtomicU64::new(0),
            counters: Counters::default(),
        }
    }

    /// Puts a record that was read from disk in its place.
    pub(crate) fn restore(&self, customer: CustomerId, record: Record) {
        let page = PageNumber::of(customer.as_u128());
        self.erased.fetch_add(u64::from(record.is_erased()), Ordering::Relaxed);
        if record.has_parked() {
            lock(&self.parking).update(customer, &record);
        }
        self.pages.write(page, customer, |slot| slot.record = record);
    }

    /// All that was restored is to be summed up.
    pub(crate) fn restored(&self, pages: impl IntoIterator<Item = PageNumber>) {
        lock(&self.changes).stale.extend(pages);
    }

    /// Folds a batch. Afterwards every touched customer is in its place in the lists, and then the position moves.
    pub fn fold(&self, batch: &Batch, now: Timestamp) {
        let Some(last) = batch.entries.last() else { return };
        let mut touched = HashSet::new();
        for entry in &batch.entries {
            let recorded = u64::try_from(entry.recorded_at.micros()).unwrap_or_default();
            self.recorded.fetch_max(recorded, Ordering::Relaxed);
            if let Some(customer) = entry.customer {
                let page = PageNumber::of(customer.as_u128());
                if self.file(page, customer, entry) {
                    touched.insert((page, customer));
                }
            }
        }
        {
            let mut changes = lock(&self.changes);
            changes.dirty.extend(touched.iter().map(|(page, _)| *page));
            changes.stale.extend(touched.iter().map(|(page, _)| *page));
            changes.checkpoint.position = last.position;
            changes.checkpoint.digest = batch.digest;
        }
        if self.is_live() {
            let customers: Vec<_> = touched.into_iter().map(|(_, customer)| customer).collect();
            customers.chunks(MOVED_AT_ONCE).for_each(|chunk| self.replace(chunk, self.at_least(now)));
        }
        self.counters.folded.fetch_add(batch.entries.len() as u64, Ordering::Relaxed);
        self.log_end.fetch_max(batch.log_end.0.max(last.position.0), Ordering::Relaxed);
        self.applied.send_replace(last.position);
    }

    /// Files one event; true if the record changed.
    fn file(&self, page: PageNumber, customer: CustomerId, entry: &Entry) -> bool {
        let (position, recorded_at) = (entry.position, entry.recorded_at);
        let decoded = match Event::decode(&entry.body) {
            Ok(event) if event.customer == customer => Ok(Recorded { position, recorded_at, event }),
            Ok(event) => Err((Unreadable::Invalid, Some(event.id))),
            Err(broken) => Err((broken.reason, broken.id)),
        };
        self.pages.write(page, customer, |slot| {
            let changed = match decoded {
                Ok(recorded) => self.count(slot.record.file(&recorded)),
                Err((reason, id)) => slot.record.park(Parked { position, recorded_at, reason, id }),
            };
            let mut parking = lock(&self.parking);
            if changed && parking.concerns(customer, &slot.record) {
                parking.update(customer, &slot.record);
            }
            changed
        })
    }

    fn count(&self, filing: Filing) -> bool {
        let counter = match filing {
            Filing::New => return true,
            Filing::Erased => {
                self.erased.fetch_add(1, Ordering::Relaxed);
                return true;
            }
            Filing::Duplicate => &self.counters.duplicates,
            Filing::Conflict => &self.counters.conflicts,
            Filing::Ignored => return false,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        false
    }

    /// Builds lists and totals in one pass; from then on they are kept.
    pub fn go_live(&self, now: Timestamp) {
        let now = self.at_least(now);
        let mut lists = self.lists.write().unwrap_or_else(PoisonError::into_inner);
        *lists = Lists::default();
        for group in Pages::<V>::groups() {
            self.pages.scan_mut(group, |slot| {
                (slot.placement, slot.due) = (None, Timestamp::MAX);
                let placed = self.placed(&slot.record, now);
                lists.replace(slot, placed);
            });
        }
        lists.as_of = now;
        drop(lists);
        self.live.send_replace(true);
    }

    /// Lists and totals are kept.
    pub fn is_live(&self) -> bool {
        *self.live.borrow()
    }

    /// Whether lists and totals are kept, as it changes.
    pub(crate) fn live(&self) -> watch::Receiver<bool> {
        self.live.subscribe()
    }

    fn placed(&self, record: &Record, now: Timestamp) -> Placed<V> {
        let mut moment = Moment::now(now);
        let answer = V::answer(record, &self.rules, &mut moment);
        (answer.map(|answer| V::placement(&answer)), moment.valid_until())
    }

    fn replace(&self, customers: &[CustomerId], now: Timestamp) {
        let mut lists = self.lists.write().unwrap_or_else(PoisonError::into_inner);
        for &customer in customers {
            self.pages.write(PageNumber::of(customer.as_u128()), customer, |slot| {
                let placed = self.placed(&slot.record, now);
                lists.replace(slot, placed);
            });
        }
        lists.as_of = lists.as_of.max(now);
    }

    /// Moves every customer whose placement has ended by time alone; returns the instant at which all hold.
    pub fn drain(&self, now: Timestamp) -> Timestamp {
        let now = self.at_least(now);
        loop {
            {
                let mut lists = self.lists.write().unwrap_or_else(PoisonError::into_inner);
                if lists.due(now).is_none() {
                    lists.as_of = lists.as_of.max(now);
                    return lists.as_of;
                }
                for _ in 0..MOVED_AT_ONCE {
                    let Some(customer) = lists.due(now) else { break };
                    self.pages.write(PageNumber::of(customer.as_u128()), customer, |slot| {
                        let placed = self.placed(&slot.record, now);
                        lists.replace(slot, placed);
                    });
                }
            }
        }
    }

    /// "Now" is never before what the log has recorded, whatever this machine's clock says: so that who reads what
    /// they have just written, finds it.
    pub fn at_least(&self, now: Timestamp) -> Timestamp {
        self.last_recorded_at().map_or(now, |recorded| now.max(recorded))
    }

    /// The position up to which everything is applied.
    pub fn position(&self) -> Position {
        *self.applied.borrow()
    }

    /// The last position of the log as far as is known.
    pub fn log_end(&self) -> Position {
        Position(self.log_end.load(Ordering::Relaxed)).max(self.position())
    }

    /// The latest recorded_at that was folded since the start; nothing before the first event.
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

    /// The rules of lists and of answers that name no others.
    pub fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    /// How far this generation is, and of which log.
    pub fn checkpoint(&self) -> Checkpoint {
        lock(&self.changes).checkpoint
    }

    /// The answer for a customer; nothing if there is none (NOT_FOUND).
    pub fn answer(&self, customer: CustomerId, moment: &mut Moment) -> Option<V::Answer> {
        self.pages.read(customer, |slot| V::answer(&slot.record, &self.rules, moment))?
    }

    /// Lists and totals now, and the instant at which they hold.
    pub fn totals<T>(&self, now: Timestamp, read: impl FnOnce(&V::Totals, Timestamp) -> T) -> T {
        self.drain(now);
        let lists = self.lists.read().unwrap_or_else(PoisonError::into_inner);
        read(&lists.totals, lists.as_of)
    }

    /// Lists and totals at another instant, evaluated from the records: slow, and exact. Events after the position at
    /// the start of the scan do not count.
    pub fn totals_at(&self, as_of: Timestamp, known_at: Option<Timestamp>) -> V::Totals {
        let up_to = self.position();
        let mut totals = V::Totals::default();
        for group in Pages::<V>::groups() {
            self.pages.scan(group, |slot| {
                let mut moment = Moment::new(as_of, known_at).up_to(up_to);
                if let Some(answer) = V::answer(&slot.record, &self.rules, &mut moment) {
                    V::place(&mut totals, slot.customer, &V::placement(&answer), Sign::Add);
                }
            });
        }
        totals
    }

    /// The digests of all records, summed up; works off what changed since the last time.
    pub fn digests(&self) -> (Checkpoint, Digests) {
        let mut changes = lock(&self.changes);
        let mut sum = changes.digests;
        for page in std::mem::take(&mut changes.stale) {
            self.pages.write_page(page, |slot| {
                let new = slot.record.digests(slot.customer);
                sum = sum.minus(slot.digests).plus(new);
                slot.digests = new;
            });
        }
        changes.digests = sum;
        (changes.checkpoint, sum)
    }

    /// What changed since the last commit: the caller has to make it durable or give it back.
    pub(crate) fn take_dirty(&self) -> Dirty {
        let mut changes = lock(&self.changes);
        Dirty { checkpoint: changes.checkpoint, pages: std::mem::take(&mut changes.dirty) }
    }

    /// Takes back what could not be made durable.
    pub(crate) fn give_back(&self, pages: HashSet<PageNumber>) {
        lock(&self.changes).dirty.extend(pages);
    }

    /// Pages that changed since the last commit.
    pub(crate) fn dirty_pages(&self) -> usize {
        lock(&self.changes).dirty.len()
    }

    pub(crate) fn encode(&self, page: PageNumber) -> Result<EncodedPage, PageError> {
        self.pages.encode(page)
    }

    /// How many events are parked, and the latest of them.
    pub fn parked(&self) -> (usize, Option<ParkedEvent>) {
        let parking = lock(&self.parking);
        (parking.count(), parking.last().cloned())
    }

    /// Customers with an answer, and timers that wait.
    pub(crate) fn sizes(&self) -> (u64, usize) {
        let lists = self.lists.read().unwrap_or_else(PoisonError::into_inner);
        (lists.customers, lists.timers())
    }

    /// Since the start: events folded, seen again, and of another content under a known id.
    pub(crate) fn counts(&self) -> [u64; 3] {
        let Counters { folded, duplicates, conflicts } = &self.counters;
        [folded, duplicates, conflicts].map(|counter| counter.load(Ordering::Relaxed))
    }

    /// Bytes of the records in memory.
    pub(crate) fn record_bytes(&self) -> u64 {
        let mut bytes = 0;
        for group in Pages::<V>::groups() {
            self.pages.scan(group, |slot| bytes += slot.record.as_bytes().len() as u64);
        }
        bytes
    }
}
