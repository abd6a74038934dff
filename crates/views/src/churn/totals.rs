//! Lists and totals of the churn risk: who is at risk, highest first, and how many are in each band.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;

use touchpoint::{Code, CustomerId};

use super::{Answer, Band, Reasons, Risk};
use crate::Sign;
use crate::lifecycle::Stage;

/// What lists and watchers say of a customer's risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The probability, in millionths.
    pub p: u32,
    /// Its band.
    pub band: Band,
    /// The lifecycle stage.
    pub stage: Stage,
    /// Why.
    pub reasons: Reasons,
}

impl Place {
    /// p is 1: LOST or EXITED, too late to keep.
    pub const fn is_certain(&self) -> bool {
        self.p == super::ONE
    }
}

/// What one customer adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// Nothing where profiling is withheld.
    place: Option<Place>,
    units: [Option<Code<'static>>; 3],
    unresolved: u32,
}

impl Placement {
    pub(super) fn new(answer: &Answer) -> Self {
        let standing = &answer.standing;
        let place = |risk: &Risk| {
            let Risk { p, band, ref reasons, .. } = *risk;
            Place { p, band, stage: standing.stage, reasons: Reasons::of(reasons) }
        };
        Self {
            place: answer.risk.as_ref().map(place),
            units: [standing.company.clone(), standing.project.clone(), standing.consultant.clone()],
            unresolved: standing.unresolved,
        }
    }

    /// The higher the risk, the lower.
    pub(super) fn rank(&self) -> u32 {
        self.place.map_or(u32::MAX, |place| super::ONE - place.p)
    }

    /// What is said of the customer's risk; nothing where profiling is withheld.
    pub const fn place(&self) -> Option<Place> {
        self.place
    }

    /// Company, project and consultant.
    pub fn units(&self) -> [Option<&Code<'static>>; 3] {
        self.units.each_ref().map(Option::as_ref)
    }

    fn keys(&self) -> impl Iterator<Item = Narrow> {
        let [company, project, consultant] = self.units.clone();
        let narrower = [company.map(Narrow::Company), project.map(Narrow::Project), consultant.map(Narrow::Consultant)];
        std::iter::once(Narrow::All).chain(narrower.into_iter().flatten())
    }
}

/// Whom a list or count is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Narrow {
    /// Everybody.
    All,
    /// The customers of a city company.
    Company(Code<'static>),
    /// The customers of a project.
    Project(Code<'static>),
    /// The customers of a consultant.
    Consultant(Code<'static>),
}

/// A customer on the at-risk list; ordered by p descending, then id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AtRisk {
    p: Reverse<u32>,
    /// Who.
    pub customer: CustomerId,
}

impl AtRisk {
    /// A customer with this risk.
    pub const fn new(p: u32, customer: CustomerId) -> Self {
        Self { p: Reverse(p), customer }
    }

    /// The probability in millionths.
    pub const fn p(&self) -> u32 {
        self.p.0
    }
}

/// How many customers are in each band.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Bands {
    counts: [u64; 4],
    /// Customers whose risk is withheld.
    pub withheld: u64,
}

impl Bands {
    /// Customers in this band.
    pub const fn count(&self, band: Band) -> u64 {
        self.counts[band as usize]
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The at-risk lists and band counts, for all and narrowed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Totals {
    lists: HashMap<Narrow, (Bands, BTreeSet<AtRisk>)>,
    /// References of admitted events that lead nowhere, over all customers.
    pub unresolved: u64,
}

impl Totals {
    pub(super) fn place(&mut self, customer: CustomerId, placement: &Placement, sign: Sign) {
        sign.amount(&mut self.unresolved, u64::from(placement.unresolved));
        for key in placement.keys() {
            let (bands, list) = self.lists.entry(key.clone()).or_default();
            match placement.place {
                None => sign.count(&mut bands.withheld),
                Some(Place { p, band, .. }) => {
                    sign.count(&mut bands.counts[band as usize]);
                    match sign {
                        Sign::Add => list.insert(AtRisk::new(p, customer)),
                        Sign::Remove => list.remove(&AtRisk::new(p, customer)),
                    };
                }
            }
            if bands.is_empty() {
                self.lists.remove(&key);
            }
        }
    }

    pub(super) fn merge(&mut self, others: Self) {
        self.unresolved += others.unresolved;
        for (key, (more, mut at_risk)) in others.lists {
            let (bands, list) = self.lists.entry(key).or_default();
            bands.counts.iter_mut().zip(more.counts).for_each(|(count, more)| *count += more);
            bands.withheld += more.withheld;
            list.append(&mut at_risk);
        }
    }

    /// How many of these customers are in each band.
    pub fn bands(&self, narrow: &Narrow) -> Bands {
        self.lists.get(narrow).map(|(bands, _)| *bands).unwrap_or_default()
    }

    /// The customers at risk after `after` on the list, highest first.
    pub fn at_risk(&self, narrow: &Narrow, after: Option<AtRisk>) -> impl Iterator<Item = AtRisk> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let list = self.lists.get(narrow).map(|(_, list)| list.range((from, Bound::Unbounded)));
        list.into_iter().flatten().copied()
    }
}
