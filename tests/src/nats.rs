//! What a NATS administrator can do to a stream, in NATS' own words: the services have no such rights.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long the server may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Deletes a stream with everything that is in it.
///
/// # Panics
/// If the server does not do it.
pub fn delete_stream(port: u16, stream: &str) {
    let answer = ask(port, &format!("$JS.API.STREAM.DELETE.{stream}"));
    let answer = answer.unwrap_or_else(|error| panic!("stream {stream} is not deleted: {error}"));
    assert!(answer.contains("\"success\":true"), "stream {stream} is not deleted: {answer}");
}

/// Sends an empty request, and gives the body of the answer.
fn ask(port: u16, subject: &str) -> std::io::Result<String> {
    const INBOX: &str = "_INBOX.tests";
    let mut connection = TcpStream::connect(("127.0.0.1", port))?;
    connection.set_read_timeout(Some(ANSWER_WITHIN))?;
    let words = format!("CONNECT {{\"verbose\":false}}\r\nSUB {INBOX} 1\r\nPUB {subject} {INBOX} 0\r\n\r\n");
    connection.write_all(words.as_bytes())?;
    let mut lines = BufReader::new(connection);
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        // MSG <subject> <subscription> <bytes>
        let Some(message) = line.strip_prefix("MSG ") else { continue };
        let bytes = message.split_whitespace().next_back().and_then(|bytes| bytes.parse().ok()).unwrap_or(0);
        let mut body = vec![0; bytes];
        lines.read_exact(&mut body)?;
        return Ok(String::from_utf8_lossy(&body).into_owned());
    }
}
