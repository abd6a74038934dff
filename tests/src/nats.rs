//! What a NATS administrator can do to a stream, in NATS' own words: the services have no such rights.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// How long the server may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Deletes a stream with everything that is in it.
///
/// # Panics
/// If the server does not do it.
pub fn delete_stream(port: u16, stream: &str) {
    let answer = ask(port, &format!("$JS.API.STREAM.DELETE.{stream}"), "");
    let answer = answer.unwrap_or_else(|error| panic!("stream {stream} is not deleted: {error}"));
    assert!(answer.contains("\"success\":true"), "stream {stream} is not deleted: {answer}");
}

/// Keeps so many messages of each subject, deletes the older ones, and puts the options right again. Gives the number
/// of messages that are left.
///
/// # Panics
/// If the server does not do it.
pub fn shrink_stream(port: u16, stream: &str, of_each_subject: u64) -> u64 {
    let describe = format!("$JS.API.STREAM.INFO.{stream}");
    let before = json(port, &describe, "")["config"].clone();
    let mut shrunk = before.clone();
    shrunk["max_msgs_per_subject"] = of_each_subject.into();
    let update = |config: &Value| json(port, &format!("$JS.API.STREAM.UPDATE.{stream}"), &config.to_string());
    let left = update(&shrunk)["state"]["messages"].as_u64();
    update(&before);
    left.unwrap_or_else(|| panic!("stream {stream} is not shrunk"))
}

fn json(port: u16, subject: &str, question: &str) -> Value {
    let answer = ask(port, subject, question).unwrap_or_else(|error| panic!("{subject}: {error}"));
    let answer: Value = serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{subject}: {error}"));
    assert!(answer["error"].is_null(), "{subject}: {answer}");
    answer
}

/// Sends a request, and gives the body of the answer.
fn ask(port: u16, subject: &str, question: &str) -> std::io::Result<String> {
    const INBOX: &str = "_INBOX.tests";
    let mut connection = TcpStream::connect(("127.0.0.1", port))?;
    connection.set_read_timeout(Some(ANSWER_WITHIN))?;
    let bytes = question.len();
    let words =
        format!("CONNECT {{\"verbose\":false}}\r\nSUB {INBOX} 1\r\nPUB {subject} {INBOX} {bytes}\r\n{question}\r\n");
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
