//! What requests have in common: instants, positions, ids, scopes; and what every answer says of itself.

use touchpoint::{Code, CustomerId, Position, Timestamp, Violations};

use crate::errors::Error;
use crate::{names, v1};

/// Most customers of one batch.
pub const MAX_BATCH_CUSTOMERS: usize = 1_000;

/// The instant that a view is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Events after it do not count; nothing means now.
    pub as_of: Option<Timestamp>,
    /// Events recorded after it do not count; nothing means that all do.
    pub known_at: Option<Timestamp>,
    /// The position to wait for.
    pub min_position: Position,
    /// Events after it do not count; nothing means that all do.
    pub max_position: Option<Position>,
    /// The rules to answer by; nothing means those in force.
    pub rules_version: Option<String>,
}

impl Query {
    /// Reads the field `query` of a request.
    pub fn read(query: Option<&v1::ViewQuery>) -> Result<Self, Error> {
        let Some(query) = query else { return Ok(Self::default()) };
        let mut broken = Violations::default();
        let as_of = instant("query.as_of", query.as_of.as_ref(), &mut broken);
        let known_at = instant("query.known_at", query.known_at.as_ref(), &mut broken);
        Error::check(broken)?;
        let max_position = (query.max_position > 0).then_some(Position(query.max_position));
        let rules_version = Some(query.rules_version.clone()).filter(|version| !version.is_empty());
        Ok(Self { as_of, known_at, min_position: Position(query.min_position), max_position, rules_version })
    }

    /// The position that the answer needs, and the field that asks for it.
    pub fn needs(&self) -> (&'static str, Position) {
        match self.max_position {
            Some(position) if position > self.min_position => ("query.max_position", position),
            _ => ("query.min_position", self.min_position),
        }
    }

    /// Where the log ends for this question.
    pub fn end(&self) -> Position {
        self.max_position.unwrap_or(Position::MAX)
    }

    /// The question is about the present, so that lists and totals kept up to date can answer it.
    pub const fn is_live(&self) -> bool {
        let Self { as_of, known_at, min_position: _, max_position, rules_version } = self;
        as_of.is_none() && known_at.is_none() && max_position.is_none() && rules_version.is_none()
    }
}

/// Reads an optional instant, or notes what is wrong with it.
pub fn instant(field: &str, time: Option<&prost_types::Timestamp>, broken: &mut Violations) -> Option<Timestamp> {
    let instant = names::instant(time?);
    if instant.is_none() {
        broken.add(field, "expected a whole microsecond of the years 1 to 9999");
    }
    instant
}

/// Reads the id of a customer.
pub fn customer_id(field: &str, text: &str) -> Result<CustomerId, Error> {
    text.parse().map_err(|error: touchpoint::InvalidId| match text {
        "" => Error::field(field, "is required: expected a UUID"),
        _ => Error::field(field, error.to_string()),
    })
}

/// Reads `customer_ids` of a batch, in its order.
pub fn customer_ids(texts: &[String]) -> Result<Vec<CustomerId>, Error> {
    if texts.is_empty() || texts.len() > MAX_BATCH_CUSTOMERS {
        let message = format!("expected 1 to {MAX_BATCH_CUSTOMERS} customers, got {}", texts.len());
        return Err(Error::field("customer_ids", message));
    }
    let mut broken = Violations::default();
    let mut ids = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        match text.parse::<CustomerId>() {
            Ok(id) => ids.push(id),
            Err(error) => broken.add(format!("customer_ids[{index}]"), error.to_string()),
        }
    }
    Error::check(broken).map(|()| ids)
}

/// Narrows a list to the customers of a company, a project, a consultant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Of this city company.
    pub company: Option<Code<'static>>,
    /// Of this project.
    pub project: Option<Code<'static>>,
    /// Of this consultant.
    pub consultant: Option<Code<'static>>,
}

impl Scope {
    /// Reads the field `scope` of a request.
    pub fn read(scope: Option<&v1::Scope>) -> Result<Self, Error> {
        let Some(scope) = scope else { return Ok(Self::default()) };
        let mut broken = Violations::default();
        let scope = Self {
            company: code("scope.company_id", &scope.company_id, &mut broken),
            project: code("scope.project_id", &scope.project_id, &mut broken),
            consultant: code("scope.consultant_id", &scope.consultant_id, &mut broken),
        };
        Error::check(broken).map(|()| scope)
    }

    /// A customer with these is within it.
    pub fn holds(&self, company: Option<&Code<'_>>, project: Option<&Code<'_>>, consultant: Option<&Code<'_>>) -> bool {
        let fits = |want: &Option<Code<'static>>, have: Option<&Code<'_>>| {
            want.as_ref().is_none_or(|want| have.is_some_and(|have| want.as_str() == have.as_str()))
        };
        fits(&self.company, company) && fits(&self.project, project) && fits(&self.consultant, consultant)
    }
}

