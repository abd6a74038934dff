//! What if: every customer of a view under the served rules and under candidate ones, in one scan.

mod tally;

use std::sync::Arc;

use api::errors::Error;
use api::page::Page;
use api::rules_diff::{Compared, Request};
use projector::Generation;
use tokio::time::Instant;
use touchpoint::{CustomerId, Position, Timestamp, Violation};
use views::Moment;
use views::rules::Rules;

use crate::ask::{Asker, Stands};
use tally::Tally;

/// Where the page before ended, and the instant and position of the first page: all pages are of one population.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cursor {
    as_of: Timestamp,
    position: Position,
    customer: CustomerId,
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
    let candidate = Arc::new(candidate(request.candidate())?);
    let mut query = request.query().copied().unwrap_or_default();
    if let Some(cursor) = cursor {
        query.as_of = Some(api::names::timestamp(cursor.as_of));
        query.min_position = query.min_position.max(cursor.position.0);
    }
    let mut asked = view.ask(Some(&query), until).await?;
    let position = cursor.map_or_else(|| asked.generation.position(), |cursor| cursor.position);
    let moment = Moment::new(asked.as_of, asked.query.known_at).up_to(position);
    let (after, size, rules) = (cursor.map(|cursor| cursor.customer), page.size, candidate.clone());
    let scan = move |generation: &Generation<V>| {
        let wanted = |customer| after.is_none_or(|after| customer > after);
        let add = |tally: &mut Tally<V>, customer, answers: [&V::Answer; 2]| tally.add(customer, answers, size);
        generation.sum_beside(&rules, &moment, wanted, add, |tally, more| tally.merge(more, size))
    };
    let tally = view.scan(asked.generation.clone(), until, scan).await?;
    asked.unresolved = tally.unresolved;
    let diff = cursor.is_none().then(|| tally.diff(&candidate));
    let (moved, last) = tally.page(size);
    let token = |customer| page.token(&Cursor { as_of: asked.as_of, position, customer }.bytes());
    Ok(R::response(diff, moved, last.map(token).unwrap_or_default(), asked.meta_of_all()))
}

/// The candidate rules, or every mistake in them.
fn candidate(text: &str) -> Result<Rules, Error> {
    Rules::parse(text).map_err(|error| {
        let violation =
            |mistake: &views::rules::Mistake| Violation { field: "candidate".into(), message: mistake.to_string() };
        Error::Invalid(error.mistakes.iter().map(violation).collect())
    })
}

impl Cursor {
    fn bytes(self) -> Vec<u8> {
        let Self { as_of, position, customer } = self;
        [&as_of.micros().to_be_bytes()[..], &position.0.to_be_bytes(), &customer.as_u128().to_be_bytes()].concat()
    }

    fn read(bytes: &[u8]) -> Result<Self, Error> {
        let read = || {
            let (as_of, rest) = bytes.split_first_chunk()?;
            let (position, customer) = rest.split_first_chunk()?;
            Some(Self {
                as_of: Timestamp::from_micros(i64::from_be_bytes(*as_of)),
                position: Position(u64::from_be_bytes(*position)),
                customer: CustomerId::from_u128(u128::from_be_bytes(customer.try_into().ok()?)),
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
        };
        assert_eq!(Cursor::read(&cursor.bytes()).unwrap(), cursor);
        assert!(Cursor::read(&cursor.bytes()[..31]).is_err());
    }

    #[test]
    fn every_mistake_of_a_candidate_has_its_line() {
        let Err(Error::Invalid(list)) = candidate("[churn]\nhorizn = 1\n\n[lifecycle]\nlost_after_days = -1\n") else {
            panic!("it is accepted")
        };
        let lines: Vec<_> = list.iter().map(|one| one.message.split(',').next().unwrap().to_owned()).collect();
        assert_eq!(lines, ["line 2", "line 5"]);
        assert!(list.iter().all(|one| one.field == "candidate"));
    }
}
