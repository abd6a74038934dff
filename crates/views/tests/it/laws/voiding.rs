//! A voided event counts for nothing, in whichever order the void arrives: the answers are those of the history without
//! the event, at any as_of. Only known_at limits a void: who did not know it yet sees the event.

use history::{Arrived, Planned};
use touchpoint::{Code, Event, EventId, EventVoided, Kind, Position, Timestamp, Touchpoint};
use views::churn::Churn;
use views::satisfaction::Satisfaction;
use views::segmentation::Segmentation;
use views::{Moment, Record, View};

use crate::laws::history::{Case, fold};

const HISTORIES: u64 = 500;

/// How a void names its target.
#[derive(Debug, Clone, Copy)]
enum By {
    Id,
    Position,
}

/// A case with room for a void before, between and after its events: they stand at even positions.
struct Spread {
    case: Case,
    log: Vec<Arrived>,
    /// The event that is to be voided.
    target: Planned,
}

impl Spread {
    /// Nothing where there is nothing to be voided. Only what can be read is an event, whose copies a void hits all.
    fn new(seed: u64) -> Option<Self> {
        let case = Case::new(seed);
        let is_target = |it: &&Planned| {
            let fixed = matches!(it.event.body.kind(), Kind::EventVoided | Kind::CustomerErased);
            !fixed && !it.form.is_unreadable()
        };
        let targets: Vec<_> = case.planned.iter().filter(is_target).collect();
        let target = (*targets.get(seed as usize % targets.len().max(1))?).clone();
        let even = |it: &Arrived| Arrived { position: Position(2 * it.position.0), ..it.clone() };
        Some(Self { log: case.arrived.iter().map(even).collect(), target, case })
    }

    fn is_target(&self, it: &Arrived) -> bool {
        self.case.planned[it.index].event.id == self.target.event.id
    }

    /// A void that arrives when so many events have arrived.
    fn void(&self, arrived: usize, by: By) -> Arrived {
        let before = &self.log[arrived.saturating_sub(1)];
        let position = self.log.iter().find(|it| self.is_target(it)).map(|it| it.position);
        let void = EventVoided {
            target_event_id: matches!(by, By::Id).then_some(self.target.event.id),
            target_position: position.filter(|_| matches!(by, By::Position)),
            reason: Code::new("MISTAKE").unwrap(),
        };
        let event = Event {
            id: EventId::from_u128(u128::MAX),
            // As a rule long after its target: as_of does not limit it.
            occurred_at: before.recorded_at,
            first_recorded_at: None,
            body: Touchpoint::EventVoided(void),
            ..self.target.event.clone()
        };
        let position = if arrived == 0 { Position(1) } else { Position(before.position.0 + 1) };
        Arrived { position, recorded_at: before.recorded_at, body: history::body(&event), index: before.index }
    }

    /// The record of the log with the void in its place.
    fn voided(&self, void: &Arrived) -> Record {
        let (before, after): (Vec<_>, Vec<_>) = self.log.iter().partition(|it| it.position < void.position);
        fold(before.into_iter().chain([void]).chain(after))
    }
}

fn same<V: View>(spread: &Spread, one: &Record, other: &Record, known_at: Option<Timestamp>, context: &str)
where
    V::Answer: PartialEq + std::fmt::Debug,
{
    for as_of in spread.case.instants() {
        let answer = |record| V::answer(record, &spread.case.rules, &mut Moment::new(as_of, known_at));
        let seed = spread.case.seed;
        assert_eq!(answer(one), answer(other), "seed {seed} {} at {as_of}, known at {known_at:?}: {context}", V::NAME);
    }
}

fn all_views(spread: &Spread, one: &Record, other: &Record, known_at: Option<Timestamp>, context: &str) {
    same::<Churn>(spread, one, other, known_at, context);
    same::<Segmentation>(spread, one, other, known_at, context);
    same::<Satisfaction>(spread, one, other, known_at, context);
}

/// Histories in which no void names a position: theirs are moved apart.
fn spread() -> impl Iterator<Item = Spread> {
    (0..HISTORIES).filter(|seed| !seed.is_multiple_of(5)).filter_map(Spread::new)
}

#[test]
fn a_voided_event_counts_for_nothing_whenever_the_void_arrives() {
    for spread in spread() {
        let without = fold(spread.log.iter().filter(|it| !spread.is_target(it)));
        let end = spread.log.len();
        for (arrived, by) in [(0, By::Id), (end / 2, By::Id), (end, By::Id), (0, By::Position), (end, By::Position)] {
            let void = spread.void(arrived, by);
            let context = format!("{:?} by {by:?} after {arrived} of {end}", spread.target.event.body.kind());
            let voided = spread.voided(&void);
            all_views(&spread, &voided, &without, None, &context);
            all_views(&spread, &voided, &without, Some(void.recorded_at), &context);
        }
    }
}

#[test]
fn who_did_not_know_the_void_sees_the_event() {
    for spread in spread() {
        let void = spread.void(spread.log.len(), By::Id);
        let voided = spread.voided(&void);
        let before = Some(void.recorded_at.plus_micros(-1));
        // Consent to profiling is always the present one, so that a void of it is, too.
        let consent = matches!(spread.target.event.body.kind(), Kind::ConsentGranted | Kind::ConsentWithdrawn);
        if !consent {
            all_views(&spread, &voided, &fold(&spread.log), before, "before the void");
        }
    }
}
