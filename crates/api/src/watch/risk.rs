//! Watching the churn risk.

use touchpoint::CustomerId;
use views::churn::{Answer, Band, Churn, Placement, Reasons};

use super::Filter;
use crate::errors::Error;
use crate::query::Scope;
use crate::{churn, standing, v1};

/// Whom a watcher of the churn risk wants to hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskFilter {
    at_least: Option<Band>,
    scope: Scope,
    without_lost: bool,
    bands_only: bool,
    with_reasons: bool,
}

impl RiskFilter {
    /// Reads the filter of a request.
    pub fn read(request: &v1::WatchRiskRequest) -> Result<Self, Error> {
        let v1::WatchRiskRequest { at_least, scope, without_lost, bands_only, with_reasons, cursor: _ } = request;
        let (at_least, scope) = (churn::band_wanted("at_least", *at_least)?, Scope::read(scope.as_ref())?);
        let (without_lost, bands_only, with_reasons) = (*without_lost, *bands_only, *with_reasons);
        Ok(Self { at_least, scope, without_lost, bands_only, with_reasons })
    }
}

impl Filter for RiskFilter {
    type View = Churn;
    type Change = v1::RiskChange;
    type Response = v1::WatchRiskResponse;

    fn is_withheld(placement: &Placement) -> bool {
        placement.place().is_none()
    }

    fn wants(&self, placement: &Placement) -> bool {
        let [company, project, consultant] = placement.units();
        placement.place().is_some_and(|place| {
            self.at_least.is_none_or(|least| place.band >= least) && !(self.without_lost && place.is_certain())
        }) && self.scope.holds(company, project, consultant)
    }

    fn is_news(&self, before: &Placement, after: &Placement) -> bool {
        let band = |placement: &Placement| placement.place().map(|place| place.band);
        match self.bands_only {
            true => band(before) != band(after),
            false => before.place() != after.place() || before.units() != after.units(),
        }
    }

    fn wants_answers(&self) -> bool {
        self.with_reasons
    }

    fn change(
        customer: CustomerId,
        [before, after]: [Option<&Placement>; 2],
        step: v1::WatchStep,
        answer: Option<&Answer>,
    ) -> v1::RiskChange {
        let [before, mut after] = [before, after].map(|side| side.and_then(watched));
        if let (Some(after), Some(risk)) = (&mut after, answer.and_then(|answer| answer.risk.as_ref())) {
            after.reasons = churn::reasons(risk);
        }
        let (gained, lost) = match (&before, &after) {
            (Some(before), Some(after)) => (
                super::without(&after.reason_codes, &before.reason_codes),
                super::without(&before.reason_codes, &after.reason_codes),
            ),
            _ => Default::default(),
        };
        let customer_id = customer.to_string();
        v1::RiskChange { customer_id, step: Some(step), before, after, reasons_gained: gained, reasons_lost: lost }
    }

    fn response(changes: Vec<v1::RiskChange>, mark: Option<v1::WatchMark>) -> v1::WatchRiskResponse {
        v1::WatchRiskResponse { changes, mark }
    }
}

/// What is said of a customer; nothing where profiling is withheld.
fn watched(placement: &Placement) -> Option<v1::WatchedRisk> {
    let place = placement.place()?;
    let names = |reasons: Reasons| reasons.codes().map(|code| code.name().to_owned()).collect();
    Some(v1::WatchedRisk {
        band: churn::band(place.band).into(),
        p_millionths: place.p,
        stage: standing::stage(place.stage).into(),
        reason_codes: names(place.reasons),
        belonging: Some(standing::units(placement.units())),
        reasons: Vec::new(),
    })
}
