//! The event catalogue: what a touchpoint is, and when one is valid.
//!
//! An event arrives as CloudEvents JSON. [`Event::decode`] reads it, strictly about types, ranges and enum
//! values, leniently about unknown fields, and reports every violation at once. The typed form borrows from the
//! bytes it was read from; [`compact`] is its canonical binary form, which views file and digest.
//!
//! **Architecture Invariant:** pure. No IO, no clock, no random ids: time and ids come in as arguments.

mod admit;
mod attributes;
mod catalog;
mod code;
pub mod compact;
mod control;
mod envelope;
mod field;
mod ids;
mod json;
mod keys;
mod number;
mod rfc3339;
mod scalar;
mod spec;
mod time;
mod undeclared;
mod violation;

pub use admit::{Intake, MAX_CLOCK_LEAD};
pub use catalog::*;
pub use code::Code;
pub use control::{MAX_NOTE_CHARS, RulesActivated, check_note};
pub use envelope::{Event, MAX_EVENT_BYTES, Recorded, same_content};
pub use field::{FieldSpec, Shape, describe};
pub use ids::{CustomerId, EventId, InvalidId, Position};
pub use number::{Area, Count, Fen, Level, Minutes, Score, Stars};
pub use scalar::Scalar;
pub use spec::ENVELOPE;
pub use time::{Date, InvalidTime, Timestamp};
pub use violation::{Unreadable, Violation, Violations};
