//! A customer's answers in short: what `history` steps through and `bisect` asks about.

use api::v1;
use api::v1::churn_risk_service_client::ChurnRiskServiceClient;
use api::v1::satisfaction_service_client::SatisfactionServiceClient;
use api::v1::segmentation_service_client::SegmentationServiceClient;
use serde_json::{Map, Value};
use tonic::transport::Channel;
use tonic::{Code, Response, Status};

use super::failure::Failure;
use super::happened::{Micros, micros};
use super::link::Link;
use super::{format, query, words};
use crate::cli::View;

/// The answers of one instant; what was not asked for, or is withheld, is absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Facts {
    pub(crate) stage: Option<&'static str>,
    pub(crate) band: Option<&'static str>,
    pub(crate) p_millionths: Option<u32>,
    pub(crate) tier: Option<&'static str>,
    pub(crate) label: Option<&'static str>,
    pub(crate) class: Option<&'static str>,
    pub(crate) index_hundredths: Option<u32>,
    /// Rule segments that the customer is in.
    pub(crate) segments: Option<Vec<String>>,
    /// Of every rule segment what decides, where that was asked for.
    pub(crate) decisions: Vec<v1::SegmentDecision>,
}

impl Facts {
    /// The customer is known, and no view says more than the stage.
    pub(crate) const fn is_withheld(&self) -> bool {
        self.stage.is_some() && self.band.is_none() && self.tier.is_none() && self.class.is_none()
    }

    /// Names and values, in the order in which they are shown.
    pub(crate) fn words(&self) -> Vec<(&'static str, String)> {
        let word = |word: Option<&str>| word.map(str::to_owned);
        let p = self.p_millionths.map(format::probability);
        let segments = self.segments.as_ref().map(|names| names.join(", "));
        let all = [
            ("stage", word(self.stage)),
            ("band", word(self.band)),
            ("p", p),
            ("tier", word(self.tier)),
            ("label", word(self.label)),
            ("class", word(self.class)),
            ("index", self.index_hundredths.map(|index| format::hundredths(Some(index)))),
            ("segments", segments),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// What is other than it was, with its present value; what went away is nothing.
    pub(crate) fn changed(before: Option<&Self>, after: Option<&Self>) -> Vec<(&'static str, String)> {
        let of = |facts: Option<&Self>| facts.map(Self::words).unwrap_or_default();
        let (before, after) = (of(before), of(after));
        let gone = before.iter().filter(|(name, _)| !after.iter().any(|(other, _)| other == name));
        let gone: Vec<_> = gone.map(|(name, _)| (*name, format::NOTHING.to_owned())).collect();
        after.into_iter().filter(|fact| !before.contains(fact)).chain(gone).collect()
    }

    /// The rule segments that came or went, with what decides on them now.
    pub(crate) fn segments_changed<'a>(before: Option<&Self>, after: Option<&'a Self>) -> Vec<&'a v1::SegmentDecision> {
        let was_in = |name: &String| {
            before.and_then(|facts| facts.segments.as_ref()).is_some_and(|segments| segments.contains(name))
        };
        let holds = |it: &v1::SegmentDecision| it.decision.as_ref().is_some_and(|decision| decision.holds);
        let decisions = after.iter().flat_map(|facts| &facts.decisions);
        decisions.filter(|it| holds(it) != was_in(&it.name)).collect()
    }

    /// As JSON: the words of tables, all as text but the rule segments.
    pub(crate) fn json(&self) -> Value {
        let words = self.words().into_iter().filter(|(name, _)| *name != "segments");
        let mut all: Map<_, _> = words.map(|(name, value)| (name.to_owned(), Value::String(value))).collect();
        if let Some(segments) = &self.segments {
            all.insert("segments".to_owned(), segments.as_slice().into());
        }
        Value::Object(all)
    }
}

/// Reads the answers of some views, over one connection each.
#[derive(Default)]
pub(crate) struct Reader {
    segmentation: Option<SegmentationServiceClient<Channel>>,
    satisfaction: Option<SatisfactionServiceClient<Channel>>,
    churn: Option<ChurnRiskServiceClient<Channel>>,
    /// Also ask what decides on rule segments.
    explain: bool,
}

