//! What must survive, with every process killed, a log that is lost, and shutdown under load.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod crashes;
mod lost_log;
mod lost_messages;
mod shutdown;
mod story;
