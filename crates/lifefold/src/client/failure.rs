//! What goes wrong with a command, in words that name the field or the thing and say what to do.

use std::fmt::Write as _;
use std::io;
use std::process::ExitCode;

use tonic::{Code, Status};
use tonic_types::StatusExt;
use touchpoint::{Violation, Violations};

/// How a command ended; the exit code says so to scripts. Code 2 is for wrong usage, where no command ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// 0.
    Done,
    /// 1: it failed, or a part of it was refused.
    Failed,
    /// 2: the command was not given what it needs, and did not run.
    Misused,
    /// 3: what was compared differs.
    Differs,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Failed => Self::FAILURE,
            Outcome::Misused => Self::from(2),
            Outcome::Differs => Self::from(3),
        }
    }
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// No service listens there.
    #[error("cannot reach the {service} at {url}: {cause}")]
    Unreachable {
        /// Which service.
        service: &'static str,
        /// Its address.
        url: String,
        /// The cause, as the system words it.
        cause: String,
        /// The flag that says another address.
        setting: &'static str,
    },
    /// The service answered with an error.
    #[error("{}", .0.message())]
    Refused(Box<Status>),
    /// The event breaks rules, so that it was not sent.
    #[error("the event is refused")]
    Event(Vec<Violation>),
    /// A file or stdin cannot be read, or a file not be written.
    #[error("{0}: {1}")]
    File(String, io::Error),
    /// Whoever read stdout is gone.
    #[error("stdout is closed")]
    Closed,
    /// The command was not given what it needs; the sentence says what to do.
    #[error("{0}")]
    Usage(String),
    /// Anything else, in a sentence that says what to do.
    #[error("{0}")]
    Other(String),
}

impl Failure {
    /// How a command ends that failed so.
    pub(crate) const fn outcome(&self) -> Outcome {
        match self {
            Self::Usage(_) => Outcome::Misused,
            _ => Outcome::Failed,
        }
    }

    /// It is of the connection, or of the moment: another try may help.
    pub(crate) fn may_pass(&self) -> bool {
        const PASSING: [Code; 5] = [Code::Unavailable, Code::Unknown, Code::Cancelled, Code::Internal, Code::Aborted];
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused(status) => PASSING.contains(&status.code()),
            _ => false,
        }
    }

    /// The message, the fields that are wrong, and what to do.
    pub(crate) fn report(&self) -> String {
        let mut text = format!("error: {self}");
        match self {
            Self::Unreachable { setting, .. } => {
                let _ =
                    write!(text, "\n  is it running (`lifefold up`, or its unit)? {setting} URL names another address");
            }
            Self::Event(list) => text += &fields(list.iter().map(|one| (one.field.as_str(), one.message.as_str()))),
            Self::Refused(status) => text += &details(status),
            Self::File(..) | Self::Closed | Self::Usage(_) | Self::Other(_) => {}
        }
        text
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Refused(Box::new(status))
    }
}

impl From<Violations> for Failure {
    fn from(broken: Violations) -> Self {
        Self::Event(broken.list)
    }
}

/// A line for each field, the names aligned.
pub(crate) fn fields<'a>(list: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> String {
    let name = |field: &'a str| if field.is_empty() { "(the event)" } else { field };
    let width = list.clone().map(|(field, _)| name(field).chars().count()).max().unwrap_or(0);
    list.fold(String::new(), |mut text, (field, message)| {
        let _ = write!(text, "\n  {:width$}  {message}", name(field));
        text
    })
}

fn details(status: &Status) -> String {
    let details = status.get_error_details();
    let mut text = String::new();
    if let Some(list) = details.bad_request().map(|request| &request.field_violations)
        // The message has a single one in full.
        && !matches!(list.as_slice(), [one] if status.message() == format!("{}: {}", one.field, one.description))
    {
        text += &fields(list.iter().map(|one| (one.field.as_str(), one.description.as_str())));
    }
    if details
        .bad_request()
        .is_some_and(|request| request.field_violations.iter().any(|one| one.field == "query.as_of"))
    {
        text += "\n  a date is the end of that day in Shanghai; without --as-of the answer is for now";
    }
    let reason = details.error_info().map(|info| info.reason.as_str()).unwrap_or_default();
    if let Some(hint) = hint(status.code(), reason, status.message()) {
        let _ = write!(text, "\n  {hint}");
    }
    if let Some(delay) = details.retry_info().and_then(|retry| retry.retry_delay) {
        let _ = write!(text, "\n  try again in {} s", delay.as_secs_f64());
    }
    text
}

