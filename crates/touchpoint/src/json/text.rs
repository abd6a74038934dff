//! Texts in quotes: a text without escapes is borrowed.

use std::borrow::Cow;

use super::{Json, Malformed};

impl<'a> Json<'a> {
    #[inline]
    pub(super) fn string(&mut self) -> Result<Cow<'a, str>, Malformed> {
        self.take(b'"', "a text in quotes")?;
        let run = self.run();
        if self.peek() == b'"' {
            self.at += 1;
            return Ok(Cow::Borrowed(run));
        }
        self.escaped(run).map(Cow::Owned)
    }

    /// The rest of a text that begins like this and has escapes.
    #[cold]
    fn escaped(&mut self, begin: &str) -> Result<String, Malformed> {
        let mut text = begin.to_owned();
        while self.peek() != b'"' {
            self.take(b'\\', "the end of a text, without control characters")?;
            text.push(self.escape()?);
            text.push_str(self.run());
        }
        self.at += 1;
        Ok(text)
    }

    /// The characters up to the next quote, backslash or control character.
    #[inline]
    fn run(&mut self) -> &'a str {
        let start = self.at;
        let mut rest = &self.text.as_bytes()[start..];
        while let Some((word, more)) = rest.split_first_chunk::<8>() {
            let stops = stops(u64::from_le_bytes(*word));
            if stops != 0 {
                rest = &rest[stops.trailing_zeros() as usize / 8..];
                break;
            }
            rest = more;
        }
        // At most the last seven bytes of the body.
        while let [byte, more @ ..] = rest
            && !is_stop(*byte)
        {
            rest = more;
        }
        self.at = self.text.len() - rest.len();
        // Both ends are beside ASCII characters, so this is all of the run.
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// What stands behind a backslash.
    fn escape(&mut self) -> Result<char, Malformed> {
        let byte = self.peek();
        let plain = match byte {
            b'"' | b'\\' | b'/' => byte,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return self.unicode(),
            _ => return Err(self.malformed("an escape")),
        };
        self.at += 1;
        Ok(char::from(plain))
    }

    fn unicode(&mut self) -> Result<char, Malformed> {
        let first = self.unit()?;
        let mut units = [first, 0];
        let mut count = 1;
        if (0xd800..0xdc00).contains(&first) {
            self.take(b'\\', "the second half of a surrogate pair")?;
            units[1] = self.unit()?;
            count = 2;
        }
        let mut chars = char::decode_utf16(units[..count].iter().copied());
        match (chars.next(), chars.next()) {
            (Some(Ok(char)), None) => Ok(char),
            _ => Err(self.malformed("a surrogate pair")),
        }
    }

    /// `u` and four hexadecimal digits.
    fn unit(&mut self) -> Result<u16, Malformed> {
        self.take(b'u', "`u`")?;
        let mut unit = 0;
        for _ in 0..4 {
            let digit = char::from(self.peek()).to_digit(16).ok_or_else(|| self.malformed("a hexadecimal digit"))?;
            unit = unit << 4 | digit as u16;
            self.at += 1;
        }
        Ok(unit)
    }
}

/// A quote, a backslash or a control character.
const fn is_stop(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

/// The high bit of the first byte, in little-endian order, that is a stop; above it there may be false ones.
const fn stops(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let quote = word ^ (ONES * b'"' as u64);
    let slash = word ^ (ONES * b'\\' as u64);
    let zeros = (quote.wrapping_sub(ONES) & !quote) | (slash.wrapping_sub(ONES) & !slash);
    let controls = word.wrapping_sub(ONES * b' ' as u64) & !word;
    (zeros | controls) & (ONES << 7)
}
