//! 回访: the calls and visits with which the company follows up.

use touchpoint::*;

use super::home::Home;
use super::story::Story;
use crate::dice::code;

/// Shares of revisits.
const SCHEDULED: f64 = 0.5;
const REACHED: f64 = 0.84;

/// The yearly call, and the one after four years.
pub(super) fn periodic(story: &mut Story<'_>, home: &Home) {
    let Some(delivered) = home.delivered_at else { return };
    for year in 1..=4 {
        let trigger = if year == 4 { RevisitTrigger::FourYear } else { RevisitTrigger::Periodic };
        let due = delivered.plus_days(year * 365);
        if due < home.ends_at && story.dice.chance(0.7) {
            revisit(story, due, 0, 30, trigger, None);
        }
    }
}

/// A revisit so many days after something; sometimes scheduled before, sometimes missed and tried again.
pub(super) fn revisit(
    story: &mut Story<'_>,
    after: Timestamp,
    low: i64,
    high: i64,
    trigger: RevisitTrigger,
    complaint_id: Option<Code<'static>>,
) {
    let revisit_id = story.code("HF");
    let mut at = story.days_later(after, low, high);
    if story.dice.chance(SCHEDULED) {
        let planned = story.minutes_later(after, 20, 60);
        let due_on = at.shanghai_date();
        let scheduled = RevisitScheduled { revisit_id: revisit_id.clone(), due_on, trigger };
        story.tell(planned, Channel::System, Touchpoint::RevisitScheduled(scheduled));
    }
    if !story.dice.chance(REACHED) {
        let reason = story.dice.weighted(&[
            (8, MissedReason::NoAnswer),
            (2, MissedReason::Refused),
            (1, MissedReason::WrongNumber),
        ]);
        let missed = RevisitMissed { revisit_id: revisit_id.clone(), reason };
        story.tell(at, Channel::Phone, Touchpoint::RevisitMissed(missed));
        if story.dice.chance(0.4) {
            return;
        }
        at = story.days_later(at, 2, 10);
    }
    completed(story, at, revisit_id, trigger, complaint_id);
}

fn completed(
    story: &mut Story<'_>,
    at: Timestamp,
    revisit_id: Code<'static>,
    trigger: RevisitTrigger,
    complaint_id: Option<Code<'static>>,
) {
    let mode = story.dice.weighted(&[(7, RevisitMode::Phone), (2, RevisitMode::HomeVisit), (2, RevisitMode::Online)]);
    let (rated, satisfied) = (story.dice.chance(0.85), story.dice.chance(story.project.quality));
    let stars = if satisfied { story.dice.pick(&[4, 5]) } else { story.dice.pick(&[2, 3, 3]) };
    let face_to_face = !satisfied && story.dice.chance(0.5);
    let revisit = RevisitCompleted {
        revisit_id: revisit_id.clone(),
        mode,
        trigger,
        satisfaction: rated.then_some(Stars(stars)),
        complaint_id,
        needs_face_to_face: face_to_face.then_some(true),
    };
    let channel = match mode {
        RevisitMode::Phone => Channel::Phone,
        RevisitMode::HomeVisit => Channel::InPerson,
        RevisitMode::Online => Channel::Wechat,
    };
    story.tell(at, channel, Touchpoint::RevisitCompleted(revisit));
    if face_to_face {
        let outcome = code(story.dice.pick(&["SETTLED", "PENDING", "COMPENSATION_AGREED"]));
        let at = story.days_later(at, 2, 14);
        story.tell(at, Channel::InPerson, Touchpoint::FaceToFaceFollowUp(FaceToFaceFollowUp { revisit_id, outcome }));
    }
}
