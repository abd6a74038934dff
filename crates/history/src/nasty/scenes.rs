//! The scenes that lead to interesting states: courtships, contracts, complaints, surveys, recommendations.

use touchpoint::{Kind, Metric, ServicePort};

use super::draft::{Draft, Pace};

/// A line of a scene: what may happen next, and how probably.
type Line = (Kind, f64);

const COURTSHIP: &[Line] = &[
    (Kind::LeadRegistered, 0.6),
    (Kind::VisitRecorded, 0.7),
    (Kind::ConsultantReassigned, 0.3),
    (Kind::VisitRecorded, 0.4),
    (Kind::ConsultantReassigned, 0.3),
    (Kind::SubscriptionPlaced, 0.4),
    (Kind::SubscriptionCancelled, 0.15),
    (Kind::LeadLost, 0.3),
    (Kind::VisitRecorded, 0.15),
];
const CONTRACT: &[Line] = &[
    (Kind::SubscriptionPlaced, 0.4),
    (Kind::ContractSigned, 0.95),
    (Kind::LeadLost, 0.06),
    (Kind::ContractAmended, 0.35),
    (Kind::ContractCancelled, 0.12),
    (Kind::ContractSigned, 0.12),
    (Kind::HandoverNotified, 0.2),
    (Kind::HandoverRefused, 0.12),
    (Kind::HandoverCompleted, 0.75),
    (Kind::DefectLogged, 0.35),
    (Kind::DefectLogged, 0.2),
    (Kind::DefectRectified, 0.3),
    (Kind::MovedIn, 0.6),
    (Kind::ContractAmended, 0.1),
    (Kind::UnitResold, 0.15),
    (Kind::ContractSigned, 0.05),
];
const COMPLAINT: &[Line] = &[
    (Kind::ComplaintLodged, 0.95),
    (Kind::ComplaintAcknowledged, 0.5),
    (Kind::ComplaintAssessed, 0.35),
    (Kind::ComplaintAssigned, 0.25),
    (Kind::ComplaintEscalated, 0.2),
    (Kind::ComplaintResolved, 0.65),
    (Kind::ComplaintReopened, 0.35),
    (Kind::ComplaintResolved, 0.35),
    (Kind::ComplaintClosed, 0.4),
    (Kind::ComplaintReopened, 0.15),
    (Kind::ComplaintWithdrawn, 0.1),
    (Kind::ComplaintAssessed, 0.1),
    (Kind::ComplaintClosed, 0.08),
];
const CALLS: &[Line] = &[
    (Kind::RevisitScheduled, 0.4),
    (Kind::RevisitMissed, 0.45),
    (Kind::RevisitMissed, 0.4),
    (Kind::RevisitCompleted, 0.7),
    (Kind::FaceToFaceFollowUp, 0.25),
];
const RECOMMENDATION: &[Line] = &[(Kind::ReferralMade, 0.9), (Kind::ReferralConverted, 0.65)];
const PERSON: &[Line] = &[
    (Kind::ConsentGranted, 0.5),
    (Kind::ConsentWithdrawn, 0.5),
    (Kind::ProfileCorrected, 0.3),
    (Kind::ConsentGranted, 0.3),
];

#[derive(Clone, Copy)]
enum Scene {
    Lines(&'static [Line], Pace),
    Survey,
    Recommendations,
    Many,
    Noise,
}

/// Plays some scenes, which may overlap in time.
pub(super) fn play(draft: &mut Draft) {
    let scenes = draft.dice.between(1, draft.config.max_scenes.max(1) as i64);
    for number in 0..scenes {
        if number > 0 {
            move_cursor(draft);
        }
        let scene = if number == 0 { opening(draft) } else { any_scene(draft) };
        perform(draft, scene);
    }
    if draft.planned.is_empty() {
        draft.say(Kind::VisitRecorded, 1);
    }
}

/// Mostly a history that begins as a history does.
fn opening(draft: &mut Draft) -> Scene {
    let any = any_scene(draft);
    draft.dice.weighted(&[(3, Scene::Lines(COURTSHIP, Pace::Slow)), (6, Scene::Lines(CONTRACT, Pace::Slow)), (1, any)])
}

fn any_scene(draft: &mut Draft) -> Scene {
    draft.dice.weighted(&[
        (2, Scene::Lines(COURTSHIP, Pace::Slow)),
        (4, Scene::Lines(CONTRACT, Pace::Slow)),
        (6, Scene::Lines(COMPLAINT, Pace::Fast)),
        (2, Scene::Lines(CALLS, Pace::Slow)),
        (1, Scene::Lines(PERSON, Pace::Slow)),
        (5, Scene::Survey),
        (2, Scene::Recommendations),
        (2, Scene::Many),
        (2, Scene::Noise),
    ])
}

fn perform(draft: &mut Draft, scene: Scene) {
    if draft.dice.chance(0.4) {
        draft.place = draft.any_place();
    }
    match scene {
        Scene::Lines(lines, pace) => act(draft, lines, pace),
        Scene::Survey => survey(draft),
        Scene::Recommendations => (0..draft.dice.between(1, 3)).for_each(|_| act(draft, RECOMMENDATION, Pace::Slow)),
        Scene::Many => many(draft),
        Scene::Noise => noise(draft),
    }
}

fn act(draft: &mut Draft, lines: &[Line], pace: Pace) {
    let number = draft.dice.weighted(&[(5, 1), (3, 2), (2, 3)]);
    for &(kind, probability) in lines {
        if draft.dice.chance(probability) {
            draft.say(kind, number);
            draft.step(pace);
        }
    }
}

/// The four answers that make a loyalty class, some ports, and sometimes an answer again.
fn survey(draft: &mut Draft) {
    use Metric::{Csat, Nps, Recommend, Repurchase};
    for metric in [Csat, Repurchase, Recommend, Nps] {
        if draft.dice.chance(0.75) {
            let body = draft.answer(ServicePort::Overall, metric);
            draft.put(body);
        }
        if draft.dice.chance(0.15) {
            draft.step(Pace::Slow);
        }
    }
    for _ in 0..draft.dice.between(0, 4) {
        draft.say(Kind::SurveyAnswered, 1);
        if draft.dice.chance(0.5) {
            draft.step(Pace::Fast);
        }
    }
}

/// More complaints, contracts or converted recommendations than any cap lets count.
fn many(draft: &mut Draft) {
    let kinds: &[Kind] = draft.dice.pick(&[
        &[Kind::ComplaintLodged][..],
        &[Kind::ContractSigned],
        &[Kind::ReferralMade, Kind::ReferralConverted],
    ]);
    for number in 1..=draft.dice.between(4, 6) {
        for &kind in kinds {
            draft.say(kind, number as u32);
            draft.step(Pace::Fast);
        }
    }
}

/// Events of any type, in no order.
fn noise(draft: &mut Draft) {
    for _ in 0..draft.dice.between(1, 6) {
        let kind = draft.dice.pick(Kind::ALL);
        if kind != Kind::CustomerErased {
            let number = draft.number();
            draft.say(kind, number);
        }
        draft.step(Pace::Slow);
    }
}

/// To the time of an event that is already there, or back to the beginning, or on.
fn move_cursor(draft: &mut Draft) {
    match draft.planned.first() {
        Some(first) if draft.dice.chance(0.2) => draft.now = first.event.occurred_at,
        Some(_) if draft.dice.chance(0.6) => {
            draft.now = draft.planned[draft.dice.index(draft.planned.len())].event.occurred_at;
        }
        _ => draft.step(Pace::Slow),
    }
}
