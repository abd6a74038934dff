//! Which declared field a JSON key names, and which fields came more than once.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Visitor};

/// Finds the index of a key among the declared names, without keeping the key.
pub(crate) struct Key {
    /// The names, at most [`u32::BITS`] of them.
    pub(crate) names: &'static [&'static str],
    /// Where to look first: producers mostly write fields in the order in which they are declared.
    pub(crate) expected: usize,
}

impl<'a> DeserializeSeed<'a> for Key {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        let (before, from) = self.names.split_at_checked(self.expected).unwrap_or((self.names, &[]));
        let later = from.iter().position(|name| *name == key).map(|index| before.len() + index);
        Ok(later.or_else(|| before.iter().position(|name| *name == key)))
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
