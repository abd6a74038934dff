//! Older schema versions, lifted to the newest before their fields are read. One step per version, never removed.

use std::borrow::Cow;

use super::slots::Slots;
use super::{Kind, Metric};
use crate::Scalar;

/// Lifts the fields of an event of this version.
pub(super) fn to_newest(kind: Kind, version: u32, slots: &mut Slots<'_>) {
    // Version 1 of SurveyAnswered knew customer satisfaction only; a field `metric` was an unknown one.
    if kind == Kind::SurveyAnswered && version < 2 {
        slots.set("metric", Scalar::Text(Cow::Borrowed(Metric::Csat.name())));
    }
}

impl Kind {
    /// What each schema version changed, from version 1 on.
    pub const fn history(self) -> &'static [&'static str] {
        match self {
            Self::SurveyAnswered => &[
                "Had no `metric`: every answer was CSAT, and is read so; a `metric` that is there is ignored.",
                "`metric` was added, required.",
            ],
            _ => &["The first."],
        }
    }
}
