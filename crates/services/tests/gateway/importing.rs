//! Import.

use api::v1;
use api::v1::import_outcome::Result as Became;
use api::v1::import_request::Item;
use api::v1::import_response::Result as Answer;
use api::v1::touchpoint_service_client::TouchpointServiceClient as Client;
use futures::StreamExt;
use tonic::Code;
use tonic::transport::Channel;

use crate::support::{now, other_visit, start, visit};

async fn import(channel: &Channel, items: Vec<Item>) -> (Vec<v1::ImportOutcome>, v1::ImportSummary) {
    let requests = items.into_iter().zip(0..).map(|(item, sequence)| v1::ImportRequest { sequence, item: Some(item) });
    let requests = futures::stream::iter(requests.collect::<Vec<_>>());
    let mut answers = Client::new(channel.clone()).import(requests).await.unwrap().into_inner();
    let mut outcomes = Vec::new();
    loop {
        match answers.next().await.unwrap().unwrap().result.unwrap() {
            Answer::Outcome(outcome) => outcomes.push(outcome),
            Answer::Summary(summary) => {
                assert!(answers.next().await.is_none());
                return (outcomes, summary);
            }
        }
    }
}

fn json(touchpoint: &v1::Touchpoint) -> Item {
    Item::CloudEventJson(api::touchpoints::to_json(touchpoint))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_are_taken_in_order_and_sending_again_is_harmless() {
    const ITEMS: u128 = 6_000;
    let running = start().await;
    let items = || (0..ITEMS).map(|event| json(&visit(event / 8, event))).collect();
    let (outcomes, summary) = import(&running.channel, items()).await;
    assert!(outcomes.iter().map(|outcome| outcome.sequence).eq(0..ITEMS as u64));
    let last_position = ITEMS as u64 + 1;
    let expected = v1::ImportSummary { received: 6_000, recorded: 6_000, last_position, ..Default::default() };
    assert_eq!(summary, expected);
    let (_, again) = import(&running.channel, items()).await;
    assert_eq!(again, v1::ImportSummary { recorded: 0, duplicates: 6_000, ..expected });
    assert_eq!(running.log.last().await.unwrap().0, last_position);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_item_that_is_refused_does_not_stop_the_others() {
    let running = start().await;
    let history = v1::Touchpoint { first_recorded_at: Some(api::names::timestamp(now())), ..visit(1, 3) };
    let items = vec![
        Item::Touchpoint(visit(1, 1)),
        Item::CloudEventJson(b"{".to_vec()),
        Item::Touchpoint(v1::Touchpoint { source: String::new(), ..visit(1, 2) }),
        Item::Touchpoint(history),
        Item::Touchpoint(other_visit(1, 1)),
    ];
    let (outcomes, summary) = import(&running.channel, items).await;
    assert_eq!((summary.received, summary.recorded, summary.refused), (5, 2, 3));
    let refusal = |index: usize| match outcomes[index].result.clone().unwrap() {
        Became::Refused(refusal) => refusal,
        Became::Recorded(_) => panic!("item {index} is recorded"),
    };
    assert_eq!(refusal(1).reason(), v1::ImportRefusalReason::Invalid);
    assert_eq!(refusal(2).violations[0].field, "source");
    assert_eq!(refusal(4).reason(), v1::ImportRefusalReason::Conflict);
    assert_eq!(refusal(4).violations[0].field, "id");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_goes_down_answers_what_it_took_and_says_so() {
    let running = start().await;
    let (sender, items) = tokio::sync::mpsc::channel(4);
    let items = tokio_stream::wrappers::ReceiverStream::new(items);
    let item = |event| v1::ImportRequest { sequence: event, item: Some(Item::Touchpoint(visit(1, event.into()))) };
    sender.send(item(1)).await.unwrap();
    let mut answers = Client::new(running.channel.clone()).import(items).await.unwrap().into_inner();
    assert!(matches!(answers.next().await.unwrap().unwrap().result, Some(Answer::Outcome(_))));
    running.stop.cancel();
    let end = answers.next().await.unwrap().unwrap_err();
    assert_eq!(end.code(), Code::Unavailable);
}
