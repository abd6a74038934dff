//! The activations of rules that the log has, and how another one comes to them.

use std::sync::Arc;

use api::errors::Error;
use event_log::{AppendError, Appender, Log};
use tokio::time::{Instant, timeout_at};
use touchpoint::{Code, EventId, Position, RulesActivated, Timestamp};
use views::rules::{Activation, Rules};

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

/// An activation, where the log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recorded {
    /// Where.
    pub(crate) position: Position,
    /// Since when.
    pub(crate) recorded_at: Timestamp,
    /// What it says.
    pub(crate) activation: Activation<'static>,
}

/// All activations by position, and where the last control message is.
pub(crate) struct Known {
    pub(crate) all: Vec<Recorded>,
    end: Position,
}

impl Known {
    /// The one in force: the last that this version can read.
    pub(crate) fn active(&self) -> Option<&Recorded> {
        self.all.iter().rev().find(|it| it.activation.is_in_force())
    }

    /// The last one of this version, whoever calls it so.
    pub(crate) fn of_version(&self, version: &str) -> Option<&Recorded> {
        let names = |it: &Activation<'_>| it.version() == Some(version) || it.renamed_from() == Some(version);
        self.all.iter().rev().find(|it| names(&it.activation))
    }

    /// The version in force; nothing if this version can read none of the log's rules.
    fn version(&self) -> Option<&str> {
        self.active()?.activation.version()
    }

    /// The one in force, if it has this version, and the log says so: what means something else here than where it was
    /// written may be activated again.
    fn active_as(&self, version: &str) -> Option<&Recorded> {
        let same = |it: &Activation<'_>| it.version() == Some(version) && it.renamed_from().is_none();
        self.active().filter(|it| same(&it.activation))
    }

    /// The refusal of a caller who expects other rules.
    fn changed(&self) -> Error {
        Error::RulesChanged { current: self.version().unwrap_or_default().to_owned() }
    }
}

impl RulesInLog {
    /// The rules in this log.
    pub fn new(log: Log, appender: Appender, fresh_id: FreshId) -> Self {
        Self { log, appender, fresh_id }
    }

    /// Puts these rules into a log that has none; gives the version of those in force, nothing if this version can read
    /// none of them. Of two that do so at once, the log lets one win.
    pub async fn seed(&self, rules: &Rules, note: &str, until: Instant) -> Result<Option<String>, Error> {
        let mut known = self.known(until).await?;
        if known.all.is_empty() {
            match self.append(rules, note, known.end, until).await {
                Ok(_) | Err(AppendError::RevisionConflict { .. }) => known = self.known(until).await?,
                Err(error) => return Err(refused(error)),
            }
        }
        Ok(known.version().map(str::to_owned))
    }

    /// Puts these rules in force, unless they are, if the version in force is the expected one. Says whether they were
    /// in force before.
    pub(crate) async fn activate(
        &self,
        rules: &Rules,
        expected: Option<&str>,
        note: &str,
        until: Instant,
    ) -> Result<(Recorded, bool), Error> {
        let (known, version) = (self.known(until).await?, rules.version().to_string());
        // First, so that a call whose answer was lost may be made again.
        if let Some(active) = known.active_as(&version) {
            return Ok((active.clone(), true));
        }
        if expected.is_some_and(|expected| expected != known.version().unwrap_or_default()) {
            return Err(known.changed());
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
        .ok_or_else(|| known.changed())
    }

    /// All that the log has.
    pub(crate) async fn known(&self, until: Instant) -> Result<Known, Error> {
        let read = timeout_at(until, self.log.control(Position(u64::MAX))).await;
        let entries = read
            .map_err(|_| call::log_unavailable("the log does not answer in time".to_owned()))?
            .map_err(|error| call::log_unavailable(error.to_string()))?;
        let end = entries.last().map_or(Position::ZERO, |entry| entry.position);
        Ok(Known { all: entries.iter().filter_map(recorded).collect(), end })
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
fn recorded(entry: &event_log::Entry) -> Option<Recorded> {
    let activation = Activation::read(&entry.body)?.into_owned();
    Some(Recorded { position: entry.position, recorded_at: entry.recorded_at, activation })
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
