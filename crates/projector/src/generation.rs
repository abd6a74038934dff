//! One folding of the log in memory: records, and the lists and totals derived from them.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tokio::sync::watch;
use touchpoint::{CustomerId, Event, MAX_CLOCK_LEAD, Position, Recorded, Timestamp, Unreadable};
use view_store::{EncodedPage, PageError, PageNumber};
use views::rules::Rules;
use views::{Digests, Filing, Moment, Parked, Record, Sign, View};

use crate::lists::Lists;
use crate::page_set::PageSet;
use crate::pages::{Pages, Slot};
use crate::parking::{ParkedEvent, Parking};
use crate::source::{Batch, Checkpoint, Entry};

/// Memory comes in pieces of this many bytes.
const CACHE_LINE_BYTES: usize = 64;

/// One folding of the log. Reading is concurrent; [`Generation::fold`] is called by one task.
pub struct Generation<V: View> {
    rules: Arc<Rules>,
    pub(crate) pages: Pages<V>,
    pub(crate) lists: RwLock<Lists<V>>,
    /// Lists and totals are kept; before, events are only filed.
    pub(crate) live: watch::Sender<bool>,
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
    dirty: PageSet,
    stale: PageSet,
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
    pub(crate) pages: Vec<PageNumber>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Brings these bytes near.
fn touch(bytes: &[u8]) {
    black_box(bytes.iter().step_by(CACHE_LINE_BYTES).fold(0, |seen, byte| seen ^ byte));
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
        let recorded = batch.entries.iter().map(|entry| entry.recorded_at.micros()).max();
        let recorded = recorded.and_then(|micros| u64::try_from(micros).ok()).unwrap_or_default();
        self.recorded.fetch_max(recorded, Ordering::Relaxed);
        let touched = {
            // Held while the records change, so that digests are always of the position that they are reported with.
            let mut changes = lock(&self.changes);
            let touched = self.file(batch);
            let Changes { dirty, stale, checkpoint, .. } = &mut *changes;
            touched.iter().for_each(|(page, _)| {
                dirty.insert(*page);
                stale.insert(*page);
            });
            (checkpoint.position, checkpoint.digest) = (last.position, batch.digest);
            touched
        };
        if self.is_live() {
            let customers: Vec<_> = touched.into_iter().map(|(_, customer)| customer).collect();
            self.move_all(&customers, self.at_least(now));
        }
        self.counters.folded.fetch_add(batch.entries.len() as u64, Ordering::Relaxed);
        self.log_end.fetch_max(batch.log_end.0.max(last.position.0), Ordering::Relaxed);
        self.applied.send_replace(last.position);
    }

    /// Files the events, page by page, each customer's in the order of the log; gives whose record changed.
    fn file(&self, batch: &Batch) -> Vec<(PageNumber, CustomerId)> {
        let of_customers = batch.entries.iter().filter_map(|entry| Some((entry.customer?, entry)));
        let paged = of_customers.map(|(customer, entry)| (PageNumber::of(customer.as_u128()), customer, entry));
        let mut sorted: Vec<_> = paged.collect();
        sorted.sort_by_key(|(page, customer, _)| (*page, *customer));
        let mut touched = Vec::with_capacity(sorted.len());
        let look = |slot: Option<&Slot<V>>, entry: &&Entry| {
            touch(slot.map_or(&[], |slot| slot.record.as_bytes()));
            touch(&entry.body);
        };
        self.pages.write_sorted(&sorted, look, |page, slot, entry| {
            if self.file_one(slot, entry) && touched.last().is_none_or(|(_, last)| *last != slot.customer) {
                touched.push((page, slot.customer));
            }
        });
        touched
    }

    /// Files one event; true if the record changed.
    fn file_one(&self, slot: &mut Slot<V>, entry: &Entry) -> bool {
        let (customer, position, recorded_at) = (slot.customer, entry.position, entry.recorded_at);
        let decoded = match Event::decode(&entry.body) {
            Ok(event) if event.customer == customer => Ok(Recorded { position, recorded_at, event }),
            Ok(event) => Err((Unreadable::Invalid, Some(event.id))),
            Err(broken) => Err((broken.reason, broken.id)),
        };
        let changed = match decoded {
            Ok(recorded) => self.count(slot.record.file(&recorded)),
            Err((reason, id)) => slot.record.park(Parked { position, recorded_at, reason, id }),
        };
        if changed {
            let mut parking = lock(&self.parking);
            if parking.concerns(customer, &slot.record) {
                parking.update(customer, &slot.record);
            }
        }
        changed
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

    /// "Now" is never before what the log has recorded, whatever this machine's clock says: so that who reads what
    /// they have just written, finds it. But it is not taken far ahead by one wrong stamp.
    pub fn at_least(&self, now: Timestamp) -> Timestamp {
        let latest = now.plus_micros(MAX_CLOCK_LEAD);
        self.last_recorded_at().map_or(now, |recorded| now.max(recorded.min(latest)))
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

    /// Lists and totals at another instant, evaluated from the records: slow, and exact. Events after the position at
    /// the start of the scan do not count.
    pub fn totals_at(&self, as_of: Timestamp, known_at: Option<Timestamp>) -> V::Totals {
        let mut totals = V::Totals::default();
        self.answers_at(as_of, known_at, |customer, answer| {
            V::place(&mut totals, customer, &V::placement(answer), Sign::Add);
        });
        totals
    }

    /// Visits every customer's answer at another instant, in no order; otherwise as [`Generation::totals_at`].
    pub fn answers_at(
        &self,
        as_of: Timestamp,
        known_at: Option<Timestamp>,
        mut visit: impl FnMut(CustomerId, &V::Answer),
    ) {
        let up_to = self.position();
        for group in Pages::<V>::groups() {
            self.pages.scan(group, |slot| {
                let mut moment = Moment::new(as_of, known_at).up_to(up_to);
                if let Some(answer) = V::answer(&slot.record, &self.rules, &mut moment) {
                    visit(slot.customer, &answer);
                }
            });
        }
    }

    /// The digests of all records, summed up; works off what changed since the last time.
    pub fn digests(&self) -> (Checkpoint, Digests) {
        let mut changes = lock(&self.changes);
        let mut sum = changes.digests;
        for page in changes.stale.take() {
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
        Dirty { checkpoint: changes.checkpoint, pages: changes.dirty.take() }
    }

    /// Takes back what could not be made durable.
    pub(crate) fn give_back(&self, pages: Vec<PageNumber>) {
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
