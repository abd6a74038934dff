//! 忠诚度: the loyalty class, by the latest overall, repurchase and recommendation answers.

use touchpoint::Metric;

use super::Evidence;
use crate::survey::latest_overall;
use crate::{Moment, Timeline, rules};

/// What the class rests on, in the order of the answers' `loyalty`.
const METRICS: [Metric; 3] = [Metric::Csat, Metric::Repurchase, Metric::Recommend];

/// The loyalty class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Loyalty {
    /// All three are 5.
    Loyal,
    /// All three are 4 or more.
    Favourable,
    /// Overall 4 or more, and another 3 or less.
    Vulnerable,
    /// Overall 3.
    Neutral,
    /// Overall 2 or less.
    AtRisk,
    /// One of the three is missing.
    Unknown,
}

impl Loyalty {
    /// Every class.
    pub const ALL: [Self; 6] =
        [Self::Loyal, Self::Favourable, Self::Vulnerable, Self::Neutral, Self::AtRisk, Self::Unknown];

    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loyal => "LOYAL",
            Self::Favourable => "FAVOURABLE",
            Self::Vulnerable => "VULNERABLE",
            Self::Neutral => "NEUTRAL",
            Self::AtRisk => "AT_RISK",
            Self::Unknown => "UNKNOWN",
        }
    }

    fn of(overall: u8, repurchase: u8, recommend: u8) -> Self {
        let lower_intent = repurchase.min(recommend);
        match overall {
            5 if lower_intent == 5 => Self::Loyal,
            4.. if lower_intent >= 4 => Self::Favourable,
            4.. => Self::Vulnerable,
            3 => Self::Neutral,
            _ => Self::AtRisk,
        }
    }
}

/// An answer behind the loyalty class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoyaltyAnswer {
    /// What it measures: CSAT (the overall one), REPURCHASE or RECOMMEND.
    pub metric: Metric,
    /// 1 to 5.
    pub score: u8,
    /// The answer.
    pub event: Evidence,
}

impl LoyaltyAnswer {
    /// The reason's code in the API.
    pub const fn code(&self) -> &'static str {
        match self.metric {
            Metric::Csat => "OVERALL",
            other => other.name(),
        }
    }
}

/// The class, and the three answers behind it; none while one is missing.
pub(super) fn loyalty(
    timeline: &Timeline<'_>,
    rules: &rules::Satisfaction,
    moment: &mut Moment,
) -> (Loyalty, Vec<LoyaltyAnswer>) {
    // While one is missing it does not matter when the others leave the window.
    let mut then = moment.clone();
    let latest: Vec<_> = METRICS
        .into_iter()
        .filter_map(|metric| latest_overall(timeline, metric))
        .filter(|answer| then.within_days(answer.event.occurred_at, rules.window_days))
        .map(|answer| LoyaltyAnswer {
            metric: answer.answered.metric,
            score: answer.score.0,
            event: Evidence::of(answer.event),
        })
        .collect();
    match latest[..] {
        [overall, repurchase, recommend] => {
            *moment = then;
            (Loyalty::of(overall.score, repurchase.score, recommend.score), latest)
        }
        _ => (Loyalty::Unknown, Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes() {
        let cases = [
            ((5, 5, 5), Loyalty::Loyal),
            ((5, 5, 4), Loyalty::Favourable),
            ((4, 5, 5), Loyalty::Favourable),
            ((5, 3, 5), Loyalty::Vulnerable),
            ((4, 5, 1), Loyalty::Vulnerable),
            ((3, 5, 5), Loyalty::Neutral),
            ((2, 5, 5), Loyalty::AtRisk),
            ((1, 1, 1), Loyalty::AtRisk),
        ];
        for ((overall, repurchase, recommend), class) in cases {
            assert_eq!(Loyalty::of(overall, repurchase, recommend), class, "{overall} {repurchase} {recommend}");
        }
    }
}
