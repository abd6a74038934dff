//! Churn risk in tables.

use api::v1;
use comfy_table::{Cell, Color};

use crate::client::evidence::Events;
use crate::client::output::{self, Screen};
use crate::client::{format, query, words};

/// Points of one mark of a bar, in millionths: the heaviest reason, 2.0, has a bar of 20.
const BAR_STEP: u64 = 100_000;
/// Most reasons that a list names.
const MAX_REASONS: usize = 2;

/// A customer's risk with its reasons.
pub(super) fn explain(screen: Screen, answer: &v1::GetRiskResponse, events: &Events) -> String {
    let risk = answer.risk.clone().unwrap_or_default();
    let mut text = screen.pairs(facts(&risk));
    if !risk.reasons.is_empty() {
        let mut table = screen.table(&["Reason", ">Points", "", "Evidence"]);
        for reason in &risk.reasons {
            let points = reason.points_millionths.unwrap_or_default();
            let colour = Some(if points > 0 { Color::Red } else { Color::Green });
            table.add_row([
                Cell::new(&reason.code),
                screen.paint(format::points(points), colour),
                screen.paint(bar(points), colour),
                Cell::new(events.lines(&reason.evidence)),
            ]);
        }
        if let Some(column) = table.column_mut(1) {
            column.set_cell_alignment(comfy_table::CellAlignment::Right);
        }
        text = format!("{text}\n{}", output::text(&table));
    }
    text + &query::basis(answer.meta.as_ref())
}

fn facts(risk: &v1::Risk) -> Vec<(&'static str, String)> {
    let stage = risk.lifecycle.as_ref().map_or(0, |lifecycle| lifecycle.stage);
    let mut facts = vec![("customer", risk.customer_id.clone()), ("stage", words::stage_title(stage))];
    let Some(p) = risk.p_millionths.filter(|_| !risk.withheld) else {
        facts.push(("risk", "withheld: the customer withdrew consent to PROFILING".to_owned()));
        return facts;
    };
    let horizon = risk.horizon_days.unwrap_or_default();
    let fitted = if risk.calibrated { "" } else { ", not calibrated" };
    facts
        .push(("risk", format!("{} {} within {horizon} days{fitted}", format::probability(p), words::band(risk.band))));
    let points = risk.points_millionths.unwrap_or_default();
    facts.push(match risk.lifecycle.as_ref().map(v1::Lifecycle::stage) {
        // Their risk is no sum of points.
        Some(v1::LifecycleStage::Lost | v1::LifecycleStage::Exited) => {
            ("points", "none: lost by definition".to_owned())
        }
        _ => ("points", format!("{} from {} reasons", format::points(points), risk.reasons.len())),
    });
    let days = risk.days_silent.unwrap_or_default();
    facts.push((
        "silent",
        format!("{} days, since {}", format::count(days.into()), format::local(risk.silent_since.as_ref())),
    ));
    if let Some(window) = &risk.repurchase_window {
        let open = if window.open { ", open now" } else { "" };
        facts.push(("may buy again", format!("{} to before {}{open}", window.from_date, window.until_date)));
    }
    if let Some(belonging) = &risk.belonging {
        facts.push(("belongs to", words::place(belonging)));
    }
    facts
}

fn bar(points: i64) -> String {
    let marks = points.unsigned_abs().div_ceil(BAR_STEP);
    let mark = if points > 0 { "█" } else { "░" };
    mark.repeat(usize::try_from(marks).unwrap_or(0))
}

/// Customers at risk, each above the company, project and consultant that it belongs to.
pub(super) fn list(screen: Screen, answer: &v1::ListAtRiskResponse) -> String {
    let mut table = screen.table(&["Customer, belongs to", ">p", "Band", "Stage", ">Silent", "Main reasons"]);
    for risk in &answer.risks {
        let stage = risk.lifecycle.as_ref().map_or(0, |lifecycle| lifecycle.stage);
        let reasons = risk.reasons.iter().filter(|reason| reason.points_millionths.unwrap_or_default() > 0);
        let reasons: Vec<_> = reasons.take(MAX_REASONS).map(|reason| reason.code.as_str()).collect();
        table.add_row([
            Cell::new(format!(
                "{}\n{}",
                risk.customer_id,
                risk.belonging.as_ref().map_or_else(String::new, words::place)
            )),
            Cell::new(risk.p_millionths.map_or_else(|| format::NOTHING.to_owned(), format::probability)),
            screen.paint(words::band(risk.band), colour(risk.band())),
            Cell::new(words::stage(stage)),
            Cell::new(
                risk.days_silent
                    .map_or_else(|| format::NOTHING.to_owned(), |days| format!("{} d", format::count(days.into()))),
            ),
            Cell::new(reasons.join("\n")),
        ]);
    }
    output::text(&table) + &query::basis(answer.meta.as_ref())
}

