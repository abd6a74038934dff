//! The head of a generation: the log it was folded from, and the position its records explain.
//!
//! Layout, integers little-endian: format (1 byte) · page bits (1 byte) · epoch (u128) · stream created (i64) ·
//! position (u64) · event digest (16 bytes) · fold version (u32) · view, extra (each u32 length and bytes) ·
//! the first 16 bytes of the BLAKE3 of all before it.

use crate::page::PAGE_BITS;

/// Most bytes of [`Head::extra`]; it is rewritten with every commit.
pub const MAX_EXTRA_BYTES: usize = 64 << 10;

/// Longest name of a view, in bytes.
const MAX_VIEW_BYTES: usize = 64;
/// Grows with the layout, and with the hash that chooses a customer's page.
const FORMAT: u8 = 2;
const CHECKSUM_BYTES: usize = 16;

/// Which log, how far, and by which fold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Random number of the log's genesis event: another log has another.
    pub epoch: u128,
    /// When the stream was created, in µs since 1970.
    pub stream_created_micros: i64,
    /// Last position of the log whose events are in the records; 0 = none.
    pub position: u64,
    /// Digest of the event at that position: the same position with another event is another log.
    pub event_digest: [u8; 16],
    /// Version of the fold that made the records; another one folds again.
    pub fold_version: u32,
    /// Name of the view.
    pub view: String,
    /// Whatever else the owner must have together with the position; at most [`MAX_EXTRA_BYTES`].
    pub extra: Vec<u8>,
}

/// Why a head cannot be encoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// The view's name is too long.
    #[error("a view's name has at most {MAX_VIEW_BYTES} bytes, this one has {0}")]
    LongView(usize),
    /// The extra bytes are too many.
    #[error("a head carries at most {MAX_EXTRA_BYTES} extra bytes, these are {0}")]
    LongExtra(usize),
}

impl Head {
    /// The bytes as stored.
    pub fn encode(&self) -> Result<Vec<u8>, HeadError> {
        if self.view.len() > MAX_VIEW_BYTES {
            return Err(HeadError::LongView(self.view.len()));
        }
        if self.extra.len() > MAX_EXTRA_BYTES {
            return Err(HeadError::LongExtra(self.extra.len()));
        }
        let mut bytes = vec![FORMAT, PAGE_BITS];
        bytes.extend(self.epoch.to_le_bytes());
        bytes.extend(self.stream_created_micros.to_le_bytes());
        bytes.extend(self.position.to_le_bytes());
        bytes.extend(self.event_digest);
        bytes.extend(self.fold_version.to_le_bytes());
        for part in [self.view.as_bytes(), &self.extra] {
            bytes.extend((part.len() as u32).to_le_bytes());
            bytes.extend(part);
        }
        let checksum = checksum(&bytes);
        bytes.extend(checksum);
        Ok(bytes)
    }

    /// Reads what [`Head::encode`] wrote; the error says what is wrong.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        let (body, sum) = bytes.split_last_chunk().ok_or("shorter than its checksum")?;
        if checksum(body) != *sum {
            return Err("wrong checksum".to_owned());
        }
        match body {
            [FORMAT, PAGE_BITS, fields @ ..] => Self::fields(fields).ok_or_else(|| "its fields do not fill it".into()),
            [FORMAT, bits, ..] => Err(format!("pages by 2^{bits} prefixes; this program reads 2^{PAGE_BITS}")),
            [format, ..] => Err(format!("format {format}; this program reads {FORMAT}")),
            [] => Err("empty".to_owned()),
        }
    }

    fn fields(mut rest: &[u8]) -> Option<Self> {
        let head = Self {
            epoch: u128::from_le_bytes(take(&mut rest)?),
            stream_created_micros: i64::from_le_bytes(take(&mut rest)?),
            position: u64::from_le_bytes(take(&mut rest)?),
            event_digest: take(&mut rest)?,
            fold_version: u32::from_le_bytes(take(&mut rest)?),
            view: String::from_utf8(take_part(&mut rest)?).ok()?,
            extra: take_part(&mut rest)?,
        };
        rest.is_empty().then_some(head)
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (field, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*field)
}

fn take_part(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let length = u32::from_le_bytes(take(rest)?) as usize;
    let (part, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(part.to_vec())
}

fn checksum(body: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut sum = [0; CHECKSUM_BYTES];
    blake3::Hasher::new().update(body).finalize_xof().fill(&mut sum);
    sum
}
