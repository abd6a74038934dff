//! Projectors with a source of their own, without NATS or gRPC.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod beside;
mod brake;
mod broken;
mod digests;
mod life;
mod pause;
mod population;
mod refold;
mod resume;
mod retry;
mod rules;
mod rules_life;
mod scrub;
mod support;
mod switch;
mod totals;
mod unavailable;
mod verify;
mod watch;
