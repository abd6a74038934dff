//! Bad input, everywhere that it can come in: a clear message that names the field or the thing and what to do, the
//! right status or exit code, no panic, no lost event.

#![allow(clippy::disallowed_methods, reason = "producers have a clock")]
mod full;
mod reading;
mod starting;
mod told;
mod without_log;
mod writing;

use std::collections::HashMap;

use tests::{CONTROL_MESSAGES, Machine, System, View};

/// One system for all requests: they leave no trace in each other.
#[tokio::test(flavor = "multi_thread")]
async fn wrong_requests_are_refused_by_name_and_nothing_is_lost() {
    let mut system = System::start().await;
    let acknowledged = writing::refused_by_name(&system.writer()).await;
    for view in View::ALL {
        system.reader(view).reached(*acknowledged.values().max().unwrap()).await;
    }
    reading::timelines(&system.writer()).await;
    reading::churn(&system.reader(View::Churn)).await;
    reading::segmentation(&system.reader(View::Segmentation)).await;
    reading::satisfaction(&system.reader(View::Satisfaction)).await;
    same_log(&system.machine, &acknowledged).await;
    system.never_panicked();
}

/// The log has what was acknowledged, where it was acknowledged, and beside the control messages nothing else.
async fn same_log(machine: &Machine, acknowledged: &HashMap<String, u64>) {
    let entries = machine.log_entries().await;
    let mut found = HashMap::new();
    for entry in &entries[CONTROL_MESSAGES..] {
        let body: serde_json::Value = serde_json::from_slice(&entry.body).unwrap();
        found.insert(body["id"].as_str().unwrap().to_owned(), entry.position.0);
    }
    assert_eq!(&found, acknowledged);
    assert_eq!(entries.len(), acknowledged.len() + CONTROL_MESSAGES);
}
