//! The options of the stream: what is asked for, and what differs from it when it is read back.

use std::fmt;

use serde_json::{Value, json};

use crate::append::MAX_BODY_BYTES;
use crate::entry::{CONTROL_SUBJECT, CUSTOMER_PREFIX};

/// How long the server remembers event ids, in nanoseconds: 2 minutes at about 300 bytes of memory per id.
const DUPLICATE_WINDOW_NANOS: i64 = 120 * 1_000_000_000;
/// The largest message, headers included, in bytes.
const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// Room for the headers of a message, in bytes.
const MAX_HEADER_BYTES: usize = 1024;
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

/// Every option in which a stream differs from what the log needs. The number of replicas is the operator's choice.
pub(crate) fn differences(stream: &str, found: &Value) -> Vec<Difference> {
    let required = required(stream);
    let absent = ABSENT.iter().map(|option| ((*option).to_owned(), Value::Null));
    let present = required.as_object().into_iter().flatten().map(|(option, value)| (option.clone(), value.clone()));
    present
        .chain(absent)
        .filter_map(|(option, expected)| {
            let found = found.get(&option).cloned().unwrap_or(Value::Null);
            let same = found == expected || (is_unset(&expected) && is_unset(&found));
            (!same).then_some(Difference { option, expected, found })
        })
        .collect()
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
    "discard_new_per_subject",
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
        "max_msgs_per_subject": -1,
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
