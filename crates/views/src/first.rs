//! The first event of each id: it opens a contract, a subscription, a complaint, a defect or a referral, whatever else is
//! sent under the same id; some are ended by the first of another type.

use touchpoint::{Code, Touchpoint};

use crate::Filed;

/// First events, in order. To look one up among thousands, as a faulty producer may send them, is as good as free.
pub(crate) struct Firsts<'t, T> {
    /// The events, and what they say.
    pub(crate) all: Vec<(&'t Filed<'t>, &'t T)>,
    /// By id, the index of each.
    indices: Vec<(&'t Code<'t>, usize)>,
}

impl<'t, T> Firsts<'t, T> {
    /// Those of the events in which this reads an id and what is said.
    pub(crate) fn of(
        events: &'t [Filed<'t>],
        read: impl Fn(&'t Touchpoint<'t>) -> Option<(&'t Code<'t>, &'t T)>,
    ) -> Self {
        let said = |(place, event): (usize, &'t Filed<'t>)| read(&event.body).map(|(id, said)| (id, place, said));
        let mut found: Vec<_> = events.iter().enumerate().filter_map(said).collect();
        // Most customers have a handful: to sort them is cheaper than to hash them.
        found.sort_unstable_by_key(|(id, place, _)| (*id, *place));
        found.dedup_by_key(|(id, ..)| *id);
        found.sort_unstable_by_key(|(_, place, _)| *place);
        let mut indices: Vec<_> = found.iter().enumerate().map(|(index, (id, ..))| (*id, index)).collect();
        indices.sort_unstable();
        Self { all: found.into_iter().map(|(_, place, said)| (&events[place], said)).collect(), indices }
    }

    /// Which of them has this id.
    pub(crate) fn index(&self, id: &Code<'_>) -> Option<usize> {
        let at = self.indices.binary_search_by_key(&id, |(id, _)| id).ok()?;
        Some(self.indices[at].1)
    }
}
