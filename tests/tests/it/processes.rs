//! Processes as an operator meets them: started too early, twice, wrongly, stopped under load.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use api::v1;
use tempfile::TempDir;
use tests::{CONTROL_MESSAGES, Clients, Machine, Recorder, Service, View, instant, metrics, text_of, until, visit};
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus;
use touchpoint::{CustomerId, EventId};

/// A process that was told to stop has ended by then.
const STOPPED_WITHIN: Duration = Duration::from_secs(10);
const WRITES: &str = "lifefold.v1.TouchpointService";

/// A service that ends by itself: its exit code and what it said.
fn refused(mut service: Service) -> (Option<i32>, String) {
    let code = service.wait().code();
    (code, service.output())
}

fn assert_stops_in_time(service: &mut Service) {
    let told = Instant::now();
    service.terminate();
    let status = service.wait();
    assert_eq!(status.code(), Some(0), "{}", service.output());
    assert!(told.elapsed() < STOPPED_WITHIN, "took {:?}", told.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn services_wait_for_a_log_and_say_that_they_do_not_serve() {
    let mut machine = Machine::start();
    machine.nats.kill().unwrap();
    let (mut gateway, mut churn) = (machine.gateway(), machine.projector(View::Churn));
    let (writer, reader) = (Clients::of(gateway.address()), Clients::of(churn.address()));
    for (clients, service) in [(&writer, WRITES), (&reader, View::Churn.service())] {
        let health = until("an answer", async || clients.health(service).await).await;
        assert_eq!(health, ServingStatus::NotServing);
    }
    let touchpoint = Some(visit(CustomerId::from_u128(1), EventId::from_u128(1), instant("2025-03-01T08:00:00Z")));
    let status = writer.touchpoints().record(v1::RecordRequest { touchpoint, expected_revision: None }).await;
    assert_eq!(status.unwrap_err().code(), Code::Unavailable);
    until("a word about it", async || gateway.output().contains("no NATS server answers").then_some(())).await;

    machine.nats.restart().unwrap();
    writer.serving(WRITES).await;
    reader.serving(View::Churn.service()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_projector_leaves_the_store_alone() {
    let machine = Machine::start();
    let (mut gateway, mut churn) = (machine.gateway(), machine.projector(View::Churn));
    Clients::of(gateway.address()).serving(WRITES).await;
    let reader = Clients::of(churn.address());
    reader.serving(View::Churn.service()).await;
    let second = TempDir::new().unwrap();
    let store = machine.store(View::Churn);
    let nats = machine.nats.url();
    let any = "127.0.0.1:0";
    let arguments =
        ["projector", "churn", "--listen", any, "--metrics-listen", any, "--nats-url", &nats, "--data"].map(Into::into);
    let mut second = Service::new("second", second.path(), arguments.into_iter().chain([store.into_os_string()]));
    second.start();
    let (code, told) = refused(second);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("is in use by another process"), "{told}");
    assert_eq!(reader.health(View::Churn.service()).await, Some(ServingStatus::Serving));
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_under_load_finishes_and_ends() {
    let machine = Machine::start();
    let (mut gateway, mut churn) = (machine.gateway(), machine.projector(View::Churn));
    let recorder = Recorder::start(4, gateway.address(), instant("2025-03-01T08:00:00Z"));
    recorder.more(100).await;
    assert_stops_in_time(&mut churn);
    recorder.more(100).await;
    assert_stops_in_time(&mut gateway);
    gateway.start();
    recorder.gateway_moved(gateway.address());
    recorder.more(10).await;
    let acknowledged = recorder.stop().await;
    assert_eq!(machine.log_entries().await.len(), acknowledged.len() + CONTROL_MESSAGES);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_say_how_a_projector_does() {
    let machine = Machine::start();
    let (mut gateway, mut churn) = (machine.gateway(), machine.projector(View::Churn));
    let recorder = Recorder::start(1, gateway.address(), instant("2025-03-01T08:00:00Z"));
    recorder.more(3).await;
    let events = recorder.stop().await.len();
    let wanted = [
        r#"lifefold_projector_serving{view="churn"} 1"#.to_owned(),
        format!(r#"lifefold_projector_position{{view="churn"}} {}"#, events + CONTROL_MESSAGES),
        r#"lifefold_projector_lag_events{view="churn"} 0"#.to_owned(),
        r#"lifefold_projector_parked_events{view="churn"} 0"#.to_owned(),
    ];
    let address = churn.metrics_address();
    until("the projector's metrics", async || {
        let page = metrics(address).await;
        wanted.iter().all(|line| page.lines().any(|found| found == line)).then_some(())
    })
    .await;
    let nothing = v1::RecordRequest { touchpoint: Some(v1::Touchpoint::default()), expected_revision: None };
    let refused = Clients::of(gateway.address()).touchpoints().record(nothing).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let page = metrics(gateway.metrics_address()).await;
    for (outcome, events) in [("recorded", events), ("invalid", 1)] {
        let line = format!(r#"lifefold_gateway_appends_total{{outcome="{outcome}"}} {events}"#);
        assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
    }
    assert!(page.contains(r#"lifefold_gateway_append_seconds_bucket{le="0.005"}"#), "{page}");
    assert!(!page.contains(&CustomerId::from_u128(0).to_string()), "no customer is in a label");
}

#[test]
fn a_port_in_use_is_one_clear_line() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap();
    let folder = TempDir::new().unwrap();
    let mut gateway = Service::new("gateway", folder.path(), ["gateway", "--listen", &taken.to_string()]);
    gateway.start();
    let (code, told) = refused(gateway);
    drop(holder);
    assert_eq!(code, Some(1));
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.contains(&format!("port {} on 127.0.0.1 is in use", taken.port())), "{told}");
    assert!(told.contains("--listen"), "{told}");
}

#[test]
fn wrong_settings_are_told_at_once_with_exit_code_2() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("lifefold.toml"), "stream = \"a b\"\nunheard = 1\n").unwrap();
    std::fs::write(folder.path().join("rules.toml"), "[churn]\nnonsense = 1\n").unwrap();
    let arguments = ["gateway", "--listen", "nowhere", "--rules", "rules.toml"];
    let (code, out, told) = text_of(folder.path(), &arguments);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    for part in ["listen = \"nowhere\" (flag --listen)", "stream = \"a b\" (file lifefold.toml)", "unheard", "nonsense"]
    {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert!(!told.contains("panicked"), "{told}");
}

#[test]
fn config_show_says_who_gave_a_value_and_no_password() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("lifefold.toml"), "nats_url = \"nats://me:secret@nats:4222\"\n").unwrap();
    let (code, out, told) = text_of(folder.path(), &["config", "show", "churn", "--output", "json", "--stream", "X"]);
    assert_eq!(code, Some(0), "{told}");
    let shown: serde_json::Value = serde_json::from_str(&out).unwrap();
    let row = |name: &str| shown.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap().clone();
    assert_eq!(row("nats_url")["value"], "nats://me:***@nats:4222");
    assert_eq!(row("nats_url")["from"], "file lifefold.toml");
    assert_eq!((row("stream")["value"].as_str(), row("stream")["from"].as_str()), (Some("X"), Some("flag --stream")));
    assert_eq!(row("listen")["value"], "127.0.0.1:7403");
    assert!(shown.as_array().unwrap().len() <= 16, "few settings");
}
