//! What one caller may ask of a server.

use std::sync::Arc;
use std::time::Duration;

use api::errors::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::transport::Server;

/// Most bytes of one request: a batch of 1,000 events has at most 8 MiB as JSON, and a message is no longer than that.
pub(crate) const MAX_WRITE_BYTES: usize = 12 * 1024 * 1024;
/// Most bytes of a question to a view: 1,000 ids are 40 KB.
pub(crate) const MAX_READ_BYTES: usize = 256 * 1024;
/// Calls and streams of one connection at once; the next ones wait on the caller's side.
const MAX_CALLS_PER_CONNECTION: u32 = 512;
/// Most bytes of the headers of one call.
const MAX_HEADER_BYTES: u32 = 16 * 1024;
/// The longest that a call may take to its first answer, whatever its deadline.
pub(crate) const MAX_CALL_TIME: Duration = Duration::from_secs(120);

/// When to ask again for a place.
const PLACE_RETRY: Duration = Duration::from_secs(5);

/// Places for streams of one kind, so many at once.
pub(crate) struct Places {
    free: Arc<Semaphore>,
    what: &'static str,
    limit: usize,
}

impl Places {
    /// All of them free; `what` is what an error calls the streams.
    pub(crate) fn new(what: &'static str, limit: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(limit)), what, limit }
    }

    /// Takes a place until the permit is dropped; an error where none is free.
    pub(crate) fn take(&self) -> Result<OwnedSemaphorePermit, Error> {
        let (what, limit) = (self.what, self.limit as u64);
        let too_many = |_| Error::TooMany { what, limit, retry_after: PLACE_RETRY };
        self.free.clone().try_acquire_owned().map_err(too_many)
    }
}

/// A server with every bound set that costs a call nothing (ADR 0022): `call` bounds its time, and whoever listens has
/// the kernel look after silent connections.
pub fn server() -> Server {
    Server::builder().max_concurrent_streams(MAX_CALLS_PER_CONNECTION).http2_max_header_list_size(MAX_HEADER_BYTES)
}
