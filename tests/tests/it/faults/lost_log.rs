//! A log that is lost while a projector reads it.

use std::time::{Duration, Instant};

use api::v1;
use history::Order;
use tests::{System, View, delete_stream};
use tonic::Code;
use tonic_types::StatusExt;

use crate::faults::story::{ask, bodies, equals_refolds, import_all};

/// How soon a lost log is to be noticed.
pub(crate) const NOTICED_WITHIN: Duration = Duration::from_secs(5);
/// What a look at the state may take on a busy machine.
pub(crate) const LOOK: Duration = Duration::from_secs(1);
pub(crate) const STREAM: &str = "TOUCHPOINTS";

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_made_again_is_noticed_and_a_rebuild_heals() {
    let (mut system, bodies) = (System::start().await, bodies(Order::Recorded));
    let (first, second) = bodies.split_at(bodies.len() / 2);
    let last = import_all(system.gateway_listens(), first).await;
    for view in View::ALL {
        system.reader(view).reached(last).await;
    }

    delete_stream(system.machine.nats.port(), STREAM);
    // Whoever may provision makes it anew: a gateway at its start.
    system.gateway.crash();
    system.writer().serving("lifefold.v1.TouchpointService").await;
    let again = Instant::now();
    for view in View::ALL {
        let reader = system.reader(view);
        tests::until(&format!("{} to notice", view.name()), async || {
            let status = reader.status().await?;
            (status.state() == v1::ProjectorState::Recreated).then_some(())
        })
        .await;
        assert!(again.elapsed() < NOTICED_WITHIN + LOOK, "{} noticed after {:?}", view.name(), again.elapsed());
        refuses(&reader, view, "RECREATED").await;
    }

    let last = import_all(system.gateway_listens(), second).await;
    for view in View::ALL {
        let reader = system.reader(view);
        refuses(&reader, view, "RECREATED").await;
        let rebuilt = reader.rebuilt().await;
        assert!(rebuilt.position >= last);
        equals_refolds(&system.machine, view, &reader, last).await;
    }
    system.never_panicked();
}

/// No answer for this reason, and health says so.
pub(crate) async fn refuses(reader: &tests::Clients, view: View, trouble: &str) {
    let health = reader.health(view.service()).await;
    assert_eq!(health, Some(tonic_health::ServingStatus::NotServing.into()), "{}", view.name());
    let told = ask(reader, view).await.err().unwrap_or_else(|| panic!("{} answers", view.name()));
    assert_eq!(told.code(), Code::Unavailable, "{told}");
    assert!(told.message().contains(trouble) && told.message().contains("rebuild"), "{told}");
    let reason = told.get_error_details().error_info().map(|info| info.reason.clone());
    assert_eq!(reason.as_deref(), Some(trouble));
}
