//! `segment watch`: who moves between stages, labels, tiers and rule segments.

use api::v1;
use api::v1::member_selector::Selector;
use tonic::{Request, Streaming};

use crate::client::asking::ViewClient;
use crate::client::failure::Failure;
use crate::client::output::Screen;
use crate::client::query::Scope;
use crate::client::watch::{SILENCED, Watched, shift};
use crate::client::words;

/// Whom to watch.
pub(super) struct Filter {
    pub(super) selector: Option<Selector>,
    pub(super) scope: Scope,
}

impl Watched for Filter {
    type Response = v1::WatchTransitionsResponse;
    type Change = v1::Transition;

    async fn open(&self, ask: &ViewClient, cursor: String) -> Result<Streaming<v1::WatchTransitionsResponse>, Failure> {
        let selector = self.selector.clone().map(|selector| v1::MemberSelector { selector: Some(selector) });
        let request = v1::WatchTransitionsRequest { selector, scope: self.scope.message(), cursor };
        // Without the deadline of a call: a watch has no end.
        Ok(ask.link.segmentation().await?.watch_transitions(Request::new(request)).await?.into_inner())
    }

    fn parts(response: v1::WatchTransitionsResponse) -> (Vec<v1::Transition>, Option<v1::WatchMark>) {
        (response.changes, response.mark)
    }

    fn step(change: &v1::Transition) -> Option<&v1::WatchStep> {
        change.step.as_ref()
    }

    fn heading(change: &v1::Transition) -> (i32, &'static str) {
        let stage = change.after.as_ref().map_or(0, |after| after.stage);
        (stage, words::stage(stage))
    }

    fn words(&self, _screen: Screen, change: &v1::Transition) -> (String, String) {
        (change.customer_id.clone(), said(change))
    }
}

fn said(change: &v1::Transition) -> String {
    let axes = |it: &v1::WatchedSegments| {
        [words::stage(it.stage), words::label(it.rfm_label), words::tier(it.value_tier)].join(" ")
    };
    let (before, after) = match (&change.before, &change.after) {
        (Some(before), Some(after)) => (before, after),
        (None, None) => return SILENCED.to_owned(),
        (before, after) => {
            let side = |side: &Option<v1::WatchedSegments>| side.as_ref().map(axes).unwrap_or_default();
            return shift(&side(before), &side(after));
        }
    };
    let moved = change.moved.iter().map(|field| moved(field, before, after));
    let gained = change.segments_gained.iter().map(|name| format!("+{name}"));
    let lost = change.segments_lost.iter().map(|name| format!("−{name}"));
    moved.chain(gained).chain(lost).collect::<Vec<_>>().join("  ")
}

/// From what to what a field moved, with its name where the values alone do not say which it is.
fn moved(field: &str, before: &v1::WatchedSegments, after: &v1::WatchedSegments) -> String {
    let said = |value: fn(&v1::WatchedSegments) -> String| shift(&value(before), &value(after));
    let unit = |value: fn(v1::Belonging) -> String| {
        let [before, after] = [before, after].map(|side| value(side.belonging.clone().unwrap_or_default()));
        shift(&before, &after)
    };
    let unless_unsaid = |value: i32, word: &str| if value == 0 { String::new() } else { word.to_owned() };
    match field {
        "stage" => said(|it| words::stage(it.stage).to_owned()),
        "rfm_label" => said(|it| words::label(it.rfm_label).to_owned()),
        "value_tier" => said(|it| words::tier(it.value_tier).to_owned()),
        "motive" => {
            let [before, after] = [before.motive, after.motive].map(|it| unless_unsaid(it, words::motive(it)));
            format!("motive {}", shift(&before, &after))
        }
        "household" => {
            let [before, after] = [before.household, after.household].map(|it| unless_unsaid(it, words::household(it)));
            format!("household {}", shift(&before, &after))
        }
        "company_id" => format!("company {}", unit(|it| it.company_id)),
        "project_id" => format!("project {}", unit(|it| it.project_id)),
        "consultant_id" => format!("consultant {}", unit(|it| it.consultant_id)),
        // Of a newer service.
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transition_says_what_is_other() {
        let before = v1::WatchedSegments {
            stage: v1::LifecycleStage::Prospect.into(),
            rfm_label: v1::RfmLabel::GeneralDevelop.into(),
            value_tier: v1::ValueTier::Basic.into(),
            ..Default::default()
        };
        let after = v1::WatchedSegments {
            stage: v1::LifecycleStage::QuasiOwner.into(),
            motive: v1::Motive::Upgrade.into(),
            ..before.clone()
        };
        let mut change = v1::Transition {
            before: Some(before),
            after: Some(after),
            moved: ["stage", "motive"].map(str::to_owned).to_vec(),
            segments_gained: vec!["vip_at_risk".to_owned()],
            ..Default::default()
        };
        assert_eq!(said(&change), "PROSPECT → QUASI_OWNER  motive – → UPGRADE  +vip_at_risk");
        change.after = None;
        assert_eq!(said(&change), "PROSPECT GENERAL_DEVELOP BASIC → –");
        assert_eq!(said(&v1::Transition::default()), SILENCED);
    }
}
