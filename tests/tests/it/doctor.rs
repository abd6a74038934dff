//! `lifefold doctor`: what is well is said to be, what is wrong is found, nothing is changed.

use std::net::TcpListener;
use std::path::Path;

use serde_json::Value;
use tests::{Clients, Machine, System, View, delete_stream, import_believable, lose_a_page, text_of};

/// Runs `doctor` with these flags: its exit code, and what each check found.
fn doctor(folder: &Path, flags: &[String]) -> (Option<i32>, Vec<(String, String, String)>) {
    let arguments = ["doctor", "-o", "json"].into_iter().chain(flags.iter().map(String::as_str));
    let (code, out, err) = text_of(folder, &arguments.collect::<Vec<_>>());
    let found: Vec<Value> = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
    let text = |it: &Value, field: &str| it[field].as_str().unwrap().to_owned();
    (code, found.iter().map(|it| (text(it, "check"), text(it, "verdict"), text(it, "says"))).collect())
}

/// The verdict and the words of a check.
fn of<'a>(found: &'a [(String, String, String)], check: &str) -> (&'a str, &'a str) {
    let one = found.iter().find(|(name, ..)| name == check);
    let (_, verdict, says) = one.unwrap_or_else(|| panic!("no {check} in {found:?}"));
    (verdict, says)
}

fn flags(system: &mut System) -> Vec<String> {
    let folder = system.machine.folder().to_string_lossy().into_owned();
    let mut flags = ["--nats-url".to_owned(), system.machine.nats.url(), "--data".to_owned(), folder].to_vec();
    flags.extend(["--gateway".to_owned(), format!("http://{}", system.gateway.address())]);
    flags.extend(["--metrics-listen".to_owned(), system.gateway.metrics_address().to_string()]);
    for view in View::ALL {
        flags.extend([format!("--{}", view.name()), format!("http://{}", system.projector(view).address())]);
    }
    flags
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_system_is_well_until_its_stream_is_gone() {
    let mut system = System::start().await;
    let (all, folder) = (flags(&mut system), system.machine.folder().to_owned());
    let before = system.machine.last_position().await;
    for view in View::ALL {
        system.reader(view).reached(before.unwrap()).await;
    }
    let (code, found) = doctor(&folder, &all);
    assert_eq!(code, Some(0), "{found:?}");
    assert!(found.iter().all(|(_, verdict, _)| verdict == "ok"), "{found:?}");
    for check in ["settings", "nats", "stream", "clock", "identity", "digests"] {
        of(&found, check);
    }
    for view in View::ALL {
        let pid = system.projector(view).pid().unwrap();
        let (_, says) = of(&found, &format!("store {}", system.machine.store(view).display()));
        assert!(says.contains(&format!("process {pid} (")) && says.contains("projector"), "{says}");
        assert!(of(&found, &format!("{} projector", view.name())).1.starts_with("SERVING at position"));
    }
    assert_eq!(system.machine.last_position().await, before, "nothing is written");

    delete_stream(system.machine.nats.port(), "TOUCHPOINTS");
    let (code, found) = doctor(&folder, &all);
    let (verdict, says) = of(&found, "stream");
    assert_eq!((code, verdict), (Some(1), "failed"));
    assert!(says.contains("lifefold gateway --provision"), "{says}");
    assert_eq!(of(&found, "nats").0, "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_holds_other_facts_than_the_others_is_named() {
    let mut system = System::start().await;
    import_believable(&system.writer(), 20, 3).await;
    let last = system.machine.last_position().await.unwrap();
    for view in View::ALL {
        system.reader(view).reached(last).await;
    }
    system.projector(View::Churn).terminate();
    system.projector(View::Churn).wait();
    lose_a_page(&system.machine.store(View::Churn));
    system.projector(View::Churn).start();
    system.serving().await;
    system.reader(View::Churn).reached(last).await;
    let (all, folder) = (flags(&mut system), system.machine.folder().to_owned());
    let (code, found) = doctor(&folder, &all);
    let (verdict, says) = of(&found, "digests");
    assert_eq!((code, verdict), (Some(1), "failed"));
    assert!(says.starts_with("churn: not what the others are"), "{says}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_nobody_has_open_is_compared_with_the_log() {
    let machine = Machine::start();
    let (mut gateway, mut churn) = (machine.gateway(), machine.projector(View::Churn));
    Clients::of(churn.address()).serving(View::Churn.service()).await;
    let flags = ["--nats-url", &machine.nats.url(), "--data", &machine.folder().to_string_lossy()].map(str::to_owned);
    let store = format!("store {}", machine.store(View::Churn).display());
    churn.kill();
    let (_, found) = doctor(machine.folder(), &flags);
    assert!(of(&found, &store).1.starts_with("nobody has it open"), "{found:?}");

    gateway.kill();
    delete_stream(machine.nats.port(), "TOUCHPOINTS");
    gateway.start();
    Clients::of(gateway.address()).serving("lifefold.v1.TouchpointService").await;
    let (code, found) = doctor(machine.folder(), &flags);
    let (verdict, says) = of(&found, &store);
    assert_eq!((code, verdict), (Some(1), "failed"));
    assert!(says.contains("another log") && says.contains("`lifefold rebuild churn`"), "{says}");
}

#[test]
fn where_nothing_runs_every_failure_says_what_to_do_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    // It listens, and says nothing.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let silent = taken.local_addr().unwrap();
    let flags = [
        ("--metrics-listen", silent.to_string()),
        ("--nats-url", format!("nats://{free}")),
        ("--churn", format!("http://{silent}")),
        ("--gateway", format!("http://{free}")),
    ];
    let flags: Vec<_> = flags.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]).collect();
    let (code, found) = doctor(folder.path(), &flags);
    assert_eq!(code, Some(1), "{found:?}");
    let (verdict, says) = of(&found, "nats");
    assert!(verdict == "failed" && says.contains("`lifefold up` has its own"), "{says}");
    let (verdict, says) = of(&found, "port churn");
    assert!(verdict == "failed" && says.contains("is no churn"), "{says}");
    let (verdict, says) = of(&found, &format!("metrics {silent}"));
    assert!(verdict == "failed" && says.contains("set --metrics-listen"), "{says}");
    assert_eq!(of(&found, "port gateway").0, "note");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "no folder is made");
}

#[test]
fn settings_that_cannot_be_read_are_a_finding() {
    let folder = tempfile::tempdir().unwrap();
    let (code, found) = doctor(folder.path(), &["--replicas".to_owned(), "2".to_owned()]);
    let (verdict, says) = of(&found, "settings");
    assert!(code == Some(1) && verdict == "failed" && says.contains("replicas"), "{says}");
}
