//! Codes: the ids of contracts, complaints, units, waves, projects and the like.

use std::borrow::Cow;
use std::fmt;

/// Most characters of a code.
const MAX_CODE_CHARS: usize = 40;

/// Which bytes a code may have: codes are most of an event, and asking a table is three times as fast as comparing.
const ALPHABET: [bool; 256] = {
    let mut alphabet = [false; 256];
    let mut byte = 0;
    while byte < alphabet.len() {
        alphabet[byte] = (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'.' | b'_' | b':' | b'-');
        byte += 1;
    }
    alphabet
};

/// A code of 1–40 characters of `[A-Za-z0-9._:-]`, never used for a second thing. Ordered as ASCII text.
///
/// Kept as ASCII bytes: an answer unpacks every code of its customer, compares some and says a few, and only saying needs
/// a text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code<'a>(Cow<'a, [u8]>);

impl<'a> Code<'a> {
    /// The code with this text, or nothing if it is none.
    pub fn new(text: impl Into<Cow<'a, str>>) -> Option<Self> {
        let bytes = match text.into() {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
        let fits = (1..=MAX_CODE_CHARS).contains(&bytes.len()) && bytes.iter().all(|&byte| ALPHABET[usize::from(byte)]);
        fits.then_some(Self(bytes))
    }

    /// The code of bytes that were one when they were packed. Whoever keeps packed bytes sees to it that they stay what
    /// they were, so the alphabet is not asked again, only whether they are a text.
    pub fn unpack(bytes: &'a [u8]) -> Option<Self> {
        let fits = (1..=MAX_CODE_CHARS).contains(&bytes.len()) && bytes.is_ascii();
        fits.then_some(Self(Cow::Borrowed(bytes)))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        // Always a text: the bytes are ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The text in ASCII.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The same code, borrowed from this one.
    pub fn borrowed(&self) -> Code<'_> {
        Code(Cow::Borrowed(&self.0))
    }

    /// The same code, on its own.
    pub fn into_owned(self) -> Code<'static> {
        Code(Cow::Owned(self.0.into_owned()))
    }
}

impl fmt::Debug for Code<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Code").field(&self.as_str()).finish()
    }
}

impl fmt::Display for Code<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl AsRef<str> for Code<'_> {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}
