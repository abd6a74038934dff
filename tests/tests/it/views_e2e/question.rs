//! A question, and the oracle's answer to it.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use api::v1;
use oracle::Population;
use touchpoint::Timestamp;

/// For so long from when a live question is asked, the oracle's answer stays the same.
pub(crate) const QUIET: Duration = Duration::from_secs(30);

/// A question about everybody.
#[derive(Debug)]
pub(crate) struct Question {
    /// For messages.
    pub(crate) name: String,
    /// Nothing: as it is now.
    pub(crate) at: Option<(Timestamp, Option<Timestamp>)>,
    /// The oracle's answer.
    pub(crate) wanted: Population,
}

impl Question {
    pub(crate) fn new(at: Option<(Timestamp, Option<Timestamp>)>, wanted: Population) -> Self {
        let name = match at {
            Some((as_of, known_at)) => format!("as of {as_of}, known at {known_at:?}"),
            None => format!("now, {}", now()),
        };
        Self { name, at, wanted }
    }

    /// As the views are asked.
    pub(crate) fn query(&self) -> Option<v1::ViewQuery> {
        let (as_of, known_at) = self.at?;
        let (as_of, known_at) = (Some(api::names::timestamp(as_of)), known_at.map(api::names::timestamp));
        Some(v1::ViewQuery { as_of, known_at, ..Default::default() })
    }
}

pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp::from_micros(since.as_micros() as i64)
}

/// All items of a list.
pub(crate) async fn pages<T>(mut ask: impl AsyncFnMut(String) -> (Vec<T>, String)) -> Vec<T> {
    let (mut all, mut token) = (Vec::new(), String::new());
    loop {
        let (items, next) = ask(token).await;
        assert!(!items.is_empty() || next.is_empty(), "a page before the last one is not empty");
        all.extend(items);
        if next.is_empty() {
            return all;
        }
        token = next;
    }
}

/// Counts by name, without the zeros.
pub(crate) fn counts(counted: impl IntoIterator<Item = (String, u64)>) -> BTreeMap<String, i64> {
    counted.into_iter().filter(|(_, count)| *count > 0).map(|(name, count)| (name, count as i64)).collect()
}

/// The name of a value as the domain has it: that of the enumeration without its prefix.
macro_rules! names {
    ($($name:ident $type:ident $prefix:literal)+) => {$(
        pub(crate) fn $name(number: i32) -> String {
            let value = v1::$type::try_from(number).unwrap_or_else(|_| panic!("{number} is no {}", stringify!($type)));
            value.as_str_name().trim_start_matches($prefix).to_owned()
        }
    )+};
}

names! {
    stage LifecycleStage "LIFECYCLE_STAGE_"
    label RfmLabel "RFM_LABEL_"
    tier ValueTier "VALUE_TIER_"
    motive Motive "MOTIVE_"
    household Household "HOUSEHOLD_"
    band RiskBand "RISK_BAND_"
    class SatisfactionClass "SATISFACTION_CLASS_"
    loyalty LoyaltyClass "LOYALTY_CLASS_"
    port ServicePort "SERVICE_PORT_"
    trend Trend "TREND_"
    severity ComplaintSeverity "COMPLAINT_SEVERITY_"
    state ComplaintState "COMPLAINT_STATE_"
    outcome ServiceLevel "SERVICE_LEVEL_"
    step FunnelStep "FUNNEL_STEP_"
    lead_source LeadSource "LEAD_SOURCE_"
}
