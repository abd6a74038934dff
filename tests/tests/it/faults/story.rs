//! A history to send while things break, and what is asked of the views afterwards.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use api::v1;
use history::believable::{Config, Population};
use history::{Arrival, Order, arrange};
use tests::{CONTROL_MESSAGES, Clients, Imported, Machine, PATIENCE, View, import, instant, json};
use tokio::sync::watch;
use tonic::Status;
use touchpoint::Timestamp;

/// Enough that things break in the middle of it.
const CUSTOMERS: u64 = 300;
/// Pause before a broken import goes on.
const AGAIN: Duration = Duration::from_millis(20);

/// The bodies of a believable history, duplicates among them, in this order of arrival.
pub(crate) fn bodies(order: Order) -> Vec<Vec<u8>> {
    let (sent, _) = Population::new(Config::new(CUSTOMERS, 11, instant("2026-01-01T00:00:00Z"))).sent();
    let arrival = Arrival { order, start: Timestamp::MIN, import: true };
    arrange(&sent, arrival).into_iter().map(|arrived| arrived.body).collect()
}

/// How many different events there are.
pub(crate) fn distinct(bodies: &[Vec<u8>]) -> usize {
    bodies.iter().collect::<HashSet<_>>().len()
}

/// Imports without pause until everything is recorded: what has no outcome is sent again, to wherever the gateway
/// listens by then. Gives the last position.
pub(crate) async fn import_all(gateway: watch::Receiver<SocketAddr>, bodies: &[Vec<u8>]) -> u64 {
    let (mut done, mut last, begun) = (0, 0, Instant::now());
    while done < bodies.len() {
        assert!(begun.elapsed() < PATIENCE, "{done} of {} events are imported", bodies.len());
        let clients = Clients::of(*gateway.borrow());
        let items = bodies[done..].iter().map(|body| json(&**body)).collect();
        let Imported { outcomes, broken, .. } = import(&clients, items).await;
        for outcome in &outcomes {
            let v1::import_outcome::Result::Recorded(recorded) = outcome else { panic!("refused: {outcome:?}") };
            last = last.max(recorded.position);
        }
        done += outcomes.len();
        assert!(broken.is_some() || done == bodies.len(), "an import that does not break takes everything");
        if broken.is_some() {
            tokio::time::sleep(AGAIN).await;
        }
    }
    last
}

/// The log has every event once.
pub(crate) async fn whole_log(machine: &Machine, bodies: &[Vec<u8>]) {
    let entries = machine.log_entries().await;
    let found: HashSet<_> = entries[CONTROL_MESSAGES..].iter().map(|entry| entry.body.to_vec()).collect();
    assert_eq!(found.len() + CONTROL_MESSAGES, entries.len(), "every event is there once");
    assert!(found == bodies.iter().cloned().collect(), "what was acknowledged is there, and nothing else");
}

/// What a generation has folded.
pub(crate) type Folded = (u64, String, String, u64, u64);

pub(crate) fn folded(it: &v1::Generation) -> Folded {
    assert_eq!(it.parked, 0);
    (it.digest_position, it.digest.clone(), it.content_digest.clone(), it.customers, it.erased)
}

/// The view equals its rebuild, and a fold of the same log by a fresh projector.
pub(crate) async fn equals_refolds(machine: &Machine, view: View, reader: &Clients, last: u64) -> Folded {
    reader.serving(view.service()).await;
    let resumed = folded(&reader.reached(last).await);
    assert_eq!(resumed.0, last, "nobody writes any more");
    let rebuilt = folded(&reader.rebuilt().await);
    assert_eq!(resumed, rebuilt, "{} by its rebuild", view.name());
    let name = format!("fresh-{}", view.name());
    let mut fresh = machine.projector_on(&name, view, &machine.folder().join(&name));
    let anew = Clients::of(fresh.address());
    anew.serving(view.service()).await;
    let anew = folded(&anew.reached(last).await);
    assert_eq!(resumed, anew, "{} by a fresh projector", view.name());
    fresh.never_panicked();
    resumed
}

/// Asks a view about everybody: the position of its answer.
pub(crate) async fn ask(reader: &Clients, view: View) -> Result<u64, Status> {
    let meta = match view {
        View::Segmentation => {
            reader.segmentation().count_members(v1::CountMembersRequest::default()).await?.into_inner().meta
        }
        View::Satisfaction => {
            reader.satisfaction().count_classes(v1::CountClassesRequest::default()).await?.into_inner().meta
        }
        View::Churn => reader.churn().count_bands(v1::CountBandsRequest::default()).await?.into_inner().meta,
    };
    Ok(meta.unwrap().position)
}
