//! What is measured. No label ever holds a customer's id.

use std::cell::RefCell;
use std::time::Duration;

use metrics::{Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// How long a call takes to its answer, by `service` and `method`, in seconds.
pub const QUERY_SECONDS: &str = "lifefold_query_seconds";
/// How long the gateway takes to make an event, or a batch of them, durable, in seconds.
pub const APPEND_SECONDS: &str = "lifefold_gateway_append_seconds";
/// Events that were to be appended, by `outcome`.
pub const APPENDS_TOTAL: &str = "lifefold_gateway_appends_total";
/// Callers who watch a view, by `view`.
pub const WATCHERS: &str = "lifefold_projector_watchers";
/// Bounds of the buckets of both histograms, in seconds.
pub const BUCKETS_SECONDS: [f64; 13] =
    [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// Tells the recorder what these metrics are. Once, after the recorder is installed.
pub fn describe() {
    describe_histogram!(QUERY_SECONDS, Unit::Seconds, "How long a call takes to its answer.");
    describe_histogram!(APPEND_SECONDS, Unit::Seconds, "How long an event or batch takes to be durable.");
    describe_gauge!(WATCHERS, "Callers who watch the view.");
    describe_counter!(APPENDS_TOTAL, "Events that were to be appended, by outcome.");
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// New in the log.
    Recorded,
    /// It was there before.
    Duplicate,
    /// It breaks a rule, or is too large.
    Invalid,
    /// The id is taken by other content.
    Conflict,
    /// The customer has as many events as the log takes.
    Full,
    /// The customer's revision was another one.
    Revision,
    /// The log does not take it now.
    Unavailable,
    /// Nobody knows.
    Unknown,
}

impl Outcome {
    const fn name(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Duplicate => "duplicate",
            Self::Invalid => "invalid",
            Self::Conflict => "conflict",
            Self::Full => "full",
            Self::Revision => "revision",
            Self::Unavailable => "unavailable",
            Self::Unknown => "unknown",
        }
    }
}

/// A caller who watches a view, counted as long as this lives.
pub(crate) struct Watching(&'static str);

impl Watching {
    pub(crate) fn begins(view: &'static str) -> Self {
        gauge!(WATCHERS, "view" => view).increment(1.0);
        Self(view)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        gauge!(WATCHERS, "view" => self.0).decrement(1.0);
    }
}

/// The histogram of a method that a thread has answered.
struct Answered {
    service: &'static str,
    method: &'static str,
    seconds: Histogram,
}

impl Answered {
    /// Names are told apart by where they stand: comparing their texts would cost more than recording.
    fn is_of(&self, service: &'static str, method: &'static str) -> bool {
        std::ptr::eq(self.service, service) && std::ptr::eq(self.method, method)
    }
}

thread_local! {
    /// The few methods that this thread has answered: to find them in the registry costs labels and locks.
    static ANSWERED: RefCell<Vec<Answered>> = RefCell::default();
}

pub(crate) fn answered(service: &'static str, method: &'static str, took: Duration) {
    ANSWERED.with_borrow_mut(|all| {
        if let Some(known) = all.iter().find(|it| it.is_of(service, method)) {
            return known.seconds.record(took);
        }
        let seconds = histogram!(QUERY_SECONDS, "service" => service, "method" => method);
        seconds.record(took);
        all.push(Answered { service, method, seconds });
    });
}

pub(crate) fn append_took(took: Duration) {
    histogram!(APPEND_SECONDS).record(took);
}

pub(crate) fn appended(outcome: Outcome, events: u64) {
    counter!(APPENDS_TOTAL, "outcome" => outcome.name()).increment(events);
}
