//! Which log this is, and whether it still holds what a reader has read.

use serde_json::{Value, json};
use touchpoint::{Position, Timestamp};
use uuid::Uuid;

use crate::entry::{Digest, Entry, Subject};
use crate::error::{Broken, CheckError};
use crate::stream::{AskError, Log};
use crate::wire::{self, ApiError, StreamInfo};

/// The server's id of the genesis message; no event's id looks like it.
pub(crate) const GENESIS_ID: &str = "genesis";
const GENESIS_TYPE: &str = "LogStarted";
/// The epoch of a log that lost its genesis: only its creation time tells it from others.
pub(crate) const LOST_EPOCH: Uuid = Uuid::nil();

/// What tells this log from every other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The random number in the genesis event; nil if that was lost before this process opened the log.
    pub epoch: Uuid,
    /// When the server created the stream.
    pub created: Timestamp,
}

/// What a reader keeps beside its records to recognise the log again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// The epoch that was read from.
    pub epoch: Uuid,
    /// The creation time of the stream that was read from.
    pub created: Timestamp,
    /// The last position that was read; zero if nothing was.
    pub position: Position,
    /// [`Entry::digest`] of the entry there; not looked at if the position is zero.
    pub digest: Digest,
    /// How many positions held no message any more when the reader began at the beginning of the log. It passes over
    /// these; a further loss is a [`Broken::Gap`].
    pub lost: u64,
}

impl Checkpoint {
    /// Before the first message of this log, of which nothing is lost.
    pub fn start(identity: Identity) -> Self {
        Self::at(identity, Position::ZERO, Digest::default())
    }

    /// After the entry of this position and digest, in a log of which nothing was lost.
    pub fn at(Identity { epoch, created }: Identity, position: Position, digest: Digest) -> Self {
        Self { epoch, created, position, digest, lost: 0 }
    }
}

/// Where the log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The last position that holds a message; zero if none does.
    pub last: Position,
}

/// A log that is the one of a checkpoint, and has what was read last.
pub(crate) struct Recognised {
    pub(crate) head: Head,
    /// The last position that was ever given.
    pub(crate) end: Position,
    /// Positions without a message.
    pub(crate) lost: u64,
}

impl Log {
    /// Compares a checkpoint with the log as it is now. Three or four small questions to the stream's leader: cheap
    /// enough for every 5 s and every reconnect.
    pub async fn check(&self, checkpoint: &Checkpoint) -> Result<Head, CheckError> {
        let found = self.recognise(checkpoint).await?;
        check_loss(checkpoint, found.lost)?;
        Ok(found.head)
    }

    /// Before the first message of the log as it is now, whatever it has lost so far: what a reader begins with that is
    /// told to make do with what is left.
    pub async fn origin(&self) -> Result<Checkpoint, CheckError> {
        let start = Checkpoint::start(self.identity());
        let lost = self.recognise(&start).await?.lost;
        Ok(Checkpoint { lost, ..start })
    }

    /// As [`Log::check`], but for what was lost.
    pub(crate) async fn recognise(&self, checkpoint: &Checkpoint) -> Result<Recognised, CheckError> {
        let unavailable = |error: String| CheckError::Unavailable(error);
        let info = match self.stream_info().await {
            Ok(info) => info,
            Err(AskError::Api(ApiError { err_code: wire::STREAM_NOT_FOUND, .. })) => {
                return Err(Broken::Recreated(format!("stream {} is gone", self.options.stream)).into());
            }
            Err(error) => return Err(unavailable(error.to_string())),
        };
        let (end, lost) = (Position(info.state.last_seq), info.state.lost());
        self.check_stream(checkpoint, &info)?;
        let first = self.leader_get(Position(1)).await.map_err(|error| unavailable(error.to_string()))?;
        check_genesis(checkpoint, first, lost)?;
        if checkpoint.position > Position(1) {
            let found = self.leader_get(checkpoint.position).await.map_err(|error| unavailable(error.to_string()))?;
            check_entry(checkpoint, found)?;
        }
        let last = self.last_present(&info.state).await.map_err(|error| unavailable(error.to_string()))?;
        Ok(Recognised { head: Head { last }, end, lost })
    }

