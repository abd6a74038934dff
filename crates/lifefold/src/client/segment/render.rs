//! Segmentation in tables.

use api::v1;

use crate::client::evidence::Events;
use crate::client::output::{self, Screen};
use crate::client::series::Totals;
use crate::client::{decision, format, query, words};

/// A customer on every axis.
pub(super) fn customer(screen: Screen, answer: &v1::GetCustomerSegmentsResponse, events: &Events) -> String {
    let it = answer.customer.clone().unwrap_or_default();
    let mut text = screen.pairs(facts(&it, events));
    let scores = it.rfm.iter().flat_map(|rfm| &rfm.reasons);
    text += &parts(screen, "Part of RFM", scores, events);
    if let Some(value) = &it.value {
        let mut table = screen.table(&["Part of the tier", ">Points", "Evidence"]);
        for reason in &value.reasons {
            let points = reason.points_millionths.map_or_else(String::new, format::points);
            table.add_row([reason.code.clone(), points, events.lines(&reason.evidence)]);
        }
        text = format!("{text}\n{}", output::text(&table));
    }
    let wanted = it.demand.iter().flat_map(|demand| &demand.reasons);
    text += &parts(screen, "Part of the demand", wanted, events);
    text += &rule_segments(screen, &it, events);
    text + &query::basis(answer.meta.as_ref())
}

fn facts(it: &v1::CustomerSegments, events: &Events) -> Vec<(&'static str, String)> {
    let mut facts = vec![("customer", it.customer_id.clone())];
    facts.extend(it.lifecycle.as_ref().map(|lifecycle| ("stage", stage(lifecycle))));
    let made_by = it.lifecycle.as_ref().and_then(|lifecycle| lifecycle.made_by.as_ref());
    facts.extend(made_by.map(|event| ("stage made by", events.lines(std::slice::from_ref(event)))));
    if it.withheld {
        facts.push(("profile", "withheld: the customer withdrew consent to PROFILING".to_owned()));
        return facts;
    }
    if let Some(rfm) = &it.rfm {
        let label = words::label_title(rfm.label);
        facts.push(("RFM", format!("{}-{}-{} {label}", rfm.recency, rfm.frequency, rfm.monetary)));
        let last = rfm.last_interaction.as_ref().and_then(|last| last.occurred_at.as_ref());
        if last.is_some() {
            let by = rfm.last_interaction.as_ref().and_then(|last| events.kind(&last.event_id));
            let by = by.map_or_else(String::new, |kind| format!(" {kind}"));
            facts.push(("last interaction", format::local(last) + &by));
        }
        facts.push(("interaction days", format!("{} in a year", rfm.interaction_days)));
        facts.push(("live contracts", format::yuan(rfm.live_contracts_fen)));
    }
    if let Some(value) = &it.value {
        let score = format::hundredths(Some(value.score_hundredths));
        facts.push(("value tier", format!("{} ({score} of 100)", words::tier(value.tier))));
    }
    facts.extend(it.demand.as_ref().map(|wanted| ("demand", demand(wanted))));
    facts.extend(it.belonging.as_ref().map(|belonging| ("belongs to", words::place(belonging))));
    facts
}

/// The events behind parts that have no points.
fn parts<'a>(screen: Screen, title: &str, reasons: impl Iterator<Item = &'a v1::Reason>, events: &Events) -> String {
    let mut table = screen.table(&[title, "Evidence"]);
    for reason in reasons {
        table.add_row([reason.code.clone(), events.lines(&reason.evidence)]);
    }
    if table.is_empty() { String::new() } else { format!("\n{}", output::text(&table)) }
}

/// The rule segments: first those that the customer is in, then the others, each with what decides.
fn rule_segments(screen: Screen, it: &v1::CustomerSegments, events: &Events) -> String {
    let because = |name: &str| {
        let decided = it.segment_decisions.iter().find(|decided| decided.name == name);
        let lines = decided.and_then(|decided| decided.decision.as_ref()).map(decision::lines);
        lines.unwrap_or_default().join("\n")
    };
    let mut table = screen.table(&["Rule segment", "Is in", "Because of", "Evidence"]);
    for segment in &it.rule_segments {
        let (name, evidence) = (segment.name.as_str(), events.lines(&segment.evidence));
        table.add_row([name, "yes", &because(name), &evidence]);
    }
    let is_out = |decided: &&v1::SegmentDecision| !decided.decision.as_ref().is_some_and(|decision| decision.holds);
    for decided in it.segment_decisions.iter().filter(is_out) {
        table.add_row([decided.name.as_str(), "no", &because(&decided.name), ""]);
    }
    if table.is_empty() { String::new() } else { format!("\n{}", output::text(&table)) }
}

