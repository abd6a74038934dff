//! The gRPC services, one file each: read the request, ask, convert the answer.
//!
//! [`gateway`] and [`view`] give all that one process serves, health and reflection included; [`server`] bounds what a
//! caller may ask of it. The binary only listens.
//!
//! **Architecture Invariant:** no judgement. Whether an event is valid is said by `touchpoint`, what an answer is by
//! `views`, when it is fresh enough by `projector`; here is only the order in which they are asked.

mod activation;
mod append;
mod call;
mod churn;
mod damaged;
mod export;
mod import;
mod intake;
mod limits;
mod listing;
mod machine;
pub mod metrics;
mod operate;
mod outlet;
mod parked;
mod pause;
mod pinned;
mod population;
mod process;
mod rebuild;
mod recorded;
mod refold;
mod replay;
mod report;
mod rules;
mod rules_diff;
mod satisfaction;
mod satisfaction_service;
mod segmentation;
mod timeline;
mod touchpoint_service;
mod view_reader;
mod watch;

pub use activation::{FreshId, RulesInLog};
pub use limits::server;
pub use process::{Gateway, GrpcServices, Served, gateway, view};
