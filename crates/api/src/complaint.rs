//! States and clocks of complaints.

use touchpoint::Timestamp;
use views::complaint::{Clock, Outcome, State};

use crate::{names, v1};

const MICROS_PER_SECOND: i64 = 1_000_000;
const NANOS_PER_MICRO: i32 = 1_000;

/// The twin of a state.
pub const fn state(state: State) -> v1::ComplaintState {
    match state {
        State::Lodged => v1::ComplaintState::Lodged,
        State::Acknowledged => v1::ComplaintState::Acknowledged,
        State::Assessed => v1::ComplaintState::Assessed,
        State::InProgress => v1::ComplaintState::InProgress,
        State::Resolved => v1::ComplaintState::Resolved,
        State::Closed => v1::ComplaintState::Closed,
        State::Withdrawn => v1::ComplaintState::Withdrawn,
    }
}

/// The twin of an outcome.
pub const fn service_level(outcome: Outcome) -> v1::ServiceLevel {
    match outcome {
        Outcome::Met => v1::ServiceLevel::Met,
        Outcome::Breached => v1::ServiceLevel::Breached,
        Outcome::Pending => v1::ServiceLevel::Pending,
        Outcome::Withdrawn => v1::ServiceLevel::Withdrawn,
    }
}

/// A clock.
pub fn clock(clock: &Clock) -> v1::ServiceClock {
    v1::ServiceClock {
        level: service_level(clock.outcome).into(),
        taken: clock.taken.map(duration),
        limit: Some(duration(clock.limit)),
        due_at: clock.due.filter(|&due| due < Timestamp::MAX).map(names::timestamp),
    }
}

/// So many microseconds; seconds and nanos have the same sign, as protobuf wants it.
fn duration(micros: i64) -> prost_types::Duration {
    let nanos = (micros % MICROS_PER_SECOND) as i32 * NANOS_PER_MICRO;
    prost_types::Duration { seconds: micros / MICROS_PER_SECOND, nanos }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_clock_has_a_limit_and_an_end_but_no_time_taken() {
        let due = Timestamp::from_micros(1_500_000);
        let running = Clock { taken: None, limit: 3_600_000_001, due: Some(due), outcome: Outcome::Pending };
        let twin = clock(&running);
        assert_eq!(twin.level(), v1::ServiceLevel::Pending);
        assert_eq!(twin.taken, None);
        assert_eq!(twin.limit, Some(prost_types::Duration { seconds: 3_600, nanos: 1_000 }));
        assert_eq!(twin.due_at, Some(prost_types::Timestamp { seconds: 1, nanos: 500_000_000 }));
    }

    #[test]
    fn durations_below_zero_have_one_sign() {
        assert_eq!(duration(-1_000_001), prost_types::Duration { seconds: -1, nanos: -1_000 });
    }
}
