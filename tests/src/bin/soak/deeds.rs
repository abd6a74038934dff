//! What is asked of running services: each says in words what came of it.

use std::time::Duration;

use api::v1;
use bytes::Bytes;
use event_log::{Appender, Draft, Log, Options};
use tests::{Clients, View, visit};
use tokio::time::Instant;
use touchpoint::{CustomerId, EventId};
use views::rules::Rules;

use crate::ask::now;
use crate::dice::Dice;
use crate::operating::Deed;
use crate::told::done;

/// Events a second of a rebuild; 0 is as fast as possible.
const RATES: [u64; 3] = [0, 1_500, 6_000];
/// How long poison may take to be in the log.
const POISON_WITHIN: Duration = Duration::from_secs(20);
/// Other rules than those that everything begins with.
const OTHER_RULES: &str = r#"
[lifecycle]
lost_after_days = 60
[churn.reasons.SILENCE]
points_per_gap = 0
[[segments]]
name = "lost_ones"
when = { stage = ["LOST"] }
"#;

/// What an operator asks of a projector; in words what came of it.
pub(crate) async fn asks(clients: Clients, view: View, deed: Deed, mut dice: Dice, customer: CustomerId) -> String {
    let (mut projector, mut rebuilds, name) = (clients.projector(), clients.rebuilds(), view.name());
    let what = format!("{deed:?} {name}");
    let came_of = match deed {
        Deed::Rebuild => {
            let request = v1::RebuildRequest { max_events_per_second: *dice.pick(&RATES), accept: dice.once_in(3) };
            done(&what, projector.rebuild(request).await).map(|it| format!("{it:?}"))
        }
        Deed::Accept => done(&what, rebuilds.accept_rebuild(v1::AcceptRebuildRequest {}).await).map(|_| String::new()),
        Deed::Cancel => {
            done(&what, rebuilds.cancel_rebuild(v1::CancelRebuildRequest {}).await).map(|it| format!("{it:?}"))
        }
        Deed::RollBack => done(&what, rebuilds.roll_back(v1::RollBackRequest {}).await).map(|it| format!("{it:?}")),
        Deed::Retire => {
            done(&what, rebuilds.retire_previous(v1::RetirePreviousRequest {}).await).map(|it| format!("{it:?}"))
        }
        Deed::Pause => {
            let request = v1::PauseRequest { by: "soak".to_owned(), reason: "at random".to_owned() };
            done(&what, projector.pause(request).await).map(|it| format!("{it:?}"))
        }
        Deed::Resume => done(&what, projector.resume(v1::ResumeRequest {}).await).map(|_| String::new()),
        Deed::Retry => done(&what, projector.retry_parked(v1::RetryParkedRequest::default()).await).map(|it| {
            let still = |it: &v1::RetriedEvent| it.outcome() != v1::RetryOutcome::Read;
            assert!(it.events.iter().all(still), "nobody can read poison: {it:?}");
            format!("{} events", it.events.len())
        }),
        _ => {
            let request = v1::RebuildCustomerRequest { customer_id: customer.to_string() };
            done(&what, rebuilds.rebuild_customer(request).await).map(|it| {
                assert_eq!(it.differences, 0, "{name} was wrong: {it:?}");
                format!("as far as {}", it.position)
            })
        }
    };
    match came_of {
        Ok(done) => format!("{what}: {done}"),
        Err(reason) => format!("{what} not now: {reason}"),
    }
}

/// Puts other rules in force, or those again that everything began with.
pub(crate) async fn activate(gateway: Clients, others: bool) -> String {
    let text = if others { OTHER_RULES.to_owned() } else { Rules::default().to_toml() };
    let request = v1::ActivateRulesRequest { text, expected_version: None, note: "soak".to_owned() };
    let came_of = done("ActivateRules", gateway.rules().activate_rules(request).await);
    format!("Activate: {came_of:?}")
}

/// Writes what nobody can read past the gateway.
pub(crate) async fn poison(url: String, customer: CustomerId, id: EventId) -> String {
    let Ok(log) = Log::open(&Options::new(url)).await else { return "Poison not now".to_owned() };
    let body = match id.as_u128() % 3 {
        0 => format!("not an event: {id}"),
        1 => format!(r#"{{"specversion":"1.0","id":"{id}","type":"HouseBlessed","subject":"{customer}"}}"#),
        _ => format!("{{\"id\":\"{id}\""),
    };
    let draft = Draft { customer, event: id, body: Bytes::from(body) };
    let until = Instant::now() + POISON_WITHIN;
    match Appender::start(log).append(draft, None, until).await {
        Ok(appended) => format!("Poison at {}", appended.position),
        Err(error) => format!("Poison not now: {error}"),
    }
}

/// Gives a parked event up: the customer's log says that it counts for nothing.
pub(crate) async fn drop_parked(reader: Clients, gateway: Clients, view: View, id: u128) -> String {
    let listed = reader.projector().list_parked(v1::ListParkedRequest::default()).await;
    let Ok(listed) = done("ListParked", listed) else { return "Drop not now".to_owned() };
    let Some(parked) = listed.events.first() else { return format!("Drop: {} has nothing parked", view.name()) };
    let void =
        v1::EventVoided { target_event_id: None, target_position: Some(parked.position), reason: "POISON".to_owned() };
    let customer = parked.customer_id.parse().unwrap_or_else(|error| panic!("{parked:?}: {error}"));
    let mut touchpoint = visit(customer, EventId::from_u128(id), now());
    touchpoint.event = Some(v1::touchpoint::Event::EventVoided(void));
    let request = v1::RecordRequest { touchpoint: Some(touchpoint), expected_revision: None };
    let came_of = done("Record", gateway.touchpoints().record(request).await);
    format!("Drop {}: {came_of:?}", parked.position)
}