/// What an operator does about what stands against a command.
fn precondition(reason: &str) -> Option<&'static str> {
    match reason {
        "REBUILD_RUNNING" => {
            Some("`lifefold rebuild status <view>` shows it, `lifefold rebuild cancel <view>` gives it up")
        }
        "NO_REBUILD" => Some("`lifefold rebuild status <view>` says how the last one ended"),
        "NO_PREVIOUS" => {
            Some("`lifefold rebuild history <view>` says what served before; `lifefold rebuild <view>` folds the log")
        }
        "PAUSED" => Some("`lifefold resume <view>` lets it go on"),
        "NOT_PAUSED" => Some("`lifefold status` shows how the services do"),
        _ => None,
    }
}

/// What to do about an error of this kind, where its message alone does not say.
fn hint(code: Code, reason: &str, message: &str) -> Option<&'static str> {
    match code {
        Code::Aborted | Code::NotFound if reason.starts_with("RULES_") => {
            Some("`lifefold rules history` shows which rules there are")
        }
        Code::NotFound if reason == "NOT_PARKED" => Some("`lifefold parked list` shows what is"),
        Code::NotFound => Some("check the id, and --as-of and --known-at if given"),
        Code::FailedPrecondition => precondition(reason),
        Code::Unavailable => Some("`lifefold status` shows how the services do"),
        Code::DeadlineExceeded | Code::Cancelled => Some("give it longer with --timeout, in seconds"),
        // Who does not have the service at all says nothing more.
        Code::Unimplemented if message.is_empty() => {
            Some("is this the address of another service? `lifefold config show` says where it comes from")
        }
        Code::Aborted => Some("`lifefold timeline <customer>` shows what happened meanwhile"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use api::errors::Error;

    use super::*;

    #[test]
    fn every_broken_field_has_its_line() {
        let violation = |field: &str, message: &str| Violation { field: field.into(), message: message.into() };
        let broken = vec![violation("data.score", "expected 1 to 5, got 9"), violation("channel", "is required")];
        let expect = "error: the event is refused\n  data.score  expected 1 to 5, got 9\n  channel     is required";
        assert_eq!(Failure::Event(broken.clone()).report(), expect);
        let status = Failure::from(Status::from(Error::Invalid(broken)));
        let expect = "error: data.score: expected 1 to 5, got 9 (and 1 more)\n  data.score  expected 1 to 5, got 9\n  \
                      channel     is required";
        assert_eq!(status.report(), expect);
        let one = Failure::from(Status::from(Error::field("rule_segment", "expected a name")));
        assert_eq!(one.report(), "error: rule_segment: expected a name");
        let today = Failure::from(Status::from(Error::field("query.as_of", "expected at most 5 minutes after now")));
        let expect = "error: query.as_of: expected at most 5 minutes after now\n  a date is the end of that day in \
                      Shanghai; without --as-of the answer is for now";
        assert_eq!(today.report(), expect);
    }

    #[test]
    fn an_address_that_nobody_listens_at_is_named() {
        let failure = Failure::Unreachable {
            service: "churn view",
            url: "http://127.0.0.1:7403".to_owned(),
            cause: "connection refused".to_owned(),
            setting: "--churn",
        };
        let expect = "error: cannot reach the churn view at http://127.0.0.1:7403: connection refused\n  is it \
                      running (`lifefold up`, or its unit)? --churn URL names another address";
        assert_eq!(failure.report(), expect);
    }

    #[test]
    fn what_stands_against_a_command_says_what_to_do() {
        let refused = |reason| {
            let error = Error::Precondition { reason, message: "not now".to_owned() };
            Failure::from(Status::from(error)).report()
        };
        for (reason, command) in [
            ("REBUILD_RUNNING", "`lifefold rebuild cancel <view>`"),
            ("NO_REBUILD", "`lifefold rebuild status <view>`"),
            ("NO_PREVIOUS", "`lifefold rebuild history <view>`"),
            ("PAUSED", "`lifefold resume <view>`"),
            ("NOT_PAUSED", "`lifefold status`"),
        ] {
            let report = refused(reason);
            assert!(report.starts_with("error: not now\n  ") && report.contains(command), "{report}");
        }
        assert_eq!(refused("CUSTOMER_FULL"), "error: not now");
    }

    #[test]
    fn a_lagging_view_says_when_to_try_again() {
        let error = Error::Unavailable {
            reason: "BEHIND",
            message: "the view is at position 7".to_owned(),
            retry_after: std::time::Duration::from_millis(250),
            position: None,
        };
        let expect = "error: the view is at position 7\n  `lifefold status` shows how the services do\n  try again in \
                      0.25 s";
        assert_eq!(Failure::from(Status::from(error)).report(), expect);
    }
}