fn stage(lifecycle: &v1::Lifecycle) -> String {
    let mut text = words::stage_title(lifecycle.stage);
    if lifecycle.inferred {
        text += ", inferred from silence";
    }
    if !lifecycle.owner_from.is_empty() {
        text += &format!(", owner from {}", lifecycle.owner_from);
    }
    if lifecycle.open_contract {
        text += ", a further contract is open";
    }
    text
}

fn demand(demand: &v1::Demand) -> String {
    let mut parts = Vec::new();
    if demand.motive != 0 {
        parts.push(format!("motive {}", words::motive(demand.motive)));
    }
    if demand.household != 0 {
        parts.push(format!("household {}", words::household(demand.household)));
    }
    parts.extend(demand.rooms.map(|rooms| format!("{rooms} rooms")));
    match (demand.budget_min_fen, demand.budget_max_fen) {
        (Some(min), Some(max)) => parts.push(format!("budget {} to {}", format::yuan(min), format::yuan(max))),
        (Some(min), None) => parts.push(format!("budget from {}", format::yuan(min))),
        (None, Some(max)) => parts.push(format!("budget up to {}", format::yuan(max))),
        (None, None) => {}
    }
    if parts.is_empty() { "no visit says".to_owned() } else { parts.join(", ") }
}

/// Members of a list.
pub(super) fn members(screen: Screen, answer: &v1::ListMembersResponse) -> String {
    let mut table = screen.table(&["Customer", "Stage", "RFM label", "Tier"]);
    for it in &answer.members {
        let label = words::label_title(it.rfm_label);
        table.add_row([&it.customer_id, &words::stage_title(it.stage), &label, words::tier(it.value_tier)]);
    }
    output::text(&table) + &query::basis(answer.meta.as_ref())
}

/// Customers by axis and value.
pub(super) fn totals(screen: Screen, answer: &v1::CountMembersResponse) -> String {
    let profiled = answer.customers - answer.withheld.min(answer.customers);
    let mut table = screen.table(&["Axis", "Value", ">Customers", ">Share"]);
    let mut last = "";
    for (axis, value, customers) in answer.rows() {
        let shown = if axis == last { "" } else { axis };
        last = axis;
        let whole = if axis == "stage" { answer.customers } else { profiled };
        table.add_row([shown, &value, &format::count(customers), &output::share(customers, whole)]);
    }
    let all = [("customers", answer.customers), ("withheld", answer.withheld), ("erased", answer.erased)];
    let all = screen.pairs(all.map(|(name, number)| (name, format::count(number))));
    format!("{}\n{all}{}", output::text(&table), query::basis(answer.meta.as_ref()))
}

impl Totals for v1::CountMembersResponse {
    fn all(&self) -> [u64; 2] {
        [self.customers, self.withheld]
    }

    fn rows(&self) -> Vec<(&'static str, String, u64)> {
        let said = |word: &str| if word == "UNSPECIFIED" { "(no visit says)".to_owned() } else { word.to_owned() };
        let stages = self.stages.iter().map(|it| ("stage", words::stage_title(it.stage), it.customers));
        let labels = self.rfm_labels.iter().map(|it| ("label", words::label_title(it.label), it.customers));
        let tiers = self.value_tiers.iter().map(|it| ("tier", words::tier(it.tier).to_owned(), it.customers));
        let motives = self.motives.iter().map(|it| ("motive", said(words::motive(it.motive)), it.customers));
        let households =
            self.households.iter().map(|it| ("household", said(words::household(it.household)), it.customers));
        let rules = self.rule_segments.iter().map(|it| ("rule", it.name.clone(), it.customers));
        stages.chain(labels).chain(tiers).chain(motives).chain(households).chain(rules).collect()
    }

