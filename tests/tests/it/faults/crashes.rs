//! kill -9 of every process at many moments of an import.

use history::Order;
use tests::{CONTROL_MESSAGES, System, View};
use tokio::sync::watch;

use crate::faults::story::{ask, bodies, distinct, equals_refolds, import_all, whole_log};

/// The import goes in so many parts, and in the middle of each something is killed.
const PARTS: usize = 12;

/// Nothing is lost, nothing counts twice, and arrival order does not matter: late and duplicate events in an import
/// with crashes give the same as the events in their order without any.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_survives_the_crash_of_anything() {
    let shuffled = bodies(Order::Shuffled(5));
    let mut system = System::start().await;
    let (gateway, listens) = watch::channel(system.gateway.address());
    let mut last = 0;
    for (number, part) in shuffled.chunks(shuffled.len().div_ceil(PARTS)).enumerate() {
        let (part, listens, before) = (part.to_vec(), listens.clone(), system.machine.last_position().await.unwrap());
        let importing = tokio::spawn(async move { import_all(listens, &part).await });
        log_passes(&system, before).await;
        // Nothing is asked of the view: it is at any point between reading and committing.
        system.projector(View::ALL[number % View::ALL.len()]).crash();
        match number % 4 {
            1 => {
                system.gateway.crash();
                gateway.send_replace(system.gateway.address());
            }
            3 => {
                system.machine.nats.kill().unwrap();
                system.machine.nats.restart().unwrap();
            }
            _ => {}
        }
        last = importing.await.unwrap().max(last);
    }
    whole_log(&system.machine, &shuffled).await;
    assert_eq!(last, (distinct(&shuffled) + CONTROL_MESSAGES) as u64);

    // Everything again, after the crashes: duplicates have no second effect.
    for view in View::ALL {
        system.projector(view).crash();
        let reader = system.reader(view);
        let first = tests::until("the first answer", async || ask(&reader, view).await.ok()).await;
        assert!(first >= last, "{} answers at {first}, before the head {last} is reached", view.name());
    }
    assert!(import_all(listens, &shuffled[..shuffled.len() / 4]).await <= last);
    let in_order = in_order().await;
    for (view, wanted) in View::ALL.into_iter().zip(in_order) {
        let reader = system.reader(view);
        let found = equals_refolds(&system.machine, view, &reader, last).await;
        assert_eq!(found.2, wanted, "{}: the same events in another order", view.name());
    }
    system.never_panicked();
}

/// The digests of the content, by view, of an undisturbed import of the events in the order in which they occurred.
async fn in_order() -> [String; 3] {
    let bodies = bodies(Order::Occurred);
    let mut system = System::start().await;
    let last = import_all(system.gateway_listens(), &bodies).await;
    let mut digests = [const { String::new() }; 3];
    for view in View::ALL {
        digests[view as usize] = system.reader(view).reached(last).await.content_digest;
    }
    digests
}

/// Waits until the log goes beyond this position.
async fn log_passes(system: &System, position: u64) {
    let goes_on = async || system.machine.last_position().await.filter(|last| *last > position);
    tests::until(&format!("the log to pass {position}"), goes_on).await;
}
