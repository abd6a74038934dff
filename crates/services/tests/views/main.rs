//! The view services over real connections, on a log in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails here")]

mod churn;
mod export;
mod freshness;
mod listing;
mod operation;
mod others;
mod rules_diff;
mod support;
mod watch;
