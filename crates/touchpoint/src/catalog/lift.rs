//! Older schema versions, lifted to the newest before their fields are read. One step per version, never removed.

use std::borrow::Cow;

use super::slots::Slots;
use super::{Kind, Metric};
use crate::Scalar;

/// Lifts the fields of an event of this version.
pub(super) fn to_newest(kind: Kind, version: u32, slots: &mut Slots<'_>) {
    // Version 1 of SurveyAnswered knew customer satisfaction only.
    if kind == Kind::SurveyAnswered && version < 2 {
        slots.default("metric", Scalar::Text(Cow::Borrowed(Metric::Csat.name())));
    }
}
