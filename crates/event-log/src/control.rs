//! Control messages: few, of the whole log, each written after the one that its writer has read.

use bytes::Bytes;
use tokio::time::Instant;
use touchpoint::{EventId, Position};

use crate::answer::Answer;
use crate::append::{Appended, MAX_BODY_BYTES, at_most};
use crate::appender::{Appender, bounded};
use crate::commit::Committer;
use crate::entry::{CONTROL_SUBJECT, Entry};
use crate::error::{AppendError, ReadError};
use crate::read::MAX_PAGE_ENTRIES;
use crate::run::Outcome;
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
    async fn commit_control(&self, id: &str, body: &Bytes, after: Position, until: Instant) -> Outcome {
        let mut tries = self.tries(CONTROL_SUBJECT, id, body, after, until);
        loop {
            let settled = match tries.next().await {
                Answer::Stored { last, duplicate } => Ok(Ok(Appended { position: Position(last), duplicate })),
                // A try after a lost answer looks like a conflict, too.
                Answer::Conflict => self.control_after(after, body).await.map_err(|error| error.to_string()),
                Answer::Full => Ok(Err(AppendError::Unavailable("it takes no more control messages".to_owned()))),
                other => Err(other.failure()),
            };
            match settled {
                Ok(outcome) => return outcome,
                Err(reason) => tries.again(reason).await?,
            }
        }
    }

    /// What is there in place of this message, or the message itself.
    async fn control_after(&self, after: Position, body: &Bytes) -> Result<Outcome, ReadError> {
        let entries = self.log().control(Position(u64::MAX)).await?;
        if let Some(same) = entries.iter().find(|entry| entry.position > after && entry.body == *body) {
            return Ok(Ok(Appended { position: same.position, duplicate: true }));
        }
        let current = entries.last().map_or(Position::ZERO, |entry| entry.position);
        Ok(Err(AppendError::RevisionConflict { current }))
    }
}
