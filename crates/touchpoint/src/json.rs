//! Reads JSON text strictly, one object of scalars at a time, borrowing its texts.
//!
//! Events are flat: a general parser spends two passes and twice the time on them. Nothing is recursive, so that depth
//! costs nothing but memory, of which an event's size is the bound. A test holds it to what serde_json reads.

#[cfg(test)]
mod tests;
mod text;

use std::borrow::Cow;
use std::fmt;

use crate::Scalar;

/// Where the text is no JSON. It never quotes the text, which might be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed {
    expected: &'static str,
    at: usize,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} at byte {}", self.expected, self.at)
    }
}

/// How many of the expected names may be left out before a key is scanned.
const MAX_LEFT_OUT: usize = 6;

/// A key of an object.
pub(crate) enum Key<'a> {
    /// The expected name of this index.
    Expected(usize),
    /// Any key, which may be an expected one out of order.
    Other(Cow<'a, str>),
}

/// A place in JSON text. After an error the place means nothing.
#[derive(Clone)]
pub(crate) struct Json<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Json<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// An object begins here.
    pub(crate) fn is_object(&self) -> bool {
        self.peek() == b'{'
    }

    /// Reads an object; `each` gets every key, and reads its value. Keys that come in the order of `names` are
    /// recognised without being scanned.
    pub(crate) fn object(
        &mut self,
        names: &[&'static str],
        mut each: impl FnMut(&mut Self, Key<'a>) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.take(b'{', "an object")?;
        self.space();
        if self.peek() == b'}' {
            self.at += 1;
            return Ok(());
        }
        let mut expected = 0;
        loop {
            self.space();
            let key = match self.expected_key(names, expected) {
                Some(index) => {
                    expected = index + 1;
                    Key::Expected(index)
                }
                None => Key::Other(self.string()?),
            };
            self.colon()?;
            each(self, key)?;
            self.space();
            match self.peek() {
                b',' => self.at += 1,
                b'}' => break,
                _ => return Err(self.malformed("`,` or `}`")),
            }
        }
        self.at += 1;
        Ok(())
    }

    /// Reads any value; objects and arrays are passed over.
    pub(crate) fn scalar(&mut self) -> Result<Scalar<'a>, Malformed> {
        match self.peek() {
            b'"' => self.string().map(Scalar::Text),
            b'{' | b'[' => self.composite().map(|()| Scalar::Composite),
            b't' => self.word("true").map(|()| Scalar::Bool(true)),
            b'f' => self.word("false").map(|()| Scalar::Bool(false)),
            b'n' => self.word("null").map(|()| Scalar::Null),
            _ => self.number(),
        }
    }

    /// Nothing but white space is left.
    pub(crate) fn end(&mut self) -> Result<(), Malformed> {
        self.space();
        if self.at == self.text.len() { Ok(()) } else { Err(self.malformed("nothing more")) }
    }

    /// The byte here; 0, which is nowhere right, at the end.
    #[inline]
    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    #[cold]
    fn malformed(&self, expected: &'static str) -> Malformed {
        Malformed { expected, at: self.at }
    }

    /// Passes over white space.
    #[inline]
    pub(crate) fn space(&mut self) {
        while self.peek() <= b' ' && matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    #[inline]
    fn take(&mut self, byte: u8, expected: &'static str) -> Result<(), Malformed> {
        if self.peek() != byte {
            return Err(self.malformed(expected));
        }
        self.at += 1;
        Ok(())
    }

    fn word(&mut self, word: &'static str) -> Result<(), Malformed> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(self.malformed("a value"));
        }
        self.at += word.len();
        Ok(())
    }

    /// One of the next few names stands here, in quotes and as it is.
    #[inline]
    fn expected_key(&mut self, names: &[&'static str], expected: usize) -> Option<usize> {
        let rest = self.text.as_bytes().get(self.at..)?.strip_prefix(b"\"")?;
        let stands_here = |name: &str| {
            let (bytes, after) = rest.split_at_checked(name.len()).unwrap_or_default();
            after.first() == Some(&b'"') && bytes == name.as_bytes()
        };
        let end = names.len().min(expected + MAX_LEFT_OUT + 1);
        let index = (expected..end).find(|index| stands_here(names[*index]))?;
        self.at += names[index].len() + 2;
        Some(index)
    }

    #[inline]
    fn colon(&mut self) -> Result<(), Malformed> {
        self.space();
        self.take(b':', "`:`")?;
        self.space();
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(self.malformed("a digit")) }
    }

    fn number(&mut self) -> Result<Scalar<'a>, Malformed> {
        let start = self.at;
        self.at += usize::from(self.peek() == b'-');
        match self.peek() {
            b'0' => self.at += 1,
            b'1'..=b'9' => self.digits()?,
            _ => return Err(self.malformed("a value")),
        }
        let whole = self.at;
        if self.peek() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), b'+' | b'-'));
            self.digits()?;
        }
        let text = &self.text[start..self.at];
        // A minus zero is no whole number. Beyond all numbers is infinity, which fits no field.
        let int = if whole == self.at && text != "-0" { text.parse().ok() } else { None };
        Ok(int.map_or_else(|| Scalar::Float(text.parse().unwrap_or(f64::INFINITY)), Scalar::Int))
    }

    /// Passes over an object or array, however deep.
    fn composite(&mut self) -> Result<(), Malformed> {
        let mut closers = Vec::new();
        loop {
            let opener = self.peek();
            if matches!(opener, b'{' | b'[') {
                // In ASCII each closing bracket is two behind its opening one.
                closers.push(opener + 2);
                self.at += 1;
                self.space();
                if self.peek() != opener + 2 {
                    self.next_element(opener + 2)?;
                    continue;
                }
            } else {
                self.scalar()?;
                self.space();
            }
            while let Some(&closer) = closers.last()
                && self.peek() == closer
            {
                self.at += 1;
                closers.pop();
                if closers.is_empty() {
                    return Ok(());
                }
                self.space();
            }
            self.take(b',', "`,` or a closing bracket")?;
            self.next_element(closers.last().copied().unwrap_or(0))?;
        }
    }

    /// Goes to the next value of an array, or of an object past its key.
    fn next_element(&mut self, closer: u8) -> Result<(), Malformed> {
        if closer == b'}' {
            self.space();
            self.string()?;
            self.colon()?;
        }
        self.space();
        Ok(())
    }
}