    fn meta(&self) -> Option<&v1::AnswerMeta> {
        self.meta.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use api::v1::deciding_condition::Found;

    use super::*;
    use crate::client::decision::tests::condition;

    fn reason(code: &str, points: i64) -> v1::Reason {
        v1::Reason { code: code.to_owned(), points_millionths: Some(points), evidence: vec![] }
    }

    fn decided(name: &str, condition: v1::DecidingCondition) -> v1::SegmentDecision {
        let decision = Some(v1::Decision { holds: condition.holds, conditions: vec![condition] });
        v1::SegmentDecision { name: name.to_owned(), decision }
    }

    fn event(seconds: i64) -> v1::Evidence {
        let occurred_at = Some(prost_types::Timestamp { seconds, nanos: 0 });
        v1::Evidence { event_id: "e".to_owned(), occurred_at }
    }

    fn loyal_owner() -> v1::CustomerSegments {
        let lifecycle = v1::Lifecycle {
            stage: v1::LifecycleStage::Stable.into(),
            inferred: false,
            open_contract: true,
            owner_from: "2024-02-29".to_owned(),
            made_by: Some(event(1_709_172_000)),
        };
        v1::CustomerSegments {
            customer_id: "0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11".to_owned(),
            lifecycle: Some(lifecycle),
            rfm: Some(v1::Rfm {
                recency: 5,
                frequency: 4,
                monetary: 4,
                label: v1::RfmLabel::KeyValue.into(),
                last_interaction: None,
                interaction_days: 5,
                live_contracts_fen: 320_000_000,
                reasons: vec![v1::Reason {
                    code: "MONETARY".to_owned(),
                    points_millionths: None,
                    evidence: vec![event(1_643_682_600), event(1_646_101_800)],
                }],
            }),
            value: Some(v1::CustomerValue {
                tier: v1::ValueTier::Vip.into(),
                score_hundredths: 7_483,
                reasons: vec![reason("VALUE", 34_000_000), reason("CONTRACTS", 13_333_333)],
            }),
            demand: Some(v1::Demand { rooms: Some(3), budget_max_fen: Some(400_000_000), ..Default::default() }),
            rule_segments: vec![v1::Membership { name: "first_home".to_owned(), evidence: vec![event(1_643_682_600)] }],
            segment_decisions: vec![
                decided("angry", condition("rooms = { max = 2 }", false, Some(Found::Number(3)))),
                decided("first_home", condition("rooms = { max = 3 }", true, Some(Found::Number(3)))),
            ],
            ..Default::default()
        }
    }

    #[test]
    fn a_customer_is_shown_on_every_axis() {
        let answer = v1::GetCustomerSegmentsResponse { customer: Some(loyal_owner()), meta: None };
        let expect = "\
customer          0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11
stage             STABLE 稳定期, owner from 2024-02-29, a further contract is open
stage made by     2024-02-29
RFM               5-4-4 KEY_VALUE 重要价值
interaction days  5 in a year
live contracts    ¥3,200,000
value tier        VIP (74.83 of 100)
demand            3 rooms, budget up to ¥4,000,000

Part of RFM  Evidence
───────────────────────
MONETARY     2022-02-01
             2022-03-01

Part of the tier      Points  Evidence
──────────────────────────────────────
VALUE                  +34.0
CONTRACTS         +13.333333

Rule segment  Is in  Because of                                  Evidence
───────────────────────────────────────────────────────────────────────────
first_home    yes    rooms = { max = 3 } holds, 3 found          2022-02-01
angry         no     rooms = { max = 2 } does not hold, 3 found
";
        assert_eq!(customer(Screen::plain(), &answer, &Events::default()), expect);
    }

    #[test]
    fn totals_name_the_axis_once() {
        let stages = vec![v1::StageCount { stage: 1, customers: 3 }, v1::StageCount { stage: 2, customers: 1 }];
        let motives = vec![v1::MotiveCount { motive: 0, customers: 2 }];
        let answer =
            v1::CountMembersResponse { customers: 4, withheld: 1, erased: 2, stages, motives, ..Default::default() };
        let expect = "\
Axis    Value              Customers   Share
────────────────────────────────────────────
stage   LEAD 线索                  3  75.00%
        PROSPECT 意向客户          1  25.00%
motive  (no visit says)            2  66.67%

customers  4
withheld   1
erased     2
";
        assert_eq!(totals(Screen::plain(), &answer), expect);
    }
}
