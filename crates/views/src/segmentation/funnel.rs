//! The funnel: how far customers came, by the month in which they became known and the source that brought them.

use std::collections::BTreeMap;
use std::fmt;

use touchpoint::{Date, EventId, LeadSource, Timestamp, Touchpoint};

use crate::contract::{Contract, Delivery};
use crate::lifecycle::Lifecycle;
use crate::rules::names::names;
use crate::{Filed, Timeline};

names! {
    /// A step of the funnel; a later one implies the earlier ones.
    Step {
        /// Any event of the customer.
        Known = "KNOWN",
        /// A visit.
        Visited = "VISITED",
        /// A subscription.
        Subscribed = "SUBSCRIBED",
        /// A contract, also one that was cancelled or resold since.
        Signed = "SIGNED",
        /// A handover or moving in, also of such a contract.
        Delivered = "DELIVERED",
    }
}

/// How many steps there are.
const STEPS: usize = Step::ALL.len();

/// A calendar month in Shanghai.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    /// The year, 1 to 9999.
    pub year: u16,
    /// The month, 1 to 12.
    pub month: u8,
}

impl From<Date> for Month {
    fn from(date: Date) -> Self {
        Self { year: date.year().clamp(1, 9999) as u16, month: date.month() as u8 }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// What brought a customer; nothing where no event says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source(pub Option<LeadSource>);

impl Source {
    /// The name in the API.
    pub fn name(self) -> &'static str {
        self.0.map_or("UNKNOWN", LeadSource::name)
    }
}

/// That a step was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// By which event.
    pub event: EventId,
    /// When the event took effect: a delivery that is dated before its signing, at the signing. So this is not always
    /// when the event happened.
    pub at: Timestamp,
}

impl Reached {
    /// By an event that took effect when it happened.
    fn by(event: &Filed<'_>) -> Self {
        Self { event: event.id, at: event.occurred_at }
    }

    fn by_delivery(delivery: Delivery<'_>) -> Self {
        Self { event: delivery.event.id, at: delivery.at }
    }
}

/// How far a customer came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Funnel {
    /// The Shanghai month of the first event.
    pub cohort: Month,
    /// The lead source of the first event that names one.
    pub source: Source,
    /// When each step was reached and by which event, in the order of [`Step::ALL`]; the steps reached come first.
    pub steps: [Option<Reached>; STEPS],
}

impl Funnel {
    pub(super) fn fold(timeline: &Timeline<'_>, lifecycle: &Lifecycle<'_>) -> Option<Self> {
        let first = timeline.events.first()?;
        let first_of = |step: fn(&Touchpoint<'_>) -> bool| timeline.events.iter().find(|it| step(&it.body));
        let mut steps = [
            Some(Reached::by(first)),
            first_of(|body| matches!(body, Touchpoint::VisitRecorded(_))).map(Reached::by),
            first_of(|body| matches!(body, Touchpoint::SubscriptionPlaced(_))).map(Reached::by),
            first_of(|body| matches!(body, Touchpoint::ContractSigned(_))).map(Reached::by),
            lifecycle
                .contracts
                .iter()
                .flat_map(Contract::deliveries)
                .min_by_key(Delivery::order)
                .map(Reached::by_delivery),
        ];
        // A step is reached with the first of it and the later ones, by its own event where that is as early.
        for index in (1..STEPS).rev() {
            let earliest = [steps[index - 1], steps[index]].into_iter().flatten().min_by_key(|step| step.at);
            steps[index - 1] = earliest;
        }
        let cohort = first.occurred_at.shanghai_date().into();
        Some(Self { cohort, source: Source(timeline.events.iter().find_map(lead_source)), steps })
    }

    /// How many steps were reached, 1 to 5.
    pub fn reached(&self) -> u8 {
        self.steps.iter().flatten().count() as u8
    }

    /// Whole days of 24 hours from KNOWN to each step, in the order of [`Step::ALL`].
    pub fn days(&self) -> [Option<i64>; STEPS] {
        let known = self.steps[0].map_or(Timestamp::MIN, |known| known.at);
        self.steps.map(|step| Some(step?.at.since(known).div_euclid(Timestamp::DAY)))
    }
}

fn lead_source(event: &Filed<'_>) -> Option<LeadSource> {
    match &event.body {
        Touchpoint::VisitRecorded(visit) => Some(visit.lead_source),
        Touchpoint::LeadRegistered(lead) => Some(lead.lead_source),
        _ => None,
    }
}

/// A cell of the funnel's table; a margin where cohort or source is not fixed, the whole where neither is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    /// Only customers who became known in this month.
    pub cohort: Option<Month>,
    /// Only customers whom this brought.
    pub source: Option<Source>,
}

impl Cell {
    /// The cell of a cohort and source, its two margins, and the whole.
    pub fn around(cohort: Month, source: Source) -> [Self; 4] {
        [(Some(cohort), Some(source)), (Some(cohort), None), (None, Some(source)), (None, None)]
            .map(|(cohort, source)| Self { cohort, source })
    }
}

/// How many customers reached each step, in the order of [`Step::ALL`].
pub type Counts = [u64; STEPS];

/// One step of one cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The step.
    pub step: Step,
    /// Customers who reached it.
    pub count: u64,
    /// Their share of those KNOWN, in basis points.
    pub of_known_bp: Option<u64>,
    /// Their share of those who reached the step before, in basis points; nothing for KNOWN, and where there are none.
    pub of_previous_bp: Option<u64>,
    /// The median of their whole days from KNOWN, in half days: the mean of the middle two may lie between.
    pub median_half_days: Option<i64>,
}

/// The funnel of many customers: every cell that anybody is in, with the margins.
pub fn table<'f>(funnels: impl IntoIterator<Item = &'f Funnel>) -> BTreeMap<Cell, [Row; STEPS]> {
    let mut days: BTreeMap<Cell, [Vec<i64>; STEPS]> = BTreeMap::new();
    for funnel in funnels {
        for cell in Cell::around(funnel.cohort, funnel.source) {
            let columns = days.entry(cell).or_default();
            columns.iter_mut().zip(funnel.days()).for_each(|(column, days)| column.extend(days));
        }
    }
    days.into_iter().map(|(cell, columns)| (cell, rows(columns))).collect()
}

fn rows(mut columns: [Vec<i64>; STEPS]) -> [Row; STEPS] {
    let counts: Counts = std::array::from_fn(|step| columns[step].len() as u64);
    std::array::from_fn(|step| Row {
        step: Step::ALL[step],
        count: counts[step],
        of_known_bp: basis_points(counts[step], counts[0]),
        of_previous_bp: step.checked_sub(1).and_then(|before| basis_points(counts[step], counts[before])),
        median_half_days: median_doubled(&mut columns[step]),
    })
}

/// A share in whole basis points, rounded half up.
fn basis_points(part: u64, whole: u64) -> Option<u64> {
    (20_000 * part + whole).checked_div(2 * whole)
}

/// Twice the median: the mean of the middle two, where there are two, is then whole.
fn median_doubled(values: &mut [i64]) -> Option<i64> {
    values.sort_unstable();
    let upper = values.get(values.len() / 2)?;
    let lower = values.get((values.len() - 1) / 2)?;
    Some(lower + upper)
}
