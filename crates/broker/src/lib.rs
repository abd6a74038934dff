//! Finds, fetches, starts and stops the nats-server that the log runs on.
//!
//! For `cargo xtask`, `lifefold up` and the test harness: blocking, few dependencies, Unix only.
//! [`find()`] says where a server comes from; [`Broker::start`] owns one process of it.
//!
//! ```no_run
//! let server = broker::find_server()?;
//! let mut nats = broker::Broker::start(&server.path, broker::Options::new("./data/nats"))?;
//! println!("listening on {}", nats.url());
//! nats.stop()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod config;
mod error;
mod find;
mod hold;
mod process;
mod ready;
mod server;
mod wheel;

pub use error::StartError;
pub use find::{Env, FindError, Located, MIN_VERSION, Origin, Server, Version, find, find_in, find_server, server_in};
pub use server::{Broker, Options};
pub use wheel::{FetchError, Platform, Wheel};
