//! The clock and the random numbers: the one place of the workspace that reads them.
#![expect(clippy::disallowed_methods, reason = "time and ids go in as arguments everywhere else")]

use std::sync::Arc;
use std::time::SystemTime;

use touchpoint::Timestamp;
use uuid::Uuid;

/// The present instant.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// The clock that is handed to everything that needs the time.
pub(crate) fn clock() -> projector::Clock {
    Arc::new(now)
}

/// A random number that names a new log.
pub(crate) fn random_epoch() -> Uuid {
    Uuid::new_v4()
}

/// Draws the ids of events that a service writes by itself.
pub(crate) fn fresh_ids() -> services::FreshId {
    Arc::new(|| fresh_event_id().into())
}

/// A fresh id for an event, later ones greater than earlier ones.
pub(crate) fn fresh_event_id() -> Uuid {
    Uuid::now_v7()
}
