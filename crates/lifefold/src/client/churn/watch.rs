//! `churn watch`: who becomes a risk, and why.

use api::v1;
use tonic::{Request, Streaming};

use super::render::colour;
use crate::client::asking::ViewClient;
use crate::client::evidence::Events;
use crate::client::failure::Failure;
use crate::client::output::Screen;
use crate::client::query::Scope;
use crate::client::watch::{SILENCED, Watched, shift};
use crate::client::{format, words};

/// Whom to watch.
#[derive(Debug, clap::Args)]
pub(super) struct Filter {
    /// Only this band and those above it: LOW, MEDIUM, HIGH or CRITICAL
    #[arg(long, value_parser = words::read_band)]
    band: Option<v1::RiskBand>,
    /// Also LOST and EXITED customers, whose p is 1; without it, who becomes so leaves the list
    #[arg(long)]
    with_lost: bool,
    /// Only who enters, leaves, or changes the band; without it also other values of p and other reasons
    #[arg(long)]
    bands_only: bool,
    /// Also the points of every reason, and when the events behind it happened
    #[arg(long)]
    with_reasons: bool,
    #[command(flatten)]
    scope: Scope,
}

impl Watched for Filter {
    type Response = v1::WatchRiskResponse;
    type Change = v1::RiskChange;

    async fn open(&self, ask: &ViewClient, cursor: String) -> Result<Streaming<v1::WatchRiskResponse>, Failure> {
        let request = v1::WatchRiskRequest {
            at_least: self.band.map_or(0, i32::from),
            scope: self.scope.message(),
            without_lost: !self.with_lost,
            bands_only: self.bands_only,
            cursor,
            with_reasons: self.with_reasons,
        };
        // Without the deadline of a call: a watch has no end.
        Ok(ask.link.churn().await?.watch_risk(Request::new(request)).await?.into_inner())
    }

    fn parts(response: v1::WatchRiskResponse) -> (Vec<v1::RiskChange>, Option<v1::WatchMark>) {
        (response.changes, response.mark)
    }

    fn step(change: &v1::RiskChange) -> Option<&v1::WatchStep> {
        change.step.as_ref()
    }

    fn heading(change: &v1::RiskChange) -> (i32, &'static str) {
        let band = change.after.as_ref().map_or(0, |after| after.band);
        (band, words::band(band))
    }

    fn words(&self, screen: Screen, change: &v1::RiskChange) -> (String, String) {
        (change.customer_id.clone(), said(screen, change))
    }

    fn reasons(change: &v1::RiskChange) -> Vec<String> {
        let reasons = change.after.iter().flat_map(|after| &after.reasons);
        reasons.map(reason).collect()
    }
}

/// A reason with its points and when the events behind it happened.
fn reason(reason: &v1::Reason) -> String {
    let points = format::points(reason.points_millionths.unwrap_or_default());
    let dates = Events::default().lines(&reason.evidence).replace('\n', ", ");
    format!("{points} {}  {dates}", reason.code)
}

fn said(screen: Screen, change: &v1::RiskChange) -> String {
    let (before, after) = (change.before.as_ref(), change.after.as_ref());
    let risk = |side: Option<&v1::WatchedRisk>| {
        side.map_or_else(String::new, |it| {
            let band = screen.tint(words::band(it.band), colour(it.band()));
            format!("{band} {}", format::probability(it.p_millionths))
        })
    };
    let mut parts = vec![match (before, after) {
        (None, None) => SILENCED.to_owned(),
        (Some(was), Some(is)) if (was.band, was.p_millionths) == (is.band, is.p_millionths) => risk(after),
        _ => shift(&risk(before), &risk(after)),
    }];
    if let (Some(was), Some(is)) = (before, after) {
        if was.stage != is.stage {
            parts.push(shift(words::stage(was.stage), words::stage(is.stage)));
        }
        if was.belonging != is.belonging {
            let place = |it: &v1::WatchedRisk| it.belonging.as_ref().map(words::place).unwrap_or_default();
            parts.push(shift(&place(was), &place(is)));
        }
    }
    parts.extend(change.reasons_gained.iter().map(|code| format!("+{code}")));
    parts.extend(change.reasons_lost.iter().map(|code| format!("−{code}")));
    parts.join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn risk(band: v1::RiskBand, p_millionths: u32, stage: v1::LifecycleStage) -> Option<v1::WatchedRisk> {
        Some(v1::WatchedRisk { band: band.into(), p_millionths, stage: stage.into(), ..Default::default() })
    }

    #[test]
    fn a_change_says_what_is_other_and_why() {
        let (low, high) = (v1::RiskBand::Low, v1::RiskBand::High);
        let change = v1::RiskChange {
            before: risk(low, 167_982, v1::LifecycleStage::Stable),
            after: risk(high, 401_312, v1::LifecycleStage::Stable),
            reasons_gained: vec!["OPEN_COMPLAINT".to_owned()],
            ..Default::default()
        };
        assert_eq!(said(Screen::plain(), &change), "LOW 0.167982 → HIGH 0.401312  +OPEN_COMPLAINT");
        assert_eq!(said(Screen::plain(), &v1::RiskChange::default()), SILENCED);
        let at = |seconds| prost_types::Timestamp { seconds, nanos: 0 };
        let evidence =
            [1_743_442_200, 1_743_528_600].map(|it| v1::Evidence { occurred_at: Some(at(it)), ..Default::default() });
        let open = v1::Reason {
            code: "OPEN_COMPLAINT".to_owned(),
            points_millionths: Some(900_000),
            evidence: evidence.to_vec(),
        };
        assert_eq!(reason(&open), "+0.9 OPEN_COMPLAINT  2025-04-01, 2025-04-02");
        let new = v1::RiskChange { after: risk(low, 1, v1::LifecycleStage::Lead), ..Default::default() };
        assert_eq!(said(Screen::plain(), &new), "– → LOW 0.000001");
        let lost = v1::RiskChange {
            before: risk(high, 401_312, v1::LifecycleStage::Prospect),
            after: risk(v1::RiskBand::Critical, 1_000_000, v1::LifecycleStage::Lost),
            ..Default::default()
        };
        assert_eq!(said(Screen::plain(), &lost), "HIGH 0.401312 → CRITICAL 1.000000  PROSPECT → LOST");
    }
}
