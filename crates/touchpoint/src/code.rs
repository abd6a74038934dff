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
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code<'a>(Cow<'a, str>);

impl<'a> Code<'a> {
    /// The code with this text, or nothing if it is none.
    pub fn new(text: impl Into<Cow<'a, str>>) -> Option<Self> {
        let text = text.into();
        let fits = (1..=MAX_CODE_CHARS).contains(&text.len()) && text.bytes().all(|byte| ALPHABET[usize::from(byte)]);
        fits.then_some(Self(text))
    }

    /// The code of bytes that were one when they were packed. Whoever keeps packed bytes sees to it that they stay what
    /// they were, so the alphabet is not asked again: an answer unpacks every code of its customer.
    pub fn unpack(bytes: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        (1..=MAX_CODE_CHARS).contains(&text.len()).then_some(Self(Cow::Borrowed(text)))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
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

impl fmt::Display for Code<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Code<'_> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}
