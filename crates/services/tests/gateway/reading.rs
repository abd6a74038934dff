//! Timelines and replays.

use std::time::{Duration, Instant};

use api::v1;
use api::v1::replay_request::Start;
use api::v1::replay_response::Result as Answer;
use api::v1::timeline_service_client::TimelineServiceClient;
use api::v1::touchpoint_service_client::TouchpointServiceClient;
use futures::StreamExt;
use tonic::Code;
use tonic::transport::Channel;
use touchpoint::CustomerId;

use crate::support::{Running, fields, refusal, start, visit};

/// Three customers in turn, 30 visits at positions 2 to 31; every fifth event is a loss instead, in project P1.
async fn filled() -> Running {
    let running = start().await;
    let touchpoints = (0..30).map(|event| match event % 5 {
        4 => v1::Touchpoint {
            event: Some(v1::touchpoint::Event::LeadLost(v1::LeadLost { reason: v1::LostReason::Price.into() })),
            project_id: Some("P1".to_owned()),
            ..visit(event % 3, event)
        },
        _ => visit(event % 3, event),
    });
    let batch = v1::RecordBatchRequest { touchpoints: touchpoints.collect() };
    TouchpointServiceClient::new(running.channel.clone()).record_batch(batch).await.unwrap();
    running
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_lead_through_a_timeline() {
    let running = filled().await;
    let mut client = TimelineServiceClient::new(running.channel.clone());
    let (mut positions, mut page_token) = (Vec::new(), String::new());
    loop {
        let customer_id = CustomerId::from_u128(1).to_string();
        let request = v1::GetTimelineRequest { customer_id, page_size: 4, page_token, include_json: true };
        let page = client.get_timeline(request).await.unwrap().into_inner();
        assert_eq!(page.revision, 30);
        assert!(page.events.iter().all(|event| !event.cloud_event_json.is_empty()));
        positions.extend(page.events.iter().map(|event| event.position));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert!(positions.into_iter().eq((3..=30).step_by(3)));
    let customer_id = CustomerId::from_u128(99).to_string();
    let unknown = client.get_timeline(v1::GetTimelineRequest { customer_id, ..Default::default() }).await.unwrap_err();
    assert_eq!(refusal(&unknown), (Code::NotFound, "CUSTOMER_NOT_FOUND".to_owned()));
}

/// The events that are given, and the last message.
async fn replayed(channel: &Channel, request: v1::ReplayRequest) -> (Vec<v1::RecordedTouchpoint>, v1::ReplayProgress) {
    let mut client = TimelineServiceClient::new(channel.clone());
    let mut answers = client.replay(request).await.unwrap().into_inner();
    let mut events = Vec::new();
    loop {
        match answers.next().await.unwrap().unwrap().result.unwrap() {
            Answer::Event(event) => events.push(event),
            Answer::Progress(progress) if progress.done => {
                assert!(answers.next().await.is_none());
                return (events, progress);
            }
            Answer::Progress(_) => {}
        }
    }
}

/// The positions that are given, and the last message.
async fn replay(channel: &Channel, request: v1::ReplayRequest) -> (Vec<u64>, v1::ReplayProgress) {
    let (events, end) = replayed(channel, request).await;
    (events.into_iter().map(|event| event.position).collect(), end)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_gives_a_range_by_type_and_resumes() {
    let running = filled().await;
    let from = |position| v1::ReplayRequest { start: Some(Start::FromPosition(position)), ..Default::default() };
    let (all, end) = replay(&running.channel, v1::ReplayRequest::default()).await;
    assert!(all.into_iter().eq(2..=31));
    assert_eq!(end, v1::ReplayProgress { position: 31, end: 31, done: true });

    let some = v1::ReplayRequest { max_events: Some(3), event_types: vec!["LeadLost".to_owned()], ..from(2) };
    let (first, end) = replay(&running.channel, some.clone()).await;
    assert_eq!((first, end.position), (vec![6, 11, 16], 16));
    let resumed = v1::ReplayRequest { to_position: Some(26), ..some };
    let resumed = v1::ReplayRequest { start: from(end.position + 1).start, ..resumed };
    assert_eq!(replay(&running.channel, resumed).await.0, [21, 26]);

    // Who is cut off goes on to the same end, which is said before anything else.
    let mut client = TimelineServiceClient::new(running.channel.clone());
    let mut answers = client.replay(v1::ReplayRequest { max_events: Some(1), ..from(5) }).await.unwrap().into_inner();
    let begun = v1::ReplayProgress { position: 4, end: 31, done: false };
    assert_eq!(answers.next().await.unwrap().unwrap().result, Some(Answer::Progress(begun)));

    let (nothing, end) = replay(&running.channel, from(32)).await;
    assert_eq!((nothing.len(), end.position, end.done), (0, 31, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_is_narrowed_to_customers_and_projects_and_slowed_down() {
    let running = filled().await;
    let customer_ids = vec![CustomerId::from_u128(1).to_string()];
    let request = v1::ReplayRequest { customer_ids, events_per_second: 20, ..Default::default() };
    let begun = Instant::now();
    let (given, end) = replay(&running.channel, request).await;
    assert!(given.into_iter().eq((3..=30).step_by(3)));
    assert_eq!((end.position, end.done), (31, true));
    // Nine waits of 50 ms, of which a late timer may make up for two.
    assert!(begun.elapsed() >= Duration::from_millis(350), "{:?}", begun.elapsed());

    let of = |project: &str| v1::ReplayRequest { project_ids: vec![project.to_owned()], ..Default::default() };
    assert!(replay(&running.channel, of("P1")).await.0.into_iter().eq((6..=31).step_by(5)));
    let (nothing, end) = replay(&running.channel, of("P2")).await;
    assert_eq!((nothing.len(), end.position, end.done), (0, 31, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_from_an_instant_begins_with_what_was_recorded_then() {
    let running = filled().await;
    for event in 30..33 {
        let request = v1::RecordRequest { touchpoint: Some(visit(0, event)), expected_revision: None };
        TouchpointServiceClient::new(running.channel.clone()).record(request).await.unwrap();
    }
    let from = |time| v1::ReplayRequest { start: Some(Start::FromRecordedAt(time)), ..Default::default() };
    let (all, _) = replayed(&running.channel, v1::ReplayRequest::default()).await;
    let instant = |it: &v1::RecordedTouchpoint| api::names::instant(it.recorded_at.as_ref().unwrap()).unwrap();
    let recorded: Vec<_> = all.iter().map(|it| (it.position, instant(it))).collect();
    assert!(recorded.len() == 33 && recorded[0].1 < recorded[32].1, "{recorded:?}");
    for (_, instant) in &recorded {
        for instant in [*instant, instant.plus_micros(1)] {
            let since = recorded.iter().filter(|(_, at)| *at >= instant).map(|(position, _)| *position);
            let (given, end) = replay(&running.channel, from(api::names::timestamp(instant))).await;
            assert!(given.iter().copied().eq(since), "from {instant}: {given:?} of {recorded:?}");
            assert_eq!(end, v1::ReplayProgress { position: 34, end: 34, done: true });
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_that_cannot_be_is_refused() {
    let running = filled().await;
    let mut client = TimelineServiceClient::new(running.channel.clone());
    let from = |position| v1::ReplayRequest { start: Some(Start::FromPosition(position)), ..Default::default() };
    let beyond = client.replay(from(33)).await.unwrap_err();
    assert_eq!(refusal(&beyond), (Code::OutOfRange, "BEYOND_HEAD".to_owned()));
    assert_eq!(fields(&client.replay(from(0)).await.unwrap_err()), ["from_position"]);
    let unknown = v1::ReplayRequest { event_types: vec!["Nothing".to_owned()], ..from(1) };
    assert_eq!(fields(&client.replay(unknown).await.unwrap_err()), ["event_types[0]"]);
    let customer_ids = vec!["nobody".to_owned()];
    let nobody = v1::ReplayRequest { customer_ids, ..Default::default() };
    assert_eq!(fields(&client.replay(nobody).await.unwrap_err()), ["customer_ids[0]"]);
}
