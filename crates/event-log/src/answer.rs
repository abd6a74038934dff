//! What the server says to an append.

use crate::wire::{self, PubAck};

/// What the server said to one try.
pub(crate) enum Answer {
    Stored {
        last: u64,
        duplicate: bool,
    },
    /// Some id of the batch is known to the server.
    KnownId,
    /// The answer of a probe: the server does not know the id.
    UnknownId,
    /// The customer's last event is another one than expected.
    Conflict,
    /// Some customer has as many events as the log takes of one.
    Full,
    /// Nothing was written; it may be later.
    Refused(String),
    /// It may have been written.
    Silent(String),
}

impl Answer {
    /// Of a message that was sent as the last of so many members.
    pub(crate) fn read(payload: &[u8], members: usize) -> Self {
        let ack: PubAck = match serde_json::from_slice(payload) {
            Ok(ack) => ack,
            Err(error) => return Self::Silent(error.to_string()),
        };
        match ack.error {
            Some(error) => match error.err_code {
                wire::BATCH_DUPLICATE => Self::KnownId,
                wire::WRONG_LAST_MSG_ID => Self::UnknownId,
                wire::WRONG_LAST_SEQUENCE => Self::Conflict,
                wire::STORE_FAILED if error.description.contains(wire::SUBJECT_FULL) => Self::Full,
                code => Self::Refused(format!("{} ({code})", error.description)),
            },
            None if ack.seq == 0 || (members > 1 && ack.count != members as u64) => {
                Self::Silent(format!("{} of {members} members acknowledged", ack.count))
            }
            None => Self::Stored { last: ack.seq, duplicate: ack.duplicate },
        }
    }

    /// Why a try has settled nothing, if this is all that is known of it.
    pub(crate) fn failure(self) -> String {
        match self {
            Self::Refused(reason) | Self::Silent(reason) => reason,
            Self::Full => "some customer had no room".to_owned(),
            Self::Stored { .. } | Self::KnownId | Self::UnknownId | Self::Conflict => {
                "an answer to another question".to_owned()
            }
        }
    }
}
