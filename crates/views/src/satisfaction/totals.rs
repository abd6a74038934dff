//! Lists and totals over all customers: counters by unit, and the open complaints.
//!
//! A counter that reaches zero is taken out, so that totals moved customer by customer equal those made afresh.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound;
use std::sync::Arc;

use touchpoint::{Code, ComplaintSeverity, CustomerId, Metric, ServicePort, Timestamp};

use super::placement::{Handled, Item, Placement, Scope, Wave};
use super::{Case, Ces, Classes, Name, Nps, Score, ServiceLevels, Unit};
use crate::Sign;

/// The place of an open complaint on the list: the one whose limit ends first at the top.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenPlace {
    /// When its total clock passes, or passed, the limit.
    pub due: Timestamp,
    /// Whose it is.
    pub customer: CustomerId,
    /// Its code.
    pub complaint: Code<'static>,
}

/// An open complaint on the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCase {
    /// Where its customer stands.
    pub scope: Scope,
    /// The complaint.
    pub case: Arc<Case>,
}

/// Which customers and complaints are asked for; what is left out is any.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Narrow {
    /// Of customers who stand here.
    pub scope: Scope,
    /// On this port.
    pub port: Option<ServicePort>,
    /// Of this present severity.
    pub severity: Option<ComplaintSeverity>,
    /// Past the limit only.
    pub overdue_only: bool,
}

impl Narrow {
    fn admits(&self, open: &OpenCase) -> bool {
        holds(&self.scope, &open.scope)
            && self.port.is_none_or(|port| port == open.case.port)
            && self.severity.is_none_or(|severity| severity == open.case.severity)
            && (!self.overdue_only || open.case.is_overdue())
    }
}

/// Everything that `asked` names is so in `scope`.
fn holds(asked: &Scope, scope: &Scope) -> bool {
    let same = |asked: &Option<Name>, is: &Option<Name>| asked.is_none() || asked == is;
    same(&asked.company, &scope.company)
        && same(&asked.project, &scope.project)
        && same(&asked.consultant, &scope.consultant)
}

/// Counters of one figure: by port and wave, then by unit, so that a ranking reads its own units only.
pub(super) type ByWave<T> = BTreeMap<(ServicePort, Name), BTreeMap<Unit, T>>;

/// Lists and totals over all customers.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Totals {
    /// References of admitted events that lead nowhere.
    pub unresolved: u64,
    /// Unreadable events.
    pub parked: u64,
    /// Counting answers by wave.
    pub(super) waves: BTreeMap<Name, u64>,
    pub(super) ports: ByWave<Score>,
    pub(super) items: BTreeMap<(ServicePort, Name), BTreeMap<Name, BTreeMap<Unit, Score>>>,
    pub(super) nps: ByWave<Nps>,
    pub(super) ces: ByWave<Ces>,
    pub(super) service_levels: BTreeMap<Unit, BTreeMap<(ServicePort, ComplaintSeverity), ServiceLevels>>,
    pub(super) classes: BTreeMap<Scope, Classes>,
    pub(super) open: BTreeMap<OpenPlace, OpenCase>,
}

/// Changes the entry of a key, which is there exactly while it is not the default.
fn shift<K: Ord, V: Default + PartialEq>(map: &mut BTreeMap<K, V>, key: K, change: impl FnOnce(&mut V)) {
    match map.entry(key) {
        Entry::Occupied(mut entry) => {
            change(entry.get_mut());
            if *entry.get() == V::default() {
                entry.remove();
            }
        }
        Entry::Vacant(entry) => {
            let mut value = V::default();
            change(&mut value);
            if value != V::default() {
                entry.insert(value);
            }
        }
    }
}

