//! Watchers: each keeps its own list by what it is told, through cuts, restarts and rebuilds.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::v1;
use tests::{Clients, View, may_pass};
use tokio::time::sleep;
use tonic::{Code, Status, Streaming};

use crate::dice::Dice;

/// Pause before a watch is begun again.
const AGAIN: Duration = Duration::from_millis(100);
/// A watcher goes away and comes back with its cursor once in so many messages.
const LEAVES_ONCE_IN: u32 = 60;

/// What can be watched.
pub(crate) trait Watched: Send + Sync + 'static {
    /// The view.
    const VIEW: View;
    /// What a watcher hears.
    type Response: Send;
    /// Where a customer stands.
    type Place: Clone + PartialEq + Debug + Send;

    /// Begins, or goes on after a cursor.
    fn open(
        clients: &Clients,
        cursor: String,
    ) -> impl Future<Output = Result<Streaming<Self::Response>, Status>> + Send;

    /// What was heard.
    fn read(response: Self::Response) -> (Vec<Change<Self::Place>>, Option<v1::WatchMark>);
}

/// A customer's way from one place to another.
#[derive(Debug)]
pub(crate) struct Change<P> {
    customer: String,
    step: v1::WatchStep,
    before: Option<P>,
    after: Option<P>,
}

/// The risks of all customers.
pub(crate) struct Risks;

impl Watched for Risks {
    const VIEW: View = View::Churn;
    type Response = v1::WatchRiskResponse;
    type Place = v1::WatchedRisk;

    async fn open(clients: &Clients, cursor: String) -> Result<Streaming<Self::Response>, Status> {
        let request = v1::WatchRiskRequest { cursor, ..Default::default() };
        Ok(clients.churn().watch_risk(request).await?.into_inner())
    }

    fn read(response: Self::Response) -> (Vec<Change<Self::Place>>, Option<v1::WatchMark>) {
        let change = |it: v1::RiskChange| {
            let step = it.step.unwrap_or_default();
            Change { customer: it.customer_id, step, before: it.before, after: it.after }
        };
        (response.changes.into_iter().map(change).collect(), response.mark)
    }
}

/// The segments of all customers.
pub(crate) struct Segments;

impl Watched for Segments {
    const VIEW: View = View::Segmentation;
    type Response = v1::WatchTransitionsResponse;
    type Place = v1::WatchedSegments;

    async fn open(clients: &Clients, cursor: String) -> Result<Streaming<Self::Response>, Status> {
        let request = v1::WatchTransitionsRequest { cursor, ..Default::default() };
        Ok(clients.segmentation().watch_transitions(request).await?.into_inner())
    }

    fn read(response: Self::Response) -> (Vec<Change<Self::Place>>, Option<v1::WatchMark>) {
        let change = |it: v1::Transition| {
            let step = it.step.unwrap_or_default();
            Change { customer: it.customer_id, step, before: it.before, after: it.after }
        };
        (response.changes.into_iter().map(change).collect(), response.mark)
    }
}

/// What a watcher knows.
#[derive(Debug)]
struct Known<P> {
    places: BTreeMap<String, P>,
    /// Where to go on; nothing until the list is complete.
    cursor: String,
    /// Up to where everything was told.
    position: u64,
    /// How often the list was begun anew.
    lists: u64,
}

/// A watcher, which goes on until it is dropped with its task.
#[derive(Debug)]
pub(crate) struct Follower<W: Watched>(Arc<Mutex<Known<W::Place>>>);

impl<W: Watched> Clone for Follower<W> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<W: Watched> Default for Follower<W> {
    fn default() -> Self {
        let (places, cursor) = Default::default();
        Self(Arc::new(Mutex::new(Known { places, cursor, position: 0, lists: 0 })))
    }
}

impl<W: Watched> Follower<W> {
    fn known(&self) -> MutexGuard<'_, Known<W::Place>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where everybody stands; nothing before everything up to this position was told.
    pub(crate) fn places(&self, position: u64) -> Option<BTreeMap<String, W::Place>> {
        let known = self.known();
        (!known.cursor.is_empty() && known.position >= position).then(|| known.places.clone())
    }

    /// How often it began anew.
    pub(crate) fn lists(&self) -> u64 {
        self.known().lists
    }

    /// Follows for ever.
    pub(crate) async fn follow(self, clients: Clients, mut dice: Dice) {
        loop {
            let cursor = self.begins();
            let ended = match W::open(&clients, cursor).await {
                Ok(stream) => self.hears(stream, &mut dice).await,
                Err(status) => Err(status),
            };
            if let Err(status) = ended {
                assert!(status.code() == Code::OutOfRange || may_pass(&status), "{}: {status:?}", W::VIEW.name());
                if status.code() == Code::OutOfRange {
                    self.known().cursor.clear();
                }
                sleep(AGAIN).await;
            }
        }
    }

    /// Where to go on. Without a cursor the list is begun anew.
    fn begins(&self) -> String {
        let mut known = self.known();
        if known.cursor.is_empty() {
            known.places.clear();
            known.position = 0;
            known.lists += 1;
        }
        known.cursor.clone()
    }

    /// Hears all, or goes away in between.
    async fn hears(&self, mut stream: Streaming<W::Response>, dice: &mut Dice) -> Result<(), Status> {
        while let Some(response) = stream.message().await? {
            let (changes, mark) = W::read(response);
            let mut known = self.known();
            changes.into_iter().for_each(|change| known.apply(change));
            if let Some(mark) = mark {
                assert!(mark.position >= known.position, "{mark:?} after position {}", known.position);
                (known.cursor, known.position) = (mark.cursor, mark.position);
            }
            if dice.once_in(LEAVES_ONCE_IN) {
                return Ok(());
            }
        }
        panic!("a watch ends with a status")
    }
}

impl<P: Clone + PartialEq + Debug> Known<P> {
    fn apply(&mut self, change: Change<P>) {
        let (effect, follows) = (change.step.effect(), !self.cursor.is_empty());
        let had = match change.after.clone() {
            Some(place) if effect != v1::WatchEffect::Left => self.places.insert(change.customer.clone(), place),
            _ => self.places.remove(&change.customer),
        };
        // Who is erased or withdrew consent is told to be gone, and nothing of where they were.
        let silenced = effect == v1::WatchEffect::Left && change.before.is_none();
        assert!(
            !follows || silenced || had == change.before,
            "a change is missing, or comes twice: {had:?} {change:?}"
        );
        if follows {
            self.cursor.clone_from(&change.step.cursor);
        }
    }
}
