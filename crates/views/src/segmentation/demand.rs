//! What the customer looks for, as told at visits: the latest of each that was said.

use touchpoint::{Count, EventId, Fen, Household, Motive, Touchpoint, VisitRecorded};

use crate::{Filed, Timeline};

/// Something that was said, and at which visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said<T> {
    /// What was said.
    pub value: T,
    /// The visit's event.
    pub event: EventId,
}

/// A budget: one pair, from one visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Lower bound.
    pub min: Option<Fen>,
    /// Upper bound.
    pub max: Option<Fen>,
}

/// What the customer looks for.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Demand {
    /// Why.
    pub motive: Option<Said<Motive>>,
    /// Who is to live there.
    pub household: Option<Said<Household>>,
    /// Rooms.
    pub rooms: Option<Said<Count>>,
    /// The budget of the latest visit that names either bound.
    pub budget: Option<Said<Budget>>,
}

impl Demand {
    pub(super) fn fold(timeline: &Timeline<'_>) -> Self {
        Self {
            motive: latest(timeline, |visit| visit.motive),
            household: latest(timeline, |visit| visit.household),
            rooms: latest(timeline, |visit| visit.rooms),
            budget: latest(timeline, |visit| {
                let budget = Budget { min: visit.budget_min_fen, max: visit.budget_max_fen };
                (budget.min.is_some() || budget.max.is_some()).then_some(budget)
            }),
        }
    }
}

fn latest<T>(timeline: &Timeline<'_>, said: impl Fn(&VisitRecorded<'_>) -> Option<T>) -> Option<Said<T>> {
    let at = |event: &Filed<'_>| match &event.body {
        Touchpoint::VisitRecorded(visit) => said(visit).map(|value| Said { value, event: event.id }),
        _ => None,
    };
    timeline.events.iter().rev().find_map(at)
}
