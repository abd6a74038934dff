//! Whether a new generation says what the serving one says: every customer's records are compared, fact by fact, as
//! far as both have folded.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use touchpoint::{CustomerId, Position};
use views::{Difference, Record, View, differences};

use crate::cores::{Priority, share_out};
use crate::generation::Generation;
use crate::pages::{GROUPS, shares};
use crate::walk::Place;

/// Customers of whom the differences are kept to be shown.
const SHOWN_CUSTOMERS: usize = 100;
/// Differences that are kept of each of them.
const SHOWN_DIFFERENCES: usize = 20;

/// What a comparison of two generations found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Both were compared as far as this.
    pub position: Position,
    /// Customers compared.
    pub compared: u64,
    /// Customers who differ.
    pub different: u64,
    /// How many differences of each code there are.
    pub counts: Vec<(&'static str, u64)>,
    /// The first customers who differ by id, each with the first of their differences.
    pub shown: Vec<(CustomerId, Vec<Difference>)>,
}

/// How far a comparison is.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    groups: AtomicUsize,
    customers: AtomicU64,
}

impl Comparison {
    fn add(&self, customers: u64) {
        self.groups.fetch_add(1, Ordering::Relaxed);
        self.customers.fetch_add(customers, Ordering::Relaxed);
    }

    /// Customers compared so far.
    pub(crate) fn customers(&self) -> u64 {
        self.customers.load(Ordering::Relaxed)
    }

    /// How much is done, in basis points.
    pub(crate) fn done_bp(&self) -> u32 {
        // No more than all groups are compared.
        Place::ALL_BP * self.groups.load(Ordering::Relaxed) as u32 / GROUPS as u32
    }
}

/// Customers who may differ.
pub(crate) struct Suspects(Vec<CustomerId>);

/// Compares all customers, on threads that give way to those who serve. Before each group of pages it waits for its
/// `turn`; nothing if that says that nobody wants to know any more. Records that grow meanwhile are compared as far as
/// both generations were at the start.
pub(crate) fn suspects<V: View>(
    serving: &Generation<V>,
    new: &Generation<V>,
    comparison: &Comparison,
    turn: impl Fn() -> bool + Sync,
) -> Option<Suspects> {
    let up_to = serving.position().min(new.position());
    let parts = share_out(Priority::Low, shares(new.threads()), |groups| {
        let mut suspects = Vec::new();
        for group in groups {
            if !turn() {
                return None;
            }
            let mut customers = 0;
            new.pages.scan_beside(&serving.pages, group, |customer, [new, serving]| {
                customers += 1;
                if differ(serving, new, up_to) {
                    suspects.push(customer);
                }
            });
            comparison.add(customers);
        }
        Some(suspects)
    });
    let parts: Vec<_> = parts.into_iter().collect::<Option<_>>()?;
    Some(Suspects(parts.concat()))
}

fn differ(serving: Option<&Record>, new: Option<&Record>, up_to: Position) -> bool {
    let none = Record::default();
    !differences(serving.unwrap_or(&none), new.unwrap_or(&none), up_to).is_empty()
}

impl Suspects {
    /// Nobody is suspected.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Looks at the suspects, of so many that were compared, once more: both generations must be as far by now as either
    /// was when they were found.
    pub(crate) fn looked_at_again<V: View>(
        mut self,
        compared: u64,
        serving: &Generation<V>,
        new: &Generation<V>,
    ) -> Findings {
        let position = serving.position().min(new.position());
        let mut findings = Findings { position, compared, ..Findings::default() };
        self.0.sort_unstable();
        for customer in self.0 {
            let [one, other] = [serving, new].map(|generation| generation.record(customer));
            let found = differences(&one, &other, position);
            if !found.is_empty() {
                findings.add(customer, found);
            }
        }
        findings.counts.sort_unstable();
        findings
    }
}

impl Findings {
    fn add(&mut self, customer: CustomerId, mut found: Vec<Difference>) {
        self.different += 1;
        for difference in &found {
            match self.counts.iter_mut().find(|(code, _)| *code == difference.code()) {
                Some((_, count)) => *count += 1,
                None => self.counts.push((difference.code(), 1)),
            }
        }
        if self.shown.len() < SHOWN_CUSTOMERS {
            found.truncate(SHOWN_DIFFERENCES);
            self.shown.push((customer, found));
        }
    }
}
