//! What goes wrong after the fact: events that tie, precede what opens them, get lost, are voided, sent twice, or
//! concern somebody who is to be forgotten.

use touchpoint::{Channel, Date, Event, Kind, Metric, Position, Timestamp, Touchpoint};

use super::bodies::void;
use super::draft::Draft;
use crate::dice::Dice;
use crate::{Form, Planned, VoidTarget};

/// Shares of events.
const LOST: f64 = 0.03;
const MOVED: f64 = 0.08;
/// Share of events that are dated before the first one: steps before what opens them.
const PRECEDING: f64 = 0.05;
const VOIDED: f64 = 0.06;
const DUPLICATED: f64 = 0.04;
/// Share of voids and erasures that somebody tries to void.
const VOIDED_VOIDS: f64 = 0.25;
/// Share of unreadable events that are voided.
const VOIDED_UNREADABLE: f64 = 0.4;
/// Share of answers by CSAT that say so in the first schema version: not at all.
const FIRST_VERSION: f64 = 0.2;
/// Share of voids that name a position, where that is asked for.
const BY_POSITION: f64 = 0.4;
/// Share of events that get a conflicting twin.
const CONFLICTING: f64 = 0.2;

/// Twists a draft and sorts it by time of recording.
pub(super) fn twist(mut draft: Draft) -> Vec<Planned> {
    lose(&mut draft);
    move_events(&mut draft);
    if draft.dice.chance(draft.config.erased) {
        move_cursor(&mut draft);
        draft.say(Kind::CustomerErased, 1);
    }
    void_events(&mut draft, |_| VOIDED);
    void_events(&mut draft, |kind| match kind {
        Kind::EventVoided | Kind::CustomerErased => VOIDED_VOIDS,
        _ => 0.0,
    });
    write_in_other_forms(&mut draft);
    duplicate(&mut draft);
    let Draft { mut planned, mut dice, config, .. } = draft;
    planned.sort_by_key(|item| item.recorded_at);
    if config.position_voids {
        name_positions(&mut planned, &mut dice);
    }
    planned
}

fn lose(draft: &mut Draft) {
    for index in (1..draft.planned.len()).rev() {
        if draft.dice.chance(LOST) {
            draft.planned.remove(index);
        }
    }
}

/// Gives some events the time of another one, or a microsecond beside it, or a time before all of them.
fn move_events(draft: &mut Draft) {
    for index in 0..draft.planned.len() {
        if draft.dice.chance(MOVED) {
            move_cursor(draft);
            date_anew(draft, index);
        } else if draft.dice.chance(PRECEDING) {
            let first = draft.planned.iter().map(|item| item.event.occurred_at).min().unwrap_or(draft.now);
            draft.now = first.plus_micros(-draft.dice.pick(&[0, 1, Timestamp::HOUR, 20 * Timestamp::DAY]));
            date_anew(draft, index);
        }
    }
}

/// Dates an event at the cursor, and its recording around that.
fn date_anew(draft: &mut Draft, index: usize) {
    let recorded_at = draft.learned();
    let (now, item) = (draft.now, &mut draft.planned[index]);
    item.event.occurred_at = now;
    item.recorded_at = recorded_at;
    item.event.first_recorded_at = item.event.first_recorded_at.map(|_| recorded_at);
    keep_dates_past(&mut item.event);
}

/// To the time of any event, or a microsecond beside it.
fn move_cursor(draft: &mut Draft) {
    let other = draft.planned[draft.dice.index(draft.planned.len())].event.occurred_at;
    draft.now = other.plus_micros(draft.dice.pick(&[0, 0, -1, 1]));
}

/// A date in a field is at most the date of the event.
fn keep_dates_past(event: &mut Event<'static>) {
    let today: Date = event.occurred_at.shanghai_date();
    match &mut event.body {
        Touchpoint::HandoverCompleted(handover) => handover.handed_over_on = handover.handed_over_on.min(today),
        Touchpoint::MovedIn(moved) => moved.on = moved.on.min(today),
        Touchpoint::UnitResold(sold) => sold.on = sold.on.min(today),
        _ => {}
    }
}

