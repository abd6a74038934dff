//! Columns and what a row has in them.

use std::borrow::Cow;

use touchpoint::{Date, Timestamp};

/// What a column holds. Every value may be absent but in lists, which may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// A text of which there are many: an id, a code.
    Text,
    /// A text of which there are few: the name of an enumeration's value. Kept as a dictionary.
    Word,
    /// A whole number of 32 bits.
    Int,
    /// A whole number of 64 bits.
    Long,
    /// `true` or `false`.
    Flag,
    /// An instant: microseconds, UTC.
    Instant,
    /// A calendar date, in Shanghai.
    Day,
    /// Several things, each with these columns.
    List(Vec<Column>),
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The name; a number's ends in its unit, where it has one.
    pub name: &'static str,
    /// What it means.
    pub doc: Cow<'static, str>,
    /// What it holds.
    pub kind: Type,
}

/// What a row has in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Nothing.
    Absent,
    /// Of [`Type::Text`] and [`Type::Word`].
    Text(Cow<'a, str>),
    /// Of [`Type::Int`] and [`Type::Long`].
    Int(i64),
    /// Of [`Type::Flag`].
    Flag(bool),
    /// Of [`Type::Instant`].
    Instant(Timestamp),
    /// Of [`Type::Day`].
    Day(Date),
    /// Of [`Type::List`]: of each thing its cells.
    List(Vec<Vec<Cell<'a>>>),
}

impl<'a> Cell<'a> {
    /// A text; an empty one is nothing.
    pub fn text(text: &'a str) -> Self {
        if text.is_empty() { Self::Absent } else { Self::Text(Cow::Borrowed(text)) }
    }

    /// What this makes of a value, or nothing.
    pub(crate) fn some<T>(value: Option<T>, cell: impl FnOnce(T) -> Self) -> Self {
        value.map_or(Self::Absent, cell)
    }
}
