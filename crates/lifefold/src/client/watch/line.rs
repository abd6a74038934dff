//! One change in one line.

use api::v1;
use api::v1::watch_step::Cause;
use comfy_table::Color;

use crate::client::format;
use crate::client::output::Screen;

/// The widest of the words of an effect.
const EFFECT_WIDTH: usize = 7;

/// When it became so: of an end by time alone that instant, else when the view took the event in.
pub(super) fn time(step: &v1::WatchStep) -> String {
    match &step.cause {
        Some(Cause::Due(due)) => format::clock(Some(due)),
        _ => format::clock(step.as_of.as_ref()),
    }
}

/// What it does to the list, in a colour.
pub(super) fn effect(screen: Screen, effect: v1::WatchEffect) -> String {
    let (word, colour) = match effect {
        v1::WatchEffect::Entered => ("entered", Some(Color::Green)),
        v1::WatchEffect::Left => ("left", Some(Color::Red)),
        v1::WatchEffect::Listed => ("listed", None),
        v1::WatchEffect::Changed | v1::WatchEffect::Unspecified => ("changed", None),
    };
    screen.tint(&format!("{word:EFFECT_WIDTH$}"), colour)
}

/// Why.
pub(crate) fn cause(step: &v1::WatchStep) -> String {
    match &step.cause {
        Some(Cause::Position(position)) => format!("by event {}", format::count(*position)),
        Some(Cause::Due(_)) => "by time alone".to_owned(),
        Some(Cause::ReadAgain(_)) => "read again".to_owned(),
        None => String::new(),
    }
}

/// Of a customer of whom nothing may be said any more.
pub(crate) const SILENCED: &str = "consent withdrawn, or erased";

/// `a → b`; nothing is `–`.
pub(crate) fn shift(before: &str, after: &str) -> String {
    let shown = |text: &str| if text.is_empty() { format::NOTHING.to_owned() } else { text.to_owned() };
    format!("{} → {}", shown(before), shown(after))
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

    use super::*;

    #[test]
    fn time_and_cause_are_those_of_the_step() {
        let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
        let by = |cause| v1::WatchStep { as_of: at(1_743_442_200), cause: Some(cause), ..Default::default() };
        let event = by(Cause::Position(77_231));
        assert_eq!([time(&event), cause(&event)], ["2025-04-01 01:30:00", "by event 77,231"]);
        let due = by(Cause::Due(Timestamp { seconds: 1_743_436_800, nanos: 0 }));
        assert_eq!([time(&due), cause(&due)], ["2025-04-01 00:00:00", "by time alone"]);
        assert_eq!(shift("", "HIGH"), "– → HIGH");
    }
}
