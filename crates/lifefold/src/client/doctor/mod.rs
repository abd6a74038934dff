//! `doctor`: looks at everything that Lifefold needs here, changes nothing, and says what to do.

mod disk;
mod log;
mod metrics;
mod services;
mod store;
mod views;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::asking::Call;
use super::failure::{Failure, Outcome};
use super::link::VIEWS;
use super::output::{self, Format};
use crate::announcement::{self, Announcement};
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  lifefold doctor
  lifefold doctor --data /srv/lifefold -o json

Nothing is changed. Exit code 1 if anything failed.";

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    call: Call,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// As it should be.
    Ok,
    /// Neither good nor bad: to know.
    Note,
    /// Something is to be done.
    Failed,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    check: String,
    verdict: Verdict,
    /// What was found; of a failure also what to do.
    says: String,
}

impl Finding {
    fn new(check: impl Into<String>, verdict: Verdict, says: impl Into<String>) -> Self {
        Self { check: check.into(), verdict, says: says.into() }
    }

    fn ok(check: impl Into<String>, says: impl Into<String>) -> Self {
        Self::new(check, Verdict::Ok, says)
    }

    fn note(check: impl Into<String>, says: impl Into<String>) -> Self {
        Self::new(check, Verdict::Note, says)
    }

    fn failed(check: impl Into<String>, says: impl Into<String>) -> Self {
        Self::new(check, Verdict::Failed, says)
    }
}

/// Runs `doctor`.
pub(crate) async fn run(args: Args, settings: &Settings) -> Result<Outcome, Failure> {
    let link = args.call.link(settings);
    let mut findings = vec![Finding::ok("settings", "readable; `lifefold config show` says who gave each")];
    let projectors = services::projectors(&link).await;
    let announced = announcement::read(&settings.data);
    let (found, identity) = log::look(&settings_of_log(settings, announced.as_ref()), &projectors).await;
    findings.extend(found);
    findings.extend(views::look(&projectors));
    findings.extend(folders(&settings.data).iter().map(|folder| disk::look(folder)));
    for view in VIEWS {
        let folder = settings.data.join(view.process().name());
        findings.extend(store::look(view.process().name(), &folder, identity));
    }
    findings.extend(services::look(settings).await);
    findings.extend(metrics::look(settings, announced.as_ref()).await);
    show(&args.call, &findings)
}

/// What `doctor` says where the settings cannot be read.
pub(crate) fn unreadable(args: &Args, mistakes: &str) -> Result<Outcome, Failure> {
    show(&args.call, &[Finding::failed("settings", mistakes.replace("\n ", ";"))])
}

/// Where the log is: a running `lifefold up` says so if no setting does.
fn settings_of_log(settings: &Settings, announced: Option<&Announcement>) -> event_log::Options {
    let announced = announced.filter(|_| !settings.is_given("nats_url"));
    let url = announced.map_or_else(|| settings.nats_url.clone(), |it| it.nats_url.clone());
    event_log::Options {
        url,
        stream: settings.stream.clone(),
        replicas: settings.replicas,
        client_name: "lifefold doctor".to_owned(),
    }
}

/// The data folder, and those below it that are on disks of their own.
fn folders(data: &Path) -> Vec<PathBuf> {
    let below = VIEWS.map(|view| view.process().name()).into_iter().chain(["nats"]).map(|name| data.join(name));
    let elsewhere = below.filter(|it| it.is_dir() && !disk::is_shared(it, data));
    std::iter::once(data.to_owned()).chain(elsewhere).collect()
}

fn show(call: &Call, findings: &[Finding]) -> Result<Outcome, Failure> {
    match call.output.output {
        Format::Table => output::print(&render(findings))?,
        Format::Json => output::print_json(&Value::Array(findings.iter().map(value).collect()))?,
        Format::Ndjson => findings.iter().try_for_each(|it| output::print(&format!("{}\n", value(it))))?,
    }
    let failed = findings.iter().any(|it| it.verdict == Verdict::Failed);
    Ok(if failed { Outcome::Failed } else { Outcome::Done })
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Note => "note",
        Verdict::Failed => "FAILED",
    }
}

fn value(it: &Finding) -> Value {
    json!({"check": it.check, "verdict": word(it.verdict).to_lowercase(), "says": it.says})
}

/// One line each: a long one is left to the terminal to break, so that it can be searched for.
fn render(findings: &[Finding]) -> String {
    let width = findings.iter().map(|it| it.check.chars().count()).max().unwrap_or(0);
    let line = |it: &Finding| format!("{:6}  {:width$}  {}\n", word(it.verdict), it.check, it.says);
    findings.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_the_verdict_first() {
        let all = [Finding::ok("nats", "2.15.1"), Finding::failed("disk ./data", "full: make room")];
        let expect = "ok      nats         2.15.1\nFAILED  disk ./data  full: make room\n";
        assert_eq!(render(&all), expect);
        assert_eq!(value(&all[1])["verdict"], "failed");
    }
}
