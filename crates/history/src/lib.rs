//! The deterministic generator of customer histories: [`believable`] ones for the demo and benchmarks, [`nasty`] ones
//! for property tests, and [`arrange()`], which gives either the positions and times of a log.
//!
//! **Architecture Invariant:** the same arguments give the same bytes, on every machine. No clock and no outside
//! randomness: a seed and the time up to which to tell come in as arguments.

pub mod believable;
pub mod nasty;

mod arrange;
mod dice;
mod planned;

pub use arrange::{Arrival, Arrived, Order, arrange};
pub use planned::{Form, Planned, VoidTarget, body};
