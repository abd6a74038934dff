//! Processes that cannot start: why, in words, and with which exit code.

use std::net::TcpListener;

use tempfile::TempDir;
use tests::{Machine, View, text_of};

use crate::bad_input::told::{check, trouble};

const BAD_RULES: &str = "\
[lifecycle]
lost_after_days = \"ninety\"

[churn]
base_line = 1

[satisfaction.port_weights]
OVERALL = -1
";

#[test]
fn a_wrong_rules_file_is_refused_with_all_its_lines() {
    let folder = TempDir::new().unwrap();
    let rules = folder.path().join("rules.toml");
    std::fs::write(&rules, BAD_RULES).unwrap();
    let rules = rules.to_string_lossy();
    for command in [&["projector", "churn"][..], &["gateway"]] {
        let arguments = [command, &["--rules", &rules]].concat();
        let (code, _, said) = text_of(folder.path(), &arguments);
        let words = [
            "rules",
            &*rules,
            "3 mistakes",
            "line 2,",
            "lost_after_days",
            "line 5,",
            "base_line",
            "line 8,",
            "OVERALL",
        ];
        check(&format!("{command:?}"), (code, said), trouble("exit 2", &words));
    }
    let (code, _, said) = text_of(folder.path(), &["projector", "churn", "--rules", "none.toml"]);
    check("no rules file", (code, said), trouble("exit 2", &["none.toml", "rules"]));
}

#[test]
fn wrong_settings_are_all_named_at_once() {
    let folder = TempDir::new().unwrap();
    let arguments = ["gateway", "--listen", "here", "--nats-url", "http://nats", "--replicas", "2"];
    let (code, _, said) = text_of(folder.path(), &arguments);
    let words =
        ["3 settings are wrong", "listen = \"here\"", "127.0.0.1:7400", "nats_url", "nats://", "expected 1, 3 or 5"];
    check("settings", (code, said), trouble("exit 2", &words));
    let (code, _, said) = text_of(folder.path(), &["projector", "weather"]);
    check("no view", (code, said), trouble("exit 2", &["weather", "segmentation, satisfaction, churn"]));
}

#[test]
fn a_port_in_use_is_named() {
    let folder = TempDir::new().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let port = address.rsplit(':').next().unwrap();
    for command in [&["projector", "churn"][..], &["gateway"]] {
        let arguments = [command, &["--listen", &address, "--metrics-listen", "off"]].concat();
        let (code, _, said) = text_of(folder.path(), &arguments);
        check(&format!("{command:?}"), (code, said), trouble("exit 1", &[port, "in use", "--listen"]));
        let arguments = [command, &["--listen", "127.0.0.1:0", "--metrics-listen", &address]].concat();
        let (code, _, said) = text_of(folder.path(), &arguments);
        check(&format!("{command:?} metrics"), (code, said), trouble("exit 1", &[port, "in use", "--metrics-listen"]));
    }
}

/// The first one does not notice.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_projector_on_a_store_leaves_it_alone() {
    let machine = Machine::start();
    let (mut gateway, mut first) = (machine.gateway(), machine.projector(View::Churn));
    tests::Clients::of(gateway.address()).serving("lifefold.v1.TouchpointService").await;
    let reader = tests::Clients::of(first.address());
    reader.serving(View::Churn.service()).await;
    let store = machine.store(View::Churn);
    let mut second = machine.projector_on("second", View::Churn, &store);
    let status = second.wait();
    let said = second.output();
    let words = [&*store.to_string_lossy(), "in use by another process", "its own data folder"];
    check("a second projector", (status.code(), said), trouble("exit 1", &words));
    reader.serving(View::Churn.service()).await;
    assert_eq!(first.ended(), None);
    [&gateway, &first, &second].into_iter().for_each(tests::Service::never_panicked);
}
