//! Logs and metrics of a service.

use std::fmt;
use std::io::IsTerminal;
use std::net::{SocketAddr, TcpListener};
use std::panic::PanicHookInfo;

use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::gauges;

/// What is logged, known to be well-formed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Filter(String);

impl Filter {
    /// Judges a filter.
    pub(crate) fn parse(text: &str) -> Result<Self, tracing_subscriber::filter::ParseError> {
        EnvFilter::builder().parse(text).map(|_| Self(text.to_owned()))
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Starts logging to standard error: text on a terminal, else a JSON object per line. Once per process.
pub(crate) fn start_logs(filter: &Filter) -> anyhow::Result<()> {
    let on_terminal = std::io::stderr().is_terminal();
    let plain = !on_terminal || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let logs = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::builder().parse(&filter.0)?)
        .with_writer(std::io::stderr)
        .with_ansi(!plain);
    let started = if on_terminal { logs.compact().finish().try_init() } else { logs.json().finish().try_init() };
    started.context("cannot start logging")?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// A panic ends its task and not the process: whoever owns the task decides. A formatted message may quote an event,
/// so only literal ones are logged. The line says "panicked at", as one of the standard library does: whoever looks for
/// panics finds both.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let reason = panic.payload().downcast_ref::<&str>().copied().unwrap_or("(a formatted message, not shown)");
    tracing::error!(reason, "a task panicked at {place}");
}

/// Starts the metrics' listener, and says where it listens. Once per process, inside a runtime.
pub(crate) fn start_metrics(listen: SocketAddr) -> anyhow::Result<SocketAddr> {
    let address = probe(listen)?;
    let histograms = [services::metrics::QUERY_SECONDS, services::metrics::APPEND_SECONDS];
    let mut builder = PrometheusBuilder::new().with_http_listener(address);
    for name in histograms {
        builder =
            builder.set_buckets_for_metric(Matcher::Full(name.to_owned()), &services::metrics::BUCKETS_SECONDS)?;
    }
    builder.install().with_context(|| format!("cannot serve metrics on {address}"))?;
    services::metrics::describe();
    gauges::describe();
    Ok(address)
}

/// The address with its port chosen, if that is 0, and known to be free.
fn probe(listen: SocketAddr) -> anyhow::Result<SocketAddr> {
    let free = TcpListener::bind(listen).and_then(|listener| listener.local_addr());
    free.with_context(|| format!("cannot serve metrics on {listen}; choose another address with --metrics-listen"))
}

#[cfg(test)]
mod tests {
    use std::panic;
    use std::sync::Mutex;

    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Line {
        fields: Fields,
    }

    /// A key that a line has twice is an error.
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Fields {
        message: String,
        reason: String,
    }

    /// What is logged of a panic.
    fn logged(panics: impl FnOnce() + panic::UnwindSafe) -> Fields {
        let file = tempfile::NamedTempFile::new().unwrap();
        let logs = tracing_subscriber::fmt().json().with_writer(Mutex::new(file.reopen().unwrap())).finish();
        let before = panic::take_hook();
        panic::set_hook(Box::new(log_panic));
        let panicked = tracing::subscriber::with_default(logs, || panic::catch_unwind(panics));
        panic::set_hook(before);
        assert!(panicked.is_err());
        let line: Line = serde_json::from_reader(file).unwrap();
        line.fields
    }

    #[test]
    fn a_panic_is_one_line_with_its_place_and_no_word_of_an_event() {
        let literal = logged(|| panic!("a thing that cannot be"));
        assert!(
            literal.message.starts_with("a task panicked at crates/lifefold/src/telemetry.rs:"),
            "{}",
            literal.message
        );
        assert_eq!(literal.reason, "a thing that cannot be");
        let name = String::from("Mr Wang");
        assert_eq!(logged(move || panic!("{name} is not known")).reason, "(a formatted message, not shown)");
    }
}
