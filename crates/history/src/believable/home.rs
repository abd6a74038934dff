//! Life with a contract: handover, defects, moving in, and all that follows until the unit is sold on.

use touchpoint::*;

use super::deal::PriceList;
use super::story::Story;
use super::{calls, care, person, sales, survey};
use crate::dice::code;

/// Shares of homes: refused at first, with defects, moved into, sold on; and of owners who buy again.
const REFUSED: f64 = 0.05;
const DEFECTS: f64 = 0.30;
const RECTIFIED: f64 = 0.88;
const MOVED_IN: f64 = 0.78;
const RESOLD: f64 = 0.06;
const BUY_AGAIN: f64 = 0.07;

/// A home from the contract on.
pub(super) struct Home {
    pub(super) contract: Code<'static>,
    pub(super) signed_at: Timestamp,
    pub(super) planned: Date,
    pub(super) delivered_at: Option<Timestamp>,
    /// When it is sold on, else the end of the history.
    pub(super) ends_at: Timestamp,
    /// What the customer lived through, added to the chance of a satisfied answer.
    pub(super) mood: f64,
}

impl Home {
    pub(super) fn new(contract: Code<'static>, signed_at: Timestamp, planned: Date, until: Timestamp) -> Self {
        Self { contract, signed_at, planned, delivered_at: None, ends_at: until, mood: 0.02 }
    }

    /// The keys were handed over by then.
    pub(super) fn delivered_by(&self, at: Timestamp) -> bool {
        self.delivered_at.is_some_and(|delivered| delivered <= at)
    }
}

/// Tells the life with a home.
pub(super) fn live(story: &mut Story<'_>, mut home: Home) {
    calls::revisit(story, home.signed_at, 5, 30, RevisitTrigger::PostSign, None);
    handover(story, &mut home);
    resell(story, &mut home);
    care::complaints(story, &mut home);
    calls::periodic(story, &home);
    survey::waves(story, &home);
    person::referrals(story, &home);
    if story.dice.chance(BUY_AGAIN) && home.delivered_at.is_some() {
        buy_again(story, &home);
    }
}

fn handover(story: &mut Story<'_>, home: &mut Home) {
    let notified = story.days_later(home.planned.start(), -30, -14);
    let due = notified.shanghai_date().plus_days(story.dice.between(10, 40) as u32);
    let contract_id = home.contract.clone();
    let notice = HandoverNotified { contract_id: contract_id.clone(), due_on: due };
    story.tell(notified, Channel::Sms, Touchpoint::HandoverNotified(notice));
    let delay = if story.dice.chance(0.12) { story.dice.between(20, 90) } else { story.dice.between(0, 12) };
    let mut at = story.daytime(due.start().plus_days(delay));
    if story.dice.chance(REFUSED) {
        let reason = code(story.dice.pick(&["DEFECTS", "AREA_DIFFERS", "FACILITIES_MISSING"]));
        let refused = HandoverRefused { contract_id: contract_id.clone(), reason };
        story.tell(at, Channel::InPerson, Touchpoint::HandoverRefused(refused));
        home.mood -= 0.06;
        at = story.days_later(at, 15, 45);
    }
    let defects = if story.dice.chance(DEFECTS) { story.dice.between(1, 3) } else { 0 };
    let completed = HandoverCompleted {
        contract_id: contract_id.clone(),
        handed_over_on: at.shanghai_date(),
        defects_open: Count(defects as u32),
        defects_serious: Some(Count(u32::from(defects == 3))),
    };
    story.tell(at, Channel::InPerson, Touchpoint::HandoverCompleted(completed));
    if at > story.world.until {
        return;
    }
    home.delivered_at = Some(at);
    (0..defects).for_each(|_| defect(story, home, at));
    move_in(story, contract_id, at);
    calls::revisit(story, at, 5, 25, RevisitTrigger::PostHandover, None);
}

fn defect(story: &mut Story<'_>, home: &mut Home, delivered: Timestamp) {
    let defect_id = story.code("D");
    let logged = story.minutes_later(delivered, 5, 60);
    let severity =
        story.dice.weighted(&[(78, DefectSeverity::Minor), (19, DefectSeverity::Major), (3, DefectSeverity::Safety)]);
    let defect = DefectLogged {
        defect_id: defect_id.clone(),
        contract_id: home.contract.clone(),
        part: code(story.dice.pick(&["WALL", "FLOOR", "WINDOW", "DOOR", "PLUMBING", "ELECTRIC", "WATERPROOFING"])),
        severity,
    };
    story.tell(logged, Channel::InPerson, Touchpoint::DefectLogged(defect));
    if story.dice.chance(RECTIFIED) {
        let at = story.days_later(logged, 2, 45);
        story.tell(at, Channel::App, Touchpoint::DefectRectified(DefectRectified { defect_id }));
    } else {
        home.mood -= 0.05;
    }
}

fn move_in(story: &mut Story<'_>, contract_id: Code<'static>, delivered: Timestamp) {
    if story.dice.chance(MOVED_IN) {
        let at = story.days_later(delivered, 20, 240);
        let on = at.shanghai_date();
        story.tell(at, Channel::InPerson, Touchpoint::MovedIn(MovedIn { contract_id, on }));
    }
}

fn resell(story: &mut Story<'_>, home: &mut Home) {
    let Some(delivered) = home.delivered_at else { return };
    if story.dice.chance(RESOLD) {
        let at = story.days_later(delivered, 300, 1_200);
        let sold = UnitResold { contract_id: home.contract.clone(), on: at.shanghai_date() };
        story.tell(at, Channel::InPerson, Touchpoint::UnitResold(sold));
        home.ends_at = home.ends_at.min(at);
    }
}

/// A second home, perhaps in another project.
fn buy_again(story: &mut Story<'_>, home: &Home) {
    if story.dice.chance(0.5) {
        story.project = story.dice.weighted(&story.world.popular);
    }
    let prices = PriceList::new(story);
    let at = story.days_later(home.delivered_at.unwrap_or(home.signed_at), 200, 1_000);
    if at < story.world.until {
        sales::visit(story, &prices, LeadSource::Referral, at, VisitKind::Repeat);
        sales::buy(story, &prices, at);
    }
}
