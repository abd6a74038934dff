//! The records in memory, in the same pages as on disk, behind one lock per group of pages.

use std::ops::Range;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use touchpoint::{CustomerId, Timestamp};
use view_store::{EncodedPage, PageError, PageNumber};
use views::{Digests, Record, View};

/// Groups of pages: each has a lock, and a scan holds one at a time.
const GROUPS: usize = 256;
const PAGES_PER_GROUP: usize = PageNumber::COUNT as usize / GROUPS;

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

    /// Works through customers that are sorted by page, with one lock for all of a group. Before a group is changed
    /// `look` gets all of it: where the processor would wait for memory once for each customer, the waits overlap.
    pub(crate) fn write_sorted<T>(
        &self,
        sorted: &[(PageNumber, CustomerId, T)],
        mut look: impl FnMut(Option<&Slot<V>>, &T),
        mut write: impl FnMut(PageNumber, &mut Slot<V>, &T),
    ) {
        for group in sorted.chunk_by(|(a, ..), (b, ..)| a.index() / PAGES_PER_GROUP == b.index() / PAGES_PER_GROUP) {
            let mut pages = self.group_mut(group[0].0);
            let found = group.iter().map(|(page, customer, _)| {
                pages[page.index() % PAGES_PER_GROUP].iter().position(|slot| slot.customer == *customer)
            });
            let found: Vec<_> = found.collect();
            for ((page, _, item), index) in group.iter().zip(found) {
                look(index.and_then(|index| pages[page.index() % PAGES_PER_GROUP].get(index)), item);
            }
            for (page, customer, item) in group {
                write(*page, slot(&mut pages, *page, *customer), item);
            }
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

    /// Groups of pages, for scans: while one is read, the others can be written.
    pub(crate) const fn groups() -> Range<usize> {
        0..GROUPS
    }

    /// Reads every slot of a group.
    pub(crate) fn scan(&self, group: usize, mut read: impl FnMut(&Slot<V>)) {
        let group = self.groups[group].read().unwrap_or_else(PoisonError::into_inner);
        group.iter().flatten().for_each(&mut read);
    }

    /// Changes every slot of a group.
    pub(crate) fn scan_mut(&self, group: usize, mut write: impl FnMut(&mut Slot<V>)) {
        let mut group = self.groups[group].write().unwrap_or_else(PoisonError::into_inner);
        group.iter_mut().flatten().for_each(&mut write);
    }

    fn group(&self, page: PageNumber) -> RwLockReadGuard<'_, Vec<Page<V>>> {
        self.groups[page.index() / PAGES_PER_GROUP].read().unwrap_or_else(PoisonError::into_inner)
    }

    fn group_mut(&self, page: PageNumber) -> RwLockWriteGuard<'_, Vec<Page<V>>> {
        self.groups[page.index() / PAGES_PER_GROUP].write().unwrap_or_else(PoisonError::into_inner)
    }
}
