//! The JetStream log: append, tail, replay, one customer's timeline, identity.
//!
//! One stream holds everything. Its subjects are `touchpoint.<customer_id>` and `lifefold.control`; its sequence
//! numbers are the positions; message 1 is the genesis, which names the log by a random epoch. Bodies are opaque.
//!
//! **Architecture Invariant:** nothing else in the workspace imports `async-nats`, and nothing here reads a clock for
//! what it stores, or draws a random id that is stored.
//!
//! - [`Log::provision`] creates the stream (gateway), [`Log::open`] verifies and reads it.
//! - [`Appender`] makes events durable: group commit, duplicates, conflicts; and control messages one after the other.
//! - [`Log::tail`] and [`Log::replay`] yield every position exactly once, in order, or say why they cannot.
//! - [`Server`] looks at what is there step by step, for who wants to know what is wrong.
//! - [`Log::check`] compares what a reader believes with what the log is now; [`Log::origin`] begins anew on what is left.

mod address;
mod answer;
mod append;
mod appender;
mod commit;
mod control;
mod entry;
mod error;
mod examine;
mod expecting;
mod full;
mod identity;
mod loss;
mod read;
mod run;
mod settings;
mod stream;
mod tail;
mod wire;

pub use address::mask;
pub use append::{Appended, Draft, MAX_BATCH_BYTES, MAX_BATCH_EVENTS, MAX_BODY_BYTES};
pub use appender::{Appender, MAX_APPEND_TIME, Queued};
pub use entry::{Batch, Digest, Entry, Subject};
pub use error::{AppendError, Broken, CheckError, OpenError, ReadError, Refused, TailError};
pub use examine::Server;
pub use full::{MAX_CUSTOMER_EVENTS, MAX_RAISED_EVENTS};
pub use identity::{Checkpoint, Head, Identity};
pub use loss::MAX_LOST_BETWEEN;
pub use read::MAX_PAGE_ENTRIES;
pub use settings::Difference;
pub use stream::{DEFAULT_STREAM, Log, MIN_SERVER, Options};
pub use tail::{MAX_TAIL_BATCH, MAX_TAIL_BYTES, Tail, TailState};
