//! The lines of a file or of stdin, none longer than an event and blanks around it may be.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// Most bytes of a line: an event has at most 63 KiB, which the gateway judges; the rest is room for blanks around it.
pub(super) const MAX_LINE_BYTES: usize = 64 * 1024;
/// Bytes that are read at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// One line that is not empty.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Its number, from 1.
    pub(super) number: u64,
    /// What it says; nothing if it is too long.
    pub(super) text: Option<Vec<u8>>,
}

/// Reads lines.
pub(super) struct Lines {
    name: String,
    size: Option<u64>,
    reader: BufReader<Box<dyn AsyncRead + Send + Unpin>>,
    read: u64,
    number: u64,
    /// The line so far; kept here, so that a dropped `next` loses nothing.
    line: Vec<u8>,
    too_long: bool,
}

impl Lines {
    pub(super) fn new(name: String, from: impl AsyncRead + Send + Unpin + 'static, size: Option<u64>) -> Self {
        let reader = BufReader::with_capacity(BUFFER_BYTES, Box::new(from) as Box<dyn AsyncRead + Send + Unpin>);
        Self { name, size, reader, read: 0, number: 0, line: Vec::new(), too_long: false }
    }

    /// What is read, for messages.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// All bytes, where that is known.
    pub(super) const fn size(&self) -> Option<u64> {
        self.size
    }

    /// Bytes read so far.
    pub(super) const fn read(&self) -> u64 {
        self.read
    }

    /// The next line that is not empty. May be dropped and called again.
    pub(super) async fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            let chunk = self.reader.fill_buf().await?;
            if chunk.is_empty() {
                return Ok(self.end_line());
            }
            let end = chunk.iter().position(|&byte| byte == b'\n');
            let part = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
            self.too_long |= self.line.len() + part.len() > MAX_LINE_BYTES;
            if !self.too_long {
                self.line.extend_from_slice(part);
            }
            let used = part.len() + usize::from(end.is_some());
            self.reader.consume(used);
            self.read += used as u64;
            if end.is_some()
                && let Some(line) = self.end_line()
            {
                return Ok(Some(line));
            }
        }
    }

    fn end_line(&mut self) -> Option<Line> {
        self.number += 1;
        let text = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.too_long) {
            return Some(Line { number: self.number, text: None });
        }
        let text = text.trim_ascii();
        (!text.is_empty()).then(|| Line { number: self.number, text: Some(text.to_vec()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(text: &[u8]) -> Vec<(u64, Option<Vec<u8>>)> {
        let mut lines = Lines::new("test".to_owned(), io::Cursor::new(text.to_vec()), None);
        let mut all = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            all.push((line.number, line.text));
        }
        assert_eq!(lines.read(), text.len() as u64);
        all
    }

    #[tokio::test]
    async fn empty_lines_count_and_are_passed_over() {
        let expect = vec![(1, Some(b"{}".to_vec())), (4, Some(b"{\"a\":1}".to_vec()))];
        assert_eq!(read(b"{}\r\n\n  \n{\"a\":1}").await, expect);
        assert_eq!(read(b"").await, vec![]);
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_passed_over_and_said() {
        let mut text = vec![b'x'; MAX_LINE_BYTES];
        text.push(b'\n');
        assert_eq!(read(&text).await[0].1.as_ref().map(Vec::len), Some(MAX_LINE_BYTES));
        text.insert(0, b'x');
        text.extend_from_slice(b"{}\n");
        assert_eq!(read(&text).await, vec![(1, None), (2, Some(b"{}".to_vec()))]);
    }
}
