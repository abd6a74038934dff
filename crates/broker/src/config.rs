//! The configuration file of a server for development and tests.

use std::path::Path;

/// Largest message that the server itself takes, in bytes. The stream's own limit is 64 KiB: a
/// message between the two is refused with a plain error instead of a cut connection.
const MAX_PAYLOAD_BYTES: u32 = 128 * 1024;

/// Text of the file. `port` `-1` lets the system choose a free one.
pub(crate) fn text(store: &Path, ports: &Path, pid_file: &Path, port: Option<u16>, extra: &str) -> String {
    let port = port.map_or_else(|| "-1".to_owned(), |port| port.to_string());
    format!(
        "# Written at every start; edits are lost.\n\
         host: 127.0.0.1\n\
         port: {port}\n\
         ports_file_dir: {ports}\n\
         pid_file: {pid_file}\n\
         max_payload: {MAX_PAYLOAD_BYTES}\n\
         jetstream {{\n  store_dir: {store}\n  # Acknowledged means on disk: the default lost events at a power cut.\n  sync_interval: always\n}}\n\
         {extra}\n",
        ports = quoted(ports),
        pid_file = quoted(pid_file),
        store = quoted(store),
    )
}

/// A double-quoted string, in which the server looks for no variables.
fn quoted(path: &Path) -> String {
    serde_json::Value::from(path.to_string_lossy()).to_string()
}