pub(super) const fn colour(band: v1::RiskBand) -> Option<Color> {
    match band {
        v1::RiskBand::Critical => Some(Color::Red),
        v1::RiskBand::High => Some(Color::DarkYellow),
        v1::RiskBand::Low => Some(Color::Green),
        v1::RiskBand::Medium | v1::RiskBand::Unspecified => None,
    }
}

/// Customers by band.
pub(super) fn totals(screen: Screen, answer: &v1::CountBandsResponse) -> String {
    let judged = answer.customers - answer.withheld.min(answer.customers);
    let mut table = screen.table(&["Band", ">Customers", ">Share"]);
    for count in &answer.bands {
        table.add_row([
            screen.paint(words::band(count.band), colour(count.band())),
            Cell::new(format::count(count.customers)),
            Cell::new(output::share(count.customers, judged)),
        ]);
    }
    table.add_row(["withheld", &format::count(answer.withheld), ""]);
    table.add_row(["all", &format::count(answer.customers), ""]);
    output::text(&table)
        + "CRITICAL has those who are LOST or EXITED: `churn list` leaves them out.\n"
        + &query::basis(answer.meta.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn risk() -> v1::Risk {
        let day = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let reason = |code: &str, points, seconds: &[i64]| v1::Reason {
            code: code.to_owned(),
            points_millionths: Some(points),
            evidence: seconds
                .iter()
                .map(|&at| v1::Evidence { event_id: "e".to_owned(), occurred_at: day(at) })
                .collect(),
        };
        v1::Risk {
            customer_id: "0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11".to_owned(),
            lifecycle: Some(v1::Lifecycle { stage: v1::LifecycleStage::RunIn.into(), ..Default::default() }),
            p_millionths: Some(574_443),
            band: v1::RiskBand::High.into(),
            points_millionths: Some(2_300_000),
            reasons: vec![
                reason("LOW_SATISFACTION", 1_000_000, &[1_743_442_200]),
                reason("OPEN_COMPLAINT", 900_000, &[1_743_442_200, 1_743_532_200]),
                reason("NPS_PROMOTER", -600_000, &[]),
            ],
            horizon_days: Some(365),
            silent_since: day(1_743_442_200),
            days_silent: Some(45),
            belonging: Some(v1::Belonging { project_id: "P003".to_owned(), ..Default::default() }),
            ..Default::default()
        }
    }

    #[test]
    fn an_explanation_names_reasons_points_and_dates() {
        let answer = v1::GetRiskResponse { risk: Some(risk()), meta: None };
        let expect = "\
customer    0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11
stage       RUN_IN 磨合期
risk        0.574443 HIGH within 365 days, not calibrated
points      +2.3 from 3 reasons
silent      45 days, since 2025-04-01 01:30:00+08:00
belongs to  – / P003 / –

Reason            Points              Evidence
────────────────────────────────────────────────
LOW_SATISFACTION    +1.0  ██████████  2025-04-01
OPEN_COMPLAINT      +0.9  █████████   2025-04-01
                                      2025-04-02
NPS_PROMOTER        −0.6  ░░░░░░
";
        assert_eq!(explain(Screen::plain(), &answer, &Events::default()), expect);
    }

    #[test]
    fn a_withheld_risk_says_why() {
        let risk = v1::Risk { withheld: true, p_millionths: None, reasons: vec![], belonging: None, ..risk() };
        let text = explain(Screen::plain(), &v1::GetRiskResponse { risk: Some(risk), meta: None }, &Events::default());
        assert!(text.ends_with("risk      withheld: the customer withdrew consent to PROFILING\n"), "{text}");
    }

    #[test]
    fn a_list_fits_100_columns() {
        let answer = v1::ListAtRiskResponse { risks: vec![risk()], ..Default::default() };
        let expect = "\
Customer, belongs to                         p  Band  Stage   Silent  Main reasons
──────────────────────────────────────────────────────────────────────────────────────
0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11  0.574443  HIGH  RUN_IN    45 d  LOW_SATISFACTION
– / P003 / –                                                          OPEN_COMPLAINT
";
        assert_eq!(list(Screen::plain(), &answer), expect);
    }

    #[test]
    fn totals_show_shares_of_those_who_are_judged() {
        let bands = vec![v1::BandCount { band: 1, customers: 750 }, v1::BandCount { band: 4, customers: 250 }];
        let answer = v1::CountBandsResponse { customers: 1_010, withheld: 10, bands, meta: None };
        let expect = "\
Band      Customers   Share
───────────────────────────
LOW             750  75.00%
CRITICAL        250  25.00%
withheld         10
all           1,010
CRITICAL has those who are LOST or EXITED: `churn list` leaves them out.
";
        assert_eq!(totals(Screen::plain(), &answer), expect);
    }
}
