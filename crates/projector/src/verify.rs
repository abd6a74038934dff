//! Whether a new generation says what the serving one says: every customer's records are compared, fact by fact, as
//! far as both have folded.

use touchpoint::{CustomerId, Position};
use views::{Difference, Record, View, differences};

use crate::cores::{Priority, merged, share_out};
use crate::generation::Generation;
use crate::pages::shares;

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

/// Customers who may differ, of so many that were compared.
#[derive(Default)]
pub(crate) struct Suspects {
    customers: Vec<CustomerId>,
    compared: u64,
}

/// Compares all customers, on threads that give way to those who serve. Before each group of pages it waits for its
/// `turn`; nothing if that says that nobody wants to know any more. Records that grow meanwhile are compared as far as
/// both generations were at the start.
pub(crate) fn suspects<V: View>(
    serving: &Generation<V>,
    new: &Generation<V>,
    turn: impl Fn() -> bool + Sync,
) -> Option<Suspects> {
    let up_to = serving.position().min(new.position());
    let parts = share_out(Priority::Low, shares(new.threads()), |groups| {
        let mut suspects = Suspects::default();
        for group in groups {
            if !turn() {
                return None;
            }
            new.pages.scan_beside(&serving.pages, group, |customer, [new, serving]| {
                suspects.compared += 1;
                if differ(serving, new, up_to) {
                    suspects.customers.push(customer);
                }
            });
        }
        Some(suspects)
    });
    let parts: Vec<_> = parts.into_iter().collect::<Option<_>>()?;
    Some(merged(parts, |all: &mut Suspects, more| {
        all.customers.extend(more.customers);
        all.compared += more.compared;
    }))
}

fn differ(serving: Option<&Record>, new: Option<&Record>, up_to: Position) -> bool {
    let none = Record::default();
    !differences(serving.unwrap_or(&none), new.unwrap_or(&none), up_to).is_empty()
}

impl Suspects {
    /// Nobody is suspected.
    pub(crate) fn is_empty(&self) -> bool {
        self.customers.is_empty()
    }

    /// Looks at the suspects once more: both generations must be as far by now as either was when they were found.
    pub(crate) fn looked_at_again<V: View>(mut self, serving: &Generation<V>, new: &Generation<V>) -> Findings {
        let position = serving.position().min(new.position());
        let mut findings = Findings { position, compared: self.compared, ..Findings::default() };
        self.customers.sort_unstable();
        for customer in self.customers {
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
