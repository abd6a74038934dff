//! The log against a real nats-server, through kill -9, cut connections and an administrator's mistakes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod append;
mod batch;
mod faults;
mod full;
mod identity;
mod loss;
mod provision;
mod proxy;
mod read;
mod support;
mod tail;
