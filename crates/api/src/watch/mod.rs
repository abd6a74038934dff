//! What the watchers of a view are told of a customer who moves.

mod risk;
mod segments;

pub use risk::RiskFilter;
pub use segments::SegmentFilter;

use touchpoint::CustomerId;
use views::View;

use crate::v1;

/// What a view's customers add to its lists.
type Placement<F> = <<F as Filter>::View as View>::Placement;
/// What is said of them.
type Answer<F> = <<F as Filter>::View as View>::Answer;

/// Whom a watcher wants to hear of, and what they are told.
pub trait Filter: Send + Sync + 'static {
    /// The view that is watched.
    type View: View;
    /// A change, as it is told.
    type Change: Send;
    /// An answer of the stream.
    type Response: Send + 'static;

    /// Consent to profiling is withdrawn: nothing is said of who stands there.
    fn is_withheld(placement: &Placement<Self>) -> bool;

    /// The customer is on the list.
    fn wants(&self, placement: &Placement<Self>) -> bool;

    /// Of a customer who stays on the list something is said that is worth a change.
    fn is_news(&self, before: &Placement<Self>, after: &Placement<Self>) -> bool;

    /// The answer behind a change is wanted, too.
    fn wants_answers(&self) -> bool {
        false
    }

    /// A change from one placement to another; with the answer that led there, if it is wanted.
    fn change(
        customer: CustomerId,
        sides: [Option<&Placement<Self>>; 2],
        step: v1::WatchStep,
        answer: Option<&Answer<Self>>,
    ) -> Self::Change;

    /// An answer of these parts.
    fn response(changes: Vec<Self::Change>, mark: Option<v1::WatchMark>) -> Self::Response;

    /// What a move does to the list; nothing if it is not worth a change.
    fn effect(&self, before: Option<&Placement<Self>>, after: Option<&Placement<Self>>) -> Option<v1::WatchEffect> {
        let on_the_list = |side: Option<&Placement<Self>>| side.is_some_and(|placement| self.wants(placement));
        match (on_the_list(before), on_the_list(after)) {
            (false, true) => Some(v1::WatchEffect::Entered),
            (true, false) => Some(v1::WatchEffect::Left),
            (true, true) => before.zip(after).filter(|(b, a)| self.is_news(b, a)).map(|_| v1::WatchEffect::Changed),
            (false, false) => None,
        }
    }
}

/// What one list has and the other has not.
fn without(one: &[String], other: &[String]) -> Vec<String> {
    one.iter().filter(|it| !other.contains(it)).cloned().collect()
}
