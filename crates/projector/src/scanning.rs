//! All customers evaluated from their records: at another instant, or by other rules.

use std::convert::identity;

use touchpoint::CustomerId;
use views::rules::Rules;
use views::{Moment, View};

use crate::Generation;
use crate::cores::{self, Priority, merged};
use crate::lists::Placements;
use crate::pages::{Slot, shares};

fn answer_of<V: View>(slot: &Slot<V>, rules: &Rules, moment: &Moment) -> Option<V::Answer> {
    V::answer(&slot.record, rules, &mut moment.clone())
}

impl<V: View> Generation<V> {
    /// Lists and totals at another instant, evaluated from the records: slow, and exact.
    pub fn totals_at(&self, rules: &Rules, moment: Moment) -> V::Totals {
        self.sum_at(rules, moment, Placements::<V>::add, Placements::totals, V::merge)
    }

    /// Sums up every customer's answer at another moment, in no order: some groups of pages on each thread, whose
    /// sums are finished there and then merged. Events after the position at the start of the scan do not count.
    pub fn sum_at<S: Default, T: Default + Send>(
        &self,
        rules: &Rules,
        moment: Moment,
        add: impl Fn(&mut S, CustomerId, &V::Answer) + Sync,
        finish: impl Fn(S) -> T + Sync,
        merge: impl Fn(&mut T, T),
    ) -> T {
        let moment = moment.up_to(self.position());
        let visit = |sum: &mut S, slot: &Slot<V>| {
            if let Some(answer) = answer_of(slot, rules, &moment) {
                add(sum, slot.customer, &answer);
            }
        };
        merged(self.sums(visit, finish), merge)
    }

    /// As [`Self::sum_at`], of each customer's answers under these rules and under those, at a moment.
    pub fn sum_beside<S: Default + Send>(
        &self,
        [these, those]: [&Rules; 2],
        moment: &Moment,
        add: impl Fn(&mut S, CustomerId, [&V::Answer; 2]) + Sync,
        merge: impl Fn(&mut S, S),
    ) -> S {
        let visit = |sum: &mut S, slot: &Slot<V>| {
            if let (Some(here), Some(there)) = (answer_of(slot, these, moment), answer_of(slot, those, moment)) {
                add(sum, slot.customer, [&here, &there]);
            }
        };
        merged(self.sums(visit, identity), merge)
    }

    /// Visits all customers, some groups of pages on each thread, and gives what each thread has made of its sum. Not
    /// on threads that give way: who waits for a page would wait for them.
    fn sums<S: Default, T: Send>(
        &self,
        visit: impl Fn(&mut S, &Slot<V>) + Sync,
        finish: impl Fn(S) -> T + Sync,
    ) -> Vec<T> {
        cores::share_out(Priority::Normal, shares(self.threads()), |groups| {
            let mut sum = S::default();
            groups.for_each(|group| self.pages.scan(group, |slot| visit(&mut sum, slot)));
            finish(sum)
        })
    }
}
