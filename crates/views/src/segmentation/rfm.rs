//! Recency, frequency, monetary: how lately, how often, how much.

use touchpoint::{Fen, Timestamp};

use crate::lifecycle::Lifecycle;
use crate::rules::names::names;
use crate::{Evidence, Filed, Moment, Timeline, rules};

names! {
    /// The label made of R, F and M: how valuable the customer is, and what to do.
    Label {
        /// M, R and F high.
        KeyValue = "KEY_VALUE",
        /// M and R high, F low.
        KeyDevelop = "KEY_DEVELOP",
        /// M and F high, R low.
        KeyRetain = "KEY_RETAIN",
        /// M high, R and F low.
        KeyWinBack = "KEY_WIN_BACK",
        /// M low, R and F high.
        GeneralValue = "GENERAL_VALUE",
        /// M low, R high, F low.
        GeneralDevelop = "GENERAL_DEVELOP",
        /// M low, R low, F high.
        GeneralRetain = "GENERAL_RETAIN",
        /// M, R and F low.
        GeneralWinBack = "GENERAL_WIN_BACK",
    }
}

/// The three scores, 1 to 5, with what they were made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rfm {
    /// By days since the last interaction; 1 where there was none.
    pub recency: u8,
    /// By days with an interaction.
    pub frequency: u8,
    /// By the value of live contracts.
    pub monetary: u8,
    /// The label made of them.
    pub label: Label,
    /// The last interaction.
    pub last_interaction: Option<Evidence>,
    /// Distinct Shanghai dates with an interaction, within the window.
    pub interaction_days: u32,
    /// The current prices of the live contracts together.
    pub value: Fen,
}

impl Rfm {
    pub(super) fn new(
        timeline: &Timeline<'_>,
        lifecycle: &Lifecycle<'_>,
        rules: &rules::Segmentation,
        moment: &mut Moment,
    ) -> Self {
        let last_interaction = timeline.interactions().next_back().map(Evidence::of);
        let recency = last_interaction.map_or(1, |last| recency(last.occurred_at, &rules.recency_days, moment));
        let interaction_days = interaction_days(timeline, rules.frequency_days, moment);
        let frequency = 5 - first_reached(&rules.frequency_from, &interaction_days);
        let value = lifecycle.live_value();
        let monetary = match first_reached(&rules.monetary_from_fen, &value.0) {
            step @ 0..3 => 5 - step,
            _ if value.0 > 0 => 2,
            _ => 1,
        };
        let label = label([recency, frequency, monetary].map(|score| score >= rules.high_from));
        Self { recency, frequency, monetary, label, last_interaction, interaction_days, value }
    }

    /// The last interaction on each of the interaction days, the oldest first.
    pub(super) fn frequency_by<'f>(&self, timeline: &'f Timeline<'_>) -> Vec<&'f Filed<'f>> {
        // The window holds the latest dates.
        let mut events: Vec<_> = last_of_each_date(timeline).take(self.interaction_days as usize).collect();
        events.reverse();
        events
    }
}

/// Whole days are at most N until N + 1 days have passed, exactly.
fn recency(last: Timestamp, days: &[u32; 4], moment: &mut Moment) -> u8 {
    let step = days.iter().position(|days| !moment.reached(last.plus_days(i64::from(*days) + 1)));
    5 - step.unwrap_or(days.len()) as u8
}

/// A date leaves the window with the last interaction on it, and after all dates before it.
fn interaction_days(timeline: &Timeline<'_>, window_days: u32, moment: &mut Moment) -> u32 {
    last_of_each_date(timeline).take_while(|event| moment.within_days(event.occurred_at, window_days)).count() as u32
}

/// The last interaction on each Shanghai date, which is the first of its date from behind; the latest date first.
fn last_of_each_date<'f>(timeline: &'f Timeline<'_>) -> impl Iterator<Item = &'f Filed<'f>> {
    let mut later: Option<Timestamp> = None;
    let mut is_last_of_its_date = move |at: Timestamp| later.replace(at).is_none_or(|later| !at.is_on_date_of(later));
    timeline.interactions().rev().filter(move |event| is_last_of_its_date(event.occurred_at))
}

/// The index of the first cut point, from the highest down, that the value reaches; their number if none.
fn first_reached<T: PartialOrd>(falling: &[T], value: &T) -> u8 {
    falling.iter().position(|from| value >= from).unwrap_or(falling.len()) as u8
}

fn label([recency, frequency, monetary]: [bool; 3]) -> Label {
    match (monetary, recency, frequency) {
        (true, true, true) => Label::KeyValue,
        (true, true, false) => Label::KeyDevelop,
        (true, false, true) => Label::KeyRetain,
        (true, false, false) => Label::KeyWinBack,
        (false, true, true) => Label::GeneralValue,
        (false, true, false) => Label::GeneralDevelop,
        (false, false, true) => Label::GeneralRetain,
        (false, false, false) => Label::GeneralWinBack,
    }
}
