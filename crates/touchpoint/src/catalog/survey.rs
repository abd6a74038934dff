//! 满意度调查: one answer to one survey item.

use super::ServicePort;
use super::macros::{codes, event};
use crate::Code;
use crate::number::Score;

codes! {
    /// What a survey item measures.
    Metric {
        /// 满意度, 1 to 5: how satisfied; 4 and 5 count as satisfied.
        Csat = "CSAT",
        /// 净推荐值, 0 to 10: would recommend us; 9 and 10 are promoters, 0 to 6 detractors.
        Nps = "NPS",
        /// 费力度, 1 to 7: how easy it was; 5 to 7 count as easy.
        Ces = "CES",
        /// 1 to 5: would buy again; for the loyalty class.
        Repurchase = "REPURCHASE",
        /// 1 to 5: would recommend; for the loyalty class, and no NPS.
        Recommend = "RECOMMEND",
    }
}

impl Metric {
    /// The lowest and highest score.
    pub const fn range(self) -> (u8, u8) {
        match self {
            Self::Nps => (0, 10),
            Self::Ces => (1, 7),
            Self::Csat | Self::Repurchase | Self::Recommend => (1, 5),
        }
    }
}

event! {
    /// A survey item was answered.
    SurveyAnswered<'a> {
        /// The code of the filled-in questionnaire.
        survey_id: Code<'a>,
        /// 调查期次: the round of the survey, for example "2025".
        wave_id: Code<'a>,
        /// The service port that the item is about.
        port: ServicePort,
        /// The item's code; `<PORT>_OVERALL` is the headline of its port.
        item_code: Code<'a>,
        /// What the item measures. Version 1 has none: CSAT.
        metric: Metric,
        /// The score: CSAT, REPURCHASE and RECOMMEND 1–5, NPS 0–10, CES 1–7; absent exactly where `not_applicable` is true.
        score: Option<Score>,
        /// The customer could not judge.
        not_applicable: Option<bool>,
        /// The complaint that the answer is about.
        complaint_id: Option<Code<'a>>,
        /// The call in which it was given.
        call_id: Option<Code<'a>>,
    }
    rule (metric, score, not_applicable) |_about, broken| {
        let (low, high) = metric.range();
        match (score, *not_applicable == Some(true)) {
            (Some(_), true) => broken.add("data.score", "expected nothing, since not_applicable is true"),
            (None, false) => broken.add("data.score", format!("is required: expected {low} to {high}, or not_applicable true")),
            (Some(score), false) if !(low..=high).contains(&score.0) => {
                broken.add("data.score", format!("expected {low} to {high} for {}, got {}", metric, score.0));
            }
            _ => {}
        }
    }
}
