//! Values from text; whatever is wrong is noted, so that all of it can be said at once.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use projector::MAX_SCRUB_RATE;
use views::rules::Rules;

use crate::settings::Mistake;
use crate::settings::gather::Given;
use crate::telemetry::Filter;

/// Reads the values one by one and keeps the mistakes.
pub(crate) struct Reader<'a> {
    pub(crate) given: &'a [Given],
    pub(crate) mistakes: &'a mut Vec<Mistake>,
}

impl Reader<'_> {
    /// The value of a setting; nothing, and a mistake noted, if it is not what was expected.
    pub(crate) fn read<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let given = self.given.iter().find(|given| given.spec.name == name)?;
        match parse(&given.text) {
            Ok(value) => Some(value),
            Err(expected) => {
                self.mistakes.push(Mistake::of_value(given, expected));
                None
            }
        }
    }
}

pub(crate) fn nats_url(text: &str) -> Result<String, String> {
    let expected = || "expected nats://[user:password@]host:port".to_owned();
    let rest = text.strip_prefix("nats://").or_else(|| text.strip_prefix("tls://")).ok_or_else(expected)?;
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let right = !host.is_empty() && !host.contains(['/', ' ', ',']);
    right.then(|| text.to_owned()).ok_or_else(expected)
}

pub(crate) fn stream(text: &str) -> Result<String, String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let right = (1..=64).contains(&text.len()) && text.bytes().all(is_plain);
    right.then(|| text.to_owned()).ok_or_else(|| "expected 1 to 64 of A-Z a-z 0-9 _ -".to_owned())
}

pub(crate) fn replicas(text: &str) -> Result<usize, String> {
    match text {
        "1" => Ok(1),
        "3" => Ok(3),
        "5" => Ok(5),
        _ => Err("expected 1, 3 or 5".to_owned()),
    }
}

/// At least 1 ms, at most an hour.
pub(crate) fn millis(text: &str) -> Result<Duration, String> {
    const MOST: u64 = 3_600_000;
    let millis = text.parse().ok().filter(|millis| (1..=MOST).contains(millis));
    millis.map(Duration::from_millis).ok_or_else(|| format!("expected whole milliseconds from 1 to {MOST}"))
}

pub(crate) fn scrub_rate(text: &str) -> Result<u32, String> {
    let rate = text.parse().ok().filter(|rate| *rate <= MAX_SCRUB_RATE);
    rate.ok_or_else(|| format!("expected a whole number of customers a second, 0 to {MAX_SCRUB_RATE}"))
}

pub(crate) fn flag(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "expected true or false".to_owned())
}

pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    let expected = "expected an address and port, such as 127.0.0.1:7400";
    let mut found = text.to_socket_addrs().map_err(|_| expected.to_owned())?;
    found.next().ok_or_else(|| expected.to_owned())
}

pub(crate) fn address_or_off(text: &str) -> Result<Option<SocketAddr>, String> {
    if text == "off" { Ok(None) } else { address(text).map(Some).map_err(|expected| format!("{expected}, or off")) }
}

pub(crate) fn folder(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("expected a folder".to_owned()) } else { Ok(text.into()) }
}

pub(crate) fn endpoint(text: &str) -> Result<String, String> {
    let expected = || "expected http://host:port".to_owned();
    let rest = text.strip_prefix("http://").ok_or_else(expected)?;
    let right = rest.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    right.then(|| text.to_owned()).ok_or_else(expected)
}

pub(crate) fn rules(text: &str) -> Result<Arc<Rules>, String> {
    if text.is_empty() {
        return Ok(Arc::new(Rules::default()));
    }
    let file = std::fs::read_to_string(text).map_err(|error| format!("expected a rules file: {error}"))?;
    Rules::parse(&file).map(Arc::new).map_err(|error| error.to_string())
}

pub(crate) fn log_filter(text: &str) -> Result<Filter, String> {
    Filter::parse(text).map_err(|error| format!("expected levels such as info or info,projector=debug: {error}"))
}
