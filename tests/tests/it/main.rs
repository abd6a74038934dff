//! The whole system: real processes, a real nats-server, real clients.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod analysts;
mod bad_input;
mod cli;
mod doctor;
mod every_event;
mod export;
mod faults;
mod parked;
mod pause;
mod processes;
mod python_client;
mod readme;
mod rebuild;
mod rebuild_killed;
mod rebuild_killed_live;
mod rebuild_live;
mod rebuild_watched;
mod rules;
mod scrub;
mod smoke;
mod terminal;
mod up;
mod views_e2e;
mod watch;
