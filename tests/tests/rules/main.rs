//! Other rules against real processes: who would move, and that they do once the rules are in force.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod activate;
mod diff;
mod population;
