//! Satisfaction (docs/views.md section 4): what customers think of each port of the company, and how complaints are
//! handled.
//!
//! An [`Answer`] is about one customer: a [`Profile`] with index and loyalty class, the values that count in port
//! rates, and each complaint as a [`Case`]. [`Totals`] are over all customers: what the satisfaction report reads.

mod case;
mod figure;
mod index;
mod loyalty;
mod name;
mod placement;
mod port;
mod rank;
mod report;
mod score;
mod service_level;
mod sum;
mod tally;
mod totals;

pub use case::Case;
pub use index::{Class, Observation};
pub use loyalty::{Loyalty, LoyaltyAnswer};
pub use name::Name;
pub use placement::{Placement, Scope};
pub use port::{ItemValue, PortValue};
pub use rank::{Ranked, Unit, UnitKind};
pub use report::{Indicator, Place, PortScore};
pub use score::{Change, Difference, Score, Trend};
pub use service_level::{LevelTally, ServiceLevels};
pub use tally::{Ces, Classes, Nps};
pub use totals::{Narrow, OpenCase, OpenPlace, Totals};

pub use crate::Evidence;

use touchpoint::CustomerId;

use sum::Sum;

use crate::complaint::{Complaint, complaints};
use crate::lifecycle::Lifecycle;
use crate::rules::{self, Rules};
use crate::survey::{self, Answer as Counting};
use crate::{Moment, Record, Sign, Standing, Timeline, View};

/// What is concluded about a customer by their own answers and complaints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The customer index in hundredths, 0 to 10,000; nothing without an observation.
    pub index: Option<u32>,
    /// The class of the published index.
    pub class: Class,
    /// What the index is made of, the heaviest first.
    pub observations: Vec<Observation>,
    /// The loyalty class.
    pub loyalty: Loyalty,
    /// The overall, repurchase and recommendation answers behind the loyalty class; none while it is UNKNOWN.
    pub loyalty_answers: Vec<LoyaltyAnswer>,
}

/// What is said of one customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Stage, project, company, consultant.
    pub standing: Standing,
    /// Index and loyalty; nothing where consent to profiling is withdrawn.
    pub profile: Option<Profile>,
    /// The complaints with their service levels, in the order of their lodging.
    pub complaints: Vec<Case>,
    /// What the customer adds to port rates. Not to be shown by customer where profiling is withheld.
    pub port_values: Vec<PortValue>,
    /// The single answers, of every metric. Not to be shown by customer where profiling is withheld.
    pub item_values: Vec<ItemValue>,
}

/// The satisfaction view.
#[derive(Debug, Clone, Copy)]
pub struct Satisfaction;

impl View for Satisfaction {
    const NAME: &'static str = "satisfaction";
    type Answer = Answer;
    type Placement = Placement;
    type Totals = Totals;

    fn answer(record: &Record, rules: &Rules, moment: &mut Moment) -> Option<Answer> {
        let timeline = Timeline::at(record, moment)?;
        let lifecycle = Lifecycle::fold(&timeline, &rules.lifecycle, moment);
        let standing = Standing::new(&timeline, &lifecycle);
        let answers = survey::answers(&timeline);
        let complaints = complaints(&timeline, &rules.service_levels, moment);
        let port_values = port::port_values(&answers);
        let profile = (!timeline.withheld)
            .then(|| profile(&timeline, &port_values, &answers, &complaints, &rules.satisfaction, moment));
        Some(Answer {
            standing,
            profile,
            complaints: complaints.iter().map(Case::new).collect(),
            port_values,
            item_values: port::item_values(&answers),
        })
    }

    fn placement(answer: &Answer) -> Placement {
        Placement::new(answer)
    }

    fn place(totals: &mut Totals, customer: CustomerId, placement: &Placement, sign: Sign) {
        totals.place(customer, placement, sign);
    }

    fn merge(totals: &mut Totals, others: Totals) {
        totals.add(others);
    }
}

fn profile(
    timeline: &Timeline<'_>,
    values: &[PortValue],
    answers: &[Counting<'_>],
    complaints: &[Complaint<'_>],
    rules: &rules::Satisfaction,
    moment: &mut Moment,
) -> Profile {
    let observations = index::observations(values, answers, complaints, rules, moment);
    let index = index::index(&observations, rules);
    let (loyalty, loyalty_answers) = loyalty::loyalty(timeline, rules, moment);
    Profile { index, class: Class::of(index, rules), observations, loyalty, loyalty_answers }
}
