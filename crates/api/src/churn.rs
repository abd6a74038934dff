//! Answers of the churn risk view.

use touchpoint::{CustomerId, Timestamp};
use views::churn::{Answer, Band, Bands, Reason, RepurchaseWindow, Risk};

use crate::errors::Error;
use crate::{names, standing, v1};

/// The twin of a band.
pub const fn band(band: Band) -> v1::RiskBand {
    match band {
        Band::Low => v1::RiskBand::Low,
        Band::Medium => v1::RiskBand::Medium,
        Band::High => v1::RiskBand::High,
        Band::Critical => v1::RiskBand::Critical,
    }
}

/// A band from the number of its twin; nothing for UNSPECIFIED and for numbers that this build does not know.
pub fn band_from(number: i32) -> Option<Band> {
    Band::ALL.into_iter().find(|&it| number == band(it) as i32)
}

/// The band that a request names; nothing for UNSPECIFIED.
pub fn band_wanted(field: &str, number: i32) -> Result<Option<Band>, Error> {
    match (number, band_from(number)) {
        (0, _) => Ok(None),
        (_, Some(band)) => Ok(Some(band)),
        (_, None) => Err(Error::field(field, "expected LOW, MEDIUM, HIGH, CRITICAL, or nothing for all")),
    }
}

/// A customer's risk at `as_of`; where profiling is withheld, the lifecycle only.
pub fn risk(customer: CustomerId, answer: &Answer, as_of: Timestamp) -> v1::Risk {
    let lifecycle_only = v1::Risk {
        customer_id: customer.into(),
        withheld: answer.standing.withheld,
        lifecycle: Some(standing::lifecycle(&answer.standing)),
        ..Default::default()
    };
    match &answer.risk {
        None => lifecycle_only,
        Some(risk) => v1::Risk {
            p_millionths: Some(risk.p),
            band: band(risk.band).into(),
            points_millionths: risk.points,
            reasons: reasons(risk),
            horizon_days: Some(risk.horizon_days),
            repurchase_window: risk.repurchase.as_ref().map(repurchase_window),
            calibrated: Risk::CALIBRATED,
            silent_since: Some(names::timestamp(answer.standing.silent_since)),
            days_silent: Some(answer.standing.days_silent(as_of)),
            belonging: standing::belonging(&answer.standing),
            ..lifecycle_only
        },
    }
}

/// How many customers are in each band; every band is there.
pub fn band_counts(bands: &Bands) -> Vec<v1::BandCount> {
    Band::ALL.map(|it| v1::BandCount { band: band(it).into(), customers: bands.count(it) }).to_vec()
}

/// The reasons with their points and the events behind.
pub fn reasons(risk: &Risk) -> Vec<v1::Reason> {
    risk.reasons.iter().map(reason).collect()
}

fn reason(reason: &Reason) -> v1::Reason {
    v1::Reason {
        code: reason.code.name().to_owned(),
        points_millionths: Some(reason.points),
        evidence: reason.evidence.iter().map(standing::evidence).collect(),
    }
}

fn repurchase_window(window: &RepurchaseWindow) -> v1::RepurchaseWindow {
    let (from_date, until_date) = (window.from.to_string(), window.until.to_string());
    v1::RepurchaseWindow { from_date, until_date, open: window.open }
}
