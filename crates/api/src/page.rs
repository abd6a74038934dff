//! Pages (AIP-158): sizes, and opaque tokens that hold for the query that they came from only.

use std::fmt::Write as _;

use prost::Message;
use touchpoint::Position;

use crate::errors::Error;
use crate::v1;

/// Items of a page if the caller does not say.
pub const DEFAULT_PAGE_SIZE: usize = 100;
/// Most items of a page; who asks for more gets so many.
pub const MAX_PAGE_SIZE: usize = 1_000;
/// Most bytes of a cursor.
const MAX_CURSOR_BYTES: usize = 256;
/// Bytes of the digest of query and cursor in a token.
const DIGEST_BYTES: usize = 8;

/// A request that is answered in pages.
pub trait Paged: Message + Clone {
    /// The method, so that a token of another one does not fit.
    const METHOD: &'static str;

    /// The fields that differ from page to page.
    fn paging(&mut self) -> (&mut i32, &mut String);
}

/// The page that a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Most items to answer, at least 1.
    pub size: usize,
    /// Where the page before ended; nothing for the first page. What it says is for who made it to know, and to check:
    /// callers can forge it.
    pub cursor: Option<Vec<u8>>,
    seal: Seal,
}

/// Seals what callers are to give back with the query that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    query: Vec<u8>,
}

impl Page {
    /// The page that this request asks for.
    pub fn of<R: Paged>(request: &R) -> Result<Self, Error> {
        let mut query = request.clone();
        let (size, token) = query.paging();
        let (size, token) = (std::mem::take(size), std::mem::take(token));
        let size = match usize::try_from(size) {
            Ok(0) => DEFAULT_PAGE_SIZE,
            Ok(size) => size.min(MAX_PAGE_SIZE),
            Err(_) => return Err(Error::field("page_size", format!("expected 0 or more, got {size}"))),
        };
        let mut page = Self { size, cursor: None, seal: Seal::of(R::METHOD, &query) };
        if !token.is_empty() {
            page.cursor = Some(page.seal.open(&token).ok_or_else(foreign_token)?);
        }
        Ok(page)
    }

    /// Where the page before ended, which this reads from the cursor; nothing for the first page. Where the cursor does
    /// not say so, the error names the token: callers can forge it.
    pub fn after<T>(&self, read: impl FnOnce(&[u8]) -> Option<T>) -> Result<Option<T>, Error> {
        self.cursor.as_deref().map(|cursor| read(cursor).ok_or_else(damaged_token)).transpose()
    }

    /// The position at which the page before ended; nothing for the first page.
    pub fn after_position(&self) -> Result<Option<Position>, Error> {
        self.after(|cursor| Some(Position(u64::from_be_bytes(cursor.try_into().ok()?))))
    }

    /// The token of the page after this position.
    pub fn token_after(&self, position: Position) -> String {
        self.token(&position.0.to_be_bytes())
    }

    /// The token of the next page, which begins after this cursor.
    pub fn token(&self, cursor: &[u8]) -> String {
        self.seal.token(cursor)
    }
}

impl Seal {
    /// Of this query of a method.
    pub fn of(method: &str, query: &impl Message) -> Self {
        Self { query: [method.as_bytes(), &query.encode_to_vec()].concat() }
    }

    /// A cursor with its seal.
    pub fn token(&self, cursor: &[u8]) -> String {
        debug_assert!(cursor.len() <= MAX_CURSOR_BYTES, "a cursor is a key, not a page");
        let mut token = String::with_capacity(2 * (DIGEST_BYTES + cursor.len()));
        for byte in self.digest(cursor).iter().chain(cursor) {
            // Writing to a String cannot fail.
            let _ = write!(token, "{byte:02x}");
        }
        token
    }

    /// The cursor in a token; nothing if it is none of this query.
    pub fn open(&self, token: &str) -> Option<Vec<u8>> {
        if token.len() > 2 * (DIGEST_BYTES + MAX_CURSOR_BYTES) {
            return None;
        }
        let bytes = from_hex(token)?;
        let (digest, cursor) = bytes.split_at_checked(DIGEST_BYTES)?;
        (digest == self.digest(cursor)).then(|| cursor.to_vec())
    }

    fn digest(&self, cursor: &[u8]) -> [u8; DIGEST_BYTES] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&(self.query.len() as u64).to_be_bytes()).update(&self.query).update(cursor);
        let mut digest = [0; DIGEST_BYTES];
        hasher.finalize_xof().fill(&mut digest);
        digest
    }
}

