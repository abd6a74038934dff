//! Who moved in the lists of late: kept in a ring while somebody watches, and not at all while nobody does.

use std::collections::VecDeque;
use std::sync::Arc;

use touchpoint::{CustomerId, Position, Timestamp};

/// Moves that are kept at least, for who reads slowly or comes back: 13 MiB, and the codes of units in them.
pub const KEPT_MOVES: usize = 65_536;

/// Names the moves that are kept in one go: numbers of other ones say nothing here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RingId {
    /// When the process began.
    pub run: Timestamp,
    /// Which of the keepings of that process.
    pub number: u64,
}

/// Up to where a watcher was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// What `told` counts in.
    pub ring_id: RingId,
    /// The moves before this number were told.
    pub told: u64,
}

/// Why a customer moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Events were filed; the last one is at this position.
    Event(Position),
    /// The placement ended at this instant by time alone.
    Time(Timestamp),
    /// The customer's events were read once more from the log.
    ReadAgain,
}

/// A customer's way from one place in the lists to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move<P> {
    /// Who.
    pub customer: CustomerId,
    /// Where they stood; nothing for who was in no list.
    pub before: Option<P>,
    /// Where they stand; nothing for who is in no list any more.
    pub after: Option<P>,
    /// Why.
    pub cause: Cause,
}

/// Moves that were made together, one after the other, under one lock of the lists.
#[derive(Debug)]
pub struct Moves<P> {
    /// The number of the first one.
    first: u64,
    /// Where they lead to holds at this instant.
    pub as_of: Timestamp,
    /// Everything up to this position was applied then; of who moved by an event, up to that one.
    pub position: Position,
    list: Vec<Move<P>>,
}

impl<P> Moves<P> {
    /// The moves from this number on, each with its number.
    pub fn from(&self, number: u64) -> impl Iterator<Item = (u64, &Move<P>)> {
        (self.first..).zip(&self.list).skip_while(move |(its, _)| *its < number)
    }

    /// The position up to which events made a move of these.
    pub fn made_by(&self, it: &Move<P>) -> Position {
        match it.cause {
            Cause::Event(position) => position,
            Cause::Time(_) | Cause::ReadAgain => self.position,
        }
    }

    /// The number of the move after the last one.
    pub fn end(&self) -> u64 {
        self.first + self.list.len() as u64
    }
}

/// Not every move after a cursor is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gone {
    /// The first of them are kept no more.
    Outrun,
    /// The cursor is of other keepings.
    Other,
}

/// The latest moves. It is a part of the lists, and is made anew with them.
pub(crate) struct Ring<P> {
    /// Nothing while no move is kept. Each watcher has it too, which is how it is known that there are any.
    ring_id: Option<Arc<RingId>>,
    kept: VecDeque<Arc<Moves<P>>>,
    /// Moves that wait for the others under the same lock.
    waiting: Vec<Move<P>>,
    /// The number of the next move.
    next: u64,
    /// Moves since the last watcher was there.
    unwatched: usize,
}

impl<P> Default for Ring<P> {
    fn default() -> Self {
        Self { ring_id: None, kept: VecDeque::new(), waiting: Vec::new(), next: 0, unwatched: 0 }
    }
}

impl<P: Clone + PartialEq> Ring<P> {
    /// Keeps moves from now on, under this name if none are kept yet, as long as the watcher has what this gives.
    pub(crate) fn keep(&mut self, name: impl FnOnce() -> RingId) -> Arc<RingId> {
        self.ring_id.get_or_insert_with(|| Arc::new(name())).clone()
    }

    /// Where to go on after a cursor, kept as long as the watcher has it.
    pub(crate) fn keep_after(&self, cursor: Cursor) -> Result<Arc<RingId>, Gone> {
        self.after(cursor)?;
        self.ring_id.clone().ok_or(Gone::Other)
    }

    /// Notes where a customer went, if anybody wants to know.
    pub(crate) fn note(&mut self, customer: CustomerId, before: Option<P>, after: &Option<P>, cause: Cause) {
        if self.ring_id.is_some() && before != *after {
            self.waiting.push(Move { customer, before, after: after.clone(), cause });
        }
    }

    /// What was noted holds at this instant, by everything up to this position, and can be read.
    pub(crate) fn close(&mut self, as_of: Timestamp, position: Position) {
        if self.waiting.is_empty() {
            return;
        }
        let list = std::mem::take(&mut self.waiting);
        let watched = self.ring_id.as_ref().is_some_and(|ring_id| Arc::strong_count(ring_id) > 1);
        self.unwatched = if watched { 0 } else { self.unwatched + list.len() };
        if self.unwatched > KEPT_MOVES {
            // Whoever was here would find nothing of theirs any more.
            *self = Self::default();
            return;
        }
        let first = self.next;
        self.next += list.len() as u64;
        self.kept.push_back(Arc::new(Moves { first, as_of, position, list }));
        // The second block has to begin early enough.
        while self.kept.get(1).is_some_and(|second| self.next - second.first >= KEPT_MOVES as u64) {
            self.kept.pop_front();
        }
    }

