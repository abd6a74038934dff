//! What can go wrong, one enum per boundary, its variants by what the caller does next.

use touchpoint::{CustomerId, EventId, Position};

use crate::full::{MAX_CUSTOMER_EVENTS, MAX_UNBOUNDED_EVENTS};
use crate::settings::{self, Difference};
use crate::stream::MIN_SERVER;

/// The log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Nobody answers: try again, or start the server.
    #[error("no NATS server answers at {url}: {reason}; start one (`lifefold up` has its own), or set --nats-url")]
    Unreachable {
        /// The address that was tried.
        url: String,
        /// What the client library said.
        reason: String,
    },
    /// The server answers, and lets this user not in: an operator's work.
    #[error(
        "the NATS server at {url} lets nobody in so: {reason}; name a user and the password in --nats-url, as nats://user:password@host:port"
    )]
    NotLetIn {
        /// The address that was tried, without the password.
        url: String,
        /// What the client library said.
        reason: String,
    },
    /// The server lacks JetStream or says no: an operator's work.
    #[error("the NATS server refused {what}: {reason}; is JetStream on, and may this NATS user do that?")]
    Refused {
        /// What was asked of it.
        what: &'static str,
        /// Its answer.
        reason: String,
    },
    /// An old server drops stream options without a word.
    #[error(
        "nats-server {found} is too old; upgrade it to {}.{}.{} or later (older ones, such as Debian's 2.9.10, silently drop stream options)",
        MIN_SERVER.0, MIN_SERVER.1, MIN_SERVER.2
    )]
    OldServer {
        /// The version that the server announced.
        found: String,
    },
    /// There is no such stream: an operator has to create it, once.
    #[error("there is no stream {0:?} on this server; `lifefold gateway --provision` creates it")]
    NoStream(String),
    /// The stream is not the one that this log needs.
    #[error("stream {stream:?} has other options than the log needs: {}{}", list(.differences), mend(.differences))]
    Options {
        /// Name of the stream.
        stream: String,
        /// Every option that differs.
        differences: Vec<Difference>,
    },
    /// Message 1 is missing or says nothing about an epoch.
    #[error(
        "stream {stream:?} does not begin with a genesis event: {reason}; if it is no log of Lifefold set --stream, if it lost its beginning restore it from a backup"
    )]
    NoGenesis {
        /// Name of the stream.
        stream: String,
        /// What was found instead.
        reason: String,
    },
}

fn list(differences: &[Difference]) -> String {
    differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What to do; if nothing but the bound of one customer's events is missing, the gateway can.
fn mend(differences: &[Difference]) -> String {
    if !settings::is_unbounded(differences) {
        return "; set them as they should be (`nats stream edit`), or set --stream".to_owned();
    }
    format!(
        "; `lifefold gateway --provision` adds this bound if no customer has more than {MAX_UNBOUNDED_EVENTS} events \
         (to set it where somebody has more than {MAX_CUSTOMER_EVENTS} would delete events)"
    )
}

/// The log is not the one that the reader has read: stop answering until an operator rebuilds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The log ends before a position that was read, or holds something else there.
    #[error("ROLLED_BACK: position {position} was read, but {found}")]
    RolledBack {
        /// The position of the checkpoint.
        position: Position,
        /// What the log says now.
        found: String,
    },
    /// Another stream of the same name, or none.
    #[error("RECREATED: {0}")]
    Recreated(String),
    /// Messages are missing from the log itself.
    #[error("GAP: {0}")]
    Gap(String),
}

/// Why [`crate::Log::check`] did not answer with a head.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// Stop answering.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// Not known now; ask again.
    #[error("the log does not answer: {0}")]
    Unavailable(String),
}

/// A read did not succeed; reading again is harmless.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The log does not answer now; try again.
    #[error("the log does not answer: {0}")]
    Unavailable(String),
}

/// The tail ended for good. A cut connection never ends it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TailError {
    /// Stop answering until a rebuild.
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// The event is not (known to be) in the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The id is taken by other content; never send it again.
    #[error("an event of this id with other content is at position {position}")]
    AlreadyExists {
        /// The id, unique within the customer.
        event: EventId,
        /// Where the first one is.
        position: Position,
    },
    /// The customer has another last event than expected: read, decide again.
    #[error("the customer's last event is at position {current}")]
    RevisionConflict {
        /// The position of the customer's last event, zero if there is none.
        current: Position,
    },
    /// Nothing was written; send again later.
    #[error("the log does not take events now: {0}")]
    Unavailable(String),
    /// It may or may not have been written; sending the same id again is harmless and tells.
    #[error("no answer from the log in time; the event may be in it: {0}")]
    OutcomeUnknown(String),
    /// The customer has as many events as the log takes of one; sending it again does not help.
    #[error("customer {customer} has no room for it: the log takes {events} events of one customer, and no more")]
    CustomerFull {
        /// Whose event it is.
        customer: CustomerId,
        /// How many the customer has, with what came before in the same request: the bound.
        events: u64,
    },
    /// Too many bytes or events; send less.
    #[error("{size} {unit} are more than the {max} that fit")]
    TooLarge {
        /// What it had.
        size: usize,
        /// What it may have.
        max: usize,
        /// Bytes or events.
        unit: &'static str,
    },
}

/// A batch was refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nothing is wrong with any one event.
    #[error(transparent)]
    Batch(#[from] AppendError),
    /// One event is the reason.
    #[error("event {index} of the batch: {error}")]
    Event {
        /// Which event of the request, from 0.
        index: usize,
        /// Why.
        error: AppendError,
    },
    /// Two events of the request have one id and different content; the log was not asked.
    #[error("event {index} of the batch has the id of event {first}, and other content")]
    Repeated {
        /// Which event of the request, from 0.
        index: usize,
        /// The event of the request that has the id first.
        first: usize,
    },
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_error_of_opening_says_what_to_do() {
        let text = |text: &str| text.to_owned();
        let differs = |option: &str, found| Difference { option: text(option), expected: json!(10_000), found };
        let options = |differences| OpenError::Options { stream: text("S"), differences };
        for (error, todo) in [
            (OpenError::Unreachable { url: text("nats://host"), reason: text("refused") }, "start one"),
            (OpenError::NotLetIn { url: text("nats://host"), reason: text("no") }, "name a user"),
            (OpenError::Refused { what: "to describe the stream", reason: text("no answer") }, "is JetStream on"),
            (OpenError::OldServer { found: text("2.9.10") }, "upgrade it to 2.14.4 or later"),
            (OpenError::NoStream(text("S")), "`lifefold gateway --provision` creates it"),
            (options(vec![differs("max_msgs", json!(1))]), "`nats stream edit`"),
            (options(vec![differs("max_msgs_per_subject", json!(-1))]), "`lifefold gateway --provision` adds"),
            (OpenError::NoGenesis { stream: text("S"), reason: text("no message 1") }, "set --stream"),
        ] {
            let told = error.to_string();
            assert!(told.contains(todo) && !told.contains("  "), "{told}");
        }
    }
}
