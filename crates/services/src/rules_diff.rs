//! What if: every customer of a view under the served rules and under candidate ones, in one scan.

mod tally;

use std::sync::Arc;

use api::errors::Error;
use api::page::Page;
use api::rules_diff::{Compared, Request};
use projector::{Generation, Place};
use tokio::time::Instant;
use touchpoint::{CustomerId, Position, Timestamp};
use views::rules::Rules;
use views::{Moment, Record};

use crate::ask::{Asker, Stands, same_rules};
use crate::rules::read;
use tally::Tally;

/// Where the page before ended, and what the first page rests on: all pages are of one population.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cursor {
    as_of: Timestamp,
    position: Position,
    unresolved: u64,
    customer: CustomerId,
    rules_version: String,
}

/// Answers DiffRules of a view. What the whole difference is, is said on the first page only: later ones go on where
/// the one before ended, and evaluate no more customers than they need.
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
    asked.pin(position);
    let (after, size) = (cursor.as_ref().map(|cursor| cursor.customer), page.size);
    let (served, others) = (asked.edition.clone(), candidate.clone());
    let scan = move |generation: &Generation<V>| {
        let rules = [&served.rules, &*others];
        match after {
            None => whole(generation, rules, &moment, size),
            Some(after) => rest(generation, rules, &moment, after, size),
        }
    };
    let tally = view.scan(asked.generation.clone(), until, scan).await?;
    let unresolved = cursor.as_ref().map_or(tally.unresolved, |cursor| cursor.unresolved);
    asked.unresolved = unresolved;
    let diff = cursor.is_none().then(|| tally.diff(&candidate));
    let (moved, last) = tally.page(size);
    let as_of = asked.as_of;
    let token = |customer| page.token(&Cursor { as_of, position, unresolved, customer, rules_version }.bytes());
    Ok(R::response(diff, moved, last.map(token).unwrap_or_default(), asked.meta_of_all()))
}

/// Everybody, side by side, and the first page.
fn whole<V: Compared + Stands>(
    generation: &Generation<V>,
    rules: [&Rules; 2],
    moment: &Moment,
    size: usize,
) -> Tally<V> {
    let add = |tally: &mut Tally<V>, customer, answers: [&V::Answer; 2]| tally.add(customer, answers, size);
    generation.sum_beside(rules, moment, add, |tally, more| tally.merge(more, size))
}

/// The page that follows this customer.
fn rest<V: Compared + Stands>(
    generation: &Generation<V>,
    rules: [&Rules; 2],
    moment: &Moment,
    after: CustomerId,
    size: usize,
) -> Tally<V> {
    let mut tally = Tally::default();
    let answers = |record: &Record| {
        let [before, after] = rules.map(|rules| V::answer(record, rules, &mut moment.clone()));
        before.zip(after)
    };
    let visit = |tally: &mut Tally<V>, customer, (one, other): &(V::Answer, V::Answer)| {
        if (Place::of(customer), customer) > (Place::of(after), after) {
            tally.add(customer, [one, other], size);
        }
    };
    generation.walk(Place::of(after), answers, &mut tally, visit, |tally| tally.is_full(size));
    tally
}

impl Cursor {
    fn bytes(&self) -> Vec<u8> {
        let Self { as_of, position, unresolved, customer, rules_version } = self;
        let numbers = [as_of.micros().cast_unsigned(), position.0, *unresolved].map(u64::to_be_bytes).concat();
        [&numbers, &customer.as_u128().to_be_bytes()[..], rules_version.as_bytes()].concat()
    }

    fn read(bytes: &[u8]) -> Result<Self, Error> {
        let read = || {
            let (as_of, rest) = bytes.split_first_chunk()?;
            let (position, rest) = rest.split_first_chunk()?;
            let (unresolved, rest) = rest.split_first_chunk()?;
            let (customer, rules_version) = rest.split_first_chunk()?;
            Some(Self {
                as_of: Timestamp::from_micros(i64::from_be_bytes(*as_of)),
                position: Position(u64::from_be_bytes(*position)),
                unresolved: u64::from_be_bytes(*unresolved),
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
            unresolved: 3,
            customer: CustomerId::from_u128(u128::MAX - 1),
            rules_version: "686a0adaf9b939b8".to_owned(),
        };
        assert_eq!(Cursor::read(&cursor.bytes()).unwrap(), cursor);
        assert!(Cursor::read(&cursor.bytes()[..39]).is_err());
    }
}
