//! What is measured. No label ever holds a customer's id.

use std::cell::RefCell;
use std::collections::HashMap;
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

thread_local! {
    /// The histogram of each method that this thread has answered: to find it in the registry costs labels and locks.
    static ANSWERED: RefCell<HashMap<(&'static str, &'static str), Histogram>> = RefCell::default();
}

pub(crate) fn answered(service: &'static str, method: &'static str, took: Duration) {
    let of_method = || histogram!(QUERY_SECONDS, "service" => service, "method" => method);
    ANSWERED.with_borrow_mut(|all| all.entry((service, method)).or_insert_with(of_method).record(took));
}

pub(crate) fn append_took(took: Duration) {
    histogram!(APPEND_SECONDS).record(took);
}

pub(crate) fn appended(outcome: Outcome, events: u64) {
    counter!(APPENDS_TOTAL, "outcome" => outcome.name()).increment(events);
}
