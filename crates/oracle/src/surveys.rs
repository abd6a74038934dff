//! Survey figures and service levels of projects, city companies and the group. Section 4.

use std::collections::BTreeMap;

use crate::satisfaction::Satisfaction;
use crate::scores::{Ces, Comparison, Nps, Outcomes, Ranked, Score, compare, rank};

/// What figures are about. "The units that are ranked; the group is all of them."
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// 集团.
    Group,
    /// 一线公司.
    Company(String),
    /// 项目.
    Project(String),
}

/// Unit × wave × port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The unit.
    pub unit: Unit,
    /// The survey wave.
    pub wave: String,
    /// The service port.
    pub port: String,
}

/// The three clocks of many complaints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ServiceLevel {
    /// Until the acknowledgement.
    pub acknowledge: Outcomes,
    /// Until the first resolution.
    pub first: Outcomes,
    /// All the time open.
    pub total: Outcomes,
}

/// The figures of all customers.
#[derive(Debug, Clone, Default)]
pub struct Surveys {
    /// One value per customer × project × wave × port.
    pub scores: BTreeMap<Place, Score>,
    /// "Indicators are the same per item."
    pub indicators: BTreeMap<(Place, String), Score>,
    /// "NPS ... per wave × port, unit or group."
    pub nps: BTreeMap<Place, Nps>,
    /// "CES ... per wave × port, unit or group."
    pub ces: BTreeMap<Place, Ces>,
    /// By unit, and by service port or (nothing) all of them.
    pub service_levels: BTreeMap<(Unit, Option<String>), ServiceLevel>,
}

impl Surveys {
    /// Counts one customer.
    pub(crate) fn add(&mut self, satisfaction: &Satisfaction) {
        for value in &satisfaction.port_values {
            for place in places(&value.company, &value.project, &value.wave, &value.port) {
                self.scores.entry(place).or_default().add(value.value);
            }
        }
        for value in &satisfaction.item_values {
            for place in places(&value.company, &value.project, &value.wave, &value.port) {
                self.add_answer(place, &value.item, &value.metric, value.score);
            }
        }
        for complaint in &satisfaction.complaints {
            for unit in units(&complaint.company, &complaint.project) {
                for port in [None, Some(complaint.port.clone())] {
                    let level = self.service_levels.entry((unit.clone(), port)).or_default();
                    level.acknowledge.add(complaint.acknowledge_outcome);
                    level.first.add(complaint.first_outcome);
                    level.total.add(complaint.total_outcome);
                }
            }
        }
    }

    fn add_answer(&mut self, place: Place, item: &str, metric: &str, score: i64) {
        match metric {
            "CSAT" => self.indicators.entry((place, item.to_owned())).or_default().add(score),
            "NPS" => {
                let nps = self.nps.entry(place).or_default();
                nps.n += 1;
                nps.promoters += i64::from(score >= 9);
                nps.detractors += i64::from(score <= 6);
            }
            "CES" => {
                let ces = self.ces.entry(place).or_default();
                ces.n += 1;
                ces.easy += i64::from(score >= 5);
            }
            _ => {}
        }
    }

    /// "The earlier wave defaults to the greatest smaller wave id (as ASCII text) in which the group has a value of
    /// that port."
    pub fn earlier_wave(&self, wave: &str, port: &str) -> Option<String> {
        let group = self.scores.keys().filter(|place| place.unit == Unit::Group && place.port == port);
        group.map(|place| place.wave.clone()).filter(|other| other.as_str() < wave).max()
    }

    /// "Year on year" of one unit and port against an earlier wave, by default the one before.
    pub fn year_on_year(&self, unit: &Unit, wave: &str, earlier: Option<&str>, port: &str) -> Option<Comparison> {
        let earlier = match earlier {
            Some(earlier) => earlier.to_owned(),
            None => self.earlier_wave(wave, port)?,
        };
        let place = |wave: &str| Place { unit: unit.clone(), wave: wave.to_owned(), port: port.to_owned() };
        compare(*self.scores.get(&place(&earlier))?, *self.scores.get(&place(wave))?)
    }

    /// The ranking of all projects.
    pub fn rank_projects(&self, wave: &str, port: &str) -> Vec<Ranked> {
        self.rank_units(wave, port, |unit| if let Unit::Project(id) = unit { Some(id.clone()) } else { None })
    }

    /// The ranking of all city companies.
    pub fn rank_companies(&self, wave: &str, port: &str) -> Vec<Ranked> {
        self.rank_units(wave, port, |unit| if let Unit::Company(id) = unit { Some(id.clone()) } else { None })
    }

    fn rank_units(&self, wave: &str, port: &str, id: impl Fn(&Unit) -> Option<String>) -> Vec<Ranked> {
        let mut units = Vec::new();
        for (place, score) in &self.scores {
            if let Some(id) = id(&place.unit).filter(|_| place.wave == wave && place.port == port) {
                units.push((id, *score));
            }
        }
        rank(&units)
    }
}

/// "It belongs to the company and project of its answer. The group is pooled counts, not a mean of rates."
fn units(company: &Option<String>, project: &Option<String>) -> Vec<Unit> {
    let mut units = vec![Unit::Group];
    units.extend(company.clone().map(Unit::Company));
    units.extend(project.clone().map(Unit::Project));
    units
}

fn places(company: &Option<String>, project: &Option<String>, wave: &str, port: &str) -> Vec<Place> {
    let place = |unit| Place { unit, wave: wave.to_owned(), port: port.to_owned() };
    units(company, project).into_iter().map(place).collect()
}
