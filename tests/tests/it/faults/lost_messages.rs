//! A log that loses messages in its middle: an alarm until an operator makes do with what is left, and only for what was
//! not known.

use std::time::Instant;

use api::v1;
use futures::StreamExt;
use history::Order;
use tests::{Clients, System, View, shrink_stream};

use crate::faults::lost_log::{LOOK, NOTICED_WITHIN, STREAM, refuses};
use crate::faults::story::{bodies, folded, import_all};

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_makes_do_with_what_is_left_and_a_further_loss_is_an_alarm_again() {
    let (mut system, bodies) = (System::start().await, bodies(Order::Recorded));
    let (first, second) = bodies.split_at(bodies.len() / 2);
    let last = import_all(system.gateway_listens(), first).await;
    for view in View::ALL {
        system.reader(view).reached(last).await;
    }
    let left = lose(&mut system, 8).await;
    assert!(left < last, "the log lost something");

    // The gateway goes on, also after a restart; the views do not.
    system.gateway.crash();
    system.writer().serving("lifefold.v1.TouchpointService").await;
    let last = import_all(system.gateway_listens(), second).await;
    for view in View::ALL {
        refuses(&system.reader(view), view, "GAP").await;
        assert!(system.reader(view).rebuilt().await.position >= last);
    }
    same_as_what_is_left(&mut system, last).await;

    // Neither a restart nor a fold of later events raises the alarm again.
    for view in View::ALL {
        system.projector(view).crash();
        let reader = system.reader(view);
        reader.serving(view.service()).await;
        reader.reached(last).await;
    }
    reads_over_the_holes(&system.writer(), last).await;
    lose(&mut system, 4).await;
    let churn = system.reader(View::Churn);
    churn.rebuilt().await;
    churn.serving(View::Churn.service()).await;
    refuses(&system.reader(View::Segmentation), View::Segmentation, "GAP").await;
    system.never_panicked();
}

/// Deletes all but the last messages of each customer; every view notices, and answers no more. Gives what is left.
async fn lose(system: &mut System, of_each: u64) -> u64 {
    let left = shrink_stream(system.machine.nats.port(), STREAM, of_each);
    let lost = Instant::now();
    for view in View::ALL {
        let reader = system.reader(view);
        tests::until(&format!("{} to notice", view.name()), async || {
            (reader.status().await?.state() == v1::ProjectorState::Gap).then_some(())
        })
        .await;
        assert!(lost.elapsed() < NOTICED_WITHIN + LOOK, "{} noticed after {:?}", view.name(), lost.elapsed());
        refuses(&reader, view, "GAP").await;
    }
    left
}

/// The views equal each other, and a system to which nothing else was ever sent than what is left.
async fn same_as_what_is_left(system: &mut System, last: u64) {
    let entries = system.machine.log_entries().await;
    let bodies: Vec<_> = entries[tests::CONTROL_MESSAGES..].iter().map(|entry| entry.body.to_vec()).collect();
    let mut other = System::start().await;
    let other_last = import_all(other.gateway_listens(), &bodies).await;
    for view in View::ALL {
        let healed = folded(&system.reader(view).reached(last).await);
        let wanted = folded(&other.reader(view).reached(other_last).await);
        assert_eq!((healed.2, healed.3, healed.4), (wanted.2, wanted.3, wanted.4), "{}", view.name());
    }

    // A store without a past does not know of the loss: it waits for its operator, too.
    let fresh = system.machine.projector_on("fresh", View::Churn, &system.machine.folder().join("fresh"));
    let mut fresh = fresh;
    let reader = Clients::of(fresh.address());
    tests::until("a fresh projector to notice", async || {
        (reader.status().await?.state() == v1::ProjectorState::Gap).then_some(())
    })
    .await;
    reader.rebuilt().await;
    reader.serving(View::Churn.service()).await;
    assert_eq!(folded(&reader.reached(last).await), folded(&system.reader(View::Churn).reached(last).await));
}

/// A replay of everything ends with the log, and a timeline has what is left of it.
async fn reads_over_the_holes(gateway: &Clients, last: u64) {
    let answers = gateway.timelines().replay(v1::ReplayRequest::default()).await.unwrap().into_inner();
    let answers: Vec<_> = answers.map(|answer| answer.unwrap().result.unwrap()).collect().await;
    let Some(v1::replay_response::Result::Progress(end)) = answers.last() else { panic!("no end: {answers:?}") };
    assert!(end.done && end.position == last, "{end:?}");
    let events = answers.iter().filter_map(|answer| match answer {
        v1::replay_response::Result::Event(event) => Some(event),
        v1::replay_response::Result::Progress(_) => None,
    });
    let events: Vec<_> = events.collect();
    assert!(events.windows(2).any(|pair| pair[1].position > pair[0].position + 1), "there are holes");
    let customer_id = customer(events[0]).unwrap();
    let wanted: Vec<_> =
        events.iter().filter(|event| customer(event) == Some(customer_id)).map(|event| event.position).collect();
    let request = v1::GetTimelineRequest { customer_id: customer_id.to_owned(), ..Default::default() };
    let timeline = gateway.timelines().get_timeline(request).await.unwrap().into_inner();
    assert_eq!(timeline.events.iter().map(|event| event.position).collect::<Vec<_>>(), wanted);
}

fn customer(event: &v1::RecordedTouchpoint) -> Option<&str> {
    match event.content.as_ref()? {
        v1::recorded_touchpoint::Content::Touchpoint(touchpoint) => Some(&touchpoint.customer_id),
        v1::recorded_touchpoint::Content::Unreadable(_) => None,
    }
}
