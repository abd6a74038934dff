//! What a view is to the projector that keeps it.

use touchpoint::{Code, CustomerId, Date, EventId, Timestamp};

use crate::lifecycle::{Lifecycle, Stage};
use crate::rules::Rules;
use crate::{Filed, Moment, Record, Timeline};

/// A view: an answer per customer, and lists and totals over all of them.
///
/// Lists and totals are nothing but the sum of the customers' placements, so that the same code serves them live (one
/// customer leaves its old placement and takes its new one) and for any other instant or rules (all customers take
/// their placements in fresh totals).
pub trait View: Send + Sync + 'static {
    /// The name in commands, folders and metrics.
    const NAME: &'static str;
    /// What is said of one customer.
    type Answer: Send + Sync;
    /// What one customer adds to lists and totals.
    type Placement: Clone + PartialEq + Send + Sync;
    /// Lists and totals over all customers.
    type Totals: Default + Send + Sync;

    /// The answer for a customer at a moment; nothing if no event counts or the customer is erased (NOT_FOUND).
    fn answer(record: &Record, rules: &Rules, moment: &mut Moment) -> Option<Self::Answer>;

    /// What the customer of this answer adds to lists and totals.
    fn placement(answer: &Self::Answer) -> Self::Placement;

    /// Adds a customer's placement to the totals, or takes it off again.
    fn place(totals: &mut Self::Totals, customer: CustomerId, placement: &Self::Placement, sign: Sign);

    /// Adds many customers who are not in the totals, in the order of (rank, id).
    fn place_all<'p>(totals: &mut Self::Totals, placed: impl Iterator<Item = (CustomerId, &'p Self::Placement)>) {
        placed.for_each(|(customer, placement)| Self::place(totals, customer, placement, Sign::Add));
    }

    /// Adds the totals of other customers.
    fn merge(totals: &mut Self::Totals, others: Self::Totals);

    /// Where a customer stands on the view's ordered lists: customers are placed fastest in the order of (this, id).
    fn rank(_placement: &Self::Placement) -> u32 {
        0
    }
}

/// Whether a placement is added or taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// The customer comes.
    Add,
    /// The customer goes.
    Remove,
}

impl Sign {
    /// Moves a count by one.
    pub fn count(self, count: &mut u64) {
        self.amount(count, 1);
    }

    /// Moves a count by so many.
    pub fn amount(self, count: &mut u64, by: u64) {
        *count = match self {
            Self::Add => *count + by,
            Self::Remove => count.saturating_sub(by),
        };
    }
}

/// An event behind a figure or a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// The event.
    pub event: EventId,
    /// When it happened.
    pub occurred_at: Timestamp,
}

impl Evidence {
    /// This event.
    pub fn of(event: &Filed<'_>) -> Self {
        Self { event: event.id, occurred_at: event.occurred_at }
    }

    /// These events, the oldest first.
    pub(crate) fn of_all<'f, 'a: 'f>(events: impl IntoIterator<Item = &'f Filed<'a>>) -> Vec<Self> {
        let mut all: Vec<_> = events.into_iter().map(Self::of).collect();
        all.sort_unstable_by_key(|it| (it.occurred_at, it.event));
        all
    }
}

/// What every answer says of its customer and of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Where the customer stands.
    pub stage: Stage,
    /// LOST was concluded from silence.
    pub inferred: bool,
    /// The event that made the stage: of an owner, the delivery from whose date the months count.
    pub stage_by: Option<Evidence>,
    /// An owner has a further live contract that is not yet delivered.
    pub open_contract: bool,
    /// For an owner: the date from which the months count.
    pub owner_from: Option<Date>,
    /// The city company.
    pub company: Option<Code<'static>>,
    /// The project.
    pub project: Option<Code<'static>>,
    /// 置业顾问.
    pub consultant: Option<Code<'static>>,
    /// The last sign of life.
    pub silent_since: Timestamp,
    /// References of admitted events that lead nowhere.
    pub unresolved: u32,
    /// Unreadable events of the customer; more than 0 means that the answer may be incomplete.
    pub parked: u32,
    /// Consent to profiling is withdrawn: the answer carries no profile.
    pub withheld: bool,
}

impl Standing {
    /// What a customer's lifecycle and timeline say.
    pub fn new(timeline: &Timeline<'_>, lifecycle: &Lifecycle<'_>) -> Self {
        let owned = |code: Option<&Code<'_>>| code.cloned().map(Code::into_owned);
        Self {
            stage: lifecycle.stage,
            inferred: lifecycle.inferred,
            stage_by: lifecycle.stage_by.map(Evidence::of),
            open_contract: lifecycle.open_contract,
            owner_from: lifecycle.owner_from,
            company: owned(lifecycle.company()),
            project: owned(lifecycle.project()),
            consultant: owned(lifecycle.consultant.as_ref()),
            silent_since: lifecycle.silent_since,
            unresolved: timeline.unresolved,
            parked: timeline.parked,
            withheld: timeline.withheld,
        }
    }

    /// Whole days of silence at `as_of`. They alone may move while the rest of an answer stands still.
    pub fn days_silent(&self, as_of: Timestamp) -> u32 {
        u32::try_from(as_of.since(self.silent_since).div_euclid(Timestamp::DAY)).unwrap_or(0)
    }
}
