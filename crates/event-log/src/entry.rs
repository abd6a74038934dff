//! One message of the log as its readers see it, and the digest that recognises it.

use std::borrow::Cow;

use bytes::Bytes;
use touchpoint::{CustomerId, Position, Timestamp};

use crate::wire;

/// The subject of genesis and rules.
pub(crate) const CONTROL_SUBJECT: &str = "lifefold.control";
/// What comes before the customer's id in a subject.
pub(crate) const CUSTOMER_PREFIX: &str = "touchpoint.";
/// Nanoseconds in a microsecond: the log stamps nanoseconds, the domain counts microseconds.
const NANOS_PER_MICRO: i128 = 1_000;

/// What a message is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A customer's event.
    Customer(CustomerId),
    /// Genesis or rules.
    Control,
    /// Under the log's subjects, but written by somebody who does not know them: to be parked.
    Foreign(String),
}

impl Subject {
    pub(crate) fn parse(text: &str) -> Self {
        if text == CONTROL_SUBJECT {
            return Self::Control;
        }
        // One spelling only: an id in capitals would be a second subject for one customer.
        match text.strip_prefix(CUSTOMER_PREFIX).map(|id| (id, id.parse())) {
            Some((id, Ok(customer))) if !id.bytes().any(|byte| byte.is_ascii_uppercase()) => Self::Customer(customer),
            _ => Self::Foreign(text.to_owned()),
        }
    }

    /// The subject as the log spells it.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Customer(customer) => customer_subject(*customer).into(),
            Self::Control => CONTROL_SUBJECT.into(),
            Self::Foreign(text) => text.into(),
        }
    }
}

/// The one literal subject of a customer.
pub(crate) fn customer_subject(customer: CustomerId) -> String {
    format!("{CUSTOMER_PREFIX}{customer}")
}

/// BLAKE3-128 of a message's subject and body: tells whether a position still holds what was read there.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 16]);

/// One message of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the log, from 1.
    pub position: Position,
    /// When the log took it.
    pub recorded_at: Timestamp,
    /// Whom it is about.
    pub subject: Subject,
    /// The event as its producer sent it.
    pub body: Bytes,
}

impl Entry {
    /// The digest to keep in a [`crate::Checkpoint`] at this position.
    pub fn digest(&self) -> Digest {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.subject.text().as_bytes()).update(&[0]).update(&self.body);
        let mut digest = Digest::default();
        digest.0.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        digest
    }

    pub(crate) fn from_stored(message: async_nats::jetstream::message::StreamMessage) -> Self {
        Self {
            position: Position(message.sequence),
            recorded_at: micros(message.time.unix_timestamp_nanos()),
            subject: Subject::parse(&message.subject),
            body: message.payload,
        }
    }

    /// The entry of a delivered message, and how many follow it in the log.
    pub(crate) fn from_delivered(message: async_nats::jetstream::Message) -> Result<(Self, u64), wire::Malformed> {
        let (position, recorded_at, pending) = {
            let info = message.info().map_err(|error| wire::Malformed(error.to_string()))?;
            (Position(info.stream_sequence), micros(info.published.unix_timestamp_nanos()), info.pending)
        };
        let subject = Subject::parse(&message.subject);
        Ok((Self { position, recorded_at, subject, body: message.message.payload }, pending))
    }
}

fn micros(nanos: i128) -> Timestamp {
    Timestamp::from_micros(i64::try_from(nanos.div_euclid(NANOS_PER_MICRO)).unwrap_or(i64::MAX))
}

/// Consecutive entries, in order, at least one. What the log has lost is left out.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The entries; between the positions of two that follow each other there is no message.
    pub entries: Vec<Entry>,
    /// The last position of the log when the last entry was sent: the reader's lag is the difference.
    pub last: Position,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_has_one_spelling() {
        let customer = CustomerId::from_u128(0xabc);
        let text = customer_subject(customer);
        assert_eq!(Subject::parse(&text), Subject::Customer(customer));
        assert_eq!(Subject::parse("lifefold.control"), Subject::Control);
        for other in [text.to_uppercase(), text.replace("abc", "ABC"), "touchpoint.x".to_owned()] {
            assert_eq!(Subject::parse(&other), Subject::Foreign(other.clone()));
            assert_eq!(Subject::parse(&other).text(), other);
        }
    }

    #[test]
    fn the_digest_is_frozen_and_covers_subject_and_body() {
        let entry = |customer, body: &'static str| Entry {
            position: Position(7),
            recorded_at: Timestamp::from_micros(0),
            subject: Subject::Customer(CustomerId::from_u128(customer)),
            body: Bytes::from_static(body.as_bytes()),
        };
        let hex: String = entry(1, "{}").digest().0.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "b1ce2da1763341161926ae3505034f76");
        assert_ne!(entry(1, "{}").digest(), entry(2, "{}").digest());
        assert_ne!(entry(1, "{}").digest(), entry(1, "{ }").digest());
    }
}
