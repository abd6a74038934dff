//! Gives a history a place in a log: an order of arrival, positions and times of recording.

use std::collections::HashMap;

use touchpoint::{Position, Timestamp, Touchpoint};

use crate::dice::Dice;
use crate::{Planned, VoidTarget};

/// How far `occurred_at` may be after `recorded_at`.
const CLOCK_SKEW_MICROS: i64 = 5 * Timestamp::MINUTE;
/// Position 1 is the genesis event.
const FIRST_POSITION: u64 = 2;

/// In which order events reach the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As the list has them.
    Given,
    /// By `recorded_at`: as the company learned of them.
    Recorded,
    /// By (`occurred_at`, event id): as if nothing were ever late.
    Occurred,
    /// By (`occurred_at`, event id), the latest first.
    Reversed,
    /// Shuffled by this seed.
    Shuffled(u64),
}

/// How a history reaches the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// The order.
    pub order: Order,
    /// Nothing is recorded before this instant.
    pub start: Timestamp,
    /// Every body carries `firstrecordedat`, as in an import: then `known_at` compares with what the history says and
    /// not with the order of arrival.
    pub import: bool,
}

/// An event in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// Where it stands.
    pub position: Position,
    /// When the log took it: never before the event before it, and at most 5 minutes before `occurred_at`.
    pub recorded_at: Timestamp,
    /// The JSON body.
    pub body: Vec<u8>,
    /// The index in the list that was arranged.
    pub index: usize,
}

/// Puts events in an order of arrival, from position 2 on (1 is the genesis event). `recorded_at` is what the history
/// says, or later where an event before it was recorded later. Two copies of an event have the same bytes.
pub fn arrange(planned: &[Planned], arrival: Arrival) -> Vec<Arrived> {
    let order = sequence(planned, arrival.order);
    let positions = positions(planned, &order);
    let mut clock = arrival.start;
    let place = |(offset, &index): (usize, &usize)| {
        let item = &planned[index];
        let allowed = item.event.occurred_at.plus_micros(-CLOCK_SKEW_MICROS);
        clock = clock.max(item.recorded_at).max(allowed);
        let position = Position(FIRST_POSITION + offset as u64);
        Arrived { position, recorded_at: clock, body: written(item, arrival.import, &positions), index }
    };
    order.iter().enumerate().map(place).collect()
}

fn sequence(planned: &[Planned], order: Order) -> Vec<usize> {
    let mut indexes: Vec<usize> = (0..planned.len()).collect();
    let occurred = |index: &usize| (planned[*index].event.occurred_at, planned[*index].event.id);
    match order {
        Order::Given => {}
        Order::Recorded => indexes.sort_by_key(|index| planned[*index].recorded_at),
        Order::Occurred => indexes.sort_by_key(occurred),
        Order::Reversed => indexes.sort_by_key(|index| std::cmp::Reverse(occurred(index))),
        Order::Shuffled(seed) => shuffle(&mut indexes, seed),
    }
    indexes
}

fn shuffle(indexes: &mut [usize], seed: u64) {
    let mut dice = Dice::new(seed, 0);
    for end in (1..indexes.len()).rev() {
        indexes.swap(end, dice.index(end + 1));
    }
}

/// The position of each index.
struct Positions {
    /// That of its first copy where an event comes several times.
    first: Vec<Position>,
    /// Its own.
    own: Vec<Position>,
}

fn positions(planned: &[Planned], order: &[usize]) -> Positions {
    let mut first = HashMap::new();
    let mut own = vec![Position::ZERO; planned.len()];
    for (offset, &index) in order.iter().enumerate() {
        let event = &planned[index].event;
        let position = Position(FIRST_POSITION + offset as u64);
        first.entry((event.customer, event.id)).or_insert(position);
        own[index] = position;
    }
    let first_of = |item: &Planned| first.get(&(item.event.customer, item.event.id)).copied().unwrap_or_default();
    Positions { first: planned.iter().map(first_of).collect(), own }
}

fn written(item: &Planned, import: bool, positions: &Positions) -> Vec<u8> {
    let mut event = if import { item.imported() } else { item.event.clone() };
    let position = match item.target {
        VoidTarget::AsWritten => None,
        VoidTarget::Index(target) => positions.first.get(target).copied(),
        VoidTarget::Copy(target) => positions.own.get(target).copied(),
    };
    if let (Some(position), Touchpoint::EventVoided(void)) = (position, &mut event.body) {
        void.target_event_id = None;
        void.target_position = Some(position);
    }
    item.written(&event)
}