impl Totals {
    pub(super) fn place(&mut self, customer: CustomerId, placement: &Placement, sign: Sign) {
        sign.amount(&mut self.unresolved, u64::from(placement.unresolved));
        sign.amount(&mut self.parked, u64::from(placement.parked));
        shift(&mut self.classes, placement.scope.clone(), |classes| classes.shift(placement.classes, sign));
        for wave in &placement.waves {
            self.place_wave(wave, sign);
        }
        for complaint in &placement.complaints {
            self.place_complaint(customer, &placement.scope, complaint, sign);
        }
    }

    fn place_wave(&mut self, answered: &Wave, sign: Sign) {
        let answers = answered.items.len() as u64;
        shift(&mut self.waves, answered.wave.clone(), |count| sign.amount(count, answers));
        let by_unit = |map: &mut ByWave<Score>, port, value: u8| {
            shift(map, (port, answered.wave.clone()), |units| {
                answered.belongs.units().for_each(|unit| shift(units, unit, |score| score.shift(value, sign)));
            });
        };
        for (port, value) in &answered.ports {
            by_unit(&mut self.ports, *port, *value);
        }
        for item in &answered.items {
            self.place_item(answered, item, sign);
        }
    }

    fn place_item(&mut self, answered: &Wave, item: &Item, sign: Sign) {
        let key = (item.port, answered.wave.clone());
        let units = answered.belongs.units();
        match item.metric {
            Metric::Csat => shift(&mut self.items, key, |items| {
                shift(items, item.item.clone(), |by_unit| {
                    units.for_each(|unit| shift(by_unit, unit, |score| score.shift(item.score, sign)));
                });
            }),
            Metric::Nps => shift(&mut self.nps, key, |by_unit| {
                units.for_each(|unit| shift(by_unit, unit, |nps| nps.shift(item.score, sign)));
            }),
            Metric::Ces => shift(&mut self.ces, key, |by_unit| {
                units.for_each(|unit| shift(by_unit, unit, |ces| ces.shift(item.score, sign)));
            }),
            Metric::Repurchase | Metric::Recommend => {}
        }
    }

    fn place_complaint(&mut self, customer: CustomerId, scope: &Scope, complaint: &Handled, sign: Sign) {
        let key = (complaint.port, complaint.severity);
        for unit in complaint.belongs.units() {
            shift(&mut self.service_levels, unit, |levels| {
                shift(levels, key, |levels| levels.shift(complaint, sign));
            });
        }
        let Some((case, due)) = complaint.open.as_ref().and_then(|case| Some((case, case.total.due?))) else { return };
        let place = OpenPlace { due, customer, complaint: case.id.clone() };
        match sign {
            Sign::Add => self.open.insert(place, OpenCase { scope: scope.clone(), case: Arc::clone(case) }),
            Sign::Remove => self.open.remove(&place),
        };
    }

    /// How many customers of this scope are in each class.
    pub fn classes(&self, asked: &Scope) -> Classes {
        let mut sum = Classes::default();
        self.classes.iter().filter(|(scope, _)| holds(asked, scope)).for_each(|(_, classes)| sum.add(classes));
        sum
    }

    /// How the complaints of a unit were handled, on one port or any, of one present severity or any.
    pub fn service_levels(
        &self,
        unit: &Unit,
        port: Option<ServicePort>,
        severity: Option<ComplaintSeverity>,
    ) -> ServiceLevels {
        let mut sum = ServiceLevels::default();
        for ((of_port, of_severity), levels) in self.service_levels.get(unit).into_iter().flatten() {
            if port.is_none_or(|port| port == *of_port) && severity.is_none_or(|severity| severity == *of_severity) {
                sum.add(levels);
            }
        }
        sum
    }

    /// The open complaints after `after` on the list, the one whose limit ends first at the top.
    pub fn open_complaints<'t>(
        &'t self,
        narrow: &'t Narrow,
        after: Option<&OpenPlace>,
    ) -> impl Iterator<Item = (&'t OpenPlace, &'t OpenCase)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.open.range((from, Bound::Unbounded)).filter(|(_, open)| narrow.admits(open))
    }
}
