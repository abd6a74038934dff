//! The event catalogue: what a touchpoint is, and when one is valid.
//!
//! An event arrives as CloudEvents JSON. [`Event::decode`] reads it, strictly about types, ranges and enum
//! values, leniently about unknown fields, and reports every violation at once. The typed form borrows from the
//! bytes it was read from; [`compact`] is its canonical binary form, which views file and digest.
//!
//! **Architecture Invariant:** pure. No IO, no clock, no random ids: time and ids come in as arguments.

mod attributes;
mod catalog;
mod code;
pub mod compact;
mod envelope;
mod field;
mod ids;
mod scalar;
mod time;
mod violation;

pub use catalog::*;
pub use code::Code;
pub use envelope::{Event, MAX_EVENT_BYTES, Recorded, same_content};
pub use field::{Area, Count, Fen, FieldSpec, Level, Minutes, Score, Shape, Stars, describe};
pub use ids::{CustomerId, EventId, InvalidId, Position};
pub use scalar::Scalar;
pub use time::{Date, InvalidTime, Timestamp};
pub use violation::{Unreadable, Violation, Violations};