/// Voids events with a probability by type: after them, or before anybody heard of them.
fn void_events(draft: &mut Draft, probability: impl Fn(Kind) -> f64) {
    for index in 0..draft.planned.len() {
        let event = &draft.planned[index].event;
        let (id, occurred_at, chance) = (event.id, event.occurred_at, probability(event.body.kind()));
        if draft.dice.chance(chance) {
            let shift = draft.dice.pick(&[0, 1, -1, Timestamp::HOUR, 30 * Timestamp::DAY, -10 * Timestamp::DAY]);
            draft.now = occurred_at.plus_micros(shift);
            draft.put(void(id));
        }
    }
}

/// Writes some answers in the first schema version, and some events so that nobody can read them; of those some are
/// voided.
fn write_in_other_forms(draft: &mut Draft) {
    for index in 0..draft.planned.len() {
        let (id, unreadable) = (draft.planned[index].event.id, draft.config.unreadable);
        let by_csat = matches!(&draft.planned[index].event.body,
            Touchpoint::SurveyAnswered(answer) if answer.metric == Metric::Csat);
        if draft.dice.chance(unreadable) {
            draft.planned[index].form = draft.dice.pick(&[Form::UnknownVersion, Form::CutOff]);
            if draft.dice.chance(VOIDED_UNREADABLE) {
                draft.put(void(id));
            }
        } else if by_csat && draft.dice.chance(FIRST_VERSION) {
            draft.planned[index].form = Form::FirstVersion;
        }
    }
}

/// Sends events again: the same bytes.
fn duplicate(draft: &mut Draft) {
    for index in 0..draft.planned.len() {
        if draft.dice.chance(DUPLICATED) {
            let copy = draft.planned[index].clone();
            draft.planned.push(copy);
        }
    }
}

/// Lets some voids name their target by its place in the list.
fn name_positions(planned: &mut [Planned], dice: &mut Dice) {
    for index in 0..planned.len() {
        let Touchpoint::EventVoided(void) = &planned[index].event.body else { continue };
        let target = void.target_event_id;
        let places = (0..planned.len()).filter(|place| Some(planned[*place].event.id) == target);
        let places: Vec<_> = places.collect();
        let copies = planned.iter().filter(|item| item.event.id == planned[index].event.id).count();
        // A copy would have to name the same position: voids that are sent once keep it simple.
        if let Some(&first) = places.first().filter(|_| copies == 1 && dice.chance(BY_POSITION)) {
            let last = places.last().filter(|last| **last != first && dice.chance(0.5));
            planned[index].target = last.map_or(VoidTarget::Index(first), |last| VoidTarget::Copy(*last));
            if let Touchpoint::EventVoided(void) = &mut planned[index].event.body {
                void.target_event_id = None;
                void.target_position = Some(Position::ZERO.next());
            }
        }
    }
}

/// The events, and for some of them another one with the same id and other content, recorded at the same time.
/// The second value is how many were added.
pub fn with_conflicts(planned: &[Planned], seed: u64) -> (Vec<Planned>, usize) {
    let mut dice = Dice::new(seed, 0);
    let mut all = planned.to_vec();
    for item in planned {
        if dice.chance(CONFLICTING) {
            all.push(contradict(item, &mut dice));
        }
    }
    let added = all.len() - planned.len();
    (all, added)
}

fn contradict(item: &Planned, dice: &mut Dice) -> Planned {
    let mut other = item.clone();
    if dice.chance(0.5) {
        let earlier = dice.pick(&[1, Timestamp::HOUR, 40 * Timestamp::DAY]);
        other.event.occurred_at = other.event.occurred_at.plus_micros(-earlier);
        keep_dates_past(&mut other.event);
    } else {
        let channel = other.event.channel;
        other.event.channel = if channel == Channel::Email { Channel::Sms } else { Channel::Email };
    }
    other
}
