//! A customer with as many events as the log takes of one.

use api::v1;
use event_log::MAX_CUSTOMER_EVENTS;
use tests::{CONTROL_MESSAGES, System, View, import, instant, visit};
use touchpoint::{CustomerId, EventId};

use crate::bad_input::told::{Expect, Told, check, trouble};

const FULL: CustomerId = CustomerId::from_u128(0xf);
const OTHER: CustomerId = CustomerId::from_u128(0xe);

fn touchpoint(customer: CustomerId, event: u64) -> v1::Touchpoint {
    visit(customer, EventId::from_u128(event.into()), instant("2025-03-01T08:00:00Z"))
}

fn item(customer: CustomerId, event: u64) -> Option<v1::import_request::Item> {
    Some(v1::import_request::Item::Touchpoint(touchpoint(customer, event)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_customer_is_refused_by_name_and_hurts_nobody() {
    let mut system = System::start().await;
    let writer = system.writer();
    let beyond = MAX_CUSTOMER_EVENTS + 1;
    let mut items: Vec<_> = (1..=beyond).map(|event| item(FULL, event)).collect();
    items.extend((1..=100).map(|event| item(OTHER, event)));
    let imported = import(&writer, items).await;
    let summary = imported.summary.expect("the import ends");
    assert_eq!((summary.recorded, summary.refused), (MAX_CUSTOMER_EVENTS + 100, 1));
    // Which one it is, is up to the order in which they came to be written.
    let of_full = &imported.outcomes[..beyond as usize];
    let is_refused = |outcome: &v1::import_outcome::Result| matches!(outcome, v1::import_outcome::Result::Refused(_));
    let place = of_full.iter().position(is_refused).expect("one of them is refused");
    let full_item = Expect { kind: "refused CUSTOMER_FULL", fields: &[("subject", "10000 events")], message: &[] };
    check("one of 10,001 events", of_full[place].clone(), full_item);
    let (missed, known) = (place as u64 + 1, (place as u64 + 1) % beyond + 1);

    let record = async |touchpoint| {
        let request = v1::RecordRequest { touchpoint: Some(touchpoint), expected_revision: None };
        Told::from(writer.touchpoints().record(request).await)
    };
    let words = ["touchpoint", "subject", "10000 events", "no more"];
    let full = trouble("FAILED_PRECONDITION CUSTOMER_FULL", &words);
    check("Record", record(touchpoint(FULL, missed)).await, full);
    assert_eq!(record(touchpoint(FULL, known)).await.kind(), "OK", "a known event is still found");
    assert_eq!(record(touchpoint(OTHER, 101)).await.kind(), "OK");
    let sent = [touchpoint(OTHER, 102), touchpoint(FULL, missed)];
    for (touchpoints, item) in [(sent.to_vec(), "touchpoints[1]"), (sent.into_iter().rev().collect(), "touchpoints[0]")]
    {
        let batch = writer.touchpoints().record_batch(v1::RecordBatchRequest { touchpoints }).await;
        check("RecordBatch", batch, trouble("FAILED_PRECONDITION CUSTOMER_FULL", &[item, "10000 events"]));
    }

    // The views have both, and answer.
    let last = system.machine.last_position().await.unwrap();
    assert_eq!(last, CONTROL_MESSAGES as u64 + MAX_CUSTOMER_EVENTS + 101);
    for view in View::ALL {
        let reader = system.reader(view);
        tests::until(&format!("{} to know both", view.name()), async || {
            reader.status().await?.serving.filter(|serving| serving.position >= last && serving.customers == 2)
        })
        .await;
    }
    let request = v1::GetRiskRequest { customer_id: FULL.to_string(), query: None };
    let answer = system.reader(View::Churn).churn().get_risk(request).await.unwrap().into_inner();
    assert_eq!(answer.risk.unwrap().customer_id, FULL.to_string());
    system.never_panicked();
}
