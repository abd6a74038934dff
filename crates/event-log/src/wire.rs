//! The words of the JetStream protocol that this crate speaks itself: headers, error codes, acknowledgements.

use std::collections::HashMap;

use async_nats::HeaderMap;
use serde::Deserialize;
use touchpoint::{CustomerId, EventId, Timestamp};

/// The server refuses a second message of this id within its window.
pub(crate) const MSG_ID: &str = "Nats-Msg-Id";
const BATCH_ID: &str = "Nats-Batch-Id";
const BATCH_SEQUENCE: &str = "Nats-Batch-Sequence";
const BATCH_COMMIT: &str = "Nats-Batch-Commit";
const EXPECTED_SUBJECT_SEQUENCE: &str = "Nats-Expected-Last-Subject-Sequence";
pub(crate) const EXPECTED_SEQUENCE: &str = "Nats-Expected-Last-Sequence";
const EXPECTED_MSG_ID: &str = "Nats-Expected-Last-Msg-Id";
/// No message has this id, so a message that expects it is never stored.
const NO_MSG_ID: &str = "-";
/// No log ever ends there.
const NO_SEQUENCE: &str = "9223372036854775807";

/// "stream not found".
pub(crate) const STREAM_NOT_FOUND: u64 = 10_059;
/// "stream name already in use" with another configuration.
pub(crate) const STREAM_NAME_IN_USE: u64 = 10_058;
/// "wrong last msg ID": the answer of a probe for an id that the server does not know.
pub(crate) const WRONG_LAST_MSG_ID: u64 = 10_070;
/// "wrong last sequence".
pub(crate) const WRONG_LAST_SEQUENCE: u64 = 10_071;
/// A message was not stored: there is no room for it.
pub(crate) const STORE_FAILED: u64 = 10_077;
/// What the server says with [`STORE_FAILED`] if it is the subject that has too many messages: other rooms grow.
pub(crate) const SUBJECT_FULL: &str = "maximum messages per subject exceeded";
/// A batch holds an id that the server knows.
pub(crate) const BATCH_DUPLICATE: u64 = 10_201;

/// Something that the server should not have sent.
#[derive(Debug, Clone, thiserror::Error)]
#[error("unexpected answer of the NATS server: {0}")]
pub(crate) struct Malformed(pub(crate) String);

/// The id by which the server finds duplicates. An event id is unique within its customer only, so both are in it;
/// 32 hexadecimal digits each, since every stored message carries it.
pub(crate) fn message_id(customer: CustomerId, event: EventId) -> String {
    format!("{:032x}/{:032x}", customer.as_u128(), event.as_u128())
}

/// The same of a control message, which is no customer's.
pub(crate) fn control_id(event: EventId) -> String {
    format!("control/{:032x}", event.as_u128())
}

/// The headers of an append that goes alone.
pub(crate) fn single_headers(id: &str, expected: Option<u64>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(MSG_ID, id);
    if let Some(expected) = expected {
        headers.insert(EXPECTED_SUBJECT_SEQUENCE, expected.to_string().as_str());
    }
    headers
}

/// The headers that ask "do you know this id?" and store nothing: the server looks for duplicates before it compares
/// the last message with what is expected, and that never holds. A stream of one copy compares the sequence before it
/// looks for duplicates, so it is asked by the id of the last message, which is never [`NO_MSG_ID`]. The leader of several
/// copies looks for duplicates first; asked by the id it never answers anything again (nats-server 2.15.1).
pub(crate) fn probe_headers(id: &str, copies: usize) -> HeaderMap {
    let mut headers = single_headers(id, None);
    if copies > 1 {
        headers.insert(EXPECTED_SEQUENCE, NO_SEQUENCE);
    } else {
        headers.insert(EXPECTED_MSG_ID, NO_MSG_ID);
    }
    headers
}

