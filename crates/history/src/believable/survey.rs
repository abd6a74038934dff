//! 满意度调查: the yearly waves, and the questions after a complaint.

use touchpoint::*;

use super::home::Home;
use super::story::Story;
use super::world::Wave;
use crate::dice::code;

/// Share of owners who answer a wave.
const RESPONSE: f64 = 0.45;
/// A wave takes so many days.
const WAVE_DAYS: i64 = 60;
/// Share of items that an answerer cannot judge.
const NOT_APPLICABLE: f64 = 0.04;
/// The expected share of satisfied answers stays within these.
const RATES: (f64, f64) = (0.70, 0.95);

/// The ports that somebody who has only signed can judge, and those after handover.
const BEFORE_HANDOVER: [ServicePort; 3] =
    [ServicePort::Overall, ServicePort::SalesService, ServicePort::PlanningDesign];
const AFTER_HANDOVER: [ServicePort; 6] = [
    ServicePort::ConstructionQuality,
    ServicePort::RepairService,
    ServicePort::PropertyManagement,
    ServicePort::ComplaintHandling,
    ServicePort::Handover,
    ServicePort::CallCentre,
];

/// One filled-in questionnaire.
struct Sheet {
    survey_id: Code<'static>,
    wave_id: Code<'static>,
    at: Timestamp,
    channel: Channel,
    /// Chance of a satisfied answer before the port's own part.
    base: f64,
}

/// Tells the waves that an owner answers.
pub(super) fn waves(story: &mut Story<'_>, home: &Home) {
    let world = story.world;
    for wave in &world.waves {
        let at = story.days_later(wave.starts_at, 0, WAVE_DAYS);
        if (home.signed_at..home.ends_at).contains(&at) && story.dice.chance(RESPONSE) {
            questionnaire(story, home, wave, at);
        }
    }
}

fn questionnaire(story: &mut Story<'_>, home: &Home, wave: &Wave, at: Timestamp) {
    let sheet = Sheet {
        survey_id: story.code("DC"),
        wave_id: code(wave.year.to_string()),
        at,
        channel: story.dice.pick(&[Channel::Wechat, Channel::App, Channel::Phone, Channel::Sms]),
        base: story.project.quality + f64::from(wave.number) * story.project.trend + home.mood,
    };
    let delivered = home.delivered_by(at);
    for port in BEFORE_HANDOVER.iter().chain(AFTER_HANDOVER.iter().filter(|_| delivered)) {
        csat(story, &sheet, *port, "OVERALL", None);
    }
    if delivered && story.dice.chance(0.4) {
        let (port, detail) = story.dice.pick(&[
            (ServicePort::PropertyManagement, "SECURITY"),
            (ServicePort::PropertyManagement, "CLEANING"),
            (ServicePort::ConstructionQuality, "WINDOWS"),
            (ServicePort::RepairService, "SPEED"),
            (ServicePort::SalesService, "HONESTY"),
        ]);
        csat(story, &sheet, port, detail, None);
    }
    loyalty(story, &sheet);
}

fn loyalty(story: &mut Story<'_>, sheet: &Sheet) {
    let promoter = story.dice.chance(sheet.base - 0.30);
    let nps = if promoter {
        story.dice.pick(&[9, 9, 10])
    } else {
        story.dice.weighted(&[(6, 8), (5, 7), (3, 6), (2, 4), (1, 1)])
    };
    answer(story, sheet, ServicePort::Overall, "OVERALL_NPS", Metric::Nps, nps);
    let effort = if story.dice.chance(sheet.base) { story.dice.pick(&[5, 6, 7]) } else { story.dice.pick(&[2, 3, 4]) };
    answer(story, sheet, ServicePort::CallCentre, "CALL_CENTRE_EFFORT", Metric::Ces, effort);
    for (item, metric) in [("OVERALL_REPURCHASE", Metric::Repurchase), ("OVERALL_RECOMMEND", Metric::Recommend)] {
        let score = stars(story, sheet.base - 0.1);
        answer(story, sheet, ServicePort::Overall, item, metric, score);
    }
}

/// Asks about the handling of one complaint.
pub(super) fn about_complaint(story: &mut Story<'_>, complaint: &Code<'static>, closed: Timestamp) {
    let at = story.days_later(closed, 1, 5);
    let sheet = Sheet {
        survey_id: story.code("DC"),
        wave_id: code(at.shanghai_date().year().to_string()),
        at,
        channel: Channel::Phone,
        base: story.project.quality - 0.08,
    };
    csat(story, &sheet, ServicePort::ComplaintHandling, "OVERALL", Some(complaint.clone()));
}

fn csat(story: &mut Story<'_>, sheet: &Sheet, port: ServicePort, item: &str, complaint_id: Option<Code<'static>>) {
    let score = stars(story, sheet.base + port_part(port));
    let known = !story.dice.chance(NOT_APPLICABLE);
    let item_code = code(format!("{port}_{item}"));
    let call_id = (sheet.channel == Channel::Phone).then(|| code(format!("CALL-{}", sheet.survey_id)));
    let answered = SurveyAnswered {
        survey_id: sheet.survey_id.clone(),
        wave_id: sheet.wave_id.clone(),
        port,
        item_code,
        metric: Metric::Csat,
        score: known.then_some(Score(score)),
        not_applicable: (!known).then_some(true),
        complaint_id,
        call_id,
    };
    let at = story.minutes_later(sheet.at, 0, 10);
    story.tell(at, sheet.channel, Touchpoint::SurveyAnswered(answered));
}

fn answer(story: &mut Story<'_>, sheet: &Sheet, port: ServicePort, item: &'static str, metric: Metric, score: u8) {
    let answered = SurveyAnswered {
        survey_id: sheet.survey_id.clone(),
        wave_id: sheet.wave_id.clone(),
        port,
        item_code: code(item),
        metric,
        score: Some(Score(score)),
        not_applicable: None,
        complaint_id: None,
        call_id: None,
    };
    let at = story.minutes_later(sheet.at, 0, 10);
    story.tell(at, sheet.channel, Touchpoint::SurveyAnswered(answered));
}

/// 1 to 5 stars, satisfied with about this probability.
fn stars(story: &mut Story<'_>, satisfied: f64) -> u8 {
    if story.dice.chance(satisfied.clamp(RATES.0, RATES.1)) {
        story.dice.pick(&[4, 5])
    } else {
        story.dice.weighted(&[(60, 3), (25, 2), (15, 1)])
    }
}

/// What a port is better or worse than the project as a whole.
const fn port_part(port: ServicePort) -> f64 {
    match port {
        ServicePort::SalesService => 0.05,
        ServicePort::PlanningDesign => 0.02,
        ServicePort::Overall | ServicePort::Handover => 0.0,
        ServicePort::PropertyManagement | ServicePort::CallCentre => -0.02,
        ServicePort::ConstructionQuality => -0.04,
        ServicePort::RepairService | ServicePort::ComplaintHandling => -0.06,
    }
}
