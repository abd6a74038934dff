//! What a caller is told, in whatever form, and what it should be.

use api::v1;
use tests::Imported;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// What somebody is told: the kind of trouble, the fields with what is said of each, and the message as a whole.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    kind: String,
    fields: Vec<(String, String)>,
    message: String,
}

/// Fields, and a part of what is said of each.
pub(crate) type Fields<'a> = &'a [(&'a str, &'a str)];

/// What somebody should be told: the kind, and parts of what is said of each field, in order. Without fields the parts
/// are of the message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expect<'a> {
    pub(crate) kind: &'a str,
    pub(crate) fields: Fields<'a>,
    pub(crate) message: &'a [&'a str],
}

/// A request with these broken fields.
pub(crate) const fn invalid<'a>(fields: Fields<'a>) -> Expect<'a> {
    Expect { kind: "INVALID_ARGUMENT INVALID_FIELDS", fields, message: &[] }
}

/// Another trouble, said in these words among others.
pub(crate) const fn trouble<'a>(kind: &'a str, message: &'a [&'a str]) -> Expect<'a> {
    Expect { kind, fields: &[], message }
}

/// An item of an import with these broken fields.
pub(crate) const fn refused<'a>(fields: Fields<'a>) -> Expect<'a> {
    Expect { kind: "refused INVALID", fields, message: &[] }
}

/// The one check of this test: exactly these fields, in this order, each with its words.
pub(crate) fn check(given: &str, told: impl Into<Told>, expect: Expect<'_>) {
    let told = told.into();
    assert_eq!(told.kind, expect.kind, "{given}: {told:?}");
    let names: Vec<_> = told.fields.iter().map(|(name, _)| name.as_str()).collect();
    if !expect.fields.is_empty() {
        assert_eq!(names, expect.fields.iter().map(|(name, _)| *name).collect::<Vec<_>>(), "{given}: {told:?}");
    }
    for ((name, said), (_, part)) in told.fields.iter().zip(expect.fields) {
        assert!(said.contains(part), "{given}: of {name:?} it should be said {part:?}, not {said:?}");
    }
    for part in expect.message {
        assert!(told.message.contains(part), "{given}: should say {part:?}, not {:?}", told.message);
    }
}

impl Told {
    /// The code and the reason.
    pub(crate) fn kind(&self) -> &str {
        &self.kind
    }
}

impl<T> From<Result<T, Status>> for Told {
    fn from(answer: Result<T, Status>) -> Self {
        answer.map_or_else(Self::from, |_| Self { kind: "OK".to_owned(), fields: vec![], message: String::new() })
    }
}

impl From<Status> for Told {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let reason = details.error_info().map(|info| info.reason.clone()).unwrap_or_default();
        let retry = if details.retry_info().is_some() { " RETRY" } else { "" };
        let violations = details.bad_request().map(|bad| bad.field_violations.clone()).unwrap_or_default();
        Self {
            kind: format!("{} {reason}{retry}", name(status.code())),
            fields: violations.into_iter().map(|one| (one.field, one.description)).collect(),
            message: status.message().to_owned(),
        }
    }
}

impl From<v1::import_outcome::Result> for Told {
    fn from(outcome: v1::import_outcome::Result) -> Self {
        let v1::import_outcome::Result::Refused(refusal) = outcome else {
            return Self { kind: "recorded".to_owned(), fields: vec![], message: String::new() };
        };
        let reason = refusal.reason().as_str_name().trim_start_matches("IMPORT_REFUSAL_REASON_").to_owned();
        Self {
            kind: format!("refused {reason}"),
            fields: refusal.violations.into_iter().map(|one| (one.field, one.message)).collect(),
            message: String::new(),
        }
    }
}

/// Of an import of one item.
impl From<Imported> for Told {
    fn from(imported: Imported) -> Self {
        match (imported.broken, imported.outcomes.into_iter().next()) {
            (Some(status), _) => status.into(),
            (None, Some(outcome)) => outcome.into(),
            (None, None) => Self { kind: "nothing".to_owned(), fields: vec![], message: String::new() },
        }
    }
}

/// A process that ended: its exit code and what it said.
impl From<(Option<i32>, String)> for Told {
    fn from((code, said): (Option<i32>, String)) -> Self {
        let kind = code.map_or("killed".to_owned(), |code| format!("exit {code}"));
        Self { kind, fields: vec![], message: said }
    }
}

fn name(code: Code) -> &'static str {
    match code {
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unavailable => "UNAVAILABLE",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        _ => code.description(),
    }
}
