//! Replays of the whole log, which go on where they were cut.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::v1;
use api::v1::replay_response::Result as Replayed;
use event_log::{Entry, Subject};
use tests::Clients;
use tokio::time::sleep;

use crate::dice::Dice;
use crate::run::Shared;
use crate::told;

/// Pause before a replay goes on, and between two.
const PAUSE: Duration = Duration::from_millis(200);
/// Events a second, so that a replay is cut now and then.
const RATES: [u32; 3] = [0, 500, 2_000];

/// Positions that replays have given, each with the end of its replay.
#[derive(Debug, Default)]
pub(crate) struct Replays(Mutex<Vec<(u64, Vec<u64>)>>);

impl Replays {
    fn add(&self, end: u64, positions: Vec<u64>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((end, positions));
    }

    /// Each had all events up to its end, each once, in order. Gives how many there were, and forgets them.
    ///
    /// # Panics
    /// If one had not.
    pub(crate) fn had_all(&self, log: &[Entry]) -> usize {
        let replays = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let events = log.iter().filter(|entry| matches!(entry.subject, Subject::Customer(_)));
        let events: Vec<_> = events.map(|entry| entry.position.0).collect();
        for (end, positions) in &replays {
            let wanted = &events[..events.partition_point(|position| position <= end)];
            assert!(wanted == positions, "a replay up to {end} gave {positions:?}");
        }
        replays.len()
    }
}

/// Replays the log until it is told to stop.
pub(crate) async fn replays(shared: Arc<Shared>, mut dice: Dice) {
    while !shared.stop.is_cancelled() {
        let (mut positions, mut end) = (Vec::new(), None);
        let rate = *dice.pick(&RATES);
        while !shared.stop.is_cancelled() {
            if part(&shared.gateway, rate, &mut positions, &mut end).await {
                shared.replays.add(end.unwrap_or_default(), positions);
                break;
            }
            sleep(PAUSE).await;
        }
        sleep(PAUSE).await;
    }
}

/// Goes on after the last position; true once the end is reached.
async fn part(gateway: &Clients, rate: u32, positions: &mut Vec<u64>, end: &mut Option<u64>) -> bool {
    let from = positions.last().map_or(1, |last| last + 1);
    let request = v1::ReplayRequest {
        start: Some(v1::replay_request::Start::FromPosition(from)),
        to_position: *end,
        events_per_second: rate,
        ..Default::default()
    };
    let Some(mut stream) = told::answer("Replay", gateway.timelines().replay(request).await) else { return false };
    loop {
        match stream.message().await {
            Ok(Some(v1::ReplayResponse { result: Some(Replayed::Event(event)) })) => positions.push(event.position),
            Ok(Some(v1::ReplayResponse { result: Some(Replayed::Progress(progress)) })) => {
                *end = end.or(Some(progress.end));
                if progress.done {
                    return true;
                }
            }
            Ok(_) => panic!("a replay ends with its progress"),
            Err(status) => {
                assert!(tests::may_pass(&status), "a replay: {status:?}");
                return false;
            }
        }
    }
}
