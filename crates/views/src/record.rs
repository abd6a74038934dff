//! The record of one customer: its facts in order, in canonical bytes. The same bytes are held in memory, written to
//! disk and digested, so that there is one form that can be wrong, and a digest that would show it.

use touchpoint::compact::{Reader, pack_int, pack_uint};
use touchpoint::{CustomerId, EventId, Kind, Position, Recorded, Timestamp, Unreadable};

use crate::fact::{Filed, Packed};

/// What filing an event did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filing {
    /// It is a new fact.
    New,
    /// The same event again: no effect.
    Duplicate,
    /// Another content under an id that is held: no effect, but somebody should look.
    Conflict,
    /// The customer is erased by it: a tombstone is all that stays.
    Erased,
    /// The customer was erased before: no effect.
    Ignored,
}

/// An event that could not be read, kept by its position until somebody decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parked {
    /// Where it stands in the log.
    pub position: Position,
    /// When the log took it.
    pub recorded_at: Timestamp,
    /// Why it could not be read.
    pub reason: Unreadable,
    /// Its id, if at least that could be read.
    pub id: Option<EventId>,
}

/// Bytes that are no record: the store that gave them is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a customer record of this fold version")]
pub struct Unfit;

/// Two digests of one customer.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Digests {
    /// Covers recorded_at and position: equal for two folds of the same log.
    pub full: u128,
    /// Leaves them out: equal for the same events in any order of arrival.
    pub content: u128,
}

/// The form of a record.
const FORM: u32 = 1;
/// The form of a record, and what the catalogue knew when it was filed: a store of another version is folded again, so
/// that an event which an older build had to park is read by the one that knows it.
pub const FOLD_VERSION: u32 = FORM << 16 | catalogue_version();

/// Grows with every new event type and every new schema version.
const fn catalogue_version() -> u32 {
    let (mut sum, mut index) = (0, 0);
    while index < Kind::ALL.len() {
        sum += Kind::ALL[index].version();
        index += 1;
    }
    sum
}

impl Digests {
    /// The sum, modulo 2^128: digests of a view are sums over its customers.
    pub const fn plus(self, other: Self) -> Self {
        Self { full: self.full.wrapping_add(other.full), content: self.content.wrapping_add(other.content) }
    }

    /// The difference, modulo 2^128.
    pub const fn minus(self, other: Self) -> Self {
        Self { full: self.full.wrapping_sub(other.full), content: self.content.wrapping_sub(other.content) }
    }
}

const LIVE: u8 = 0;
const TOMBSTONE: u8 = 1;
/// A live record without anything parked and without facts.
const EMPTY: [u8; 2] = [LIVE, 0];
/// The memory of a record grows in such steps: one event, as a rule. While much is folded, room for all that waits is
/// made at once.
const ROOM_BYTES: usize = 64;
/// Hardly a fact is shorter.
const LEAST_FACT_BYTES: usize = 48;
/// The length of a fact, packed: most have less than 16 KiB.
const LENGTH_BYTES: usize = 2;
const REASONS: [Unreadable; 4] =
    [Unreadable::Malformed, Unreadable::UnknownType, Unreadable::UnknownVersion, Unreadable::Invalid];

/// What happened to one customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// With a little room at the end, so that not every event moves them.
    bytes: Vec<u8>,
}

impl Default for Record {
    fn default() -> Self {
        Self { bytes: EMPTY.to_vec() }
    }
}

