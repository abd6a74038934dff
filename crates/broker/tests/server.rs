//! Real servers: ready, stopped, killed, restarted, refused.

#![allow(clippy::unwrap_used, reason = "a failed step of a test ends the test")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use broker::{Broker, Options, StartError, find_server};

fn options(store: &Path) -> Options {
    Options { own_process_group: false, ..Options::new(store) }
}

fn start(store: &Path) -> Broker {
    Broker::start(find_server().unwrap().path, options(store)).unwrap()
}

/// One request over the plain protocol; the payload of its answer.
fn request(port: u16, subject: &str, payload: &str) -> serde_json::Value {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let connect = r#"CONNECT {"verbose":false,"pedantic":false}"#;
    let size = payload.len();
    let text = format!("{connect}\r\nSUB answer 1\r\nPUB {subject} answer {size}\r\n{payload}\r\n");
    (&stream).write_all(text.as_bytes()).unwrap();
    let mut line = String::new();
    while !line.starts_with("MSG ") {
        line.clear();
        assert!(reader.read_line(&mut line).unwrap() > 0, "the server hung up");
    }
    line.clear();
    reader.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap()
}

fn messages(port: u16) -> u64 {
    request(port, "$JS.API.STREAM.INFO.S", "")["state"]["messages"].as_u64().unwrap()
}

#[test]
fn what_was_acknowledged_outlives_a_kill_and_a_stop() {
    let store = tempfile::tempdir().unwrap();
    let mut broker = start(store.path());
    let port = broker.port();
    let created = request(port, "$JS.API.STREAM.CREATE.S", r#"{"name":"S","subjects":["s"],"storage":"file"}"#);
    assert_eq!(created["config"]["name"], "S", "{created}");
    assert_eq!(request(port, "s", "one")["seq"], 1);

    broker.kill().unwrap();
    assert_eq!(broker.pid(), None);
    broker.restart().unwrap();
    assert_eq!((broker.port(), messages(port)), (port, 1));

    broker.stop().unwrap();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    broker.restart().unwrap();
    assert_eq!(messages(port), 1);
}

#[test]
fn the_server_syncs_always_and_ends_with_its_owner() {
    let store = tempfile::tempdir().unwrap();
    let wanted = Options { extra_config: "http: \"127.0.0.1:-1\"".into(), ..options(store.path()) };
    let broker = Broker::start(find_server().unwrap().path, wanted).unwrap();
    let running = monitor(store.path(), "/varz");
    assert_eq!(running["jetstream"]["config"]["sync_always"], true, "{running}");
    assert_eq!(running["max_payload"], 128 * 1024);
    let port = broker.port();
    drop(broker);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

/// One page of the server's own monitoring.
fn monitor(store: &Path, page: &str) -> serde_json::Value {
    let file = fs::read_dir(store.join("ports")).unwrap().next().unwrap().unwrap().path();
    let ports: serde_json::Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let address = ports["monitoring"][0].as_str().unwrap().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {page} HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[test]
fn a_long_log_is_put_aside_at_the_next_start() {
    let store = tempfile::tempdir().unwrap();
    let log = store.path().join("nats-server.log");
    fs::File::create(&log).unwrap().set_len(17 * 1024 * 1024).unwrap();
    let broker = start(store.path());
    assert_eq!(fs::metadata(log.with_extension("log.old")).unwrap().len(), 17 * 1024 * 1024);
    assert!(fs::metadata(broker.log_file()).unwrap().len() < 1024 * 1024);
}

#[test]
fn a_port_in_use_is_named() {
    let store = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let wanted = Options { port: Some(port), ..options(store.path()) };
    let error = Broker::start(find_server().unwrap().path, wanted).unwrap_err();
    assert!(matches!(error, StartError::PortInUse { port: named } if named == port), "{error}");
    assert!(error.to_string().contains(&format!("port {port}")), "{error}");
}

#[test]
fn one_store_has_one_owner() {
    let store = tempfile::tempdir().unwrap();
    let _first = start(store.path());
    let error = Broker::start(find_server().unwrap().path, options(store.path())).unwrap_err();
    assert!(matches!(error, StartError::StoreInUse { .. }), "{error}");
}

#[test]
fn a_refused_configuration_shows_what_the_server_said() {
    let store = tempfile::tempdir().unwrap();
    let wanted = Options { extra_config: "no_such_option: 1".into(), ..options(store.path()) };
    let error = Broker::start(find_server().unwrap().path, wanted).unwrap_err();
    assert!(matches!(error, StartError::Exited { .. }), "{error}");
    assert!(error.to_string().contains("no_such_option"), "{error}");
}

#[test]
fn a_server_that_never_listens_is_given_up_and_ended() {
    let store = tempfile::tempdir().unwrap();
    let mute = store.path().join("mute");
    // Written by another process: a fork of another test may hold our files open, which forbids running them.
    let write = "printf '#!/bin/sh\\necho started >&2\\nexec sleep 600\\n' > mute && chmod +x mute";
    assert!(Command::new("sh").args(["-c", write]).current_dir(store.path()).status().unwrap().success());
    let wanted = Options { ready_within: Duration::from_millis(500), ..options(store.path()) };
    let error = Broker::start(&mute, wanted).unwrap_err();
    assert!(matches!(error, StartError::NotReady { .. }), "{error}");
    assert!(error.to_string().contains("started"), "{error}");
    // The lock goes with the process: a real server takes the store at once.
    start(store.path());
}

#[test]
fn the_server_of_a_killed_owner_is_taken_over() {
    let store = tempfile::tempdir().unwrap();
    let mut owner = Command::new(owner_program())
        .args(["--ignored", "--exact", "an_owner_that_waits_to_be_killed", "--nocapture"])
        .env("BROKER_TEST_STORE", store.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(owner.stdout.take().unwrap()).lines();
    let said = lines.find_map(|line| line.unwrap().strip_prefix("listening on ").map(str::to_owned)).unwrap();
    let port: u16 = said.parse().unwrap();
    owner.kill().unwrap();
    owner.wait().unwrap();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok(), "the server outlives its owner");

    let broker = Broker::start(find_server().unwrap().path, Options { port: Some(port), ..options(store.path()) });
    assert_eq!(broker.unwrap().port(), port);
}

fn owner_program() -> PathBuf {
    std::env::current_exe().unwrap()
}

#[test]
#[ignore = "the other process of the_server_of_a_killed_owner_is_taken_over"]
fn an_owner_that_waits_to_be_killed() {
    let broker = start(Path::new(&std::env::var_os("BROKER_TEST_STORE").unwrap()));
    println!("\nlistening on {}", broker.port());
    let patience = Instant::now() + Duration::from_secs(60);
    while Instant::now() < patience {
        std::thread::park_timeout(Duration::from_secs(60));
    }
}
