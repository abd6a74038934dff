//! What if: every customer of a view under the served rules and under candidate ones, in one scan.

mod tally;

use std::sync::Arc;

use api::errors::Error;
use api::page::Page;
use api::rules_diff::{Compared, Request};
use projector::{Generation, Place};
use tokio::time::Instant;
use touchpoint::CustomerId;
use views::rules::Rules;
use views::segmentation::Decision;
use views::{Moment, Record};

use crate::pinned::Pinned;
use crate::rules::read;
use crate::view_reader::{Stands, ViewReader};
use tally::Tally;

/// Where the page before ended, and what the first page rests on: all pages are of one population.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cursor {
    pinned: Pinned,
    customer: CustomerId,
}

/// Answers DiffRules of a view. What the whole difference is, is said on the first page only: later ones go on where
/// the one before ended, and evaluate no more customers than they need.
pub(crate) async fn diff<V: Compared + Stands, R: Request>(
    view: &ViewReader<V>,
    request: R,
    until: Instant,
) -> Result<R::Response, Error> {
    let page = Page::of(&request)?;
    let cursor = page.after(Cursor::read)?;
    let candidate = Arc::new(read("candidate", request.candidate())?);
    let (pinned, after) = cursor.map(|cursor| (cursor.pinned, cursor.customer)).unzip();
    let mut asked = Pinned::ask(pinned.as_ref(), view, request.query(), until).await?;
    let mut pinned = pinned.unwrap_or_else(|| Pinned::first(&asked, asked.position));
    asked.pin(pinned.position);
    let moment = asked.moment();
    let size = page.size;
    let (served, others) = (asked.edition.clone(), candidate.clone());
    let scan = move |generation: &Generation<V>| {
        let rules = [&served.rules, &*others];
        let mut tally = match after {
            None => whole(generation, rules, &moment, size),
            Some(after) => rest(generation, rules, &moment, after, size),
        };
        tally.say_why(|customer| rules.map(|rules| decisions(generation, customer, rules, &moment)));
        tally
    };
    let tally = view.scan(asked.generation.clone(), until, scan).await?;
    let diff = after.is_none().then(|| tally.diff(&candidate));
    if after.is_none() {
        pinned.unresolved = tally.unresolved;
    }
    asked.unresolved = pinned.unresolved;
    let (moved, last) = tally.page(size);
    let token = |customer| page.token(&Cursor { pinned, customer }.bytes());
    Ok(R::response(diff, moved, last.map(token).unwrap_or_default(), asked.meta_of_all()))
}

/// Everybody, side by side, and the first page.
fn whole<V: Compared + Stands>(
    generation: &Generation<V>,
    rules: [&Rules; 2],
    moment: &Moment,
    size: usize,
) -> Tally<V> {
    let as_of = moment.as_of();
    let add = |tally: &mut Tally<V>, customer, answers: [&V::Answer; 2]| tally.add(customer, answers, as_of, size);
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
            tally.add(customer, [one, other], moment.as_of(), size);
        }
    };
    generation.walk(Place::of(after), answers, &mut tally, visit, |tally| tally.is_full(size));
    tally
}

/// How the conditions of the rule segments turn out for a customer; nothing for who was erased, or withdrew consent, since
/// the scan.
fn decisions<V: Compared>(
    generation: &Generation<V>,
    customer: CustomerId,
    rules: &Rules,
    moment: &Moment,
) -> Option<Vec<Decision>> {
    generation.read(customer, |record| V::decisions(record, rules, &mut moment.clone()))
}

impl Cursor {
    fn bytes(&self) -> Vec<u8> {
        [&self.pinned.bytes()[..], &self.customer.as_u128().to_be_bytes()].concat()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (pinned, customer) = Pinned::read(bytes)?;
        Some(Self { pinned, customer: CustomerId::from_u128(u128::from_be_bytes(customer.try_into().ok()?)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back() {
        let cursor = Cursor { pinned: Pinned::some(), customer: CustomerId::from_u128(u128::MAX - 1) };
        let bytes = cursor.bytes();
        assert_eq!(Cursor::read(&bytes).unwrap(), cursor);
        assert!((0..bytes.len()).all(|length| Cursor::read(&bytes[..length]).is_none()));
    }
}
