//! Every customer of a view in a stream: of one instant and one position, a few at a time, for whoever takes them.
//!
//! Nothing is held while the caller takes its time: no lock, no turn among the scans. What the log brings meanwhile is
//! folded, and does not count: the moment names the position.

use api::errors::Error;
use api::export::{Exported, Progress};
use api::page::Page;
use api::{names, v1};
use futures::stream::BoxStream;
use projector::{Place, Projector};
use prost::Message;
use tokio::time::Instant;
use tonic::Status;
use views::{Digests, Record};

use crate::outlet::{self, Outlet};
use crate::pinned::Pinned;
use crate::view_reader::{ResolvedQuery, Stands, ViewReader, not_serving};

/// Exports of one view at once.
pub(crate) const MAX_EXPORTS: usize = 8;
/// Messages that wait for the caller.
const BUFFER_MESSAGES: usize = 4;
/// A message ends early once its customers have so many bytes: callers take 4 MiB by default.
const MESSAGE_BYTES: usize = 1024 * 1024;

/// Begins an export, or goes on with one.
pub(crate) async fn start<V: Exported + Stands>(
    view: &ViewReader<V>,
    request: V::Request,
    until: Instant,
) -> Result<BoxStream<'static, Result<V::Response, Status>>, Error> {
    let place = view.exports.take()?;
    let page = Page::of(&request)?;
    let cursor = page.after(Cursor::read)?;
    let pinned = cursor.as_ref().map(|cursor| &cursor.pinned);
    let mut asked = Pinned::ask(pinned, view, V::query(&request), until).await?;
    let cursor = match cursor {
        Some(cursor) => cursor,
        None => Cursor::begin(view, &asked, until).await?,
    };
    asked.pin(cursor.pinned.position);
    let projector = view.projector.clone();
    let stop = outlet::until_draining(&projector);
    let export = Export { projector, asked, page, cursor };
    Ok(outlet::start(BUFFER_MESSAGES, place, stop, |outlet| export.run(outlet)))
}

/// An export under way.
struct Export<V: Exported> {
    projector: Projector<V>,
    asked: ResolvedQuery<V>,
    page: Page,
    cursor: Cursor,
}

/// Customers of one message.
struct Part<V: Exported> {
    items: Vec<V::Item>,
    bytes: usize,
    unresolved: u64,
}

impl<V: Exported + Stands> Export<V> {
    async fn run(mut self, outlet: Outlet<V::Response>) -> Result<(), Error> {
        loop {
            let (part, next) = self.part().await?;
            self.cursor.customers += part.items.len() as u64;
            self.cursor.pinned.unresolved += part.unresolved;
            let progress = match next {
                Some(place) => {
                    self.cursor.place = place;
                    let next_page_token = self.page.token(&self.cursor.bytes());
                    Progress { next_page_token, done_bp: place.done_bp(), summary: None }
                }
                None => {
                    Progress { next_page_token: String::new(), done_bp: Place::ALL_BP, summary: Some(self.summary()) }
                }
            };
            outlet.give(V::response(part.items, progress), || Error::SlowExport).await?;
            if next.is_none() {
                return Ok(());
            }
        }
    }

    /// The next customers, evaluated in a turn among the scans, and where to go on.
    async fn part(&self) -> Result<(Part<V>, Option<Place>), Error> {
        // A view that does not serve, because its log is wrong for example, does not answer here either.
        self.projector.serving().map_err(not_serving)?;
        let (as_of, moment) = (self.asked.as_of, self.asked.moment());
        let (from, size) = (self.cursor.place, self.page.size);
        let edition = self.asked.edition.clone();
        let walk = self.projector.scan(self.asked.generation.clone(), move |generation| {
            let mut part = Part { items: Vec::new(), bytes: 0, unresolved: 0 };
            let visit = |part: &mut Part<V>, customer, answer: &V::Answer| {
                let item = V::item(customer, answer, as_of);
                part.bytes += item.encoded_len();
                part.unresolved += u64::from(V::standing(answer).unresolved);
                part.items.push(item);
            };
            let enough = |part: &Part<V>| part.items.len() >= size || part.bytes >= MESSAGE_BYTES;
            let answer = |record: &Record| V::answer(record, &edition.rules, &mut moment.clone());
            let next = generation.walk(from, answer, &mut part, visit, enough);
            (part, next)
        });
        walk.await.map_err(|panicked| Error::Internal(panicked.to_string()))
    }

    fn summary(&mut self) -> v1::ExportSummary {
        self.asked.unresolved = self.cursor.pinned.unresolved;
        let Digests { full, content } = self.cursor.digests;
        v1::ExportSummary {
            meta: Some(self.asked.meta_of_all()),
            customers: self.cursor.customers,
            erased: self.asked.erased(),
            digest: names::digest(full),
            content_digest: names::digest(content),
        }
    }
}

/// How far an export came, and what all of it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cursor {
    pinned: Pinned,
    digests: Digests,
    place: Place,
    customers: u64,
}

impl Cursor {
    /// Before everybody, at the position that the records have: of that one there are digests.
    async fn begin<V: Stands>(view: &ViewReader<V>, asked: &ResolvedQuery<V>, until: Instant) -> Result<Self, Error> {
        let sum = |generation: &projector::Generation<V>| generation.digests();
        let (checkpoint, digests) = view.scan(asked.generation.clone(), until, sum).await?;
        let pinned = Pinned::first(asked, checkpoint.position);
        Ok(Self { pinned, digests, place: Place::start(), customers: 0 })
    }

    fn bytes(&self) -> Vec<u8> {
        let Self { pinned, digests, place, customers } = self;
        let mut bytes = pinned.bytes();
        bytes.extend([digests.full, digests.content].map(u128::to_be_bytes).concat());
        bytes.extend(place.number().to_be_bytes());
        bytes.extend(customers.to_be_bytes());
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (pinned, rest) = Pinned::read(bytes)?;
        let (full, rest) = rest.split_first_chunk()?;
        let (content, rest) = rest.split_first_chunk()?;
        let (place, customers) = rest.split_first_chunk()?;
        Some(Self {
            pinned,
            digests: Digests { full: u128::from_be_bytes(*full), content: u128::from_be_bytes(*content) },
            place: Place::at(u32::from_be_bytes(*place))?,
            customers: u64::from_be_bytes(customers.try_into().ok()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back() {
        let cursor = Cursor {
            pinned: Pinned::some(),
            digests: Digests { full: u128::MAX - 1, content: 3 },
            place: Place::at(4_711).unwrap(),
            customers: 12,
        };
        let bytes = cursor.bytes();
        assert_eq!(Cursor::read(&bytes).unwrap(), cursor);
        assert!((0..bytes.len()).all(|length| Cursor::read(&bytes[..length]).is_none()));
    }
}
