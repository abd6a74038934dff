//! Facts and answers: the views of a customer as pure functions of (their events, the rules, as_of, known_at).
//!
//! A [`Record`] holds what happened to one customer, in order, in canonical bytes. A [`Timeline`] is what of it counts
//! at a [`Moment`]. From the timeline come the folds that all views share ([`lifecycle`], [`complaint`], [`survey`]) and
//! the answers: [`segmentation`], [`satisfaction`], [`churn`].
//!
//! **Architecture Invariant:** nothing here reads a clock, depends on the order of arrival, or keeps an earlier answer.
//! Time is read only through a [`Moment`], which therefore knows until when the answer holds.

pub mod churn;
pub mod complaint;
pub mod contract;
mod difference;
mod fact;
mod first;
pub mod lifecycle;
mod moment;
mod record;
mod reference;
pub mod rules;
pub mod satisfaction;
pub mod segmentation;
pub mod survey;
mod timeline;
mod view;

pub use difference::{Difference, FieldDifference, differences};
pub use fact::{Filed, Packed};
pub use moment::Moment;
pub use record::{Digests, FOLD_VERSION, Filing, Parked, Record, Unfit};
pub use timeline::{Timeline, present_profiling_consent, unvoided_parked};
pub use view::{Evidence, Sign, Standing, View};