/// A text could be the token of a cursor of so many bytes, of this query or another one.
pub fn may_be_token(text: &str, cursor_bytes: usize) -> bool {
    from_hex(text).is_some_and(|bytes| bytes.len() == DIGEST_BYTES + cursor_bytes)
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some((digit(*high)? << 4) | digit(*low)?),
        _ => None,
    });
    digits.collect()
}

const fn digit(letter: u8) -> Option<u8> {
    match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'a'..=b'f' => Some(letter - b'a' + 10),
        _ => None,
    }
}

/// A token that is of the same query, and whose cursor says nothing.
pub fn damaged_token() -> Error {
    Error::field("page_token", "is damaged")
}

/// A token that is not of the same query.
fn foreign_token() -> Error {
    Error::field("page_token", "expected the next_page_token of the same query, or nothing")
}

macro_rules! paged {
    ($($request:ident $method:literal)+) => {$(
        impl Paged for v1::$request {
            const METHOD: &'static str = $method;

            fn paging(&mut self) -> (&mut i32, &mut String) {
                (&mut self.page_size, &mut self.page_token)
            }
        }
    )+};
}

paged! {
    GetTimelineRequest "GetTimeline"
    ListRulesRequest "ListRules"
    ListMembersRequest "ListMembers"
    RankUnitsRequest "RankUnits"
    ListOpenComplaintsRequest "ListOpenComplaints"
    ListAtRiskRequest "ListAtRisk"
    ListParkedRequest "ListParked"
    ExportRisksRequest "ExportRisks"
    ExportCustomerSegmentsRequest "ExportCustomerSegments"
    ExportCustomerIndexesRequest "ExportCustomerIndexes"
    ListRebuildsRequest "ListRebuilds"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(company: &str, size: i32, token: &str) -> v1::ListAtRiskRequest {
        v1::ListAtRiskRequest {
            scope: Some(v1::Scope { company_id: company.to_owned(), ..Default::default() }),
            page_size: size,
            page_token: token.to_owned(),
            ..Default::default()
        }
    }

    fn refused<R: Paged>(request: &R, field: &str) {
        let Err(Error::Invalid(list)) = Page::of(request) else { panic!("{} is accepted", R::METHOD) };
        assert_eq!(list[0].field, field);
    }

    #[test]
    fn a_token_leads_on_also_with_another_page_size() {
        let token = Page::of(&request("C01", 10, "")).unwrap().token(b"after this");
        let next = Page::of(&request("C01", 20, &token)).unwrap();
        assert_eq!(next.cursor.as_deref(), Some(&b"after this"[..]));
        assert_eq!(next.size, 20);
    }

    #[test]
    fn a_cursor_is_read_or_the_token_is_damaged() {
        let first = Page::of(&request("C01", 10, "")).unwrap();
        assert_eq!(first.after_position().unwrap(), None);
        let second = Page::of(&request("C01", 10, &first.token_after(Position(7)))).unwrap();
        assert_eq!(second.after_position().unwrap(), Some(Position(7)));
        let forged = Page::of(&request("C01", 10, &first.token(b"no position"))).unwrap();
        let Err(Error::Invalid(list)) = forged.after_position() else { panic!("it is no position") };
        assert_eq!((&*list[0].field, &*list[0].message), ("page_token", "is damaged"));
    }

    #[test]
    fn a_token_of_another_query_or_method_is_refused() {
        let token = Page::of(&request("C01", 10, "")).unwrap().token(b"after this");
        refused(&request("C02", 10, &token), "page_token");
        let empty = Page::of(&v1::ListAtRiskRequest::default()).unwrap().token(b"x");
        refused(&v1::ListMembersRequest { page_token: empty, ..Default::default() }, "page_token");
    }

    #[test]
    fn garbage_is_refused() {
        let good = Page::of(&request("C01", 10, "")).unwrap().token(b"after this");
        let mut turned = good.clone();
        turned.replace_range(20..21, if good.as_bytes()[20] == b'0' { "1" } else { "0" });
        let long = "0".repeat(10_000);
        for token in ["x", "00", "zz".repeat(20).as_str(), "度度度度", &good[1..], &turned, &long] {
            refused(&request("C01", 10, token), "page_token");
        }
    }

    #[test]
    fn sizes_are_bounded() {
        assert_eq!(Page::of(&request("", 0, "")).unwrap().size, DEFAULT_PAGE_SIZE);
        assert_eq!(Page::of(&request("", i32::MAX, "")).unwrap().size, MAX_PAGE_SIZE);
        refused(&request("", -1, ""), "page_size");
    }
}
