//! The gRPC interface: generated protobuf, conversions to and from the domain, errors as gRPC Status, page tokens.
//!
//! `proto/lifefold/v1` is the source. `cargo run -q -p api --example generate` writes `events.proto` from the event
//! catalogue and compiles all protos into `src/generated`, which is committed.
//!
//! **Architecture Invariant:** no IO and no judgement. Only shapes are translated here: whether an event is valid is
//! said by `touchpoint`, what an answer is by `views`.

pub mod churn;
pub mod complaint;
mod decision;
pub mod errors;
pub mod export;
pub mod funnel;
pub mod names;
pub mod page;
pub mod query;
pub mod rebuild;
pub mod report;
pub mod rules_diff;
pub mod satisfaction;
mod schema;
pub mod segmentation;
pub mod standing;
pub mod timeline;
pub mod touchpoints;
pub mod watch;

/// Messages, enumerations, clients and servers of package `lifefold.v1`.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, reason = "generated; documented in the protos")]
pub mod v1 {
    include!("generated/lifefold.v1.rs");
}

/// The encoded descriptors of `lifefold.v1` and what it imports, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("generated/lifefold.v1.binpb");