/// The headers of member `index` (from 0) of an atomic batch; the last one commits it.
pub(crate) fn member_headers(id: &str, batch: &str, index: usize, count: usize) -> HeaderMap {
    let mut headers = single_headers(id, None);
    headers.insert(BATCH_ID, batch);
    headers.insert(BATCH_SEQUENCE, (index + 1).to_string().as_str());
    if index + 1 == count {
        headers.insert(BATCH_COMMIT, "1");
    }
    headers
}

/// The server's answer to a published message.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct PubAck {
    /// Why not, if not.
    pub(crate) error: Option<ApiError>,
    /// Where it is, or where the last of a batch is.
    #[serde(default)]
    pub(crate) seq: u64,
    /// It was there before: the ids are equal, the content need not be.
    #[serde(default)]
    pub(crate) duplicate: bool,
    /// Members of the batch.
    #[serde(default)]
    pub(crate) count: u64,
}

/// An error in an answer.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct ApiError {
    /// JetStream's own number.
    #[serde(default)]
    pub(crate) err_code: u64,
    /// In words.
    #[serde(default)]
    pub(crate) description: String,
}

/// What is needed of a stream's description.
#[derive(Debug, Deserialize)]
pub(crate) struct StreamInfo {
    pub(crate) config: serde_json::Value,
    pub(crate) created: String,
    pub(crate) state: StreamState,
    /// How many subjects there are to list, over all pages; only where they were asked for.
    #[serde(default)]
    pub(crate) total: usize,
}

#[derive(Debug, Deserialize)]
pub(crate) struct StreamState {
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
    #[serde(default)]
    pub(crate) num_deleted: u64,
    /// Only where it was asked for.
    #[serde(default)]
    pub(crate) deleted: Vec<u64>,
    /// Messages by subject; only where it was asked for.
    #[serde(default)]
    pub(crate) subjects: HashMap<String, u64>,
}

impl StreamState {
    /// Positions up to the end of the log that hold no message.
    pub(crate) const fn lost(&self) -> u64 {
        self.first_seq.saturating_sub(1) + self.num_deleted
    }
}

/// A time as the server writes it, with nanoseconds; cut to microseconds.
pub(crate) fn server_time(text: &str) -> Result<Timestamp, Malformed> {
    let malformed = || Malformed(format!("{text:?} is no time"));
    let (seconds, rest) = text.split_at_checked(19).ok_or_else(malformed)?;
    let digits = rest
        .strip_prefix('.')
        .map_or("", |fraction| &fraction[..fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len())]);
    let zone = rest.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let kept = &digits[..digits.len().min(6)];
    let dot = if kept.is_empty() { "" } else { "." };
    format!("{seconds}{dot}{kept}{zone}").parse().map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_times_are_cut_to_microseconds() {
        let cases = [
            ("2026-11-22T12:03:07.489451767Z", "2026-11-22T12:03:07.489451Z"),
            ("2026-11-22T12:03:07.4Z", "2026-11-22T12:03:07.400000Z"),
            ("2026-11-22T12:03:07Z", "2026-11-22T12:03:07Z"),
            ("2026-11-22T20:03:07.1234567+08:00", "2026-11-22T12:03:07.123456Z"),
        ];
        for (given, expect) in cases {
            assert_eq!(server_time(given).unwrap().to_string(), expect);
        }
        assert!(server_time("yesterday").is_err());
    }

    #[test]
    fn only_the_last_member_commits() {
        let headers = |index| member_headers("id", "b1", index, 3);
        assert!(headers(1).get(BATCH_COMMIT).is_none());
        assert_eq!(headers(2).get(BATCH_COMMIT).unwrap().as_str(), "1");
        assert_eq!(headers(2).get(BATCH_SEQUENCE).unwrap().as_str(), "3");
    }

    #[test]
    fn the_message_id_is_frozen() {
        let id = message_id(CustomerId::from_u128(0xa1), EventId::from_u128(0xb2));
        assert_eq!(id, "000000000000000000000000000000a1/000000000000000000000000000000b2");
    }
}
