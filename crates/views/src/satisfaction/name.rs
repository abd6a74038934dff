//! Names of companies, projects, waves and items in lists and totals: few different ones, held by millions of
//! customers, so that each text is kept once by each thread that places them: cores that place side by side would wait
//! for each other at a common table, and at the counts of who holds a name.

use std::borrow::Borrow;
use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use touchpoint::Code;

/// The text of a code, shared by all that hold it. Ordered as ASCII text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

impl Name {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of this code that all of this thread share.
    pub(super) fn shared(code: &Code<'_>) -> Self {
        SHARED.with_borrow_mut(|shared| shared.name(code.as_str()))
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

thread_local! {
    static SHARED: RefCell<Shared> = RefCell::default();
}

/// Names held when those that nobody uses are looked for the first time.
const FIRST_SWEEP_NAMES: usize = 4096;

/// The names in use, and at times some that no longer are.
#[derive(Default)]
struct Shared {
    names: HashSet<Name>,
    /// Number of names that the last sweep left.
    swept: usize,
}

impl Shared {
    fn name(&mut self, text: &str) -> Name {
        if let Some(name) = self.names.get(text) {
            return name.clone();
        }
        if self.names.len() >= (2 * self.swept).max(FIRST_SWEEP_NAMES) {
            self.names.retain(|name| Arc::strong_count(&name.0) > 1);
            self.swept = self.names.len();
        }
        let name = Name::from(text);
        self.names.insert(name.clone());
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_once() {
        let mut shared = Shared::default();
        let (one, other) = (shared.name("P001"), shared.name("P001"));
        assert!(Arc::ptr_eq(&one.0, &other.0));
    }

    #[test]
    fn unused_names_are_swept() {
        let mut shared = Shared::default();
        let kept = shared.name("kept");
        for number in 0..3 * FIRST_SWEEP_NAMES {
            shared.name(&number.to_string());
        }
        assert!(shared.names.len() <= FIRST_SWEEP_NAMES);
        assert!(shared.names.contains(kept.as_str()));
    }
}
