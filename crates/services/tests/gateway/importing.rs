//! Import.

use std::time::Duration;

use api::v1;
use api::v1::import_outcome::Result as Became;
use api::v1::import_request::Item;
use api::v1::import_response::Result as Answer;
use api::v1::touchpoint_service_client::TouchpointServiceClient as Client;
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};

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
    let (sender, items) = mpsc::channel(4);
    let items = ReceiverStream::new(items);
    let item = |event| v1::ImportRequest { sequence: event, item: Some(Item::Touchpoint(visit(1, event.into()))) };
    sender.send(item(1)).await.unwrap();
    let mut answers = Client::new(running.channel.clone()).import(items).await.unwrap().into_inner();
    assert!(matches!(answers.next().await.unwrap().unwrap().result, Some(Answer::Outcome(_))));
    running.stop.cancel();
    let end = answers.next().await.unwrap().unwrap_err();
    assert_eq!(end.code(), Code::Unavailable);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_reads_no_outcomes_is_not_read_from() {
    /// Many more than the gateway holds, in its window and in the buffers of the connection.
    const ITEMS: u64 = 12_000;
    const HELD: u64 = 6_000;
    /// After so long without room for an item there is none.
    const STALLED: Duration = Duration::from_secs(2);
    let running = start().await;
    let endpoint = Endpoint::from_shared(format!("http://{}", running.address)).unwrap();
    // Unread outcomes are bytes on their way: the fewer fit there, the sooner the gateway waits.
    let channel = endpoint.initial_stream_window_size(4 * 1024).connect().await.unwrap();
    let (sender, items) = mpsc::channel(1);
    let item = |event: u64| {
        let item = Some(json(&visit(u128::from(event / 8), event.into())));
        v1::ImportRequest { sequence: event, item }
    };
    let mut answers = Client::new(channel).import(ReceiverStream::new(items)).await.unwrap().into_inner();
    let mut sent = 0;
    while sent < ITEMS && timeout(STALLED, sender.send(item(sent))).await.is_ok() {
        sent += 1;
    }
    assert!(sent <= HELD, "{sent} items were taken while no outcome was read");
    assert!(running.log.last().await.unwrap().0 <= sent + 1);

    let rest = tokio::spawn(async move {
        for event in sent..ITEMS {
            sender.send(item(event)).await.unwrap();
        }
    });
    for sequence in 0..ITEMS {
        let answer = answers.next().await.unwrap().unwrap().result.unwrap();
        assert!(matches!(answer, Answer::Outcome(outcome) if outcome.sequence == sequence));
    }
    let Some(Answer::Summary(summary)) = answers.next().await.unwrap().unwrap().result else { panic!("no summary") };
    assert_eq!((summary.received, summary.recorded), (ITEMS, ITEMS));
    rest.await.unwrap();
}
