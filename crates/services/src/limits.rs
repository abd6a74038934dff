//! What one caller may ask of a server.

use std::time::Duration;

use tonic::transport::Server;

/// Most bytes of one request: a batch of 1,000 events has at most 8 MiB as JSON, and a message is no longer than that.
pub(crate) const MAX_WRITE_BYTES: usize = 12 * 1024 * 1024;
/// Most bytes of a question to a view: 1,000 ids are 40 KB.
pub(crate) const MAX_READ_BYTES: usize = 256 * 1024;
/// Calls and streams of one connection at once; the next ones wait on the caller's side.
const MAX_STREAMS_PER_CONNECTION: u32 = 1_024;
/// Calls of one connection that are worked on at once.
const MAX_CALLS_PER_CONNECTION: usize = 512;
/// Most bytes of the headers of one call.
const MAX_HEADER_BYTES: u32 = 16 * 1024;
/// The longest that a call may take to its first answer, whatever its deadline.
pub(crate) const MAX_CALL_TIME: Duration = Duration::from_secs(120);
/// A silent connection is asked whether it lives.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
/// And is closed if it says nothing for so long.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// A server with every bound set.
pub fn server() -> Server {
    Server::builder()
        .timeout(MAX_CALL_TIME)
        .max_concurrent_streams(MAX_STREAMS_PER_CONNECTION)
        .concurrency_limit_per_connection(MAX_CALLS_PER_CONNECTION)
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .tcp_nodelay(true)
}
