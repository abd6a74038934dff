//! Correction of the record itself.

use super::macros::event;
use crate::{Code, EventId, Position};

event! {
    /// An earlier event of the same customer was a mistake and counts for nothing.
    EventVoided<'a> {
        /// The event's id.
        target_event_id: Option<EventId>,
        /// The event's position, where its id is unreadable; exactly one of the two is given.
        target_position: Option<Position>,
        /// A code for the reason, not prose.
        reason: Code<'a>,
    }
    rule (target_event_id, target_position) |_about, broken| {
        if target_event_id.is_some() == target_position.is_some() {
            broken.add("data.target_event_id", "expected exactly one of target_event_id and target_position");
        }
    }
}
