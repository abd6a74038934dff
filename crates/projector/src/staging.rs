//! Events that are decoded and wait to be filed, in a bucket for each group of pages: so that each customer's record is
//! visited once for all that waits for it, and while the group's records are near.

use touchpoint::{CustomerId, Event, EventId, Position, Recorded, Unreadable};
use view_store::PageNumber;
use views::{Packed, Parked};

use crate::cores::{self, Priority};
use crate::pages::{GROUPS, group_of};
use crate::source::{Batch, Entry};

/// Bytes that wait at most before they are filed. More would visit each record less often, and costs memory.
const MOST_BYTES: usize = 64 << 20;
/// Events for which another thread is worth its start.
const EVENTS_A_THREAD: usize = 1_000;
/// Room of a full bucket: a packed fact has about as many bytes as its place.
const PLACES_OF_A_BUCKET: usize = MOST_BYTES / GROUPS / 2 / size_of::<Place>();
const BYTES_OF_A_BUCKET: usize = MOST_BYTES / GROUPS / 2;

/// Events that wait to be filed, and how far they reach.
pub(crate) struct Staging {
    threads: usize,
    /// What each thread has decoded.
    buffers: Vec<DecodeBuffer>,
    events: u64,
    reached: Option<Reached>,
}

/// Up to where events wait: the last position, and the digest of the message there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reached {
    pub(crate) position: Position,
    pub(crate) digest: [u8; 16],
}

/// What one thread has decoded.
struct DecodeBuffer {
    /// One for each group of pages.
    buckets: Vec<Bucket>,
    parked: Vec<(PageNumber, CustomerId, Parked)>,
    bytes: usize,
}

#[derive(Default)]
struct Bucket {
    places: Vec<Place>,
    packed: Vec<u8>,
}

/// Where a packed fact is in its bucket.
struct Place {
    page: PageNumber,
    customer: CustomerId,
    position: Position,
    start: usize,
    end: usize,
}

/// A fact that waits.
#[derive(Clone, Copy)]
pub(crate) struct Waiting<'a> {
    pub(crate) page: PageNumber,
    pub(crate) customer: CustomerId,
    pub(crate) position: Position,
    pub(crate) fact: Packed<'a>,
}

/// The event of a message about a customer; or why it is none, and its id if that could be read.
pub(crate) fn read(customer: CustomerId, body: &[u8]) -> Result<Event<'_>, (Unreadable, Option<EventId>)> {
    match Event::decode(body) {
        Ok(event) if event.customer == customer => Ok(event),
        Ok(event) => Err((Unreadable::Invalid, Some(event.id))),
        Err(broken) => Err((broken.reason, broken.id)),
    }
}

impl Staging {
    /// Nothing waits; so many threads decode.
    pub(crate) const fn new(threads: usize) -> Self {
        Self { threads, buffers: Vec::new(), events: 0, reached: None }
    }

    /// Decodes a batch, a part of it on each thread. Where much is to come, buckets have their room from the start: to
    /// grow step by step would touch several times the memory.
    pub(crate) fn take_in(&mut self, batch: &Batch, much_to_come: bool, priority: Priority) {
        let Some(last) = batch.entries.last() else { return };
        let threads = self.threads.min(batch.entries.len().div_ceil(EVENTS_A_THREAD));
        self.buffers.resize_with(self.buffers.len().max(threads), || DecodeBuffer::new(much_to_come));
        let parts = batch.entries.chunks(batch.entries.len().div_ceil(threads));
        let shares = self.buffers.iter_mut().zip(parts).collect();
        let take_in = |(buffer, part): (&mut DecodeBuffer, &[Entry])| part.iter().for_each(|it| buffer.take_in(it));
        cores::share_out(priority, shares, take_in);
        self.events += batch.entries.len() as u64;
        self.reached = Some(Reached { position: last.position, digest: batch.digest });
    }

    /// So much waits that it should be filed.
    pub(crate) fn is_full(&self) -> bool {
        self.buffers.iter().map(|buffer| buffer.bytes).sum::<usize>() >= MOST_BYTES
    }

    /// Up to where events wait; nothing if none do.
    pub(crate) const fn reached(&self) -> Option<Reached> {
        self.reached
    }

    /// How many events wait.
    pub(crate) const fn events(&self) -> u64 {
        self.events
    }

    /// What waits for a group of pages, by page and customer, each customer's in the order of the log.
    pub(crate) fn of_group(&self, group: usize) -> Vec<Waiting<'_>> {
        let buckets = self.buffers.iter().map(|buffer| &buffer.buckets[group]);
        let mut facts: Vec<_> = buckets.flat_map(Bucket::facts).collect();
        facts.sort_unstable_by_key(|it| (it.page, it.customer, it.position));
        facts
    }

    /// The unreadable events.
    pub(crate) fn parked(&self) -> impl Iterator<Item = &(PageNumber, CustomerId, Parked)> {
        self.buffers.iter().flat_map(|buffer| &buffer.parked)
    }

    /// Forgets what was filed, and keeps the room for more.
    pub(crate) fn clear(&mut self) {
        self.buffers.iter_mut().for_each(DecodeBuffer::clear);
        (self.events, self.reached) = (0, None);
    }

    /// Gives the room back.
    pub(crate) fn shrink(&mut self) {
        self.buffers = Vec::new();
    }
}

impl DecodeBuffer {
    fn new(much_to_come: bool) -> Self {
        let bucket = || if much_to_come { Bucket::of_full_size() } else { Bucket::default() };
        Self { buckets: (0..GROUPS).map(|_| bucket()).collect(), parked: Vec::new(), bytes: 0 }
    }

    fn take_in(&mut self, entry: &Entry) {
        let Some(customer) = entry.customer else { return };
        let (position, recorded_at) = (entry.position, entry.recorded_at);
        let page = PageNumber::of(customer.as_u128());
        match read(customer, &entry.body) {
            Ok(event) => {
                self.bytes += self.buckets[group_of(page)].add(page, &Recorded { position, recorded_at, event })
            }
            Err((reason, id)) => self.parked.push((page, customer, Parked { position, recorded_at, reason, id })),
        }
    }

    fn clear(&mut self) {
        self.buckets.iter_mut().for_each(|bucket| {
            bucket.places.clear();
            bucket.packed.clear();
        });
        self.parked.clear();
        self.bytes = 0;
    }
}

impl Bucket {
    fn of_full_size() -> Self {
        Self { places: Vec::with_capacity(PLACES_OF_A_BUCKET), packed: Vec::with_capacity(BYTES_OF_A_BUCKET) }
    }

    /// Takes in an event; gives the bytes that it needs here.
    fn add(&mut self, page: PageNumber, recorded: &Recorded<'_>) -> usize {
        let start = self.packed.len();
        Packed::pack(recorded, &mut self.packed);
        let (customer, position, end) = (recorded.event.customer, recorded.position, self.packed.len());
        self.places.push(Place { page, customer, position, start, end });
        size_of::<Place>() + end - start
    }

    fn facts(&self) -> impl Iterator<Item = Waiting<'_>> {
        self.places.iter().filter_map(|&Place { page, customer, position, start, end }| {
            let fact = Packed::split(&self.packed[start..end])?;
            Some(Waiting { page, customer, position, fact })
        })
    }
}
