//! Watching the segmentation.

use touchpoint::CustomerId;
use views::rules::Rules;
use views::segmentation::{Answer, Group, Placement, Segmentation};

use super::Filter;
use crate::errors::Error;
use crate::query::Scope;
use crate::{names, segmentation, standing, v1};

/// Whom a watcher of the segmentation wants to hear of: who is in all of these groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentFilter {
    groups: Vec<Group>,
}

impl SegmentFilter {
    /// Reads the filter of a request.
    pub fn read(request: &v1::WatchTransitionsRequest, rules: &Rules) -> Result<Self, Error> {
        let scope = Scope::read(request.scope.as_ref())?;
        Ok(Self { groups: segmentation::groups(request.selector.as_ref(), &scope, rules)? })
    }
}

impl Filter for SegmentFilter {
    type View = Segmentation;
    type Change = v1::Transition;
    type Response = v1::WatchTransitionsResponse;

    fn is_withheld(placement: &Placement) -> bool {
        placement.is_withheld()
    }

    fn wants(&self, placement: &Placement) -> bool {
        !placement.is_withheld() && self.groups.iter().all(|group| placement.is_in(group))
    }

    fn is_news(&self, before: &Placement, after: &Placement) -> bool {
        before.groups().ne(after.groups())
    }

    fn change(
        customer: CustomerId,
        [before, after]: [Option<&Placement>; 2],
        step: v1::WatchStep,
        _answer: Option<&Answer>,
    ) -> v1::Transition {
        let [before, after] = [before, after].map(|side| side.and_then(watched));
        let (moved, gained, lost) = match (&before, &after) {
            (Some(before), Some(after)) => (
                moved(before, after),
                super::without(&after.rule_segments, &before.rule_segments),
                super::without(&before.rule_segments, &after.rule_segments),
            ),
            _ => Default::default(),
        };
        v1::Transition {
            customer_id: customer.to_string(),
            step: Some(step),
            before,
            after,
            moved,
            segments_gained: gained,
            segments_lost: lost,
        }
    }

    fn response(changes: Vec<v1::Transition>, mark: Option<v1::WatchMark>) -> v1::WatchTransitionsResponse {
        v1::WatchTransitionsResponse { changes, mark }
    }
}

/// What is said of a customer; nothing where profiling is withheld.
fn watched(placement: &Placement) -> Option<v1::WatchedSegments> {
    if placement.is_withheld() {
        return None;
    }
    let (mut said, mut belonging) = (v1::WatchedSegments::default(), v1::Belonging::default());
    for group in placement.groups() {
        match group {
            Group::Stage(stage) => said.stage = standing::stage(stage).into(),
            Group::Label(label) => said.rfm_label = segmentation::label(label).into(),
            Group::Tier(tier) => said.value_tier = segmentation::tier(tier).into(),
            Group::Motive(motive) => said.motive = names::motive(motive).into(),
            Group::Household(household) => said.household = names::household(household).into(),
            Group::Company(code) => belonging.company_id = code.to_string(),
            Group::Project(code) => belonging.project_id = code.to_string(),
            Group::Consultant(code) => belonging.consultant_id = code.to_string(),
            Group::Segment(name) => said.rule_segments.push(name.to_string()),
        }
    }
    Some(v1::WatchedSegments { belonging: Some(belonging), ..said })
}

/// The names of the fields that are other.
fn moved(before: &v1::WatchedSegments, after: &v1::WatchedSegments) -> Vec<String> {
    let belongs = |said: &v1::WatchedSegments| said.belonging.clone().unwrap_or_default();
    let (was, is) = (belongs(before), belongs(after));
    let fields = [
        ("stage", before.stage != after.stage),
        ("rfm_label", before.rfm_label != after.rfm_label),
        ("value_tier", before.value_tier != after.value_tier),
        ("motive", before.motive != after.motive),
        ("household", before.household != after.household),
        ("company_id", was.company_id != is.company_id),
        ("project_id", was.project_id != is.project_id),
        ("consultant_id", was.consultant_id != is.consultant_id),
    ];
    fields.into_iter().filter(|(_, other)| *other).map(|(name, _)| name.to_owned()).collect()
}
