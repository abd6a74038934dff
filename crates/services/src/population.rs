//! Asking a view about all customers: lists and totals, kept or scanned.

use std::sync::Arc;

use api::errors::Error;
use api::query::Scope;
use projector::{Generation, Placements};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use touchpoint::CustomerId;
use views::rules::Rules;
use views::{Moment, Standing, View};

use crate::view_reader::{NOT_SERVING_RETRY, ResolvedQuery, Stands, ViewReader};

/// Lists and totals at one instant.
pub(crate) struct Population<'g, V: View> {
    generation: &'g Generation<V>,
    /// The lists and totals. While they are read, nobody moves in them: be short.
    pub(crate) totals: &'g V::Totals,
    /// The rules that they are by.
    pub(crate) rules: &'g Rules,
    moment: Moment,
}

impl<V: View> Population<'_, V> {
    /// The answer of one customer at the same moment. Events that arrived since the lists were read are in it.
    pub(crate) fn answer(&self, customer: CustomerId) -> Option<V::Answer> {
        self.generation.answer(customer, self.rules, &mut self.moment.clone())
    }
}

impl<V: Stands> ViewReader<V> {
    /// Lists and totals: those that are kept if the question is about the present, else a scan in its turn. Afterwards
    /// the instant is the one at which they hold.
    pub(crate) async fn all<T: Send + 'static>(
        &self,
        asked: &mut ResolvedQuery<V>,
        until: Instant,
        read: impl FnOnce(&Population<'_, V>) -> T + Send + 'static,
    ) -> Result<T, Error> {
        self.within(asked, Scope::default(), until, read).await
    }

    /// As [`Self::all`], but of the customers of a scope only. No lists are kept of those: it is a scan.
    pub(crate) async fn within<T: Send + 'static>(
        &self,
        asked: &mut ResolvedQuery<V>,
        scope: Scope,
        until: Instant,
        read: impl FnOnce(&Population<'_, V>) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let ResolvedQuery { generation, query, as_of, .. } = asked;
        if query.is_live() && scope == Scope::default() {
            let (found, unresolved, as_of, edition) = generation.totals(*as_of, |totals, as_of, edition| {
                let all = Population { generation, totals, rules: &edition.rules, moment: Moment::now(as_of) };
                (read(&all), V::unresolved(totals), as_of, edition.clone())
            });
            (asked.unresolved, asked.as_of, asked.edition) = (unresolved, as_of, edition);
            asked.count(&self.projector);
            return Ok(found);
        }
        let moment = asked.moment();
        let totals = self.answers(asked, scope, until, Placements::<V>::add, Placements::totals, V::merge).await?;
        let ResolvedQuery { generation, edition, .. } = asked;
        Ok(read(&Population { generation, totals: &totals, rules: &edition.rules, moment }))
    }

    /// Sums up the answers of the customers of a scope, by a scan in its turn. Sums are finished side by side, and merged.
    pub(crate) async fn answers<S: Default + 'static, T: Default + Send + 'static>(
        &self,
        asked: &mut ResolvedQuery<V>,
        scope: Scope,
        until: Instant,
        add: impl Fn(&mut S, CustomerId, &V::Answer) + Send + Sync + 'static,
        finish: impl Fn(S) -> T + Send + Sync + 'static,
        merge: impl Fn(&mut T, T) + Send + 'static,
    ) -> Result<T, Error> {
        let add = move |(sum, unresolved): &mut (S, u64), customer, answer: &V::Answer| {
            let standing = V::standing(answer);
            *unresolved += u64::from(standing.unresolved);
            let Standing { company, project, consultant, .. } = standing;
            if scope.holds(company.as_ref(), project.as_ref(), consultant.as_ref()) {
                add(sum, customer, answer);
            }
        };
        let finish = move |(sum, unresolved)| (finish(sum), unresolved);
        let merge = move |(sum, unresolved): &mut (T, u64), (more, others)| {
            merge(sum, more);
            *unresolved += others;
        };
        let (edition, moment) = (asked.edition.clone(), asked.moment());
        let scan = move |generation: &Generation<V>| generation.sum_at(&edition.rules, moment, add, finish, merge);
        let (sum, unresolved) = self.scan(asked.generation.clone(), until, scan).await?;
        asked.unresolved = unresolved;
        Ok(sum)
    }

    /// A scan in its turn. It keeps its turn until it ends, and does not begin if the caller has gone by then.
    pub(crate) async fn scan<T: Send + 'static>(
        &self,
        generation: Arc<Generation<V>>,
        until: Instant,
        read: impl FnOnce(&Generation<V>) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let gone = CancellationToken::new();
        let _caller = gone.clone().drop_guard();
        let projector = self.projector.clone();
        let scan = tokio::spawn(async move {
            projector.scan(generation, move |generation| (!gone.is_cancelled()).then(|| read(generation))).await
        });
        match timeout_at(until, scan).await {
            Ok(Ok(Ok(Some(found)))) => Ok(found),
            Ok(Ok(Err(panicked))) => Err(Error::Internal(panicked.to_string())),
            Ok(Ok(Ok(None))) | Ok(Err(_)) => Err(Error::Internal("a scan did not end".to_owned())),
            Err(_) => Err(Error::Unavailable {
                reason: "SCAN_QUEUED",
                message: "the scan over all customers did not end before the deadline; give it more time".to_owned(),
                retry_after: NOT_SERVING_RETRY,
                position: None,
            }),
        }
    }
}
