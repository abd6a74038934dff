//! The segmentation view: where a customer stands on each axis, which rule segments they belong to, and how far they
//! came.

mod behind;
mod demand;
mod funnel;
mod members;
mod rfm;
mod rule;
mod tier;
mod trace;

use std::sync::Arc;

use touchpoint::EventId;

use crate::lifecycle::Lifecycle;
use crate::rules::Rules;
use crate::{Moment, Record, Standing, Timeline};
use rule::Subject;

pub use demand::{Budget, Demand, Said};
pub use funnel::{Cell, Counts, Funnel, Month, Reached, Row, Source, Step, table};
pub use members::{Group, Placement, Segmentation, Totals};
pub use rfm::{Label, Rfm};
pub use tier::{Part, PartCode, Tier, TierScore};
pub use trace::{DecidingLeaf, Decision, Found, Leaf, Trace};

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

/// An answer with what only those ask for who want to know why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The answer.
    pub answer: Answer,
    /// What it rests on; nothing while consent to profiling is withdrawn.
    pub reasons: Option<Reasons>,
}

/// What a profile rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reasons {
    /// The last interaction on each of the interaction days, the oldest first.
    pub frequency_by: Vec<EventId>,
    /// How the condition of each rule segment turned out, in the order of their names.
    pub decisions: Vec<Decision>,
}

/// The answer for a customer at a moment; nothing if no event counts.
pub(crate) fn answer(record: &Record, rules: &Rules, moment: &mut Moment) -> Option<Answer> {
    evaluate(record, rules, moment, |_, _| ()).map(|(answer, _)| answer)
}

/// The answer for a customer at a moment, and why; nothing if no event counts. It may hold for less long than the answer
/// alone: other parts may decide, or other numbers be found, and the customer be where they were.
pub fn explain(record: &Record, rules: &Rules, moment: &mut Moment) -> Option<Explained> {
    let reasons = |subject: &Subject<'_, '_>, moment: &mut Moment| Reasons {
        frequency_by: subject.rfm.frequency_by(subject.timeline).iter().map(|event| event.id).collect(),
        decisions: rule::decisions(subject, &rules.segmentation.segments, moment),
    };
    let (answer, reasons) = evaluate(record, rules, moment, reasons)?;
    Some(Explained { answer, reasons })
}

/// The answer, and what is asked besides of a customer whose profile is not withheld.
fn evaluate<T>(
    record: &Record,
    rules: &Rules,
    moment: &mut Moment,
    besides: impl FnOnce(&Subject<'_, '_>, &mut Moment) -> T,
) -> Option<(Answer, Option<T>)> {
    let timeline = Timeline::at(record, moment)?;
    let lifecycle = Lifecycle::fold(&timeline, &rules.lifecycle, moment);
    let standing = Standing::new(&timeline, &lifecycle);
    let funnel = Funnel::fold(&timeline, &lifecycle)?;
    if timeline.withheld {
        return Some((Answer { standing, profile: None, funnel }, None));
    }
    let subject = Subject::new(&timeline, &lifecycle, &standing, &rules.segmentation, moment);
    let segments = rule::memberships(&subject, &rules.segmentation.segments, moment);
    let found = besides(&subject, moment);
    let Subject { rfm, tier, demand, .. } = subject;
    let profile = Some(Profile { rfm, tier, demand, segments });
    Some((Answer { standing, profile, funnel }, Some(found)))
}
