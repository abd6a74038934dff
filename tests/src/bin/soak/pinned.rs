//! Questions about the past, whose answers must stay the same however often they are asked, whatever happens.

use std::sync::{Mutex, MutexGuard, PoisonError};

use api::v1;
use tests::{Clients, View, may_pass};
use tonic::Code;
use touchpoint::{CustomerId, Timestamp};

use crate::ask;
use crate::dice::Dice;

/// Questions that are kept; the oldest are forgotten.
const KEPT: usize = 400;
/// Days back at most.
const BACK_DAYS: u64 = 1_200;

/// A question, and how it was answered.
#[derive(Debug, Clone)]
struct Pinned {
    view: View,
    /// Nobody in particular: everybody.
    customer: Option<CustomerId>,
    query: v1::ViewQuery,
    /// In words; nothing where the customer was not known then.
    answer: Option<String>,
    /// While this is the same, so is the answer; nothing if it is so always.
    silenced: Option<u64>,
}

/// Questions, and how they were answered.
#[derive(Debug, Default)]
pub(crate) struct PinnedQuestions(Mutex<Vec<Pinned>>);

/// Up to which position, and by which rules.
#[derive(Debug, Clone)]
pub(crate) struct Basis {
    pub(crate) position: u64,
    pub(crate) rules_version: String,
    pub(crate) now: Timestamp,
    pub(crate) silenced: u64,
}

impl PinnedQuestions {
    fn inner(&self) -> MutexGuard<'_, Vec<Pinned>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.inner().len()
    }

    /// Asks about a customer, or everybody, as of some day, and remembers the answer.
    pub(crate) async fn pin(
        &self,
        clients: &Clients,
        view: View,
        customer: Option<CustomerId>,
        basis: &Basis,
        dice: &mut Dice,
    ) {
        let mut back = || basis.now.plus_days(-dice.between(0, BACK_DAYS).cast_signed());
        let (as_of, known_at) = (back(), back());
        let query = v1::ViewQuery {
            as_of: Some(api::names::timestamp(as_of)),
            known_at: dice.once_in(2).then(|| api::names::timestamp(known_at)),
            max_position: basis.position,
            rules_version: basis.rules_version.clone(),
            min_position: 0,
        };
        let silenced = customer.is_none().then_some(basis.silenced);
        let mut pinned = Pinned { view, customer, query, answer: None, silenced };
        if let Some(answer) = asked(clients, &pinned).await {
            pinned.answer = answer;
            let mut all = self.inner();
            all.push(pinned);
            let forgotten = all.len().saturating_sub(KEPT);
            all.drain(..forgotten);
        }
    }

    /// Asks one of them again, of those about customers of whom nothing silences.
    ///
    /// # Panics
    /// If the answer is another one.
    pub(crate) async fn ask_again(&self, clients: &[Clients], dice: &mut Dice) {
        let pinned = {
            let all = self.inner();
            if all.is_empty() { None } else { Some(dice.pick(&all).clone()) }
        };
        if let Some(pinned) = pinned.filter(|it| it.silenced.is_none()) {
            same(&clients[pinned.view as usize], &pinned).await;
        }
    }

    /// Asks all of a view again that hold at this number.
    ///
    /// # Panics
    /// If an answer is another one.
    pub(crate) async fn ask_all_again(&self, clients: &Clients, view: View, silenced: u64) {
        let all = self.inner().clone();
        for pinned in all.iter().filter(|it| it.view == view && it.silenced.is_none_or(|then| then == silenced)) {
            same(clients, pinned).await;
        }
    }
}

async fn same(clients: &Clients, pinned: &Pinned) {
    if let Some(answer) = asked(clients, pinned).await {
        assert_eq!(answer, pinned.answer, "another answer to {:?} of {:?}", pinned.query, pinned.customer);
    }
}

/// The answer in words, if there is one; without what is said of the present.
async fn asked(clients: &Clients, Pinned { view, customer, query, .. }: &Pinned) -> Option<Option<String>> {
    let answered = match customer {
        Some(customer) => ask::one(clients, *view, *customer, query.clone()).await,
        None => ask::all(clients, *view, query.clone()).await,
    };
    match answered {
        Ok((words, meta)) => {
            assert_eq!(meta.position, query.max_position, "{meta:?}");
            assert_eq!((meta.as_of, &meta.rules_version), (query.as_of, &query.rules_version), "{meta:?}");
            let parked = customer.map(|_| meta.parked);
            Some(Some(format!("{words} {:?} {} {parked:?}", meta.valid_until, meta.unresolved_references)))
        }
        Err(status) if status.code() == Code::NotFound && customer.is_some() => Some(None),
        Err(status) => {
            assert!(may_pass(&status), "{} with {query:?}: {status:?}", view.name());
            None
        }
    }
}
