//! Which declared field a JSON key names, and which fields came more than once.

use crate::json::Key;

/// The index of a key among at most [`u32::BITS`] declared names.
pub(crate) fn find(names: &[&str], key: &Key<'_>) -> Option<usize> {
    match key {
        Key::Expected(index) => Some(*index),
        Key::Other(text) => names.iter().position(|name| name == text),
    }
}

/// Which fields were there, and which of them more than once: readers disagree on what such an object means.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Seen {
    once: u32,
    again: u32,
}

impl Seen {
    pub(crate) fn note(&mut self, index: usize) {
        let bit = 1 << index;
        self.again |= self.once & bit;
        self.once |= bit;
    }

    pub(crate) const fn is_repeated(self, index: usize) -> bool {
        self.again >> index & 1 == 1
    }

    /// As if the field had not been there.
    pub(crate) fn forget(&mut self, index: usize) {
        self.once &= !(1 << index);
        self.again &= !(1 << index);
    }
}

/// What is wrong with a field that was there more than once.
pub(crate) const REPEATED: &str = "is there more than once: expected one value";
