//! Control messages: few, of the whole log, each written after the one that its writer has read.

use bytes::Bytes;
use tokio::time::Instant;
use touchpoint::{EventId, Position};

use crate::answer::Answer;
use crate::append::{Appended, MAX_BODY_BYTES, at_most};
use crate::appender::{Appender, bounded};
use crate::commit::{Committer, PAUSE_MIN, pause_before};
use crate::entry::{CONTROL_SUBJECT, Entry};
use crate::error::{AppendError, ReadError};
use crate::read::MAX_PAGE_ENTRIES;
use crate::run::not_written;
use crate::stream::Log;
use crate::wire;

impl Log {
    /// All control messages up to a position, in order; the genesis is the first. Pages may come from a copy of the
    /// stream that lags behind: its leader says which message is the last one.
    pub async fn control(&self, through: Position) -> Result<Vec<Entry>, ReadError> {
        let last = self.last_at(CONTROL_SUBJECT).await?.unwrap_or(Position::ZERO).min(through);
        let (mut entries, mut after) = (Vec::new(), Position::ZERO);
        while after < last {
            let page = self.subject_page(CONTROL_SUBJECT, after, MAX_PAGE_ENTRIES).await?;
            let end = page.last().map(|message| Position(message.sequence));
            after = end.ok_or_else(|| ReadError::Unavailable("a copy of the stream lags behind".to_owned()))?;
            entries.extend(page.into_iter().map(Entry::from_stored).filter(|entry| entry.position <= through));
        }
        Ok(entries)
    }
}

impl Appender {
    /// Appends a control message if the last one is at `after` (zero: there is none). [`AppendError::RevisionConflict`]
    /// says where the last one is, if it is another.
    pub async fn append_control(
        &self,
        id: EventId,
        body: Bytes,
        after: Position,
        until: Instant,
    ) -> Result<Appended, AppendError> {
        at_most(body.len(), MAX_BODY_BYTES, "bytes")?;
        self.committer().commit_control(&wire::control_id(id), &body, after, bounded(until)).await
    }
}

impl Committer {
    async fn commit_control(
        &self,
        id: &str,
        body: &Bytes,
        after: Position,
        until: Instant,
    ) -> Result<Appended, AppendError> {
        let (mut unsure, mut pause) = (false, PAUSE_MIN);
        loop {
            let headers = wire::single_headers(id, Some(after.0));
            let answer = match self.log().wait_connected(until).await {
                true => self.ask(CONTROL_SUBJECT.to_owned(), body, headers, 1, until).await,
                false => Answer::Refused("no connection to the log".to_owned()),
            };
            let reason = match answer {
                Answer::Stored { last, duplicate } => return Ok(Appended { position: Position(last), duplicate }),
                // A try after a lost answer looks like a conflict, too.
                Answer::Conflict => match self.control_after(after, body).await {
                    Ok(outcome) => return outcome,
                    Err(error) => error.to_string(),
                },
                Answer::Silent(reason) => {
                    unsure = true;
                    reason
                }
                Answer::Refused(reason) => reason,
                Answer::Full => return Err(AppendError::Unavailable("it takes no more control messages".to_owned())),
                Answer::KnownId | Answer::UnknownId => "an answer to another question".to_owned(),
            };
            if !pause_before(until, &mut pause).await {
                return Err(not_written(unsure, reason));
            }
        }
    }

    /// What is there in place of this message, or the message itself.
    async fn control_after(&self, after: Position, body: &Bytes) -> Result<Result<Appended, AppendError>, ReadError> {
        let entries = self.log().control(Position(u64::MAX)).await?;
        if let Some(same) = entries.iter().find(|entry| entry.position > after && entry.body == *body) {
            return Ok(Ok(Appended { position: same.position, duplicate: true }));
        }
        let current = entries.last().map_or(Position::ZERO, |entry| entry.position);
        Ok(Err(AppendError::RevisionConflict { current }))
    }
}
