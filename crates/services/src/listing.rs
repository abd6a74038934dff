//! Lists in pages: where one ended, and what all of them are of.
//!
//! A list of the present is read from the lists as they are kept, each page as it is then: who moves meanwhile may be on
//! two of them or on none. Any other question has one answer, and its pages are parts of that: the token says which
//! population the first page was of.

use api::errors::Error;
use api::page::{Page, Paged, damaged_token};
use api::v1;
use tokio::time::Instant;

use crate::pinned::Pinned;
use crate::view_reader::{ResolvedQuery, Stands, ViewReader};

/// A page of a list of all customers.
pub(crate) struct Listing {
    page: Page,
    begun: Option<Begun>,
}

/// What the page before says.
struct Begun {
    /// Of the first page; nothing where the list is of the present.
    pinned: Option<Pinned>,
    /// The place of the last item.
    last: Vec<u8>,
}

/// Before the place of the last item: whether a population is pinned before that.
const PINNED: u8 = 1;
const LIVE: u8 = 0;

impl Listing {
    /// The page that this request asks for.
    pub(crate) fn of<R: Paged>(request: &R) -> Result<Self, Error> {
        let page = Page::of(request)?;
        let begun = page.after(Begun::read)?;
        Ok(Self { page, begun })
    }

    /// Most items of the page.
    pub(crate) const fn size(&self) -> usize {
        self.page.size
    }

    /// After which item the page begins; nothing for the first one.
    pub(crate) fn after<T>(&self, read: impl FnOnce(&[u8]) -> Option<T>) -> Result<Option<T>, Error> {
        self.begun.as_ref().map(|begun| read(&begun.last).ok_or_else(damaged_token)).transpose()
    }

    /// Asks the view. Unless the list is of the present, nothing after the position of the first page counts.
    pub(crate) async fn ask<V: Stands>(
        &self,
        view: &ViewReader<V>,
        query: Option<&v1::ViewQuery>,
        until: Instant,
    ) -> Result<ResolvedQuery<V>, Error> {
        let pinned = self.begun.as_ref().and_then(|begun| begun.pinned.as_ref());
        let mut asked = Pinned::ask(pinned, view, query, until).await?;
        if !asked.query.is_live() {
            asked.pin(asked.position);
        }
        Ok(asked)
    }

    /// The token of the page after this item.
    pub(crate) fn token<V: Stands>(&self, asked: &ResolvedQuery<V>, last: &[u8]) -> String {
        let pinned = (!asked.query.is_live()).then(|| Pinned::first(asked, asked.position));
        self.page.token(&Begun { pinned, last: last.to_vec() }.bytes())
    }
}

impl Begun {
    fn bytes(&self) -> Vec<u8> {
        match &self.pinned {
            Some(pinned) => [&[PINNED][..], &pinned.bytes(), &self.last].concat(),
            None => [&[LIVE][..], &self.last].concat(),
        }
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (pinned, last) = match bytes.split_first()? {
            (&PINNED, rest) => Pinned::read(rest).map(|(pinned, last)| (Some(pinned), last))?,
            (&LIVE, last) => (None, last),
            _ => return None,
        };
        Some(Self { pinned, last: last.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_back_with_and_without_a_population() {
        for pinned in [None, Some(Pinned::some())] {
            let bytes = Begun { pinned: pinned.clone(), last: b"last".to_vec() }.bytes();
            let read = Begun::read(&bytes).unwrap();
            assert_eq!((read.pinned, &read.last[..]), (pinned, &b"last"[..]));
        }
        assert!([&b""[..], &[PINNED, 7], &[2, 0]].iter().all(|bytes| Begun::read(bytes).is_none()));
    }
}
