//! The catalogue from outside: what is frozen, what is refused, and what holds for every event.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod catalog_page;
mod fixtures;
mod generator;
mod properties;
mod refusals;
