//! The canonical binary form of a typed event: what views hold in memory, write to disk and digest.
//!
//! A tag byte for the event type, then its fields in the order of the catalogue: whole numbers as LEB128 (signed ones
//! zigzag), codes with a length byte, UUIDs as 16 bytes big-endian, an optional field behind a byte 0 or 1. The same
//! event has the same bytes for ever; a changed form is a new fold version.

use crate::{Code, Kind, Touchpoint};

/// Appends the canonical bytes of an event's type and fields.
pub fn pack(body: &Touchpoint<'_>, out: &mut Vec<u8>) {
    out.push(body.kind().tag());
    body.pack_fields(out);
}

/// Reads what [`pack`] wrote, borrowing codes from the input; nothing if the bytes are not such.
pub fn unpack<'a>(input: &mut Reader<'a>) -> Option<Touchpoint<'a>> {
    let kind = kind(input)?;
    Touchpoint::unpack_fields(kind, input)
}

/// Reads the event type, with which the packed form begins.
pub fn kind(input: &mut Reader<'_>) -> Option<Kind> {
    Kind::from_tag(input.byte()?)
}

/// Appends a whole number as LEB128.
pub fn pack_uint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed whole number, zigzag.
pub fn pack_int(value: i64, out: &mut Vec<u8>) {
    pack_uint(((value << 1) ^ (value >> 63)) as u64, out);
}

/// Appends a code behind its length.
pub fn pack_code(code: &Code<'_>, out: &mut Vec<u8>) {
    let bytes = code.as_bytes();
    out.push(bytes.len() as u8);
    out.extend_from_slice(bytes);
}

/// A cursor over packed bytes. Every read is nothing past the end, or where the bytes are not of the form.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What is left.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Takes so many bytes.
    pub fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.rest.split_at_checked(count)?;
        self.rest = tail;
        Some(head)
    }

    /// Takes one byte.
    pub fn byte(&mut self) -> Option<u8> {
        let (&first, tail) = self.rest.split_first()?;
        self.rest = tail;
        Some(first)
    }

    /// Takes a LEB128 whole number in its shortest form.
    #[inline]
    pub fn uint(&mut self) -> Option<u64> {
        // Most are lengths and steps.
        if let [byte @ ..0x80, tail @ ..] = self.rest {
            self.rest = tail;
            return Some(u64::from(*byte));
        }
        self.long_uint()
    }

    fn long_uint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for (shift, (index, &byte)) in (0..64).step_by(7).zip(self.rest.iter().enumerate()) {
            let bits = u64::from(byte & 0x7f);
            value |= bits << shift;
            if byte < 0x80 {
                self.rest = &self.rest[index + 1..];
                // One form for each number: nothing is shifted out, and no zero byte comes last.
                let is_canonical = value >> shift == bits && (byte != 0 || shift == 0);
                return is_canonical.then_some(value);
            }
        }
        None
    }

    /// Takes a zigzag signed whole number.
    pub fn int(&mut self) -> Option<i64> {
        self.uint().map(|raw| (raw >> 1) as i64 ^ -((raw & 1) as i64))
    }

    /// Takes a code behind its length.
    pub fn code(&mut self) -> Option<Code<'a>> {
        let length = usize::from(self.byte()?);
        Code::unpack(self.bytes(length)?)
    }

    /// Takes 128 bits.
    pub fn uuid(&mut self) -> Option<u128> {
        Some(u128::from_be_bytes(self.bytes(16)?.try_into().ok()?))
    }
}