impl Record {
    /// A record from its bytes, all of it checked.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unfit> {
        let record = Self { bytes: bytes.to_vec() };
        if record.is_erased() {
            return (bytes.len() == 1).then_some(record).ok_or(Unfit);
        }
        let mut reader = Reader::new(bytes.get(1..).ok_or(Unfit)?);
        parked_list(&mut reader).ok_or(Unfit)?;
        let mut rest = reader.rest();
        while !rest.is_empty() {
            let (fact, after) = next_fact(rest).ok_or(Unfit)?;
            Filed::unpack(fact).ok_or(Unfit)?;
            rest = after;
        }
        (bytes.first() == Some(&LIVE)).then_some(record).ok_or(Unfit)
    }

    /// The canonical bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Something is parked.
    pub fn has_parked(&self) -> bool {
        !self.is_erased() && self.bytes[1] != 0
    }

    /// The customer asked to be forgotten.
    pub fn is_erased(&self) -> bool {
        self.bytes.first() == Some(&TOMBSTONE)
    }

    /// Files an event in its place. An id takes effect once, whatever follows under it.
    pub fn file(&mut self, recorded: &Recorded<'_>) -> Filing {
        let mut packed = Vec::with_capacity(160);
        Packed::pack(recorded, &mut packed);
        Packed::split(&packed).map_or(Filing::Ignored, |packed| self.file_packed(packed))
    }

    /// As [`Record::file`], of an event that is packed already.
    pub fn file_packed(&mut self, new: Packed<'_>) -> Filing {
        if self.is_erased() {
            return Filing::Ignored;
        }
        let order = new.order();
        let mut place = None;
        let mut rest = self.fact_bytes();
        while let Some((fact, after)) = next_fact(rest) {
            let other = fact.order();
            if other.1 == order.1 {
                return if fact.content == new.content { Filing::Duplicate } else { Filing::Conflict };
            }
            if order < other {
                place.get_or_insert(self.bytes.len() - rest.len());
            }
            rest = after;
        }
        if new.kind() == Some(Kind::CustomerErased) {
            self.bytes = vec![TOMBSTONE];
            return Filing::Erased;
        }
        self.insert(place.unwrap_or(self.bytes.len()), new.as_bytes());
        // A build that could not read it may have parked it.
        if self.has_parked() {
            self.unpark(new.position());
        }
        Filing::New
    }

    /// Makes room for facts that are about to be filed: so many, of so many packed bytes.
    pub fn reserve(&mut self, facts: usize, bytes: usize) {
        let wanted = self.bytes.len() + facts * LENGTH_BYTES + bytes;
        if self.bytes.capacity() < wanted {
            self.bytes.reserve_exact(wanted.next_multiple_of(ROOM_BYTES) - self.bytes.len());
        }
    }

    /// Parks an unreadable event; false if that position is parked already, or the customer is erased.
    pub fn park(&mut self, parked: Parked) -> bool {
        let mut list = self.parked();
        if self.is_erased() || list.iter().any(|other| other.position == parked.position) {
            return false;
        }
        list.push(parked);
        self.rewrite_parked(list);
        true
    }

    fn unpark(&mut self, position: Option<Position>) {
        let mut list = self.parked();
        list.retain(|parked| Some(parked.position) != position);
        self.rewrite_parked(list);
    }

    /// About how many facts there are, to make room for them.
    pub(crate) fn facts_at_most(&self) -> usize {
        self.bytes.len() / LEAST_FACT_BYTES
    }

    /// The facts, in the order of the domain.
    pub fn facts(&self) -> impl Iterator<Item = Filed<'_>> {
        let mut rest = self.fact_bytes();
        std::iter::from_fn(move || {
            let (fact, after) = next_fact(rest)?;
            rest = after;
            Filed::unpack(fact)
        })
    }

    /// The unreadable events, by position.
    pub fn parked(&self) -> Vec<Parked> {
        match self.is_erased() {
            true => Vec::new(),
            false => parked_list(&mut Reader::new(&self.bytes[1..])).unwrap_or_default(),
        }
    }

    /// The digests of this customer's part of a view.
    pub fn digests(&self, customer: CustomerId) -> Digests {
        let mut full = blake3::Hasher::new();
        full.update(&customer.as_u128().to_be_bytes());
        full.update(&self.bytes);
        let mut content = blake3::Hasher::new();
        content.update(&customer.as_u128().to_be_bytes());
        content.update(&[self.bytes[0], self.parked().len().min(usize::from(u8::MAX)) as u8]);
        let mut rest = self.fact_bytes();
        while let Some((fact, after)) = next_fact(rest) {
            content.update(&(fact.content.len() as u32).to_be_bytes());
            content.update(fact.content);
            rest = after;
        }
        Digests { full: first_128(&full), content: first_128(&content) }
    }

    fn fact_bytes(&self) -> &[u8] {
        if self.is_erased() {
            return &[];
        }
        if self.bytes[1] == 0 {
            return &self.bytes[2..];
        }
        let mut reader = Reader::new(&self.bytes[1..]);
        parked_list(&mut reader).map_or(&[], |_| reader.rest())
    }

    fn insert(&mut self, place: usize, packed: &[u8]) {
        self.reserve(1, packed.len());
        let behind = self.bytes.len() - place;
        pack_uint(packed.len() as u64, &mut self.bytes);
        self.bytes.extend_from_slice(packed);
        self.bytes[place..].rotate_left(behind);
    }

    fn rewrite_parked(&mut self, mut list: Vec<Parked>) {
        list.sort_by_key(|parked| parked.position);
        let mut bytes = vec![LIVE];
        pack_uint(list.len() as u64, &mut bytes);
        for parked in list {
            pack_uint(parked.position.0, &mut bytes);
            pack_int(parked.recorded_at.micros(), &mut bytes);
            bytes.push(REASONS.iter().position(|reason| *reason == parked.reason).unwrap_or_default() as u8);
            bytes.push(u8::from(parked.id.is_some()));
            bytes.extend(parked.id.into_iter().flat_map(|id| id.as_u128().to_be_bytes()));
        }
        bytes.extend_from_slice(self.fact_bytes());
        self.bytes = bytes;
    }
}

fn first_128(hasher: &blake3::Hasher) -> u128 {
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    u128::from_be_bytes(bytes)
}

/// The first fact of packed ones, and what follows.
fn next_fact(bytes: &[u8]) -> Option<(Packed<'_>, &[u8])> {
    let mut reader = Reader::new(bytes);
    let length = usize::try_from(reader.uint()?).ok()?;
    let fact = Packed::split(reader.bytes(length)?)?;
    Some((fact, reader.rest()))
}

fn parked_list(reader: &mut Reader<'_>) -> Option<Vec<Parked>> {
    let count = reader.uint()?;
    (0..count)
        .map(|_| {
            let position = Position(reader.uint()?);
            let recorded_at = Timestamp::from_micros(reader.int()?);
            let reason = *REASONS.get(usize::from(reader.byte()?))?;
            let id = match reader.byte()? {
                0 => None,
                _ => Some(EventId::from_u128(reader.uuid()?)),
            };
            Some(Parked { position, recorded_at, reason, id })
        })
        .collect()
}
