//! Totals of other customers added to totals.

use std::collections::BTreeMap;

use super::{Ces, Classes, Nps, Score, ServiceLevels, Totals};

/// What can be added up over customers.
pub(super) trait Sum {
    /// Adds what others have.
    fn add(&mut self, others: Self);
}

impl<K: Ord, V: Sum + Default> Sum for BTreeMap<K, V> {
    fn add(&mut self, others: Self) {
        others.into_iter().for_each(|(key, more)| self.entry(key).or_default().add(more));
    }
}

impl Sum for u64 {
    fn add(&mut self, others: Self) {
        *self += others;
    }
}

impl Sum for Score {
    fn add(&mut self, Self { n, satisfied, top, sum }: Self) {
        self.n += n;
        self.satisfied += satisfied;
        self.top += top;
        self.sum += sum;
    }
}

impl Sum for Nps {
    fn add(&mut self, Self { promoters, passives, detractors }: Self) {
        self.promoters += promoters;
        self.passives += passives;
        self.detractors += detractors;
    }
}

impl Sum for Ces {
    fn add(&mut self, Self { n, easy }: Self) {
        self.n += n;
        self.easy += easy;
    }
}

impl Sum for Classes {
    fn add(&mut self, others: Self) {
        Self::add(self, &others);
    }
}

impl Sum for ServiceLevels {
    fn add(&mut self, others: Self) {
        Self::add(self, &others);
    }
}

impl Sum for Totals {
    fn add(&mut self, others: Self) {
        let Self { unresolved, parked, waves, ports, items, nps, ces, service_levels, classes, mut open } = others;
        self.unresolved += unresolved;
        self.parked += parked;
        self.waves.add(waves);
        self.ports.add(ports);
        self.items.add(items);
        self.nps.add(nps);
        self.ces.add(ces);
        self.service_levels.add(service_levels);
        self.classes.add(classes);
        self.open.append(&mut open);
    }
}
