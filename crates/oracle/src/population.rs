//! Lists and totals: every customer evaluated on its own, then counted one by one.

use std::collections::BTreeMap;

use touchpoint::{CustomerId, Timestamp};

use crate::churn::{Churn, churn};
use crate::complaint::Complaint;
use crate::customer::{Customer, customer};
use crate::event::History;
use crate::funnel::Funnel;
use crate::funnel_table::{Cell, table};
use crate::rules::{Membership, Segment};
use crate::satisfaction::{Satisfaction, satisfaction};
use crate::segmentation::{Segmentation, segmentation};
use crate::surveys::Surveys;

/// The key under which totals count who withdrew consent to profiling.
pub const WITHHELD: &str = "withheld";
/// The value of an axis on which a customer has none.
pub const UNKNOWN: &str = "UNKNOWN";

/// All customers at (as_of, known_at).
#[derive(Debug, Clone, Default)]
pub struct Population {
    /// Customers that were found.
    pub customers: i64,
    /// Customers that were erased.
    pub erased: i64,
    /// Customers found that withdrew consent to profiling.
    pub withheld: i64,
    /// "The sum over all customers admitted."
    pub unresolved: i64,
    /// By lifecycle stage; withheld customers are counted under their stage.
    pub stages: BTreeMap<String, i64>,
    /// By axis (`label`, `tier`, `band`, `class`, `loyalty`), then by value or [`WITHHELD`].
    pub totals: BTreeMap<&'static str, BTreeMap<String, i64>>,
    /// By name of a rule segment; every customer who is not in it is not counted, withheld ones in `withheld`.
    pub segments: BTreeMap<String, i64>,
    /// By p descending, then id.
    pub at_risk: Vec<AtRisk>,
    /// By axis and value, the ids in order; without withheld customers. Axes: `stage`, `label`, `tier`, `motive`,
    /// `household`, `project`, `company`, `consultant`, `band`, `class`, `loyalty`, `segment`.
    pub members: BTreeMap<(&'static str, String), Vec<CustomerId>>,
    /// All complaints, by customer, then lodging.
    pub complaints: Vec<(CustomerId, Complaint)>,
    /// Port scores, indicators, NPS, CES and service levels.
    pub surveys: Surveys,
    /// By cohort and lead source; nothing stands for all of them.
    pub funnel: BTreeMap<(Option<String>, Option<String>), Vec<Cell>>,
}

/// One line of the at-risk list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtRisk {
    /// The customer.
    pub customer: CustomerId,
    /// The risk in millionths.
    pub p: i64,
    /// Its band.
    pub band: &'static str,
    /// The customer's project.
    pub project: Option<String>,
    /// The customer's company.
    pub company: Option<String>,
    /// The customer's consultant.
    pub consultant: Option<String>,
}

/// Evaluates every customer, and counts.
pub fn population(
    customers: &BTreeMap<CustomerId, History>,
    as_of: Timestamp,
    known_at: Option<Timestamp>,
    segments: &[Segment],
) -> Population {
    let mut population = Population::default();
    for segment in segments {
        population.segments.insert(segment.name.clone(), 0);
    }
    let mut funnels: Vec<Funnel> = Vec::new();
    for (id, history) in customers {
        if history.is_erased() {
            population.erased += 1;
        }
        let common = customer(history, as_of, known_at);
        let segmentation = segmentation(history, as_of, known_at, segments);
        let satisfaction = satisfaction(history, as_of, known_at);
        let churn = churn(history, as_of, known_at);
        let (Some(common), Some(segmentation), Some(satisfaction), Some(churn)) =
            (common, segmentation, satisfaction, churn)
        else {
            continue;
        };
        population.count(&common);
        population.count_segmentation(*id, &common, &segmentation);
        population.count_opinion(*id, &satisfaction);
        population.count_risk(*id, &common, &churn);
        // "Stage totals, the funnel, port rates, NPS, service levels and ListOpenComplaints are not profiling and
        // include them."
        population.surveys.add(&satisfaction);
        population.complaints.extend(satisfaction.complaints.into_iter().map(|complaint| (*id, complaint)));
        funnels.push(segmentation.funnel);
    }
    population.at_risk.sort_by_key(|line| (-line.p, line.customer));
    population.funnel = table(&funnels);
    population
}

impl Population {
    /// The complaints that are open, by customer, then lodging.
    pub fn open_complaints(&self) -> Vec<(CustomerId, Complaint)> {
        self.complaints.iter().filter(|(_, complaint)| complaint.open()).cloned().collect()
    }

    fn count(&mut self, common: &Customer) {
        self.customers += 1;
        self.withheld += i64::from(common.withheld);
        self.unresolved += common.unresolved;
        *self.stages.entry(common.stage.to_owned()).or_default() += 1;
    }

    /// "Totals of label, tier, band, satisfaction class, loyalty and segments count such customers as `withheld`."
    fn count_on(&mut self, id: CustomerId, axis: &'static str, value: Option<&str>) {
        let total = self.totals.entry(axis).or_default();
        *total.entry(value.unwrap_or(WITHHELD).to_owned()).or_default() += 1;
        if let Some(value) = value {
            self.list(id, axis, value);
        }
    }

    fn list(&mut self, id: CustomerId, axis: &'static str, value: &str) {
        self.members.entry((axis, value.to_owned())).or_default().push(id);
    }

    fn count_segmentation(&mut self, id: CustomerId, common: &Customer, segmentation: &Segmentation) {
        let profile = segmentation.profile.as_ref();
        self.count_on(id, "label", profile.map(|profile| profile.label));
        self.count_on(id, "tier", profile.map(|profile| profile.tier));
        // "Who withdrew consent to PROFILING ... is in no rule segment, member list or at-risk list."
        let Some(profile) = profile else {
            return;
        };
        self.list(id, "stage", common.stage);
        self.list(id, "motive", profile.demand.motive.as_deref().unwrap_or(UNKNOWN));
        self.list(id, "household", profile.demand.household.as_deref().unwrap_or(UNKNOWN));
        let places = [("project", &common.project), ("company", &common.company), ("consultant", &common.consultant)];
        for (axis, place) in places {
            self.list(id, axis, place.as_deref().unwrap_or(UNKNOWN));
        }
        for Membership { name, .. } in &profile.segments {
            *self.segments.entry(name.clone()).or_default() += 1;
            self.list(id, "segment", name);
        }
    }

    fn count_opinion(&mut self, id: CustomerId, satisfaction: &Satisfaction) {
        let opinion = satisfaction.opinion.as_ref();
        self.count_on(id, "class", opinion.map(|opinion| opinion.class));
        self.count_on(id, "loyalty", opinion.map(|opinion| opinion.loyalty));
    }

    fn count_risk(&mut self, id: CustomerId, common: &Customer, churn: &Churn) {
        let risk = churn.risk.as_ref();
        self.count_on(id, "band", risk.map(|risk| risk.band));
        if let Some(risk) = risk {
            self.at_risk.push(AtRisk {
                customer: id,
                p: risk.p,
                band: risk.band,
                project: common.project.clone(),
                company: common.company.clone(),
                consultant: common.consultant.clone(),
            });
        }
    }
}
