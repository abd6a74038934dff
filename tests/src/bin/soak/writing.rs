//! Callers that import and record, and read what they have written.

use std::sync::Arc;
use std::time::{Duration, Instant};

use api::v1;
use api::v1::import_outcome::Result as Outcome;
use tests::{Clients, Imported, PATIENCE, View, import, json, may_pass, visit};
use tokio::time::sleep;
use tonic::Code;
use touchpoint::{CustomerId, EventId};

use crate::ask::{self, now};
use crate::dice::Dice;
use crate::run::Shared;
use crate::story::Story;
use crate::told;

/// Pause before something is sent again.
const AGAIN: Duration = Duration::from_millis(50);
/// Most pause between two imports, in milliseconds.
const IMPORT_PAUSE_MILLIS: u64 = 2_500;
/// Most pause between two events of one recorder, in milliseconds.
const RECORD_PAUSE_MILLIS: u64 = 60;

/// Imports the story, part by part, until it is told to stop.
pub(crate) async fn imports(shared: Arc<Shared>, mut story: Story, mut dice: Dice) -> Story {
    while !shared.stop.is_cancelled() {
        import_all(&shared, story.next(&mut dice)).await;
        pause(&shared, dice.between(0, IMPORT_PAUSE_MILLIS)).await;
    }
    story
}

/// Imports until every body has an outcome.
async fn import_all(shared: &Shared, bodies: Vec<Vec<u8>>) {
    shared.ledger.means(&bodies);
    let (mut done, begun) = (0, Instant::now());
    while done < bodies.len() {
        assert!(begun.elapsed() < PATIENCE, "{done} of {} events are imported", bodies.len());
        let items = bodies[done..].iter().map(|body| json(&**body)).collect();
        let Imported { outcomes, broken, .. } = import(&shared.gateway, items).await;
        for (body, outcome) in bodies[done..].iter().zip(&outcomes) {
            match outcome {
                Outcome::Recorded(recorded) => shared.ledger.imported(recorded.position, body.clone()),
                Outcome::Refused(refusal) => {
                    let may_be = [v1::ImportRefusalReason::Invalid, v1::ImportRefusalReason::Conflict];
                    assert!(may_be.contains(&refusal.reason()), "{refusal:?}: {}", String::from_utf8_lossy(body));
                    shared.ledger.refused();
                }
            }
        }
        done += outcomes.len();
        if let Some(status) = broken {
            assert!(may_pass(&status), "an import: {status:?}");
            sleep(AGAIN).await;
        }
    }
}

async fn pause(shared: &Shared, millis: u64) {
    shared.stop.run_until_cancelled(sleep(Duration::from_millis(millis))).await;
}

/// Records events of customers of its own, and reads each until it is told to stop.
pub(crate) async fn records(shared: Arc<Shared>, mut dice: Dice) {
    let mut alive: Vec<CustomerId> = Vec::new();
    while !shared.stop.is_cancelled() {
        if dice.once_in(25) && alive.len() > 1 {
            let customer = alive.swap_remove(0);
            shared.ledger.erases();
            let erasure = v1::touchpoint::Event::CustomerErased(v1::CustomerErased {});
            let position = record(&shared, customer, Some(erasure), &mut dice).await;
            reads(&shared, customer, position, false, &mut dice).await;
        } else {
            let customer = if dice.once_in(3) && !alive.is_empty() { *dice.pick(&alive) } else { new(&mut dice) };
            let position = record(&shared, customer, None, &mut dice).await;
            reads(&shared, customer, position, true, &mut dice).await;
            if !alive.contains(&customer) {
                alive.push(customer);
            }
        }
        pause(&shared, dice.between(0, RECORD_PAUSE_MILLIS)).await;
    }
}

fn new(dice: &mut Dice) -> CustomerId {
    CustomerId::from_u128(dice.bits())
}

/// Records an event, by default a visit, until it is acknowledged.
async fn record(shared: &Shared, customer: CustomerId, event: Option<v1::touchpoint::Event>, dice: &mut Dice) -> u64 {
    let id = EventId::from_u128(dice.bits());
    let mut touchpoint = visit(customer, id, now());
    touchpoint.event = event.or(touchpoint.event);
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let request = v1::RecordRequest { touchpoint: Some(touchpoint.clone()), expected_revision: None };
        if let Some(answer) = told::answer("Record", shared.gateway.touchpoints().record(request).await) {
            shared.ledger.recorded(answer.position, customer, id);
            return answer.position;
        }
        sleep(AGAIN).await;
    }
    panic!("an event was not acknowledged within {PATIENCE:?}")
}

/// Whoever has written reads it, in one view: the customer is known by then, or is not any more.
async fn reads(shared: &Shared, customer: CustomerId, position: u64, known: bool, dice: &mut Dice) {
    let view = *dice.pick(&View::ALL);
    let query = v1::ViewQuery { min_position: position, ..Default::default() };
    let before = shared.floors.before(view);
    let clients: &Clients = &shared.readers[view as usize];
    match ask::one(clients, view, customer, query).await {
        Ok((_, meta)) => {
            assert!(known, "{} knows {customer} at {}, who is erased at {position}", view.name(), meta.position);
            assert!(
                meta.position >= position,
                "{} answers at {} whoever waits for {position}",
                view.name(),
                meta.position
            );
            shared.floors.answered(view, before, meta.position);
        }
        Err(status) if status.code() == Code::NotFound => {
            assert!(!known, "{} does not know {customer} of position {position}", view.name());
        }
        Err(status) => assert!(may_pass(&status), "{} about {customer}: {status:?}", view.name()),
    }
}
