//! What deploy/nats/accounts.conf lets each service do, asked of a real server.

#![allow(clippy::unwrap_used, reason = "a failed step of a test ends the test")]

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    time::Duration,
};

use broker::{Broker, Options, find_server};

const STREAM: &str =
    r#"{"name":"S","subjects":["touchpoint.*","lifefold.control"],"storage":"file","allow_direct":true}"#;
const CONSUMER: &str =
    r#"{"stream_name":"S","config":{"name":"c","ack_policy":"none","mem_storage":true},"action":""}"#;
const TOUCHPOINT: &str = "touchpoint.0198f2a0-0000-7000-8000-000000000001";

/// A server with the accounts of deploy/; each user's password is the user's name.
fn start(store: &tempfile::TempDir) -> Broker {
    let accounts = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/nats/accounts.conf"));
    let users = ["provision", "gateway", "projector", "admin"];
    let extra_config = users
        .iter()
        .fold(accounts.unwrap(), |text, user| text.replace(&format!("$NATS_{}_PASSWORD", user.to_uppercase()), user));
    let options = Options { extra_config, own_process_group: false, ..Options::new(store.path()) };
    Broker::start(find_server().unwrap().path, options).unwrap()
}

struct User {
    reader: BufReader<TcpStream>,
    name: &'static str,
}

impl User {
    fn connect(broker: &Broker, name: &'static str, password: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", broker.port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut user = Self { reader: BufReader::new(stream), name };
        user.line();
        let hello = format!(
            r#"CONNECT {{"verbose":false,"pedantic":false,"headers":true,"no_responders":true,"user":"{name}","pass":"{password}"}}"#
        );
        user.send(&format!("{hello}\r\nSUB _INBOX.{name} 1\r\n"));
        user
    }

    fn send(&mut self, text: &str) {
        self.reader.get_mut().write_all(text.as_bytes()).unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// What comes first: a refusal of the server, or the answer to the message.
    fn ask(&mut self, subject: &str, payload: &str) -> String {
        self.send(&format!("PUB {subject} _INBOX.{} {}\r\n{payload}\r\n", self.name, payload.len()));
        loop {
            let line = self.line();
            if line.starts_with("-ERR") {
                return line;
            }
            if line.starts_with("MSG ") || line.starts_with("HMSG ") {
                return self.line();
            }
        }
    }

    fn may(&mut self, subject: &str, payload: &str) {
        let answer = self.ask(subject, payload);
        assert!(
            !answer.contains("-ERR") && !answer.contains("error") && !answer.contains(" 503"),
            "{} {subject}: {answer}",
            self.name
        );
    }

    fn may_not(&mut self, subject: &str, payload: &str) {
        let answer = self.ask(subject, payload);
        assert!(answer.starts_with("-ERR 'Permissions Violation"), "{} {subject}: {answer}", self.name);
    }
}

#[test]
fn the_gateway_appends_the_projector_reads_and_only_provisioning_creates() {
    let store = tempfile::tempdir().unwrap();
    let broker = start(&store);
    let [mut provision, mut gateway, mut projector] =
        ["provision", "gateway", "projector"].map(|name| User::connect(&broker, name, name));

    gateway.may_not("$JS.API.STREAM.CREATE.S", STREAM);
    projector.may_not("$JS.API.STREAM.CREATE.S", STREAM);
    provision.may("$JS.API.STREAM.CREATE.S", STREAM);
    provision.may("lifefold.control", "{}");
    provision.may_not(TOUCHPOINT, "{}");

    gateway.may(TOUCHPOINT, "{}");
    gateway.may("lifefold.control", "{}");
    projector.may_not(TOUCHPOINT, "{}");
    projector.may_not("lifefold.control", "{}");
    for user in [&mut gateway, &mut projector] {
        for destructive in ["UPDATE", "DELETE", "PURGE", "MSG.DELETE", "RESTORE"] {
            user.may_not(&format!("$JS.API.STREAM.{destructive}.S"), "{}");
        }
        user.may("$JS.API.STREAM.INFO.S", "");
        user.may(&format!("$JS.API.DIRECT.GET.S.{TOUCHPOINT}"), "");
        user.may("$JS.API.CONSUMER.CREATE.S.c", CONSUMER);
        user.may("$JS.API.CONSUMER.MSG.NEXT.S.c", r#"{"batch":1,"no_wait":true}"#);
        user.may("$JS.API.CONSUMER.DELETE.S.c", "");
    }
}

#[test]
fn a_wrong_password_and_the_other_account_see_nothing() {
    let store = tempfile::tempdir().unwrap();
    let broker = start(&store);
    let mut stranger = User::connect(&broker, "gateway", "wrong");
    assert_eq!(stranger.line(), "-ERR 'Authorization Violation'");

    User::connect(&broker, "provision", "provision").may("$JS.API.STREAM.CREATE.S", STREAM);
    let mut admin = User::connect(&broker, "admin", "admin");
    let answer = admin.ask("$JS.API.STREAM.INFO.S", "");
    assert!(answer.contains("error") || answer.contains("503"), "{answer}");
}
