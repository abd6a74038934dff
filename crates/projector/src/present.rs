//! What "now" is to a generation: this machine's clock, bounded by what the log has recorded and by a pause.

use std::sync::atomic::{AtomicU64, Ordering};

use touchpoint::{MAX_CLOCK_LEAD, Timestamp};

/// The present of a generation. Instants are kept in microseconds; 0 is none.
#[derive(Debug, Default)]
pub(crate) struct Present {
    /// The latest recorded_at that was taken in.
    recorded: AtomicU64,
    /// When the view was paused, while it is.
    stands_at: AtomicU64,
}

impl Present {
    /// Never before what the log has recorded, whatever this machine's clock says: so that who reads what they have just
    /// written, finds it. But it is not taken far ahead by one wrong stamp. Never after the instant at which it stands
    /// still, but for what the log has recorded.
    pub(crate) fn at_least(&self, now: Timestamp) -> Timestamp {
        let stands_at = self.stands_at.load(Ordering::Relaxed);
        let now = if stands_at == 0 { now } else { now.min(Timestamp::from_micros(stands_at.cast_signed())) };
        let latest = now.plus_micros(MAX_CLOCK_LEAD);
        self.last_recorded_at().map_or(now, |recorded| now.max(recorded.min(latest)))
    }

    /// The log has recorded something at this instant.
    pub(crate) fn recorded(&self, at: Timestamp) {
        self.recorded.fetch_max(u64::try_from(at.micros()).unwrap_or_default(), Ordering::Relaxed);
    }

    /// The latest instant at which the log has recorded what was taken in since the start.
    pub(crate) fn last_recorded_at(&self) -> Option<Timestamp> {
        let micros = i64::try_from(self.recorded.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        (micros > 0).then(|| Timestamp::from_micros(micros))
    }

    /// From now on time stands still at this instant, or goes on.
    pub(crate) fn stand_still(&self, at: Option<Timestamp>) {
        let micros = at.map_or(0, |at| u64::try_from(at.micros()).unwrap_or(1));
        self.stands_at.store(micros, Ordering::Relaxed);
    }

    /// Time stands still.
    pub(crate) fn stands(&self) -> bool {
        self.stands_at.load(Ordering::Relaxed) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_micros(1_900_000_000_000_000);

    #[test]
    fn it_is_not_before_what_was_recorded_and_not_far_ahead_of_the_clock() {
        let present = Present::default();
        assert_eq!(present.at_least(NOON), NOON);
        present.recorded(NOON.plus_micros(5));
        present.recorded(NOON);
        assert_eq!(present.at_least(NOON), NOON.plus_micros(5));
        assert_eq!(present.at_least(NOON.plus_micros(6)), NOON.plus_micros(6));
        present.recorded(NOON.plus_micros(10 * MAX_CLOCK_LEAD));
        assert_eq!(present.at_least(NOON), NOON.plus_micros(MAX_CLOCK_LEAD));
    }

    #[test]
    fn while_it_stands_still_only_what_is_recorded_moves_it() {
        let (present, later) = (Present::default(), NOON.plus_micros(9));
        present.stand_still(Some(NOON));
        assert_eq!((present.at_least(later), present.stands()), (NOON, true));
        present.recorded(NOON.plus_micros(5));
        assert_eq!(present.at_least(later), NOON.plus_micros(5));
        present.stand_still(None);
        assert_eq!((present.at_least(later), present.stands()), (later, false));
    }
}
