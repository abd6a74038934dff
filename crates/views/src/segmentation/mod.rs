//! The segmentation view: where a customer stands on each axis, which rule segments they belong to, and how far they
//! came.

mod behind;
mod demand;
mod funnel;
mod members;
mod rfm;
mod rule;
mod tier;

use std::sync::Arc;

use touchpoint::EventId;

use crate::lifecycle::Lifecycle;
use crate::rules::Rules;
use crate::{Moment, Record, Standing, Timeline};

pub use demand::{Budget, Demand, Said};
pub use funnel::{Cell, Counts, Funnel, Month, Reached, Row, Source, Step, table};
pub use members::{Group, Placement, Segmentation, Totals};
pub use rfm::{Label, Rfm};
pub use tier::{Part, PartCode, Tier, TierScore};

/// What is said of one customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Where the customer stands.
    pub standing: Standing,
    /// Everything that is profiling; nothing while consent to it is withdrawn.
    pub profile: Option<Profile>,
    /// How far the customer came.
    pub funnel: Funnel,
}

/// The axes and rule segments of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Recency, frequency, monetary, and the label made of them.
    pub rfm: Rfm,
    /// The value tier.
    pub tier: TierScore,
    /// What the customer looks for.
    pub demand: Demand,
    /// The rule segments, in the order of their names.
    pub segments: Vec<Membership>,
}

/// Belonging to a rule segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The segment's name.
    pub name: Arc<str>,
    /// The events behind it, the oldest first: those that its counts counted, and those that gave its axes and
    /// attributes their values.
    pub evidence: Vec<EventId>,
}

/// The answer for a customer at a moment; nothing if no event counts.
pub(crate) fn answer(record: &Record, rules: &Rules, moment: &mut Moment) -> Option<Answer> {
    let timeline = Timeline::at(record, moment)?;
    let lifecycle = Lifecycle::fold(&timeline, &rules.lifecycle, moment);
    let standing = Standing::new(&timeline, &lifecycle);
    let funnel = Funnel::fold(&timeline, &lifecycle)?;
    let profile = match timeline.withheld {
        true => None,
        false => Some(profile(&timeline, &lifecycle, &standing, rules, moment)),
    };
    Some(Answer { standing, profile, funnel })
}

fn profile(
    timeline: &Timeline<'_>,
    lifecycle: &Lifecycle<'_>,
    standing: &Standing,
    rules: &Rules,
    moment: &mut Moment,
) -> Profile {
    let rules = &rules.segmentation;
    let rfm = Rfm::new(timeline, lifecycle, rules, moment);
    let referrals = tier::converted_referrals(timeline);
    let tier = TierScore::new(timeline, lifecycle, &referrals, rules);
    let demand = Demand::fold(timeline);
    let (rfm_of, conversions) = (&rfm, &referrals[..]);
    let subject =
        rule::Subject { timeline, lifecycle, standing, rfm: rfm_of, tier: &tier, demand: &demand, conversions };
    let segments = rule::memberships(&subject, &rules.segments, moment);
    Profile { rfm, tier, demand, segments }
}
