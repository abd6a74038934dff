//! What if: every customer of a view under the served rules and under candidate ones, in one scan.

mod tally;

use std::sync::Arc;

use api::errors::Error;
use api::page::Page;
use api::rules_diff::{Compared, Request};
use projector::Generation;
use tokio::time::Instant;
use touchpoint::{CustomerId, Position, Timestamp};
use views::Moment;

use crate::ask::{Asker, Stands, same_rules};
use crate::rules::read;
use tally::Tally;

/// Where the page before ended, and the instant, position and rules of the first page: all pages are of one population.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cursor {
    as_of: Timestamp,
    position: Position,
    customer: CustomerId,
    rules_version: String,
}

/// Answers DiffRules of a view. What the whole difference is, is said on the first page only: later ones evaluate
/// nobody whom an earlier one has listed.
pub(crate) async fn diff<V: Compared + Stands, R: Request>(
    view: &Asker<V>,
    request: R,
    until: Instant,
) -> Result<R::Response, Error> {
    let page = Page::of(&request)?;
    let cursor = page.cursor.as_deref().map(Cursor::read).transpose()?;
    let candidate = Arc::new(read("candidate", request.candidate())?);
    let mut query = request.query().copied().unwrap_or_default();
    if let Some(cursor) = &cursor {
        query.as_of = Some(api::names::timestamp(cursor.as_of));
        query.min_position = query.min_position.max(cursor.position.0);
    }
    let mut asked = view.ask(Some(&query), until).await?;
    let rules_version = asked.edition.version.clone();
    cursor.as_ref().map_or(Ok(()), |cursor| same_rules(&cursor.rules_version, &rules_version))?;
    let position = cursor.as_ref().map_or_else(|| asked.generation.position(), |cursor| cursor.position);
    let moment = Moment::new(asked.as_of, asked.query.known_at).up_to(position);
    let (after, size) = (cursor.as_ref().map(|cursor| cursor.customer), page.size);
    let (served, others) = (asked.edition.clone(), candidate.clone());
    let scan = move |generation: &Generation<V>| {
        let wanted = |customer| after.is_none_or(|after| customer > after);
        let add = |tally: &mut Tally<V>, customer, answers: [&V::Answer; 2]| tally.add(customer, answers, size);
        generation.sum_beside([&served.rules, &others], &moment, wanted, add, |tally, more| tally.merge(more, size))
    };
    let tally = view.scan(asked.generation.clone(), until, scan).await?;
    asked.unresolved = tally.unresolved;
    let diff = cursor.is_none().then(|| tally.diff(&candidate));
    let (moved, last) = tally.page(size);
    let as_of = asked.as_of;
    let token = |customer| page.token(&Cursor { as_of, position, customer, rules_version }.bytes());
    Ok(R::response(diff, moved, last.map(token).unwrap_or_default(), asked.meta_of_all()))
}

impl Cursor {
    fn bytes(&self) -> Vec<u8> {
        let Self { as_of, position, customer, rules_version } = self;
        let [as_of, position] = [as_of.micros().to_be_bytes(), position.0.to_be_bytes()];
        [&as_of[..], &position, &customer.as_u128().to_be_bytes(), rules_version.as_bytes()].concat()
    }

    fn read(bytes: &[u8]) -> Result<Self, Error> {
        let read = || {
            let (as_of, rest) = bytes.split_first_chunk()?;
            let (position, rest) = rest.split_first_chunk()?;
            let (customer, rules_version) = rest.split_first_chunk()?;
            Some(Self {
                as_of: Timestamp::from_micros(i64::from_be_bytes(*as_of)),
                position: Position(u64::from_be_bytes(*position)),
                customer: CustomerId::from_u128(u128::from_be_bytes(*customer)),
                rules_version: String::from_utf8(rules_version.to_vec()).ok()?,
            })
        };
        read().ok_or_else(|| Error::field("page_token", "is damaged"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back() {
        let cursor = Cursor {
            as_of: Timestamp::from_micros(-7),
            position: Position(9),
            customer: CustomerId::from_u128(u128::MAX - 1),
            rules_version: "686a0adaf9b939b8".to_owned(),
        };
        assert_eq!(Cursor::read(&cursor.bytes()).unwrap(), cursor);
        assert!(Cursor::read(&cursor.bytes()[..31]).is_err());
    }
}
