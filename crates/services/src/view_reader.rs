//! Questions about a view: wait for the position, fix the instant, answer one customer or several.

use std::sync::Arc;
use std::time::Duration;

use api::errors::Error;
use api::query::{self, Basis, Query};
use api::v1;
use projector::{Edition, Generation, NotServing, Projector, WaitError};
use tokio::time::{Instant, timeout_at};
use touchpoint::{CustomerId, MAX_CLOCK_LEAD, Position, Timestamp};
use views::rules::Rules;
use views::{Moment, Record, Standing, View};

use crate::export::MAX_EXPORTS;
use crate::limits::Places;

/// When to ask a view again that is not far enough.
const BEHIND_RETRY: Duration = Duration::from_millis(250);
/// When to ask a view again that is paused: only an operator ends that.
const PAUSED_RETRY: Duration = Duration::from_secs(30);
/// When to ask a view again that is not serving.
pub(crate) const NOT_SERVING_RETRY: Duration = Duration::from_secs(2);

/// A view whose answers say where a customer stands.
pub(crate) trait Stands: View {
    /// What the answer says of its customer and of itself.
    fn standing(answer: &Self::Answer) -> &Standing;

    /// References of admitted events that lead nowhere, over all customers.
    fn unresolved(totals: &Self::Totals) -> u64;
}

/// Answers questions about one view.
pub(crate) struct ViewReader<V: View> {
    pub(crate) projector: Projector<V>,
    /// Places for exports.
    pub(crate) exports: Places,
}

/// A question whose view is far enough and whose instant is fixed: answers to it are of one moment.
pub(crate) struct ResolvedQuery<V: View> {
    pub(crate) generation: Arc<Generation<V>>,
    pub(crate) query: Query,
    /// The instant; of a live question the present one.
    pub(crate) as_of: Timestamp,
    /// Read before anything is answered: a floor.
    pub(crate) position: Position,
    /// The rules of the answer: the default at the instant of knowledge, of live lists those that they are kept by.
    pub(crate) edition: Arc<Edition>,
    /// Of lists and totals, once they are read.
    pub(crate) unresolved: u64,
    /// When the view was far enough.
    begun: Instant,
}

impl<V: Stands> ViewReader<V> {
    pub(crate) fn new(projector: Projector<V>) -> Self {
        Self { projector, exports: Places::new("exports", MAX_EXPORTS) }
    }

    /// Waits until the view is where the query wants it, at most until the deadline.
    ///
    /// An `as_of` may be ahead of the present by as much as a producer's clock may be, and no more: what is not over
    /// cannot be answered for.
    pub(crate) async fn ask(&self, query: Option<&v1::ViewQuery>, until: Instant) -> Result<ResolvedQuery<V>, Error> {
        let query = Query::read(query)?;
        let generation = self.reach(&query, until).await?;
        let now = generation.at_least(self.projector.now());
        let as_of = query.as_of.unwrap_or(now);
        let latest = |now: Timestamp| now.plus_micros(MAX_CLOCK_LEAD);
        if as_of > latest(now)
            && as_of <= latest(self.projector.now())
            && let Some(pause) = self.projector.paused()
        {
            let position = generation.position();
            return Err(paused(WaitError::Paused { position, pause }.to_string(), position));
        }
        if as_of > latest(now) {
            let message = format!("expected at most 5 minutes after now ({now}), got {as_of}");
            return Err(Error::field("query.as_of", message));
        }
        let position = generation.position().min(query.end());
        let edition = edition(&generation, &query)?;
        Ok(ResolvedQuery { generation, query, as_of, position, edition, unresolved: 0, begun: Instant::now() })
    }

    async fn reach(&self, query: &Query, until: Instant) -> Result<Arc<Generation<V>>, Error> {
        let (field, position) = query.needs();
        if let Some(generation) = self.projector.at(position).map_err(not_serving)? {
            return Ok(generation);
        }
        // In a box: few questions wait, and what waiting takes along would be moved with each of them.
        Box::pin(self.wait_for(field, position, until)).await
    }

    async fn wait_for(
        &self,
        field: &'static str,
        position: Position,
        until: Instant,
    ) -> Result<Arc<Generation<V>>, Error> {
        match timeout_at(until, self.projector.reached(position, until)).await {
            Ok(Ok(generation)) => Ok(generation),
            Ok(Err(WaitError::NotServing(error))) => Err(not_serving(error)),
            Ok(Err(WaitError::Beyond { end })) => Err(Error::BeyondHead { field, asked: position, head: end }),
            Ok(Err(error @ WaitError::Paused { position, .. })) => Err(paused(error.to_string(), position)),
            Ok(Err(WaitError::Behind { position: present })) => Err(behind(position, present)),
            // The log did not even say where it ends.
            Err(_) => Err(behind(position, self.projector.serving().map_err(not_serving)?.position())),
        }
    }