/// The answers of an instant.
pub(crate) struct Answered {
    pub(crate) facts: Facts,
    /// They hold up to this instant.
    pub(crate) holds_to: Option<Micros>,
    pub(crate) basis: Basis,
}

/// What answers rest on.
#[derive(Debug, Clone)]
pub(crate) struct Basis {
    /// Every event up to this position of the log counts.
    pub(crate) position: u64,
    /// Digest of the rules.
    pub(crate) rules: String,
}

impl Basis {
    /// In one line.
    pub(crate) fn line(&self) -> String {
        query::position_and_rules(self.position, &self.rules)
    }
}

impl Reader {
    /// Of these views.
    pub(crate) async fn new(link: &Link, views: &[View]) -> Result<Self, Failure> {
        let mut reader = Self::default();
        for view in views {
            match view {
                View::Segmentation => reader.segmentation = Some(link.segmentation().await?),
                View::Satisfaction => reader.satisfaction = Some(link.satisfaction().await?),
                View::Churn => reader.churn = Some(link.churn().await?),
            }
        }
        Ok(reader)
    }

    /// One that also asks what decides on rule segments. Its answers may hold for less long.
    pub(crate) fn explaining(self) -> Self {
        Self { explain: true, ..self }
    }

    /// The answers of an instant; nothing if the customer is not known then.
    pub(crate) async fn at(
        &mut self,
        link: &Link,
        customer: &str,
        query: v1::ViewQuery,
    ) -> Result<Option<Answered>, Failure> {
        let mut all: Option<Answered> = None;
        let mut add = |answer: Option<Facts>, meta: Option<v1::AnswerMeta>| {
            let (Some(facts), Some(meta)) = (answer, meta) else { return };
            match &mut all {
                Some(all) => all.add(facts, meta),
                None => all = Some(Answered::of(facts, meta)),
            }
        };
        let (customer_id, query) = (customer.to_owned(), Some(query));
        if let Some(service) = &mut self.churn {
            let request = v1::GetRiskRequest { customer_id: customer_id.clone(), query: query.clone() };
            let answer = known(service.get_risk(link.request(request)).await)?.unwrap_or_default();
            add(answer.risk.map(Facts::from), answer.meta);
        }
        if let Some(service) = &mut self.segmentation {
            let (customer_id, query) = (customer_id.clone(), query.clone());
            let request = v1::GetCustomerSegmentsRequest { customer_id, query, explain: self.explain };
            let answer = known(service.get_customer_segments(link.request(request)).await)?.unwrap_or_default();
            add(answer.customer.map(Facts::from), answer.meta);
        }
        if let Some(service) = &mut self.satisfaction {
            let request = v1::GetCustomerIndexRequest { customer_id, query };
            let answer = known(service.get_customer_index(link.request(request)).await)?.unwrap_or_default();
            add(answer.customer.map(Facts::from), answer.meta);
        }
        Ok(all)
    }
}

impl Answered {
    fn of(facts: Facts, meta: v1::AnswerMeta) -> Self {
        let basis = Basis { position: meta.position, rules: meta.rules_version };
        Self { facts, holds_to: meta.valid_until.as_ref().map(micros), basis }
    }

    /// Takes what another view says, which may have folded less.
    fn add(&mut self, facts: Facts, meta: v1::AnswerMeta) {
        let other = Self::of(facts, meta);
        self.facts.add(other.facts);
        self.holds_to = self.holds_to.into_iter().chain(other.holds_to).min();
        self.basis.position = self.basis.position.min(other.basis.position);
    }
}

impl Facts {
    /// Takes what another view says; the stage is the same in all.
    fn add(&mut self, other: Self) {
        self.stage = other.stage.or(self.stage);
        self.band = other.band.or(self.band);
        self.p_millionths = other.p_millionths.or(self.p_millionths);
        self.tier = other.tier.or(self.tier);
        self.label = other.label.or(self.label);
        self.class = other.class.or(self.class);
        self.index_hundredths = other.index_hundredths.or(self.index_hundredths);
        self.segments = other.segments.or(self.segments.take());
        self.decisions.extend(other.decisions);
    }
}

