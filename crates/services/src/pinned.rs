//! What all pages of one answer rest on: a page's token carries it, and the next page is asked for on the same.

use api::errors::Error;
use api::v1;
use tokio::time::Instant;
use touchpoint::{Position, Timestamp};

use crate::view_reader::{ResolvedQuery, Stands, ViewReader};

/// The population that a first page was of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pinned {
    pub(crate) as_of: Timestamp,
    /// Nothing behind it counts.
    pub(crate) position: Position,
    /// References that lead nowhere, as far as customers were looked at.
    pub(crate) unresolved: u64,
    rules_version: String,
}

impl Pinned {
    /// Of a first page, at the position that it is evaluated at.
    pub(crate) fn first<V: Stands>(asked: &ResolvedQuery<V>, position: Position) -> Self {
        Self { as_of: asked.as_of, position, unresolved: 0, rules_version: asked.edition.version.clone() }
    }

    /// Asks the view for a first page, or for a later one of the same population. FAILED_PRECONDITION where other rules
    /// apply by now.
    pub(crate) async fn ask<V: Stands>(
        pinned: Option<&Self>,
        view: &ViewReader<V>,
        query: Option<&v1::ViewQuery>,
        until: Instant,
    ) -> Result<ResolvedQuery<V>, Error> {
        let Some(pinned) = pinned else { return view.ask(query, until).await };
        let mut query = query.cloned().unwrap_or_default();
        query.as_of = Some(api::names::timestamp(pinned.as_of));
        query.max_position = pinned.position.0;
        let asked = view.ask(Some(&query), until).await?;
        pinned.of_rules(&asked.edition.version)?;
        Ok(asked)
    }

    fn of_rules(&self, now: &str) -> Result<(), Error> {
        if self.rules_version == now {
            return Ok(());
        }
        let began = &self.rules_version;
        let message = format!("the rules are {now} by now, it began under {began}: begin it anew");
        Err(Error::Precondition { reason: "RULES_CHANGED", message })
    }

    /// For a token: what follows is the caller's.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let Self { as_of, position, unresolved, rules_version } = self;
        let mut bytes = Vec::with_capacity(128);
        bytes.extend([as_of.micros().cast_unsigned(), position.0, *unresolved].map(u64::to_be_bytes).concat());
        bytes.push(rules_version.len() as u8);
        bytes.extend(rules_version.as_bytes());
        bytes
    }

    /// From a token, with what follows.
    pub(crate) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (as_of, rest) = bytes.split_first_chunk()?;
        let (position, rest) = rest.split_first_chunk()?;
        let (unresolved, rest) = rest.split_first_chunk()?;
        let (length, rest) = rest.split_first()?;
        let (rules_version, rest) = rest.split_at_checked(usize::from(*length))?;
        let pinned = Self {
            as_of: Timestamp::from_micros(i64::from_be_bytes(*as_of)),
            position: Position(u64::from_be_bytes(*position)),
            unresolved: u64::from_be_bytes(*unresolved),
            rules_version: String::from_utf8(rules_version.to_vec()).ok()?,
        };
        Some((pinned, rest))
    }
}

#[cfg(test)]
impl Pinned {
    /// Of an instant, a position and rules that no test asks for.
    pub(crate) fn some() -> Self {
        let (as_of, rules_version) = (Timestamp::from_micros(-7), "686a0adaf9b939b8".to_owned());
        Self { as_of, position: Position(9), unresolved: 5, rules_version }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back_with_what_follows_and_holds_for_its_rules_only() {
        let pinned = Pinned::some();
        let bytes = [&pinned.bytes()[..], b"more"].concat();
        assert_eq!(Pinned::read(&bytes), Some((pinned.clone(), &b"more"[..])));
        assert!((0..pinned.bytes().len()).all(|length| Pinned::read(&bytes[..length]).is_none()));
        assert!(pinned.of_rules("686a0adaf9b939b8").is_ok());
        let refused = pinned.of_rules("0000000000000000").unwrap_err();
        assert_eq!((refused.code(), refused.reason()), (tonic::Code::FailedPrecondition, "RULES_CHANGED"));
    }
}