    /// One customer. NOT_FOUND if no event of the customer counts.
    pub(crate) async fn one<T>(
        &self,
        customer_id: &str,
        query: Option<&v1::ViewQuery>,
        until: Instant,
        respond: impl FnOnce(CustomerId, &V::Answer, Timestamp, v1::AnswerMeta) -> T,
    ) -> Result<T, Error> {
        let customer = query::customer_id("customer_id", customer_id)?;
        let asked = self.ask(query, until).await?;
        let (answer, valid_until) = asked.answer(customer).ok_or(Error::CustomerNotFound(customer))?;
        asked.count(&self.projector);
        let meta = asked.meta_of(V::standing(&answer), valid_until);
        Ok(respond(customer, &answer, asked.as_of, meta))
    }

    /// Several customers at one instant: the known ones, the unknown ones, both in the order of the request.
    pub(crate) async fn several<T>(
        &self,
        customer_ids: &[String],
        query: Option<&v1::ViewQuery>,
        until: Instant,
        convert: impl Fn(CustomerId, &V::Answer, Timestamp) -> T,
    ) -> Result<(Vec<T>, Vec<String>, v1::AnswerMeta), Error> {
        let customers = query::customer_ids(customer_ids)?;
        let asked = self.ask(query, until).await?;
        let (mut known, mut unknown) = (Vec::with_capacity(customers.len()), Vec::new());
        let (mut earliest, mut unresolved, mut parked) = (Timestamp::MAX, 0, 0);
        for customer in customers {
            let Some((answer, valid_until)) = asked.answer(customer) else {
                unknown.push(customer.to_string());
                continue;
            };
            earliest = earliest.min(valid_until);
            unresolved += u64::from(V::standing(&answer).unresolved);
            parked += u64::from(V::standing(&answer).parked);
            known.push(convert(customer, &answer, asked.as_of));
        }
        asked.count(&self.projector);
        Ok((known, unknown, asked.meta(Some(earliest), unresolved, parked)))
    }
}

impl<V: View> ResolvedQuery<V> {
    /// The answer for a customer and until when it holds.
    pub(crate) fn answer(&self, customer: CustomerId) -> Option<(V::Answer, Timestamp)> {
        self.read(customer, V::answer)
    }

    /// What is read of a customer's record by the rules of the answer, and until when it holds.
    pub(crate) fn read<T>(
        &self,
        customer: CustomerId,
        read: impl FnOnce(&Record, &Rules, &mut Moment) -> Option<T>,
    ) -> Option<(T, Timestamp)> {
        let mut moment = self.moment();
        let found = self.generation.read(customer, |record| read(record, &self.edition.rules, &mut moment))?;
        Some((found, moment.valid_until()))
    }

    /// The moment that is asked for.
    pub(crate) fn moment(&self) -> Moment {
        Moment::new(self.as_of, self.query.known_at).up_to(self.query.end())
    }

    /// The question is of the log up to this position, and of nothing after it.
    pub(crate) fn pin(&mut self, position: Position) {
        self.query.max_position = Some(position);
        self.position = position;
    }

    /// A live answer is ready: what is done beside it takes heed of how long that took.
    pub(crate) fn count(&self, projector: &Projector<V>) {
        if self.query.is_live() {
            projector.answered(self.begun.elapsed());
        }
    }

    fn meta(&self, valid_until: Option<Timestamp>, unresolved: u64, parked: u64) -> v1::AnswerMeta {
        let Self { as_of, position, .. } = *self;
        let (known_at, rules_version) = (self.query.known_at, self.edition.version.clone());
        let lag = self.generation.log_end().0.saturating_sub(position.0);
        Basis { as_of, known_at, valid_until, position, lag, rules_version, unresolved, parked }.into()
    }

    /// What the answer of one customer rests on.
    pub(crate) fn meta_of(&self, standing: &Standing, valid_until: Timestamp) -> v1::AnswerMeta {
        self.meta(Some(valid_until), standing.unresolved.into(), standing.parked.into())
    }

    /// What a list or total rests on: nobody knows until when it holds.
    pub(crate) fn meta_of_all(&self) -> v1::AnswerMeta {
        let (parked, _) = self.generation.parked();
        self.meta(None, self.unresolved, parked as u64)
    }

    /// Customers who were erased.
    pub(crate) fn erased(&self) -> u64 {
        self.generation.erased()
    }
}

/// The rules that a question is answered by.
fn edition<V: View>(generation: &Generation<V>, query: &Query) -> Result<Arc<Edition>, Error> {
    let Some(version) = &query.rules_version else { return Ok(generation.rules_at(query.known_at, query.end())) };
    generation.rules_of(version).ok_or_else(|| {
        let message = format!(
            "expected the version of rules that were in force once: RulesService.ListRules and `lifefold rules history` \
             list them; this view knows no {version:?} at position {}",
            generation.position()
        );
        Error::field("query.rules_version", message)
    })
}

fn paused(message: String, position: Position) -> Error {
    Error::Unavailable { reason: "PAUSED", message, retry_after: PAUSED_RETRY, position: Some(position) }
}

fn behind(wanted: Position, present: Position) -> Error {
    let message = format!("the view is at position {present}, not yet at {wanted}");
    Error::Unavailable { reason: "BEHIND", message, retry_after: BEHIND_RETRY, position: Some(present) }
}

pub(crate) fn not_serving(error: NotServing) -> Error {
    let (reason, message) = (error.0.name(), error.to_string());
    Error::Unavailable { reason, message, retry_after: NOT_SERVING_RETRY, position: None }
}
