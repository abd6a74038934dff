//! The activations of rules that the log has, and how another one comes to them.

use std::sync::Arc;

use api::errors::Error;
use event_log::{AppendError, Appender, Log};
use tokio::time::{Instant, timeout_at};
use touchpoint::{Code, EventId, Position, RulesActivated, Timestamp};
use views::rules::Rules;

use crate::{append, call};

/// Draws a fresh event id. Comes in from outside, as the clock does.
pub type FreshId = Arc<dyn Fn() -> EventId + Send + Sync>;

/// The rules in the log. Cloning it gives another handle.
#[derive(Clone)]
pub struct RulesInLog {
    log: Log,
    appender: Appender,
    fresh_id: FreshId,
}

/// Rules that the log has from a position on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Activation {
    /// Where.
    pub(crate) position: Position,
    /// Since when.
    pub(crate) recorded_at: Timestamp,
    /// What they are called; empty if this version cannot read the event.
    pub(crate) version: String,
    /// Who wanted them and why.
    pub(crate) note: String,
    /// The rules as a file; empty if this version cannot read the event.
    pub(crate) text: String,
}

/// All activations by position, and where the last control message is.
pub(crate) struct Known {
    pub(crate) all: Vec<Activation>,
    end: Position,
}

impl Known {
    /// The one in force: the last that this version can read.
    pub(crate) fn active(&self) -> Option<&Activation> {
        self.all.iter().rev().find(|it| !it.text.is_empty() && Rules::parse(&it.text).is_ok())
    }

    fn version(&self) -> String {
        self.active().map(|it| it.version.clone()).unwrap_or_default()
    }

    /// The one in force, if it has this version.
    fn active_as(&self, version: &str) -> Option<&Activation> {
        self.active().filter(|it| it.version == version)
    }
}

impl RulesInLog {
    /// The rules in this log.
    pub fn new(log: Log, appender: Appender, fresh_id: FreshId) -> Self {
        Self { log, appender, fresh_id }
    }

    /// Puts these rules into a log that has none; gives the version of those in force, empty if this version can read
    /// none of them. Of two that do so at once, the log lets one win.
    pub async fn seed(&self, rules: &Rules, note: &str, until: Instant) -> Result<String, Error> {
        let known = self.known(until).await?;
        if !known.all.is_empty() {
            return Ok(known.version());
        }
        match self.append(rules, note, known.end, until).await {
            Ok(_) | Err(AppendError::RevisionConflict { .. }) => Ok(self.known(until).await?.version()),
            Err(error) => Err(refused(error)),
        }
    }

    /// Puts these rules in force, unless they are, if the version in force is the expected one. Says whether they were
    /// in force before.
    pub(crate) async fn activate(
        &self,
        rules: &Rules,
        expected: Option<&str>,
        note: &str,
        until: Instant,
    ) -> Result<(Activation, bool), Error> {
        let (known, version) = (self.known(until).await?, rules.version().to_string());
        // First, so that a call whose answer was lost may be made again.
        if let Some(active) = known.active_as(&version) {
            return Ok((active.clone(), true));
        }
        if expected.is_some_and(|expected| expected != known.version()) {
            return Err(Error::RulesChanged { current: known.version() });
        }
        let appended = match self.append(rules, note, known.end, until).await {
            Ok(position) => Some(position),
            Err(AppendError::RevisionConflict { .. }) => None,
            Err(error) => return Err(refused(error)),
        };
        let known = self.known(until).await.map_err(|error| match appended {
            Some(_) => refused(AppendError::OutcomeUnknown(error.to_string())),
            None => error,
        })?;
        match appended {
            Some(position) => known.all.iter().find(|it| it.position == position).map(|it| (it.clone(), false)),
            None => known.active_as(&version).map(|it| (it.clone(), true)),
        }
        .ok_or_else(|| Error::RulesChanged { current: known.version() })
    }

    /// All that the log has.
    pub(crate) async fn known(&self, until: Instant) -> Result<Known, Error> {
        let read = timeout_at(until, self.log.control(Position(u64::MAX))).await;
        let entries = read
            .map_err(|_| call::log_unavailable("the log does not answer in time".to_owned()))?
            .map_err(|error| call::log_unavailable(error.to_string()))?;
        let end = entries.last().map_or(Position::ZERO, |entry| entry.position);
        Ok(Known { all: entries.iter().filter_map(activation).collect(), end })
    }

    async fn append(
        &self,
        rules: &Rules,
        note: &str,
        after: Position,
        until: Instant,
    ) -> Result<Position, AppendError> {
        let (id, version) = ((self.fresh_id)(), rules.version().to_string());
        let version = Code::new(version).ok_or_else(|| AppendError::Unavailable("a version is no code".to_owned()))?;
        let event = RulesActivated { id, version, note: note.into(), rules: rules.to_toml().into() };
        let appended = self.appender.append_control(id, event.to_json().into(), after, until).await?;
        tracing::info!(position = %appended.position, version = %event.version, "rules are activated");
        Ok(appended.position)
    }
}

/// What a control message activates; nothing if it is about something else.
fn activation(entry: &event_log::Entry) -> Option<Activation> {
    let (version, note, text) = match RulesActivated::decode(&entry.body) {
        Ok(event) => event.map(|it| (it.version.as_str().to_owned(), it.note.into_owned(), it.rules.into_owned()))?,
        Err(broken) => (String::new(), format!("this version cannot read it: {broken}"), String::new()),
    };
    Some(Activation { position: entry.position, recorded_at: entry.recorded_at, version, note, text })
}

fn refused(error: AppendError) -> Error {
    match error {
        AppendError::TooLarge { .. } => Error::field("text", error.to_string()),
        AppendError::OutcomeUnknown(reason) => {
            let message =
                format!("no answer from the log in time; the same call again is harmless, and tells: {reason}");
            append::unavailable("OUTCOME_UNKNOWN", message)
        }
        error => call::log_unavailable(error.to_string()),
    }
}
