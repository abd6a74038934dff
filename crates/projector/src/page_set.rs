//! A set of pages that costs nothing to speak of for each event: most events touch one.

use view_store::PageNumber;

/// A set of pages.
#[derive(Debug, Default)]
pub(crate) struct PageSet {
    members: Vec<PageNumber>,
    /// Of every page, whether it is a member; empty while none is.
    is_member: Vec<bool>,
}

impl PageSet {
    /// Adds a page.
    pub(crate) fn insert(&mut self, page: PageNumber) {
        if self.is_member.is_empty() {
            self.is_member.resize(PageNumber::COUNT as usize, false);
        }
        if !std::mem::replace(&mut self.is_member[page.index()], true) {
            self.members.push(page);
        }
    }

    /// Adds pages.
    pub(crate) fn extend(&mut self, pages: impl IntoIterator<Item = PageNumber>) {
        pages.into_iter().for_each(|page| self.insert(page));
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    /// Takes so many out at most, in no particular order.
    pub(crate) fn take_some(&mut self, most: usize) -> Vec<PageNumber> {
        let some = self.members.split_off(self.members.len().saturating_sub(most));
        some.iter().for_each(|page| self.is_member[page.index()] = false);
        some
    }

    /// Takes all out, in no particular order.
    pub(crate) fn take(&mut self) -> Vec<PageNumber> {
        self.members.iter().for_each(|page| self.is_member[page.index()] = false);
        std::mem::take(&mut self.members)
    }
}
