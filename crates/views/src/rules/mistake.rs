//! What is wrong with a rules file.

use std::fmt;
use std::ops::Range;

/// One mistake of a rules file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong there, and what would be right.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

/// A rules file is refused, with all its mistakes in the order of their lines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct RulesError {
    /// The mistakes; at least one.
    pub mistakes: Vec<Mistake>,
}

impl fmt::Display for RulesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mistakes.len() {
            1 => f.write_str("the rules file has a mistake")?,
            many => write!(f, "the rules file has {many} mistakes")?,
        }
        self.mistakes.iter().try_for_each(|mistake| write!(f, "\n  {mistake}"))
    }
}

/// Mistakes noted while a file is read, by the bytes they stand at.
#[derive(Debug, Default)]
pub(super) struct Notes {
    noted: Vec<(Range<usize>, String)>,
}

impl Notes {
    /// Notes a mistake.
    pub(super) fn add(&mut self, at: Range<usize>, message: impl Into<String>) {
        self.noted.push((at, message.into()));
    }

    /// Notes a name that is none of these, with the nearest of them.
    pub(super) fn unknown(&mut self, at: Range<usize>, what: &str, name: &str, known: &[&str]) {
        let hint = match nearest(name, known) {
            Some(nearest) => format!("did you mean {nearest:?}?"),
            None => format!("expected one of {}", known.join(", ")),
        };
        let name: String = name.chars().take(MAX_NAME_CHARS).collect();
        self.add(at, format!("unknown {what} {name:?}: {hint}"));
    }

    /// The mistakes with their lines. Where the syntax of a line is broken, all that follows from it is guesswork: of
    /// such a line only the first mistake is told, and nothing that stands nowhere.
    pub(super) fn finish(self, text: &str, syntax: Vec<toml::de::Error>) -> Vec<Mistake> {
        let place = |at: usize, message: String| {
            let before = text.get(..at).unwrap_or(text);
            let start = before.rfind('\n').map_or(0, |newline| newline + 1);
            Mistake { line: before.matches('\n').count() + 1, column: before[start..].chars().count() + 1, message }
        };
        let broken = |error: toml::de::Error| {
            let at = error.span().map_or(0, |span| span.start);
            place(at, format!("not TOML: {}", error.message().replace('\n', ", ")))
        };
        let mut mistakes: Vec<_> = syntax.into_iter().map(broken).collect();
        mistakes.sort();
        mistakes.dedup_by_key(|mistake| mistake.line);
        let lines: Vec<_> = mistakes.iter().map(|mistake| mistake.line).collect();
        let noted = self.noted.into_iter().filter(|(at, _)| lines.is_empty() || !at.is_empty());
        let noted = noted.map(|(at, message)| place(at.start, message));
        mistakes.extend(noted.filter(|mistake| !lines.contains(&mistake.line)));
        mistakes.sort();
        mistakes.dedup();
        mistakes
    }
}

/// Most characters of a name that are quoted or compared.
const MAX_NAME_CHARS: usize = 40;

/// The nearest name, if at most a third of it would have to change.
fn nearest<'n>(name: &str, known: &[&'n str]) -> Option<&'n str> {
    let best = known.iter().map(|other| (distance(name, other), *other)).min()?;
    (best.0 <= best.1.len().div_ceil(3)).then_some(best.1)
}

/// How many characters have to be put in, taken out or replaced, whatever their case.
fn distance(one: &str, other: &str) -> usize {
    let letters =
        |text: &str| text.chars().take(MAX_NAME_CHARS).map(|letter| letter.to_ascii_lowercase()).collect::<Vec<_>>();
    let (one, other) = (letters(one), letters(other));
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, candidate) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != candidate);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}