    fn check_stream(&self, checkpoint: &Checkpoint, info: &StreamInfo) -> Result<(), CheckError> {
        let created = wire::server_time(&info.created).map_err(|error| CheckError::Unavailable(error.to_string()))?;
        if created != checkpoint.created {
            let message =
                format!("stream {} was created at {created}, not {}", self.options.stream, checkpoint.created);
            return Err(Broken::Recreated(message).into());
        }
        let last = Position(info.state.last_seq);
        if last < checkpoint.position {
            let found = format!("the log ends at {last}");
            return Err(Broken::RolledBack { position: checkpoint.position, found }.into());
        }
        Ok(())
    }
}

/// A log that has less than was known to be missing is the one of an older backup: it has what the reader passed over.
pub(crate) fn check_loss(checkpoint: &Checkpoint, lost: u64) -> Result<(), Broken> {
    let known = checkpoint.lost;
    if lost == known {
        return Ok(());
    }
    let but = if known == 0 { String::new() } else { format!(", {known} were when it was folded") };
    Err(Broken::Gap(format!("{lost} messages of the log are missing{but}")))
}

fn check_genesis(checkpoint: &Checkpoint, first: Option<Entry>, lost: u64) -> Result<(), Broken> {
    let Some(first) = first else {
        // Whoever counts the loss decides; there is nothing to compare.
        let counted = lost > 0;
        return counted.then_some(()).ok_or_else(|| Broken::Gap("message 1, the genesis, is missing".to_owned()));
    };
    match epoch_of(&first) {
        Ok(epoch) if epoch == checkpoint.epoch => Ok(()),
        Ok(epoch) => Err(Broken::Recreated(format!("the log's epoch is {epoch}, not {}", checkpoint.epoch))),
        Err(reason) => Err(Broken::Recreated(reason)),
    }
}

fn check_entry(checkpoint: &Checkpoint, found: Option<Entry>) -> Result<(), Broken> {
    match found {
        None => Err(Broken::Gap(format!("position {} is missing", checkpoint.position))),
        Some(entry) if entry.digest() == checkpoint.digest => Ok(()),
        Some(_) => {
            let found = "another event is there now".to_owned();
            Err(Broken::RolledBack { position: checkpoint.position, found })
        }
    }
}

/// The body of message 1.
pub(crate) fn genesis(epoch: Uuid) -> String {
    let event = json!({
        "specversion": "1.0",
        "id": epoch,
        "source": "lifefold",
        "type": GENESIS_TYPE,
        "dataschema": "urn:lifefold:LogStarted:1",
        "data": { "epoch": epoch },
    });
    event.to_string()
}

/// The epoch in message 1, or what is wrong with it.
pub(crate) fn epoch_of(first: &Entry) -> Result<Uuid, String> {
    if first.subject != Subject::Control {
        return Err("message 1 is not on the control subject".to_owned());
    }
    let event: Value = serde_json::from_slice(&first.body).map_err(|error| format!("message 1: {error}"))?;
    if event["type"] != GENESIS_TYPE {
        return Err(format!("the type of message 1 is {}, not {GENESIS_TYPE}", event["type"]));
    }
    let epoch = event["data"]["epoch"].as_str().unwrap_or_default();
    Uuid::try_parse(epoch).map_err(|_| "message 1 has no epoch".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_genesis_of_today_is_read_for_ever() {
        let body = r#"{"specversion":"1.0","id":"00000000-0000-0000-0000-00000000002a","source":"lifefold","type":"LogStarted","dataschema":"urn:lifefold:LogStarted:1","data":{"epoch":"00000000-0000-0000-0000-00000000002a"}}"#;
        let entry = |subject, body: String| Entry {
            position: Position(1),
            recorded_at: Timestamp::from_micros(0),
            subject,
            body: body.into(),
        };
        let epoch = Uuid::from_u128(42);
        assert_eq!(epoch_of(&entry(Subject::Control, body.to_owned())), Ok(epoch));
        assert_eq!(epoch_of(&entry(Subject::Control, genesis(epoch))), Ok(epoch));
        assert!(epoch_of(&entry(Subject::Foreign("x".to_owned()), genesis(epoch))).is_err());
        assert!(epoch_of(&entry(Subject::Control, "{}".to_owned())).is_err());
    }
}
