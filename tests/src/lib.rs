//! The harness: real nats-server and real processes of the built binary, kill -9, and clients that wait on conditions.
//!
//! [`Machine`] is one computer: a temporary folder, a nats-server, and the [`Service`]s that run on it. Nothing here
//! sleeps for a fixed time and hopes; everything waits for what it needs, with [`PATIENCE`].

mod binary;
mod clients;
mod events;
mod importer;
mod machine;
mod mistake;
mod nats;
mod python;
mod recorder;
mod service;
mod stored;
mod system;
mod up;
mod wait;

pub use binary::lifefold;
pub use clients::Clients;
pub use events::{instant, visit};
pub use importer::{Imported, import, import_believable, json};
pub use machine::{CONTROL_MESSAGES, Machine, View};
pub use mistake::{change_a_text, lose_a_page, lose_an_event};
pub use nats::{delete_stream, shrink_stream};
pub use python::Python;
pub use recorder::{Acknowledged, Recorder, may_pass};
pub use service::{Service, metrics, text_of, text_of_fed};
pub use stored::is_what_the_log_says;
pub use system::System;
pub use up::Up;
pub use wait::{PATIENCE, until, until_sync};