    /// The moves that follow a cursor, as far as they were made together; nothing if there is none yet.
    pub(crate) fn after(&self, cursor: Cursor) -> Result<Option<Arc<Moves<P>>>, Gone> {
        let first = self.kept.front().map_or(self.next, |moves| moves.first);
        if self.ring_id.as_deref() != Some(&cursor.ring_id) || cursor.told > self.next {
            return Err(Gone::Other);
        }
        if cursor.told < first {
            return Err(Gone::Outrun);
        }
        let index = self.kept.partition_point(|moves| moves.end() <= cursor.told);
        Ok(self.kept.get(index).cloned())
    }

    /// The number of the next move.
    pub(crate) const fn next(&self) -> u64 {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: RingId = RingId { run: Timestamp::from_micros(7), number: 1 };

    fn at(told: u64) -> Cursor {
        Cursor { ring_id: NAME, told }
    }

    /// Each customer moves to the place after their own.
    fn moved(ring: &mut Ring<u64>, numbers: std::ops::Range<u64>) {
        for number in numbers {
            ring.note(CustomerId::from_u128(1), Some(number), &Some(number + 1), Cause::ReadAgain);
        }
        ring.close(Timestamp::from_micros(0), Position(9));
    }

    fn told(ring: &Ring<u64>, mut cursor: Cursor) -> Result<Vec<u64>, Gone> {
        let mut all = Vec::new();
        while let Some(moves) = ring.after(cursor)? {
            all.extend(moves.from(cursor.told).map(|(_, it)| it.before.unwrap()));
            cursor.told = moves.end();
        }
        Ok(all)
    }

    #[test]
    fn every_move_is_told_from_any_cursor() {
        let mut ring = Ring::default();
        let _watcher = ring.keep(|| NAME);
        for numbers in [0..3, 3..4, 4..10] {
            moved(&mut ring, numbers);
        }
        for cursor in 0..=10 {
            assert_eq!(told(&ring, at(cursor)), Ok((cursor..10).collect()));
        }
        assert_eq!(told(&ring, at(11)), Err(Gone::Other));
        let other = Cursor { ring_id: RingId { number: 2, ..NAME }, told: 3 };
        assert_eq!(told(&ring, other), Err(Gone::Other));
    }

    #[test]
    fn who_stays_has_not_moved() {
        let mut ring = Ring::default();
        let _watcher = ring.keep(|| NAME);
        ring.note(CustomerId::from_u128(1), Some(1), &Some(1), Cause::ReadAgain);
        ring.close(Timestamp::from_micros(0), Position(9));
        assert_eq!(ring.next(), 0);
    }

    #[test]
    fn the_latest_moves_are_kept_and_no_more_than_a_block_beyond() {
        const BLOCK: u64 = 256;
        let mut ring = Ring::default();
        let _watcher = ring.keep(|| NAME);
        let kept = KEPT_MOVES as u64;
        let end = 2 * kept;
        (0..end / BLOCK).for_each(|block| moved(&mut ring, block * BLOCK..(block + 1) * BLOCK));
        assert_eq!(told(&ring, at(end - kept)).map(|all| all.len()), Ok(KEPT_MOVES));
        assert_eq!(told(&ring, at(end - kept - BLOCK)), Err(Gone::Outrun));
        assert!(ring.kept.iter().map(|moves| moves.list.len()).sum::<usize>() <= KEPT_MOVES + BLOCK as usize);
    }

    #[test]
    fn nothing_is_kept_before_the_first_watcher_and_long_after_the_last() {
        let mut ring = Ring::default();
        moved(&mut ring, 0..5);
        assert_eq!(ring.next(), 0);
        let watcher = ring.keep(|| NAME);
        moved(&mut ring, 0..5);
        drop(watcher);
        let kept = KEPT_MOVES as u64;
        (5..kept).for_each(|number| moved(&mut ring, number..number + 1));
        assert_eq!(told(&ring, at(5)).map(|all| all.len()), Ok(KEPT_MOVES - 5), "as promised");
        moved(&mut ring, kept..kept + 6);
        assert_eq!(told(&ring, at(kept)), Err(Gone::Other));
        assert!(ring.kept.is_empty() && ring.ring_id.is_none());
        let _again = ring.keep(|| RingId { number: 2, ..NAME });
        assert_eq!(told(&ring, at(0)), Err(Gone::Other), "a number of before");
    }
}
