//! Decisions of the append: what fits into a group, what an answer means. No IO.

use std::collections::HashSet;

use bytes::Bytes;
use touchpoint::{CustomerId, EventId, Position};

use crate::error::AppendError;
use crate::wire;

/// The most members of one atomic batch; the server's own limit.
pub const MAX_BATCH_EVENTS: usize = 1_000;
/// The most bytes of bodies in one atomic batch: what the server holds in memory until the commit.
pub const MAX_BATCH_BYTES: usize = 8 * 1024 * 1024;
/// The longest body, in bytes: the longest event, which leaves 1 KiB of a message for headers.
pub const MAX_BODY_BYTES: usize = touchpoint::MAX_EVENT_BYTES;

/// An event that is to be written.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Whose event.
    pub customer: CustomerId,
    /// Its id, unique within the customer.
    pub event: EventId,
    /// The CloudEvents JSON as the producer sent it.
    pub body: Bytes,
}

impl Draft {
    pub(crate) fn message_id(&self) -> String {
        wire::message_id(self.customer, self.event)
    }

    pub(crate) fn check_size(&self) -> Result<(), AppendError> {
        at_most(self.body.len(), MAX_BODY_BYTES, "bytes")
    }
}

/// An event that is in the log, durably.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Where it is.
    pub position: Position,
    /// It was there before, with the same content.
    pub duplicate: bool,
}

pub(crate) fn at_most(size: usize, max: usize, unit: &'static str) -> Result<(), AppendError> {
    if size > max {
        return Err(AppendError::TooLarge { size, max, unit });
    }
    Ok(())
}

/// The members of the group that forms. One id is in it once: the server refuses a batch that repeats an id.
#[derive(Debug, Default)]
pub(crate) struct Group<T> {
    pub(crate) members: Vec<T>,
    ids: HashSet<(u128, u128)>,
    bytes: usize,
}

impl<T> Group<T> {
    pub(crate) fn new() -> Self {
        Self { members: Vec::new(), ids: HashSet::new(), bytes: 0 }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.members.len() >= MAX_BATCH_EVENTS
    }

    /// Takes a member, or gives it back if it must wait for the next group. An empty group takes any.
    pub(crate) fn offer(&mut self, draft: &Draft, member: T) -> Result<(), T> {
        let bytes = self.bytes + draft.body.len();
        if !self.members.is_empty() && (self.is_full() || bytes > MAX_BATCH_BYTES) {
            return Err(member);
        }
        if !self.ids.insert((draft.customer.as_u128(), draft.event.as_u128())) {
            return Err(member);
        }
        self.bytes = bytes;
        self.members.push(member);
        Ok(())
    }
}

/// The position of each member of a committed batch, from that of its last one.
pub(crate) fn positions(last: u64, count: usize) -> impl Iterator<Item = Position> {
    let first = last + 1 - count as u64;
    (first..=last).map(Position)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(event: u128, bytes: usize) -> Draft {
        let body = Bytes::from(vec![b' '; bytes]);
        Draft { customer: CustomerId::from_u128(1), event: EventId::from_u128(event), body }
    }

    #[test]
    fn a_group_ends_at_its_bounds_and_before_a_repeated_id() {
        let mut group = Group::new();
        assert_eq!(group.offer(&draft(1, 10), 'a'), Ok(()));
        assert_eq!(group.offer(&draft(1, 10), 'b'), Err('b'));
        assert_eq!(group.offer(&draft(2, MAX_BATCH_BYTES - 10), 'c'), Ok(()));
        assert_eq!(group.offer(&draft(3, 1), 'd'), Err('d'));
        assert_eq!(group.members, ['a', 'c']);
    }

    #[test]
    fn a_group_has_at_most_a_thousand_members() {
        let mut group = Group::new();
        let taken = (0..2_000).take_while(|event| group.offer(&draft(*event, 1), ()).is_ok()).count();
        assert_eq!(taken, MAX_BATCH_EVENTS);
        assert!(group.is_full());
    }

    #[test]
    fn members_stand_before_the_acknowledged_position() {
        assert_eq!(positions(10, 3).collect::<Vec<_>>(), [Position(8), Position(9), Position(10)]);
        assert_eq!(positions(1, 1).collect::<Vec<_>>(), [Position(1)]);
    }
}
