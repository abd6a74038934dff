//! SIGTERM under load.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tests::{Recorder, System, View, instant};

/// How long a process may take to go down.
const DOWN_WITHIN: Duration = Duration::from_secs(10);
const CALLERS: u128 = 4;
/// Events that are acknowledged before each signal.
const BEFORE: usize = 50;

#[tokio::test(flavor = "multi_thread")]
async fn everything_goes_down_in_order_and_in_time() {
    let mut system = System::start().await;
    let recorder = Recorder::start(CALLERS, system.gateway.address(), instant("2025-03-01T08:00:00Z"));
    for view in View::ALL {
        recorder.more(BEFORE).await;
        let projector = system.projector(view);
        in_time(projector);
        projector.start();
    }
    recorder.more(BEFORE).await;
    in_time(&mut system.gateway);
    system.gateway.start();
    recorder.gateway_moved(system.gateway.address());
    recorder.more(BEFORE).await;
    let acknowledged = recorder.stop().await;

    let entries = system.machine.log_entries().await;
    let bodies: HashMap<u64, &[u8]> = entries.iter().map(|entry| (entry.position.0, &*entry.body)).collect();
    for one in &acknowledged {
        let found: serde_json::Value = serde_json::from_slice(bodies[&one.position]).unwrap();
        assert_eq!(found["id"], one.event.to_string());
    }
    let last = entries.last().unwrap().position.0;
    for view in View::ALL {
        let reader = system.reader(view);
        reader.serving(view.service()).await;
        assert_eq!(reader.reached(last).await.digest, reader.rebuilt().await.digest, "{}", view.name());
    }
    system.never_panicked();
}

fn in_time(service: &mut tests::Service) {
    let begun = Instant::now();
    service.terminate();
    assert_eq!(service.wait().code(), Some(0), "{service:?}");
    assert!(begun.elapsed() < DOWN_WITHIN, "{service:?} took {:?}", begun.elapsed());
}
