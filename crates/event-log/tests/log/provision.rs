//! Creating and verifying the stream.

use event_log::{Appender, Log, MIN_SERVER, OpenError, Options, Subject};
use serde_json::json;
use touchpoint::Position;
use uuid::Uuid;

use crate::support::{EPOCH, Server, append_range, whole};

#[tokio::test]
async fn message_1_is_the_genesis_and_stays_it() {
    let server = Server::start();
    let first = server.log().await;
    assert_eq!(first.identity().epoch, EPOCH);
    let again = Log::provision(&server.options(), Uuid::from_u128(2)).await.unwrap();
    assert_eq!(again.identity(), first.identity());
    assert_eq!(Log::open(&server.options()).await.unwrap().identity(), first.identity());
    let entries = whole(&first).await;
    assert_eq!(entries.len(), 1);
    assert_eq!((entries[0].position, &entries[0].subject), (Position(1), &Subject::Control));
}

#[tokio::test]
async fn gateways_that_start_at_once_agree_on_the_epoch() {
    let server = Server::start();
    let options = server.options();
    let starts = (1..=4).map(|epoch| Log::provision(&options, Uuid::from_u128(epoch)));
    let logs: Vec<_> = futures::future::join_all(starts).await.into_iter().map(Result::unwrap).collect();
    assert!(logs.iter().all(|log| log.identity() == logs[0].identity()));
    assert_eq!(logs[0].last().await.unwrap(), Position(1));
}

#[tokio::test]
async fn a_missing_stream_is_named() {
    let server = Server::start();
    let error = Log::open(&server.options()).await.unwrap_err();
    assert!(matches!(&error, OpenError::NoStream(name) if name == "TOUCHPOINTS"), "{error}");
}

/// Takes the bound of a customer's events away, as in streams of before there was one.
async fn unbounded(server: &Server) {
    let change = |config: &mut serde_json::Value| {
        config["max_msgs_per_subject"] = json!(-1);
        config["discard_new_per_subject"] = json!(false);
    };
    server.change(change).await;
}

#[tokio::test]
async fn an_older_stream_gets_the_bound_of_a_customers_events_where_nothing_is_lost_by_it() {
    let server = Server::start();
    let appender = Appender::start(server.log().await);
    unbounded(&server).await;
    append_range(&appender, 1, 1, 900).await;
    let told = Log::open(&server.options()).await.unwrap_err().to_string();
    for part in ["max_msgs_per_subject: expected 10000, found -1", "gateway --provision"] {
        assert!(told.contains(part), "{told}");
    }
    server.log().await;
    Log::open(&server.options()).await.unwrap();

    unbounded(&server).await;
    for batch in 1..=5 {
        append_range(&appender, 1, batch * 1_000, batch * 1_000 + 999).await;
    }
    let told = Log::provision(&server.options(), EPOCH).await.unwrap_err();
    assert!(matches!(&told, OpenError::Options { differences, .. } if differences.len() == 2), "{told}");
    let state = &server.admin("STREAM.INFO.TOUCHPOINTS", serde_json::Value::Null).await["state"];
    assert_eq!(state["messages"], 5_901);
}

#[tokio::test]
async fn every_changed_option_is_named_with_expected_and_found() {
    let server = Server::start();
    server.log().await;
    server
        .change(|config| {
            config["max_msgs"] = json!(1_000_000);
            config["allow_direct"] = json!(false);
            config["discard"] = json!("old");
            config["discard_new_per_subject"] = json!(false);
            config["duplicate_window"] = json!(1_000_000_000);
        })
        .await;
    for error in
        [Log::open(&server.options()).await.unwrap_err(), Log::provision(&server.options(), EPOCH).await.unwrap_err()]
    {
        let OpenError::Options { differences, .. } = &error else { panic!("{error}") };
        let mut options: Vec<_> = differences.iter().map(|difference| difference.option.as_str()).collect();
        options.sort_unstable();
        assert_eq!(options, ["allow_direct", "discard", "discard_new_per_subject", "duplicate_window", "max_msgs"]);
        assert!(error.to_string().contains("max_msgs: expected -1, found 1000000"), "{error}");
    }
}

#[tokio::test]
async fn a_stream_of_somebody_else_is_refused() {
    let server = Server::start();
    let config = json!({ "name": "TOUCHPOINTS", "subjects": ["touchpoint.*"], "storage": "memory" });
    assert!(server.admin("STREAM.CREATE.TOUCHPOINTS", config).await["error"].is_null());
    let error = Log::provision(&server.options(), EPOCH).await.unwrap_err();
    assert!(error.to_string().contains(r#"storage: expected "file", found "memory""#), "{error}");
    assert!(error.to_string().contains("allow_atomic: expected true, found null"), "{error}");
}

#[tokio::test]
async fn a_log_without_genesis_is_refused() {
    let server = Server::start();
    server.log().await;
    let config = server.admin("STREAM.INFO.TOUCHPOINTS", json!(null)).await["config"].clone();
    server.admin("STREAM.DELETE.TOUCHPOINTS", json!(null)).await;
    server.admin("STREAM.CREATE.TOUCHPOINTS", config).await;
    let error = Log::open(&server.options()).await.unwrap_err();
    assert!(matches!(error, OpenError::NoGenesis { .. }), "{error}");
}

#[tokio::test]
async fn no_server_is_said_with_the_address() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = Log::open(&Options::new(&url)).await.unwrap_err();
    assert!(matches!(&error, OpenError::Unreachable { url: named, .. } if *named == url), "{error}");
}

#[tokio::test]
async fn an_old_server_is_refused() {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        let info = r#"INFO {"server_id":"X","version":"2.9.10","go":"go1","host":"h","port":1,"headers":true,"max_payload":1048576,"proto":1}"#;
        stream.write_all(format!("{info}\r\n").as_bytes()).await.unwrap();
        let mut line = String::new();
        while stream.read_line(&mut line).await.unwrap() > 0 {
            if line.starts_with("PING") {
                stream.write_all(b"PONG\r\n").await.unwrap();
            }
            line.clear();
        }
    });
    let error = Log::open(&Options::new(&url)).await.unwrap_err();
    assert!(matches!(&error, OpenError::OldServer { found } if found == "2.9.10"), "{error}");
    assert!(error.to_string().contains("2.14.4 or later"), "{error}");
}

/// Neither crate uses the other, so each has the number.
#[test]
fn what_is_old_for_the_log_is_old_for_whoever_finds_a_server() {
    let broker::Version(major, minor, patch) = broker::MIN_VERSION;
    assert_eq!(MIN_SERVER, (major.into(), minor.into(), patch.into()));
}

#[tokio::test]
async fn the_user_and_password_of_the_address_are_used() {
    let folder = tempfile::tempdir().unwrap();
    let found = broker::find_server().unwrap();
    let options = broker::Options {
        own_process_group: false,
        extra_config: "authorization { user: \"gate way\", password: \"p@ss\" }".to_owned(),
        ..broker::Options::new(folder.path().join("nats"))
    };
    let broker = broker::Broker::start(&found.path, options).unwrap();
    let at = |login: &str| Options::new(broker.url().replace("nats://", &format!("nats://{login}")));
    Log::provision(&at("gate%20way:p%40ss@"), EPOCH).await.unwrap();
    for wrong in ["", "gate%20way:other@"] {
        let Err(error) = Log::open(&at(wrong)).await else { panic!("nobody may come in without the password") };
        assert!(matches!(error, OpenError::NotLetIn { .. }), "{error}");
        assert!(!error.to_string().contains("other"), "{error}");
    }
}
