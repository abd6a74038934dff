//! `lifefold up`: one command, everything runs, and stops, and is found again.

use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use history::believable::{Config, Population};
use tempfile::TempDir;
use tests::{CONTROL_MESSAGES, Service, Up, View, text_of, until};
use touchpoint::Timestamp;

/// What `up` says of its demo: seed 1, up to 2026-01-01T00:00:00Z.
const DEMO: Config = Config::new(40, 1, Timestamp::from_micros(1_767_225_600_000_000));
const VIEWS: [View; 3] = [View::Segmentation, View::Satisfaction, View::Churn];
/// From the signal to the end of the process.
const STOPPED_WITHIN: Duration = Duration::from_secs(10);

fn stop(up: &mut Up) {
    stop_by(Service::terminate, up);
}

fn stop_by(signal: fn(&Service), up: &mut Up) {
    let nats = up.announced().unwrap()["nats_pid"].as_u64().unwrap();
    let told = Instant::now();
    signal(&up.service);
    let status = up.service.wait();
    assert_eq!(status.code(), Some(0), "{}", up.service.output());
    assert!(told.elapsed() < STOPPED_WITHIN, "took {:?}", told.elapsed());
    assert_eq!(up.announced(), None, "the announcement is withdrawn");
    assert!(!Path::new(&format!("/proc/{nats}")).exists(), "its nats-server is gone");
}

async fn digests(up: &Up, position: u64) -> Vec<(String, u64)> {
    let mut digests = Vec::new();
    for view in VIEWS {
        let serving = up.view(view).reached(position).await;
        digests.push((serving.digest, serving.customers + serving.erased));
    }
    digests
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_is_imported_once_and_found_again() {
    let totals = Population::new(DEMO).totals();
    let folder = TempDir::new().unwrap();
    let demo = DEMO.customers.to_string();
    let mut up = Up::start(folder.path(), &["--demo", &demo]);
    let said = up.ready();
    for name in ["nats-server", "gateway", "segmentation", "satisfaction", "churn", "metrics"] {
        assert!(said.lines().any(|line| line.starts_with(name)), "{name} in {said}");
    }
    assert!(said.contains(&format!("imported {} events", totals.sent())), "{said}");
    // Duplicates within the log's window take no place.
    let position = CONTROL_MESSAGES as u64 + totals.events;
    let first = digests(&up, position).await;
    assert!(first.iter().all(|(digest, customers)| *digest == first[0].0 && *customers == DEMO.customers), "{first:?}");
    stop(&mut up);

    up.service.start();
    let said = up.ready();
    assert!(said.contains("in the log already"), "{said}");
    assert_eq!(digests(&up, position).await, first);
    stop(&mut up);

    let mut other = Up::start(folder.path(), &["--demo", "41"]);
    assert_eq!(other.service.wait().code(), Some(1));
    assert!(other.service.output().contains("--demo 40"), "{}", other.service.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_has_to_read_what_it_says() {
    let folder = TempDir::new().unwrap();
    let mut up = Up::new(folder.path(), &["--demo", "5"]);
    up.service.start_unread();
    let churn = until("the announcement", async || up.announced().map(|_| up.view(View::Churn))).await;
    churn.reached(Population::new(Config { customers: 5, ..DEMO }).totals().events).await;
    stop(&mut up);
    up.service.never_panicked();
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_during_the_demo_loses_nothing() {
    let folder = TempDir::new().unwrap();
    let mut up = Up::start(folder.path(), &["--demo", "400"]);
    let begun = "importing a history";
    until("the import to begin", async || up.service.output().contains(begun).then_some(())).await;
    let gateway = until("the announcement", async || up.announced().map(|_| up.view(View::Churn))).await;
    gateway.reached(500).await;
    up.service.crash();
    up.ready();
    let totals = Population::new(Config { customers: 400, ..DEMO }).totals();
    for view in VIEWS {
        let clients = up.view(view);
        let served = clients.reached(totals.events).await;
        let rebuilt = clients.rebuilt().await;
        assert_eq!((served.digest_position, served.digest), (rebuilt.digest_position, rebuilt.digest));
        assert_eq!(rebuilt.customers + rebuilt.erased, totals.customers);
        assert_eq!((rebuilt.conflicts, rebuilt.parked), (0, 0));
    }
    stop(&mut up);
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_of_another_log_are_named_and_a_rebuild_heals_them() {
    let folder = TempDir::new().unwrap();
    let mut up = Up::start(folder.path(), &["--demo", "5"]);
    up.ready();
    stop(&mut up);
    std::fs::remove_dir_all(up.data().join("nats")).unwrap();
    let mut up = Up::start(folder.path(), &[]);
    let said = up.ready();
    assert!(said.contains("the churn view does not serve") && said.contains("lifefold rebuild churn"), "{said}");
    let healed = up.view(View::Churn).rebuilt().await;
    assert_eq!(healed.customers, 0);
    up.view(View::Churn).serving(View::Churn.service()).await;
    stop(&mut up);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nats_server_that_ends_ends_everything_with_its_reason() {
    let folder = TempDir::new().unwrap();
    let mut up = Up::start(folder.path(), &[]);
    up.ready();
    let nats = up.announced().unwrap()["nats_pid"].to_string();
    assert!(std::process::Command::new("kill").args(["-9", &nats]).status().unwrap().success());
    assert_eq!(up.service.wait().code(), Some(1));
    assert!(up.service.output().contains("nats-server has failed"), "{}", up.service.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_stops_everything_in_order() {
    let folder = TempDir::new().unwrap();
    let mut up = Up::start(folder.path(), &[]);
    up.ready();
    stop_by(Service::interrupt, &mut up);
    up.service.never_panicked();
}

#[test]
fn a_port_in_use_is_named_before_anything_is_started() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap().to_string();
    let free = "127.0.0.1:0";
    for (listen, metrics, told) in [
        (taken.as_str(), "off", "error: no address for the gateway; --listen takes four ports from this one on"),
        (free, taken.as_str(), "error: cannot serve metrics on"),
    ] {
        let folder = TempDir::new().unwrap();
        let mut up = Service::new("up", folder.path(), ["up", "--listen", listen, "--metrics-listen", metrics]);
        up.start();
        assert_eq!(up.wait().code(), Some(1));
        let (said, port) = (up.output(), taken.rsplit(':').next().unwrap());
        assert!(said.contains(told) && said.contains(port) && said.contains("in use"), "{said}");
        assert!(!folder.path().join("data/nats").exists(), "no nats-server is started");
    }
}

#[test]
fn help_says_what_there_is() {
    let folder = TempDir::new().unwrap();
    let (code, out, _) = text_of(folder.path(), &["--help"]);
    assert_eq!(code, Some(0));
    for command in ["up", "gateway", "projector", "config", "timeline", "--nats-url", "LIFEFOLD_NATS_URL"] {
        assert!(out.contains(command), "{command} in {out}");
    }
    let (code, _, told) = text_of(folder.path(), &["uqp"]);
    assert_eq!(code, Some(2), "{told}");
}
