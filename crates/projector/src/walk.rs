//! Going through all customers a part at a time, for who takes the parts at leisure: nothing is held in between.

use touchpoint::CustomerId;
use view_store::PageNumber;
use views::{Record, View};

use crate::Generation;

/// How far a walk through all customers came: everybody before this place was visited. It means the same in every
/// generation and process, since customers are spread over the places by their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(PageNumber);

impl Place {
    /// [`Self::done_bp`] after everybody.
    pub const ALL_BP: u32 = 10_000;

    /// Before everybody.
    pub fn start() -> Self {
        Self(PageNumber::all().start)
    }

    /// Where this customer is visited, together with some others.
    pub fn of(customer: CustomerId) -> Self {
        Self(PageNumber::of(customer.as_u128()))
    }

    /// The place of this number, if there is one.
    pub fn at(number: u32) -> Option<Self> {
        PageNumber::at(number).map(Self)
    }

    /// The number.
    pub fn number(self) -> u32 {
        // Below PageNumber::COUNT.
        self.0.index() as u32
    }

    /// How much of the walk lies before it, in basis points.
    pub fn done_bp(self) -> u32 {
        (self.0.index() * Self::ALL_BP as usize / PageNumber::COUNT as usize) as u32
    }
}

impl<V: View> Generation<V> {
    /// Visits the customers who have such an answer, from a place on, until it is enough or nobody is left; gives the
    /// place to go on from. The order is always the same: by place, then id. What is read of one customer and the next
    /// may be of a log that has grown meanwhile: who answers must name the position up to which it counts.
    pub fn walk<S, A>(
        &self,
        from: Place,
        answer: impl Fn(&Record) -> Option<A>,
        sum: &mut S,
        mut visit: impl FnMut(&mut S, CustomerId, &A),
        enough: impl Fn(&S) -> bool,
    ) -> Option<Place> {
        for page in (from.number()..PageNumber::COUNT).filter_map(PageNumber::at) {
            if enough(sum) {
                return Some(Place(page));
            }
            let mut answers = Vec::new();
            self.pages.scan_page(page, |slot| {
                answers.extend(answer(&slot.record).map(|answer| (slot.customer, answer)));
            });
            answers.sort_unstable_by_key(|(customer, _)| *customer);
            answers.iter().for_each(|(customer, answer)| visit(sum, *customer, answer));
        }
        None
    }
}