/// Reads an optional code, or notes what is wrong with it.
pub fn code(field: &str, text: &str, broken: &mut Violations) -> Option<Code<'static>> {
    if text.is_empty() {
        return None;
    }
    let code = Code::new(text.to_owned());
    if code.is_none() {
        broken.add(field, expected_code());
    }
    code
}

/// What is said of a text that is no code. It may be anything, a name too, and is not repeated.
pub fn expected_code() -> String {
    format!("expected {}", touchpoint::describe(touchpoint::Shape::Code))
}

/// What an answer rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basis {
    /// The instant that was answered for.
    pub as_of: Timestamp,
    /// As asked.
    pub known_at: Option<Timestamp>,
    /// The answer holds on [as_of, valid_until); nothing or [`Timestamp::MAX`]: no end is known.
    pub valid_until: Option<Timestamp>,
    /// Every event up to here is in the answer.
    pub position: Position,
    /// Events of the log after it, as far as is known.
    pub lag: u64,
    /// Digest of the rules.
    pub rules_version: String,
    /// References of admitted events that lead nowhere.
    pub unresolved: u64,
    /// Events that could not be read.
    pub parked: u64,
}

impl From<Basis> for v1::AnswerMeta {
    fn from(basis: Basis) -> Self {
        let valid_until = basis.valid_until.filter(|&until| until < Timestamp::MAX);
        Self {
            as_of: Some(names::timestamp(basis.as_of)),
            valid_until: valid_until.map(names::timestamp),
            position: basis.position.0,
            lag_events: basis.lag,
            rules_version: basis.rules_version,
            unresolved_references: basis.unresolved,
            parked: basis.parked,
            known_at: basis.known_at.map(names::timestamp),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(error: Error) -> Vec<String> {
        match error {
            Error::Invalid(list) => list.into_iter().map(|violation| violation.field).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_wrong_instant_is_named() {
        let wrong = Some(prost_types::Timestamp { seconds: 0, nanos: 1 });
        let query = v1::ViewQuery { as_of: wrong, known_at: wrong, ..Default::default() };
        assert_eq!(fields(Query::read(Some(&query)).unwrap_err()), ["query.as_of", "query.known_at"]);
        assert!(Query::read(None).unwrap().is_live());
    }

    #[test]
    fn an_answer_needs_the_later_of_both_positions() {
        let read = |min_position, max_position| {
            Query::read(Some(&v1::ViewQuery { min_position, max_position, ..Default::default() })).unwrap()
        };
        assert_eq!(read(7, 0).needs(), ("query.min_position", Position(7)));
        assert_eq!(read(7, 5).needs(), ("query.min_position", Position(7)));
        assert_eq!(read(7, 9).needs(), ("query.max_position", Position(9)));
        assert_eq!([read(7, 0).end(), read(7, 5).end()], [Position::MAX, Position(5)]);
        assert_eq!([read(7, 0), read(7, 5)].map(|query| query.is_live()), [true, false]);
        let others = v1::ViewQuery { rules_version: "686a0adaf9b939b8".to_owned(), ..Default::default() };
        assert!(!Query::read(Some(&others)).unwrap().is_live());
    }

    #[test]
    fn batches_are_bounded_and_every_wrong_id_is_named() {
        let good = "0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11".to_owned();
        assert_eq!(customer_ids(std::slice::from_ref(&good)).unwrap().len(), 1);
        assert_eq!(fields(customer_ids(&[]).unwrap_err()), ["customer_ids"]);
        assert_eq!(fields(customer_ids(&vec![good.clone(); 1_001]).unwrap_err()), ["customer_ids"]);
        let broken = [good, "x".to_owned(), String::new()];
        assert_eq!(fields(customer_ids(&broken).unwrap_err()), ["customer_ids[1]", "customer_ids[2]"]);
    }

    #[test]
    fn a_scope_holds_who_has_all_that_it_names() {
        let scope =
            v1::Scope { company_id: "C01".to_owned(), project_id: "P1".to_owned(), consultant_id: String::new() };
        let scope = Scope::read(Some(&scope)).unwrap();
        let code = |text: &'static str| Code::new(text).unwrap();
        assert!(scope.holds(Some(&code("C01")), Some(&code("P1")), None));
        assert!(!scope.holds(Some(&code("C01")), None, None));
        let wrong = v1::Scope { consultant_id: "no code".to_owned(), ..Default::default() };
        assert_eq!(fields(Scope::read(Some(&wrong)).unwrap_err()), ["scope.consultant_id"]);
    }
}
