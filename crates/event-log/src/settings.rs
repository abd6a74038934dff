//! The options of the stream: what is asked for, and what differs from it when it is read back.

use std::fmt;

use serde_json::{Value, json};

use crate::append::MAX_BODY_BYTES;
use crate::entry::{CONTROL_SUBJECT, CUSTOMER_PREFIX};
use crate::full::{MAX_CUSTOMER_EVENTS, MAX_RAISED_EVENTS};

/// How long the server remembers event ids, in nanoseconds: 2 minutes at about 300 bytes of memory per id.
const DUPLICATE_WINDOW_NANOS: i64 = 120 * 1_000_000_000;
/// The largest message, headers included, in bytes.
const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// Room for the headers of a message, in bytes.
const MAX_HEADER_BYTES: usize = 1024;
/// Most messages of one subject.
const PER_CUSTOMER: &str = "max_msgs_per_subject";
/// Beyond that the newest is refused, and not the oldest dropped.
const REFUSES_PER_CUSTOMER: &str = "discard_new_per_subject";
const _: () = assert!(MAX_BODY_BYTES + MAX_HEADER_BYTES == MAX_MESSAGE_BYTES);

/// An option that is not what the log needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its name in the stream's configuration.
    pub option: String,
    /// What the log needs; `null` is "not set".
    pub expected: Value,
    /// What the server has.
    pub found: Value,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", self.option, self.expected, self.found)
    }
}

/// The configuration to create the stream with.
pub(crate) fn wanted(stream: &str, replicas: usize) -> Value {
    let mut config = required(stream);
    config["num_replicas"] = json!(replicas);
    config
}

/// Every option in which a stream differs from what the log needs. The number of replicas is the operator's choice, and
/// a higher bound of one customer's events.
pub(crate) fn differences(stream: &str, found: &Value) -> Vec<Difference> {
    let required = required(stream);
    let absent = ABSENT.iter().map(|option| ((*option).to_owned(), Value::Null));
    let present = required.as_object().into_iter().flatten().map(|(option, value)| (option.clone(), value.clone()));
    present
        .chain(absent)
        .filter_map(|(option, expected)| {
            let found = found.get(&option).cloned().unwrap_or(Value::Null);
            let raised = option == PER_CUSTOMER && is_raised(&found);
            let same = found == expected || raised || (is_unset(&expected) && is_unset(&found));
            (!same).then_some(Difference { option, expected, found })
        })
        .collect()
}

/// Whether nothing is wrong but that one customer's events have no bound.
pub(crate) fn is_unbounded(differences: &[Difference]) -> bool {
    let bound = differences.iter().find(|difference| difference.option == PER_CUSTOMER);
    let none = bound.is_some_and(|bound| bound.found.as_u64().unwrap_or(0) == 0);
    none && differences.iter().all(|it| it.option == PER_CUSTOMER || it.option == REFUSES_PER_CUSTOMER)
}

/// A stream's configuration with the bound of one customer's events.
pub(crate) fn bounded(mut found: Value) -> Value {
    found[PER_CUSTOMER] = json!(MAX_CUSTOMER_EVENTS);
    found[REFUSES_PER_CUSTOMER] = json!(true);
    found
}

/// The bound of a customer's events was raised, not too far.
fn is_raised(found: &Value) -> bool {
    found.as_u64().is_some_and(|bound| (MAX_CUSTOMER_EVENTS..=MAX_RAISED_EVENTS).contains(&bound))
}

/// Options that would lose, rewrite or reroute events; an older server does not know all of them.
const ABSENT: &[&str] = &[
    "sealed",
    "no_ack",
    "mirror",
    "sources",
    "republish",
    "subject_transform",
    "persist_mode",
    "allow_rollup_hdrs",
    "allow_msg_ttl",
    "allow_msg_counter",
    "allow_msg_schedules",
    "subject_delete_marker_ttl",
];

fn required(stream: &str) -> Value {
    json!({
        "name": stream,
        "subjects": [format!("{CUSTOMER_PREFIX}*"), CONTROL_SUBJECT],
        "storage": "file",
        "retention": "limits",
        "discard": "new",
        "max_age": 0,
        "max_msgs": -1,
        "max_bytes": -1,
        PER_CUSTOMER: MAX_CUSTOMER_EVENTS,
        REFUSES_PER_CUSTOMER: true,
        "max_consumers": -1,
        "max_msg_size": MAX_MESSAGE_BYTES,
        "duplicate_window": DUPLICATE_WINDOW_NANOS,
        "deny_delete": true,
        "deny_purge": true,
        "allow_direct": true,
        "allow_atomic": true,
    })
}

/// A server leaves out what is not set.
fn is_unset(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_what_is_needed() {
        assert_eq!(differences("T", &wanted("T", 3)), []);
    }

    #[test]
    fn only_a_higher_bound_of_a_customers_events_is_as_good() {
        for (found, expect) in
            [(json!(10_000), true), (json!(20_000), true), (json!(9_999), false), (json!(20_001), false)]
        {
            let mut config = wanted("T", 1);
            config[PER_CUSTOMER] = found;
            assert_eq!(differences("T", &config).is_empty(), expect, "{config}");
        }
    }

    #[test]
    fn a_stream_without_the_bound_is_told_from_one_with_a_wrong_one() {
        let mut config = wanted("T", 1);
        (config[PER_CUSTOMER], config[REFUSES_PER_CUSTOMER]) = (json!(-1), Value::Null);
        assert!(is_unbounded(&differences("T", &config)));
        assert_eq!(differences("T", &bounded(config.clone())), []);
        config["allow_direct"] = json!(false);
        assert!(!is_unbounded(&differences("T", &config)));
        let mut config = wanted("T", 1);
        config[PER_CUSTOMER] = json!(4);
        assert!(!is_unbounded(&differences("T", &config)));
    }

    #[test]
    fn a_server_that_drops_options_is_named_by_each() {
        let mut found = wanted("T", 1);
        let options = found.as_object_mut().unwrap();
        options.remove("allow_atomic");
        options.remove("deny_purge");
        options.insert("allow_rollup_hdrs".to_owned(), json!(true));
        let told: Vec<String> = differences("T", &found).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "allow_atomic: expected true, found null",
                "deny_purge: expected true, found null",
                "allow_rollup_hdrs: expected null, found true"
            ]
        );
    }
}
