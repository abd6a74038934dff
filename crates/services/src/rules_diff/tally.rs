//! The difference that two rules make, summed up customer by customer.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::rules_diff::{Compared, Value, moved, say_why};
use api::v1;
use projector::Place;
use touchpoint::{CustomerId, Timestamp};
use views::rules::Rules;
use views::segmentation::Decision;

use crate::view_reader::Stands;

/// What is summed up, and the first customers who move, in the order of a walk.
pub(super) struct Tally<V: Compared> {
    customers: u64,
    moved: u64,
    shifted: u64,
    withheld: u64,
    withheld_changed: u64,
    /// References that lead nowhere, over all customers.
    pub(super) unresolved: u64,
    /// Customers by axis, value before and value after.
    cells: BTreeMap<(usize, Value, Value), u64>,
    /// Members of each rule segment: before, after, gained, lost.
    segments: BTreeMap<Arc<str>, [u64; 4]>,
    /// At most one more than a page, which says that another page follows.
    page: BTreeMap<(Place, CustomerId), v1::MovedCustomer>,
    view: std::marker::PhantomData<fn() -> V>,
}

impl<V: Compared> Default for Tally<V> {
    fn default() -> Self {
        Self {
            customers: 0,
            moved: 0,
            shifted: 0,
            withheld: 0,
            withheld_changed: 0,
            unresolved: 0,
            cells: BTreeMap::new(),
            segments: BTreeMap::new(),
            page: BTreeMap::new(),
            view: std::marker::PhantomData,
        }
    }
}

impl<V: Compared + Stands> Tally<V> {
    /// Adds a customer's answers under the served rules and under the candidate ones.
    pub(super) fn add(
        &mut self,
        customer: CustomerId,
        [before, after]: [&V::Answer; 2],
        as_of: Timestamp,
        size: usize,
    ) {
        let standing = V::standing(before);
        self.customers += 1;
        self.unresolved += u64::from(standing.unresolved);
        let moves = self.place(before, after);
        match (standing.withheld, before != after) {
            (true, changed) => {
                self.withheld += 1;
                self.withheld_changed += u64::from(changed);
            }
            (false, _) if moves => {
                self.moved += 1;
                let place = (Place::of(customer), customer);
                if !self.is_full(size) || self.page.last_key_value().is_some_and(|(last, _)| place < *last) {
                    self.page.insert(place, moved::<V>(customer, [before, after], as_of));
                    self.trim(size);
                }
            }
            (false, changed) => self.shifted += u64::from(changed),
        }
    }

    /// Counts where the customer is and would be, and says whether these are different places.
    fn place(&mut self, before: &V::Answer, after: &V::Answer) -> bool {
        let mut moves = false;
        for (axis, (from, to)) in V::values(before).into_iter().zip(V::values(after)).enumerate() {
            let (Some(from), Some(to)) = (from, to) else { continue };
            *self.cells.entry((axis, from, to)).or_default() += 1;
            moves |= from != to;
        }
        for segment in V::segments(before) {
            let stays = V::segments(after).any(|other| other == segment);
            self.count(segment, [1, u64::from(stays), 0, u64::from(!stays)]);
            moves |= !stays;
        }
        for segment in V::segments(after).filter(|segment| !V::segments(before).any(|other| other == *segment)) {
            self.count(segment, [0, 1, 1, 0]);
            moves = true;
        }
        moves
    }

    fn count(&mut self, segment: &Arc<str>, more: [u64; 4]) {
        if !self.segments.contains_key(segment) {
            self.segments.insert(Arc::clone(segment), [0; 4]);
        }
        let counts = self.segments.get_mut(segment).into_iter().flatten();
        counts.zip(more).for_each(|(count, more)| *count += more);
    }

    /// There are a page and one more.
    pub(super) fn is_full(&self, size: usize) -> bool {
        self.page.len() > size
    }

    fn trim(&mut self, size: usize) {
        while self.page.len() > size + 1 {
            self.page.pop_last();
        }
    }

    /// Adds the customers of another thread.
    pub(super) fn merge(&mut self, more: Self, size: usize) {
        self.customers += more.customers;
        self.moved += more.moved;
        self.shifted += more.shifted;
        self.withheld += more.withheld;
        self.withheld_changed += more.withheld_changed;
        self.unresolved += more.unresolved;
        for (cell, customers) in more.cells {
            *self.cells.entry(cell).or_default() += customers;
        }
        more.segments.iter().for_each(|(segment, counts)| self.count(segment, *counts));
        self.page.extend(more.page);
        self.trim(size);
    }

    /// Says of those on the page who gain or lose rule segments why, by how the conditions turn out for them under
    /// the served rules and under the candidate ones.
    pub(super) fn say_why(&mut self, decisions: impl Fn(CustomerId) -> [Option<Vec<Decision>>; 2]) {
        let moves = |it: &v1::MovedCustomer| !(it.segments_gained.is_empty() && it.segments_lost.is_empty());
        for ((_, customer), moved) in self.page.iter_mut().filter(|(_, it)| moves(it)) {
            if let [Some(before), Some(after)] = decisions(*customer) {
                say_why(moved, [&before, &after]);
            }
        }
    }

    /// The whole difference.
    pub(super) fn diff(&self, candidate: &Rules) -> v1::RulesDiff {
        let Self { customers, moved, shifted, withheld, withheld_changed, .. } = *self;
        let segment = |(name, [before, after, gained, lost]): (&Arc<str>, &[u64; 4])| v1::SegmentMoves {
            name: name.to_string(),
            before: *before,
            after: *after,
            gained: *gained,
            lost: *lost,
        };
        v1::RulesDiff {
            candidate_version: candidate.version().to_string(),
            customers,
            moved,
            shifted,
            same: customers - moved - shifted - withheld,
            withheld,
            withheld_changed,
            matrices: (0..V::AXES.len()).map(|axis| self.matrix(axis)).collect(),
            segments: self.segments.iter().map(segment).collect(),
        }
    }

    fn matrix(&self, axis: usize) -> v1::MoveMatrix {
        let (name, values) = V::AXES[axis];
        let cells = self.cells.range((axis, 0, 0)..(axis + 1, 0, 0));
        let cell = |(&(_, from, to), &customers): (&(usize, Value, Value), &u64)| v1::MoveCell {
            from: values[from].to_owned(),
            to: values[to].to_owned(),
            customers,
        };
        v1::MoveMatrix {
            axis: name.to_owned(),
            cells: cells.map(cell).collect(),
            values: values.iter().map(ToString::to_string).collect(),
        }
    }

    /// The customers of the page, and the last of them if another page follows.
    pub(super) fn page(mut self, size: usize) -> (Vec<v1::MovedCustomer>, Option<CustomerId>) {
        let more = self.page.len() > size;
        if more {
            self.page.pop_last();
        }
        let last = self.page.last_key_value().map(|((_, customer), _)| *customer).filter(|_| more);
        (self.page.into_values().collect(), last)
    }
}