/// The answer; a customer that is not known at the instant is no failure here.
fn known<T>(answer: Result<Response<T>, Status>) -> Result<Option<T>, Failure> {
    match answer {
        Ok(answer) => Ok(Some(answer.into_inner())),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(status.into()),
    }
}

fn stage(lifecycle: Option<&v1::Lifecycle>) -> Option<&'static str> {
    lifecycle.map(|lifecycle| words::stage(lifecycle.stage))
}

impl From<v1::Risk> for Facts {
    fn from(it: v1::Risk) -> Self {
        let band = (!it.withheld).then(|| words::band(it.band));
        let p_millionths = it.p_millionths.filter(|_| !it.withheld);
        Self { stage: stage(it.lifecycle.as_ref()), band, p_millionths, ..Self::default() }
    }
}

impl From<v1::CustomerSegments> for Facts {
    fn from(it: v1::CustomerSegments) -> Self {
        let segments = it.rule_segments.into_iter().map(|segment| segment.name).collect();
        Self {
            stage: stage(it.lifecycle.as_ref()),
            tier: it.value.map(|value| words::tier(value.tier)),
            label: it.rfm.map(|rfm| words::label(rfm.label)),
            segments: (!it.withheld).then_some(segments),
            decisions: it.segment_decisions,
            ..Self::default()
        }
    }
}

impl From<v1::CustomerIndex> for Facts {
    fn from(it: v1::CustomerIndex) -> Self {
        let class = (!it.withheld).then(|| words::class(it.satisfaction_class));
        let index_hundredths = it.index_hundredths.filter(|_| !it.withheld);
        Self { stage: stage(it.lifecycle.as_ref()), class, index_hundredths, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_other_is_a_change() {
        let before = Facts { stage: Some("RUN_IN"), band: Some("LOW"), p_millionths: Some(1), ..Facts::default() };
        let after = Facts { band: Some("HIGH"), p_millionths: None, ..before.clone() };
        let changed = Facts::changed(Some(&before), Some(&after));
        assert_eq!(changed, [("band", "HIGH".to_owned()), ("p", "–".to_owned())]);
        assert_eq!(Facts::changed(None, Some(&before))[2], ("p", "0.000001".to_owned()));
        assert!(Facts::changed(Some(&after), Some(&after)).is_empty());
    }

    #[test]
    fn of_who_withdrew_consent_only_the_stage_is_said() {
        let lifecycle = Some(v1::Lifecycle { stage: v1::LifecycleStage::RunIn.into(), ..Default::default() });
        let risk = |withheld| v1::Risk { lifecycle: lifecycle.clone(), withheld, band: 2, ..Default::default() };
        let segments = v1::CustomerSegments { lifecycle: lifecycle.clone(), withheld: true, ..Default::default() };
        let index = v1::CustomerIndex { lifecycle: lifecycle.clone(), withheld: true, ..Default::default() };
        for withheld in [Facts::from(risk(true)), Facts::from(segments), Facts::from(index)] {
            assert!(withheld.is_withheld(), "{withheld:?}");
        }
        assert!(!Facts::from(risk(false)).is_withheld() && !Facts::default().is_withheld());
    }

    #[test]
    fn only_segments_that_come_or_go_say_why() {
        let decided = |name: &str, holds| v1::SegmentDecision {
            name: name.to_owned(),
            decision: Some(v1::Decision { holds, conditions: vec![] }),
        };
        let names = |names: &[&str]| Some(names.iter().map(|&name| name.to_owned()).collect());
        let before = Facts { segments: names(&["goes", "stays"]), ..Facts::default() };
        let decisions =
            vec![decided("comes", true), decided("goes", false), decided("never", false), decided("stays", true)];
        let after = Facts { segments: names(&["comes", "stays"]), decisions, ..Facts::default() };
        let changed = |before: Option<&Facts>| -> Vec<_> {
            Facts::segments_changed(before, Some(&after)).into_iter().map(|it| it.name.as_str()).collect()
        };
        assert_eq!(changed(Some(&before)), ["comes", "goes"]);
        assert_eq!(changed(None), ["comes", "stays"]);
        assert!(Facts::segments_changed(Some(&before), None).is_empty());
    }
}
