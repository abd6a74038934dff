//! What one customer adds to lists and totals.

use std::sync::Arc;

use touchpoint::{Code, ComplaintSeverity, Metric, ServicePort};

use super::{Answer, Case, Class, ItemValue, Loyalty, Name, PortValue, Unit};
use crate::Standing;
use crate::complaint::Outcome;

/// Where a customer stands: what lists and totals can be narrowed to.
#[derive(Debug, Default, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope {
    /// The city company.
    pub company: Option<Name>,
    /// The project.
    pub project: Option<Name>,
    /// 置业顾问.
    pub consultant: Option<Name>,
}

impl Scope {
    fn of(standing: &Standing) -> Self {
        let name = |code: &Option<Code<'_>>| code.as_ref().map(Name::shared);
        Self {
            company: name(&standing.company),
            project: name(&standing.project),
            consultant: name(&standing.consultant),
        }
    }
}

/// What one customer adds: the customer's classes, answers and complaints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    pub(super) scope: Scope,
    /// Nothing where profiling is withheld.
    pub(super) classes: Option<(Class, Loyalty)>,
    pub(super) unresolved: u32,
    pub(super) parked: u32,
    pub(super) waves: Box<[Wave]>,
    pub(super) complaints: Box<[Handled]>,
}

impl Placement {
    pub(super) fn new(answer: &Answer) -> Self {
        Self {
            scope: Scope::of(&answer.standing),
            classes: answer.profile.as_ref().map(|profile| (profile.class, profile.loyalty)),
            unresolved: answer.standing.unresolved,
            parked: answer.standing.parked,
            waves: Wave::all(answer),
            complaints: answer.complaints.iter().map(Handled::new).collect(),
        }
    }
}

/// What the customer answered in one wave about one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wave {
    pub(super) wave: Name,
    pub(super) belongs: Belongs,
    pub(super) ports: Box<[(ServicePort, u8)]>,
    pub(super) items: Box<[Item]>,
}

/// A score of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) item: Name,
    pub(super) port: ServicePort,
    pub(super) metric: Metric,
    pub(super) score: u8,
}

/// The company and project that an answer or complaint names; each by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Belongs {
    company: Option<Name>,
    project: Option<Name>,
}

impl Belongs {
    fn new(company: Option<&Code<'_>>, project: Option<&Code<'_>>) -> Self {
        Self { company: company.map(Name::shared), project: project.map(Name::shared) }
    }

    /// The units that it counts in.
    pub(super) fn units(&self) -> impl Iterator<Item = Unit> {
        let company = self.company.clone().map(Unit::Company);
        let project = self.project.clone().map(Unit::Project);
        [Some(Unit::Group), company, project].into_iter().flatten()
    }
}

impl Wave {
    fn all(answer: &Answer) -> Box<[Self]> {
        // The latest item of a port value is an answer, so that no port value is without its wave.
        let mut keys: Vec<_> = answer.item_values.iter().map(item_key).collect();
        keys.sort();
        keys.dedup();
        let wave = |key: Key<'_>| {
            let ports = answer.port_values.iter().filter(|value| port_key(value) == key);
            let items = answer.item_values.iter().filter(|value| item_key(value) == key);
            Self {
                wave: Name::shared(key.0),
                belongs: Belongs::new(key.1, key.2),
                ports: ports.map(|value| (value.port, value.value)).collect(),
                items: items.map(Item::new).collect(),
            }
        };
        keys.into_iter().map(wave).collect()
    }
}

/// Wave, company and project.
type Key<'v> = (&'v Code<'static>, Option<&'v Code<'static>>, Option<&'v Code<'static>>);

fn port_key(value: &PortValue) -> Key<'_> {
    (&value.wave, value.company.as_ref(), value.project.as_ref())
}

fn item_key(value: &ItemValue) -> Key<'_> {
    (&value.wave, value.company.as_ref(), value.project.as_ref())
}

impl Item {
    fn new(value: &ItemValue) -> Self {
        Self { item: Name::shared(&value.item), port: value.port, metric: value.metric, score: value.score }
    }
}

/// A complaint as it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Handled {
    pub(super) belongs: Belongs,
    pub(super) port: ServicePort,
    pub(super) severity: ComplaintSeverity,
    pub(super) acknowledgement: Outcome,
    pub(super) first_resolution: Outcome,
    pub(super) total: Outcome,
    /// The whole of it while it is open, for the list.
    pub(super) open: Option<Arc<Case>>,
}

impl Handled {
    fn new(case: &Case) -> Self {
        Self {
            belongs: Belongs::new(case.company.as_ref(), case.project.as_ref()),
            port: case.port,
            severity: case.severity,
            acknowledgement: case.acknowledgement.outcome,
            first_resolution: case.first_resolution.outcome,
            total: case.total.outcome,
            open: case.state.is_open().then(|| Arc::new(case.clone())),
        }
    }
}
