//! What the log has lost: positions up to its end that hold no message any more.
//!
//! The flags of the stream forbid to delete messages, but an administrator's update can still shrink it. A lost
//! position never comes back within one stream and is never given again, so two losses of one log with the same number
//! of positions are the same loss.

use touchpoint::Position;

use crate::error::{Broken, CheckError, ReadError};
use crate::stream::{AskError, Log};
use crate::wire::StreamState;

/// The most lost positions between others that a reader passes over: the server sends them as one list of numbers,
/// about 8 bytes each. What was lost before the first message does not count.
pub const MAX_LOST_BETWEEN: u64 = 1_000_000;

/// Every lost position.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    /// Everything before this position is lost.
    first: u64,
    /// Those after it, ascending.
    between: Vec<u64>,
}

impl Lost {
    pub(crate) fn new(state: StreamState) -> Self {
        let mut between = state.deleted;
        between.sort_unstable();
        Self { first: state.first_seq, between }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.first.saturating_sub(1) + self.between.len() as u64
    }

    /// Whether all positions from `first` on and before `end` are lost.
    pub(crate) fn covers(&self, first: Position, end: Position) -> bool {
        let first = first.0.max(self.first);
        let wanted = end.0.saturating_sub(first);
        let from = self.between.partition_point(|lost| *lost < first);
        let to = self.between.partition_point(|lost| *lost < end.0);
        (to - from) as u64 == wanted
    }

    /// The greatest position up to this one that is not lost; zero if there is none.
    pub(crate) fn last_present(&self, at_most: Position) -> Position {
        let mut position = at_most.0;
        let mut lost = self.between.partition_point(|lost| *lost <= position);
        while lost > 0 && self.between[lost - 1] == position {
            lost -= 1;
            position -= 1;
        }
        if position < self.first { Position::ZERO } else { Position(position) }
    }
}

impl Log {
    /// Every lost position as it is now.
    async fn lost(&self) -> Result<Lost, CheckError> {
        let unavailable = |error: AskError| CheckError::Unavailable(error.to_string());
        let between = self.stream_info().await.map_err(unavailable)?.state.num_deleted;
        if between > MAX_LOST_BETWEEN {
            let more = format!("more than the {MAX_LOST_BETWEEN} that can be passed over: restore the log");
            return Err(Broken::Gap(format!("{between} messages between others are missing, {more}")).into());
        }
        Ok(Lost::new(self.stream_info_with_lost().await.map_err(unavailable)?.state))
    }

    /// The last position up to this one that holds a message; zero if there is none.
    pub async fn last_up_to(&self, at_most: Position) -> Result<Position, ReadError> {
        let last = self.last().await?;
        if at_most >= last {
            return Ok(last);
        }
        match self.get(at_most).await? {
            Some(_) => Ok(at_most),
            None => match self.lost().await {
                Ok(lost) => Ok(lost.last_present(at_most)),
                Err(error) => Err(ReadError::Unavailable(error.to_string())),
            },
        }
    }

    /// Every lost position, if they are so many; without a question where there are none.
    pub(crate) async fn lost_of(&self, count: u64) -> Result<Lost, CheckError> {
        if count == 0 {
            return Ok(Lost::default());
        }
        let lost = self.lost().await?;
        if lost.count() != count {
            return Err(CheckError::Unavailable("the log loses messages at this moment".to_owned()));
        }
        Ok(lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(first: u64, between: &[u64]) -> Lost {
        Lost { first, between: between.to_vec() }
    }

    #[test]
    fn a_hole_is_passed_over_only_if_all_of_it_is_lost() {
        let cases = [
            (lost(1, &[4, 5, 9]), 4, 6, true),
            (lost(1, &[4, 5, 9]), 4, 7, false),
            (lost(1, &[4, 5, 9]), 3, 6, false),
            (lost(1, &[4, 5, 9]), 9, 10, true),
            (lost(6, &[]), 1, 6, true),
            (lost(6, &[]), 3, 7, false),
            (lost(6, &[7]), 2, 6, true),
            (lost(0, &[]), 1, 2, false),
        ];
        for (lost, first, end, expect) in cases {
            assert_eq!(lost.covers(Position(first), Position(end)), expect, "{lost:?} {first}..{end}");
        }
    }

    #[test]
    fn the_last_present_position_is_before_the_hole() {
        let cases = [
            (lost(1, &[4, 5, 9]), 5, 3),
            (lost(1, &[4, 5, 9]), 6, 6),
            (lost(1, &[4, 5, 9]), 9, 8),
            (lost(4, &[5, 6]), 6, 4),
            (lost(4, &[5, 6]), 3, 0),
            (lost(17, &[]), 16, 0),
            (lost(0, &[]), 0, 0),
        ];
        for (lost, at_most, expect) in cases {
            assert_eq!(lost.last_present(Position(at_most)), Position(expect), "{lost:?} {at_most}");
        }
    }

    #[test]
    fn lost_positions_are_counted_at_the_beginning_and_between() {
        assert_eq!(lost(0, &[]).count(), 0);
        assert_eq!(lost(1, &[]).count(), 0);
        assert_eq!(lost(6, &[8, 9]).count(), 7);
    }
}
