//! The gateway's services over real connections, on a real log.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails here")]

mod importing;
mod reading;
mod recording;
mod ruling;
mod support;
