//! Generations: their names, and the manifest that says which one serves.

use std::fmt;

use crate::database::Fault;

/// One serving, one being built, one previous.
pub const MAX_GENERATIONS: usize = 3;

const TREE_PREFIX: &str = "generation-";
const MANIFEST_KEY: &str = "manifest";
const FORMAT: u8 = 2;
/// format, serving, previous, last id, crc32.
const MANIFEST_BYTES: usize = 1 + 8 + 8 + 8 + 4;

/// A generation of the store; a number is never used twice in one store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GenerationId(u64);

impl GenerationId {
    /// The number, from 1.
    pub fn get(self) -> u64 {
        self.0
    }

    /// Name of its tree in sled.
    pub(crate) fn tree(self) -> String {
        format!("{TREE_PREFIX}{}", self.0)
    }

    pub(crate) fn from_tree(name: &[u8]) -> Option<Self> {
        str::from_utf8(name).ok()?.strip_prefix(TREE_PREFIX)?.parse().ok().map(Self)
    }
}

impl fmt::Display for GenerationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One row, so that switching the serving generation is one atomic write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) serving: Option<GenerationId>,
    /// The one that served before, as long as it is kept.
    pub(crate) previous: Option<GenerationId>,
    /// Highest number ever given.
    last: u64,
}

impl Manifest {
    /// That of a new store if none was written yet.
    pub(crate) fn read(db: &sled::Db) -> Result<Self, Fault> {
        match db.get(MANIFEST_KEY)? {
            Some(bytes) => {
                Self::decode(&bytes).ok_or_else(|| Fault::Damaged("the list of generations is unreadable".into()))
            }
            None => Ok(Self::default()),
        }
    }

    pub(crate) fn write(self, db: &sled::Db) -> Result<(), Fault> {
        db.insert(MANIFEST_KEY, self.encode())?;
        Ok(())
    }

    pub(crate) fn next(&mut self) -> GenerationId {
        self.last += 1;
        GenerationId(self.last)
    }

    fn encode(self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        let number = |generation: Option<GenerationId>| generation.map_or(0, GenerationId::get);
        for number in [number(self.serving), number(self.previous), self.last] {
            bytes.extend(number.to_le_bytes());
        }
        let checksum = crc32fast::hash(&bytes);
        bytes.extend(checksum.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; MANIFEST_BYTES] = bytes.try_into().ok()?;
        let (body, checksum) = bytes.split_last_chunk()?;
        let (numbers, []) = body.split_first().filter(|(format, _)| **format == FORMAT)?.1.as_chunks() else {
            return None;
        };
        let [serving, previous, last] = [0, 1, 2].map(|index| u64::from_le_bytes(numbers[index]));
        let generation = |number: u64| (number > 0).then_some(GenerationId(number));
        let right = crc32fast::hash(body) == u32::from_le_bytes(*checksum);
        right.then_some(Self { serving: generation(serving), previous: generation(previous), last })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifest_round_trips_and_notices_every_flipped_bit() {
        let manifest = Manifest { serving: Some(GenerationId(7)), previous: Some(GenerationId(5)), last: 9 };
        let bytes = manifest.encode();
        assert_eq!(Manifest::decode(&bytes), Some(manifest));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Manifest::decode(&flipped), None, "bit {bit}");
        }
    }

    #[test]
    fn tree_names_are_read_back() {
        assert_eq!(GenerationId::from_tree(GenerationId(12).tree().as_bytes()), Some(GenerationId(12)));
        assert_eq!(GenerationId::from_tree(b"__sled__default"), None);
    }
}
