//! What all customers share: projects and how good they are, survey waves, incidents that upset many at once.

use touchpoint::{Date, ServicePort, Timestamp};

use crate::dice::Dice;

/// The survey of a year begins on the first day of this month.
const SURVEY_MONTH: u32 = 9;
/// Incidents of a project per year.
const INCIDENTS_PER_YEAR: u32 = 1;
/// Consultants of a project.
pub(super) const CONSULTANTS: i64 = 6;

/// A housing project.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Project {
    pub(super) company: &'static str,
    pub(super) id: &'static str,
    /// Expected share of satisfied answers.
    pub(super) quality: f64,
    /// What that share gains from one wave to the next.
    pub(super) trend: f64,
    /// Price of a square metre, in yuan.
    pub(super) price_yuan: i64,
    /// Months from signing to the planned handover.
    pub(super) months_to_handover: u32,
    /// How popular it is.
    pub(super) weight: u32,
}

const fn project(
    company: &'static str,
    id: &'static str,
    (quality, trend): (f64, f64),
    price_yuan: i64,
    months_to_handover: u32,
    weight: u32,
) -> Project {
    Project { company, id, quality, trend, price_yuan, months_to_handover, weight }
}

/// The projects of both city companies.
pub(super) const PROJECTS: [Project; 8] = [
    project("C01", "P001", (0.88, 0.010), 46_800, 14, 12),
    project("C01", "P002", (0.83, 0.005), 31_500, 18, 15),
    project("C01", "P003", (0.76, 0.030), 23_800, 20, 18),
    project("C01", "P004", (0.86, -0.010), 28_200, 16, 11),
    project("C02", "P005", (0.81, 0.000), 17_600, 18, 16),
    project("C02", "P006", (0.91, 0.005), 35_900, 12, 9),
    project("C02", "P007", (0.78, -0.015), 14_200, 22, 12),
    project("C02", "P008", (0.80, 0.015), 19_400, 16, 10),
];

/// 调查期次: one round of the survey.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wave {
    pub(super) year: i32,
    pub(super) starts_at: Timestamp,
    /// Counted from 0 at the first wave.
    pub(super) number: u32,
}

/// Something that many customers of a project complain about.
#[derive(Debug, Clone)]
pub(super) struct Incident {
    pub(super) project: &'static str,
    pub(super) at: Timestamp,
    pub(super) port: ServicePort,
    pub(super) group: String,
}

/// What all customers share.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) since: Timestamp,
    pub(super) until: Timestamp,
    pub(super) waves: Vec<Wave>,
    pub(super) incidents: Vec<Incident>,
    /// The projects by popularity.
    pub(super) popular: Vec<(u32, &'static Project)>,
}

impl World {
    pub(super) fn new(dice: &mut Dice, until: Timestamp, years: u32) -> Self {
        let since = until.plus_days(-i64::from(years) * 1_461 / 4);
        let popular = PROJECTS.iter().map(|project| (project.weight, project)).collect();
        Self { since, until, waves: waves(since, until), incidents: incidents(dice, since, years), popular }
    }
}

fn waves(since: Timestamp, until: Timestamp) -> Vec<Wave> {
    let years = since.shanghai_date().year()..=until.shanghai_date().year();
    let start = |year| Date::from_ymd(year, SURVEY_MONTH, 1).map(|date| (year, date.start()));
    let within = years.filter_map(start).filter(|(_, at)| (since..=until).contains(at));
    within.enumerate().map(|(number, (year, starts_at))| Wave { year, starts_at, number: number as u32 }).collect()
}

fn incidents(dice: &mut Dice, since: Timestamp, years: u32) -> Vec<Incident> {
    const PORTS: [ServicePort; 3] =
        [ServicePort::PropertyManagement, ServicePort::ConstructionQuality, ServicePort::Handover];
    let mut incidents = Vec::new();
    for project in &PROJECTS {
        for number in 0..years * INCIDENTS_PER_YEAR {
            let day = i64::from(number) * 365 / i64::from(INCIDENTS_PER_YEAR) + dice.between(0, 300);
            let group = format!("G-{}-{:02}", project.id, number + 1);
            incidents.push(Incident { project: project.id, at: since.plus_days(day), port: dice.pick(&PORTS), group });
        }
    }
    incidents
}
