//! The records in memory, in the same pages as on disk, behind one lock per group of pages.

use std::hint::black_box;
use std::iter::StepBy;
use std::ops::Range;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use touchpoint::{CustomerId, Timestamp};
use view_store::{EncodedPage, PageError, PageNumber};
use views::{Digests, Record, View};

use crate::staging::Waiting;

/// Groups of pages: each has a lock, and a scan holds one at a time, so that the others can be written meanwhile.
pub(crate) const GROUPS: usize = 256;
const PAGES_PER_GROUP: usize = PageNumber::COUNT as usize / GROUPS;
/// Pages that are scanned under one lock: who scans gives way to others, and must not hold them up by it.
const PAGES_AT_ONCE: usize = 16;
/// Memory comes in pieces of this many bytes.
const CACHE_LINE_BYTES: usize = 64;

/// The group of a page.
pub(crate) fn group_of(page: PageNumber) -> usize {
    page.index() / PAGES_PER_GROUP
}

/// All groups of pages, shared out among so many threads.
pub(crate) fn shares(threads: usize) -> Vec<StepBy<Range<usize>>> {
    (0..threads).map(|first| (first..GROUPS).step_by(threads)).collect()
}

/// Brings these bytes near.
fn touch(bytes: &[u8]) {
    black_box(bytes.iter().step_by(CACHE_LINE_BYTES).fold(0, |seen, byte| seen ^ byte));
}

/// A customer in memory.
pub(crate) struct Slot<V: View> {
    pub(crate) customer: CustomerId,
    pub(crate) record: Record,
    /// What the customer adds to lists and totals; nothing before they are built, and for who is not found.
    pub(crate) placement: Option<V::Placement>,
    /// Until when the placement holds.
    pub(crate) due: Timestamp,
    /// The digests that are in the sum.
    pub(crate) digests: Digests,
}

impl<V: View> Slot<V> {
    fn new(customer: CustomerId) -> Self {
        let (record, digests) = (Record::default(), Digests::default());
        Self { customer, record, placement: None, due: Timestamp::MAX, digests }
    }
}

type Page<V> = Vec<Slot<V>>;

/// A customer's slot, which is made if there is none.
fn slot<V: View>(pages: &mut [Page<V>], page: PageNumber, customer: CustomerId) -> &mut Slot<V> {
    let slots = &mut pages[page.index() % PAGES_PER_GROUP];
    let index = slots.iter().position(|slot| slot.customer == customer).unwrap_or_else(|| {
        // Pages are small: room for twice as many customers would be most of their memory.
        slots.reserve_exact(1);
        slots.push(Slot::new(customer));
        slots.len() - 1
    });
    &mut slots[index]
}

/// All records of a generation.
pub(crate) struct Pages<V: View> {
    groups: Vec<RwLock<Vec<Page<V>>>>,
}

impl<V: View> Default for Pages<V> {
    fn default() -> Self {
        let group = || RwLock::new((0..PAGES_PER_GROUP).map(|_| Vec::new()).collect());
        Self { groups: (0..GROUPS).map(|_| group()).collect() }
    }
}

impl<V: View> Pages<V> {
    /// Reads a customer's slot.
    pub(crate) fn read<T>(&self, customer: CustomerId, read: impl FnOnce(&Slot<V>) -> T) -> Option<T> {
        let page = PageNumber::of(customer.as_u128());
        let group = self.group(page);
        group[page.index() % PAGES_PER_GROUP].iter().find(|slot| slot.customer == customer).map(read)
    }

    /// Changes a customer's slot, which is made if there is none.
    pub(crate) fn write<T>(&self, page: PageNumber, customer: CustomerId, write: impl FnOnce(&mut Slot<V>) -> T) -> T {
        write(slot(&mut self.group_mut(page), page, customer))
    }

    /// Takes a customer's slot out, and gives the digests that are in the sum.
    pub(crate) fn remove(&self, page: PageNumber, customer: CustomerId) -> Option<Digests> {
        let slots = &mut self.group_mut(page)[page.index() % PAGES_PER_GROUP];
        let index = slots.iter().position(|slot| slot.customer == customer)?;
        Some(slots.remove(index).digests)
    }

