//! A page: all records of the customers whose hashed ids share a prefix, in canonical bytes.
//!
//! Layout, integers little-endian unless said: format (1 byte) · count (u32) · per record, ascending by id:
//! id (u128, big-endian, so that bytes sort as ids), length (u32), bytes · crc32 (u32) of the page number and all
//! before it. The number is in the checksum so that a page filed under another's key is found too.

use std::fmt;
use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

/// Longest record: a customer with some hundred thousand facts.
pub const MAX_RECORD_BYTES: usize = 16 << 20;

/// Bits of the hash that choose the page; written in the head, so that a change cannot misread old pages.
/// 2^17 pages: about 8 customers each at 1 M customers, 30 at 4 M.
pub(crate) const PAGE_BITS: u8 = 17;

const FORMAT: u8 = 1;
const ID_BYTES: usize = size_of::<u128>();
const LENGTH_BYTES: usize = size_of::<u32>();
const CHECKSUM_BYTES: usize = size_of::<u32>();

/// Which page a customer's record is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PageNumber(u32);

/// The bytes of a page as they go to disk; of no records: the page is removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedPage {
    pub(crate) number: PageNumber,
    /// Empty for a page without records.
    pub(crate) bytes: Vec<u8>,
}

/// A page that was read and whose checksum is right.
#[derive(Debug, Clone)]
pub struct Page {
    number: PageNumber,
    value: sled::IVec,
}

/// Why records do not make a page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// The customer belongs to another page.
    #[error("customer {customer:032x} belongs to page {right}, not {given}")]
    WrongPage {
        /// The customer.
        customer: u128,
        /// The page it was given for.
        given: PageNumber,
        /// The page it belongs to.
        right: PageNumber,
    },
    /// Two records of one customer.
    #[error("customer {0:032x} has two records")]
    Twice(u128),
    /// A record is longer than [`MAX_RECORD_BYTES`].
    #[error("the record of customer {customer:032x} has {bytes} bytes; at most {MAX_RECORD_BYTES} are stored")]
    TooLong {
        /// The customer.
        customer: u128,
        /// Its length.
        bytes: usize,
    },
}

impl PageNumber {
    /// How many pages a generation has.
    pub const COUNT: u32 = 1 << PAGE_BITS;

    /// The page of a customer: the leading bits of the id's XXH3. Hashed, because ids made in one minute may share
    /// their leading bits (UUID v7).
    pub fn of(customer: u128) -> Self {
        let hash = xxh3_64(&customer.to_be_bytes());
        Self((hash >> (u64::BITS - u32::from(PAGE_BITS))) as u32)
    }

    /// All pages.
    pub fn all() -> Range<Self> {
        Self(0)..Self(Self::COUNT)
    }

    /// All pages in `parts` ranges of about equal size, for loaders that work side by side.
    pub fn ranges(parts: u32) -> impl Iterator<Item = Range<Self>> {
        let parts = parts.clamp(1, Self::COUNT);
        let border = move |part: u32| Self(Self::COUNT / parts * part + (Self::COUNT % parts).min(part));
        (0..parts).map(move |part| border(part)..border(part + 1))
    }

    /// The page of this number, if there is one.
    pub fn at(number: u32) -> Option<Self> {
        (number < Self::COUNT).then_some(Self(number))
    }

    /// The number, below [`PageNumber::COUNT`].
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// Sorts as the numbers do.
    pub(crate) fn key(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }

    /// `None` if this is no key of a page.
    pub(crate) fn from_key(key: &[u8]) -> Option<Self> {
        let number = u32::from_be_bytes(key.try_into().ok()?);
        (number < Self::COUNT).then_some(Self(number))
    }
}

impl fmt::Display for PageNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl EncodedPage {
    /// Encodes all records of a page, in any order. The same records always give the same bytes.
    pub fn new<B: AsRef<[u8]>>(
        number: PageNumber,
        records: impl IntoIterator<Item = (u128, B)>,
    ) -> Result<Self, PageError> {
        let mut records: Vec<(u128, B)> = records.into_iter().collect();
        records.sort_unstable_by_key(|(customer, _)| *customer);
        check(number, &records)?;
        let bytes = if records.is_empty() { Vec::new() } else { encode(number, &records) };
        Ok(Self { number, bytes })
    }

    /// The page that this is.
    pub fn number(&self) -> PageNumber {
        self.number
    }

    /// The bytes as stored; empty for a page that is removed.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Page {
    /// The page that this is.
    pub fn number(&self) -> PageNumber {
        self.number
    }

    /// The records, ascending by customer.
    pub fn records(&self) -> impl Iterator<Item = (u128, &[u8])> {
        Records(self.value.get(1 + LENGTH_BYTES..self.value.len() - CHECKSUM_BYTES).unwrap_or_default())
    }

    /// Checks everything once, so that reading the records cannot fail.
    pub(crate) fn decode(number: PageNumber, value: sled::IVec) -> Result<Self, String> {
        let (body, checksum) = value.split_last_chunk().ok_or("shorter than its checksum")?;
        if crc(number, body) != u32::from_le_bytes(*checksum) {
            return Err("wrong checksum".to_owned());
        }
        let (format, rest) = body.split_first().ok_or("no format")?;
        if *format != FORMAT {
            return Err(format!("format {format}; this program reads {FORMAT}"));
        }
        let (count, records) = rest.split_first_chunk().ok_or("no count")?;
        let mut records = Records(records);
        let found = records.by_ref().count();
        if !records.0.is_empty() || found != u32::from_le_bytes(*count) as usize {
            return Err("its records do not fill it".to_owned());
        }
        Ok(Self { number, value })
    }
}

fn check<B: AsRef<[u8]>>(number: PageNumber, sorted: &[(u128, B)]) -> Result<(), PageError> {
    for (customer, record) in sorted {
        let (customer, right, bytes) = (*customer, PageNumber::of(*customer), record.as_ref().len());
        if right != number {
            return Err(PageError::WrongPage { customer, given: number, right });
        }
        if bytes > MAX_RECORD_BYTES {
            return Err(PageError::TooLong { customer, bytes });
        }
    }
    match sorted.iter().zip(sorted.iter().skip(1)).find(|(a, b)| a.0 == b.0) {
        Some((twice, _)) => Err(PageError::Twice(twice.0)),
        None => Ok(()),
    }
}

fn encode<B: AsRef<[u8]>>(number: PageNumber, sorted: &[(u128, B)]) -> Vec<u8> {
    let payload: usize = sorted.iter().map(|(_, record)| ID_BYTES + LENGTH_BYTES + record.as_ref().len()).sum();
    let mut bytes = Vec::with_capacity(1 + LENGTH_BYTES + payload + CHECKSUM_BYTES);
    bytes.push(FORMAT);
    bytes.extend((sorted.len() as u32).to_le_bytes());
    for (customer, record) in sorted {
        let record = record.as_ref();
        bytes.extend(customer.to_be_bytes());
        bytes.extend((record.len() as u32).to_le_bytes());
        bytes.extend(record);
    }
    let checksum = crc(number, &bytes);
    bytes.extend(checksum.to_le_bytes());
    bytes
}

fn crc(number: PageNumber, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&number.key());
    hasher.update(body);
    hasher.finalize()
}

/// Walks the records; stops with bytes left over where they are malformed.
struct Records<'a>(&'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = (u128, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (customer, rest) = self.0.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (record, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        self.0 = rest;
        Some((u128::from_be_bytes(*customer), record))
    }
}