    /// Works through what waits for customers of one group, sorted by page and customer, under one lock: `write` gets
    /// each customer's slot with all that waits for it. All slots are brought near before the first is changed: where
    /// the processor would wait for memory once for each customer, the waits overlap.
    pub(crate) fn write_runs(&self, facts: &[Waiting<'_>], mut write: impl FnMut(&mut Slot<V>, &[Waiting<'_>])) {
        let Some(first) = facts.first() else { return };
        let mut pages = self.group_mut(first.page);
        for run in facts.chunk_by(|a, b| a.customer == b.customer) {
            let slots = &pages[run[0].page.index() % PAGES_PER_GROUP];
            slots.iter().filter(|slot| slot.customer == run[0].customer).for_each(|slot| touch(slot.record.as_bytes()));
        }
        for run in facts.chunk_by(|a, b| a.customer == b.customer) {
            write(slot(&mut pages, run[0].page, run[0].customer), run);
        }
    }

    /// Changes every slot of a page.
    pub(crate) fn write_page(&self, page: PageNumber, mut write: impl FnMut(&mut Slot<V>)) {
        self.group_mut(page)[page.index() % PAGES_PER_GROUP].iter_mut().for_each(&mut write);
    }

    /// A page as it goes to disk.
    pub(crate) fn encode(&self, page: PageNumber) -> Result<EncodedPage, PageError> {
        let group = self.group(page);
        let slots = &group[page.index() % PAGES_PER_GROUP];
        EncodedPage::new(page, slots.iter().map(|slot| (slot.customer.as_u128(), slot.record.as_bytes())))
    }

    /// Reads every slot of a page.
    pub(crate) fn scan_page(&self, page: PageNumber, read: impl FnMut(&Slot<V>)) {
        self.group(page)[page.index() % PAGES_PER_GROUP].iter().for_each(read);
    }

    /// Reads every slot of a group, some pages under one lock.
    pub(crate) fn scan(&self, group: usize, mut read: impl FnMut(&Slot<V>)) {
        for some in some_pages() {
            let group = self.groups[group].read().unwrap_or_else(PoisonError::into_inner);
            group[some].iter().flatten().for_each(&mut read);
        }
    }

    /// Reads every customer of a group, here and in other pages: the records of each, where there are any.
    pub(crate) fn scan_beside(
        &self,
        others: &Self,
        group: usize,
        mut read: impl FnMut(CustomerId, [Option<&Record>; 2]),
    ) {
        for some in some_pages() {
            let [here, there] =
                [self, others].map(|pages| pages.groups[group].read().unwrap_or_else(PoisonError::into_inner));
            both(&here[some.clone()], &there[some], &mut read);
        }
    }

    /// Changes every slot of a group.
    pub(crate) fn scan_mut(&self, group: usize, mut write: impl FnMut(&mut Slot<V>)) {
        let mut group = self.groups[group].write().unwrap_or_else(PoisonError::into_inner);
        group.iter_mut().flatten().for_each(&mut write);
    }

    fn group(&self, page: PageNumber) -> RwLockReadGuard<'_, Vec<Page<V>>> {
        self.groups[group_of(page)].read().unwrap_or_else(PoisonError::into_inner)
    }

    fn group_mut(&self, page: PageNumber) -> RwLockWriteGuard<'_, Vec<Page<V>>> {
        self.groups[group_of(page)].write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pages of a group, so many at a time as are read under one lock.
fn some_pages() -> impl Iterator<Item = Range<usize>> {
    (0..PAGES_PER_GROUP).step_by(PAGES_AT_ONCE).map(|first| first..first + PAGES_AT_ONCE)
}

/// Reads every customer of two runs of the same pages.
fn both<V: View>(here: &[Page<V>], there: &[Page<V>], read: &mut impl FnMut(CustomerId, [Option<&Record>; 2])) {
    for (here, there) in here.iter().zip(there.iter()) {
        let record = |page: &[Slot<V>], customer| -> Option<usize> {
            page.iter().position(|slot: &Slot<V>| slot.customer == customer)
        };
        for slot in here {
            let other = record(there, slot.customer).map(|index| &there[index].record);
            read(slot.customer, [Some(&slot.record), other]);
        }
        for slot in there.iter().filter(|slot| record(here, slot.customer).is_none()) {
            read(slot.customer, [None, Some(&slot.record)]);
        }
    }
}
