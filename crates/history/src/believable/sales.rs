//! The sales funnel: lead, visits, subscription, contract, or the loss of the lead.

use touchpoint::*;

use super::deal::{self, PriceList};
use super::story::Story;
use super::{home, person};

/// Share of customers who are registered before they are seen.
const LEADS: f64 = 0.55;
/// Share of leads who come to the sales centre.
const LEADS_VISIT: f64 = 0.62;
/// Share of visitors who put down a deposit.
const SUBSCRIBE: f64 = 0.31;
/// Share of deposits that are given back.
const GIVE_BACK: f64 = 0.11;
/// Share of lost customers whose loss anybody writes down.
const LOSS_NOTED: f64 = 0.55;
/// Share of prospects who get another consultant.
const REASSIGNED: f64 = 0.06;

/// Tells everything from the first contact on.
pub(super) fn from_first_contact(story: &mut Story<'_>, start: Timestamp) {
    let source = lead_source(story);
    let mut at = start;
    if story.dice.chance(LEADS) {
        story.tell(at, channel(source), Touchpoint::LeadRegistered(LeadRegistered { lead_source: source }));
        if !story.dice.chance(LEADS_VISIT) {
            return lost(story, at, 10, 80);
        }
        at = story.days_later(at, 1, 20);
    }
    let prices = PriceList::new(story);
    let last_visit = visits(story, &prices, source, at);
    if story.dice.chance(SUBSCRIBE) {
        buy(story, &prices, last_visit);
    } else {
        lost(story, last_visit, 15, 85);
    }
}

/// Puts down a deposit, and mostly signs.
pub(super) fn buy(story: &mut Story<'_>, prices: &PriceList, last_visit: Timestamp) {
    let subscribed = story.days_later(last_visit, 1, 12);
    let (subscription_id, unit_id) = (story.code("RG"), story.unit());
    let placed = SubscriptionPlaced {
        subscription_id: subscription_id.clone(),
        unit_id: unit_id.clone(),
        deposit_fen: Fen(story.dice.pick(&[2_000_000, 3_000_000, 5_000_000, 10_000_000])),
    };
    story.tell(subscribed, Channel::InPerson, Touchpoint::SubscriptionPlaced(placed));
    if story.dice.chance(GIVE_BACK) {
        let at = story.days_later(subscribed, 2, 25);
        let by = story.dice.weighted(&[(9, Party::Customer), (1, Party::Developer)]);
        story.tell(
            at,
            Channel::InPerson,
            Touchpoint::SubscriptionCancelled(SubscriptionCancelled { subscription_id, by }),
        );
        return lost(story, at, 10, 60);
    }
    let signed_at = story.days_later(subscribed, 3, 21);
    if let Some(home) = deal::sign(story, prices, signed_at, unit_id, subscription_id) {
        home::live(story, home);
    }
}

fn visits(story: &mut Story<'_>, prices: &PriceList, source: LeadSource, first: Timestamp) -> Timestamp {
    let repeats = story.dice.weighted(&[(58, 0), (27, 1), (10, 2), (5, 4)]);
    let mut at = first;
    visit(story, prices, source, at, VisitKind::First);
    person::consents(story, at);
    for _ in 0..repeats {
        at = story.days_later(at, 2, 18);
        if story.dice.chance(REASSIGNED) {
            let (from, to) = story.reassign();
            let moved = story.minutes_later(at, -90, -10);
            story.tell(moved, Channel::System, Touchpoint::ConsultantReassigned(ConsultantReassigned { from, to }));
        }
        visit(story, prices, source, at, VisitKind::Repeat);
    }
    at
}

/// A visit with what the consultant learned.
pub(super) fn visit(story: &mut Story<'_>, prices: &PriceList, source: LeadSource, at: Timestamp, kind: VisitKind) {
    let online = story.dice.chance(0.12);
    let purpose = match online {
        true => VisitPurpose::OnlineTour,
        false => story.dice.weighted(&[
            (6, VisitPurpose::SalesCentre),
            (3, VisitPurpose::ShowFlat),
            (1, VisitPurpose::SiteOpenDay),
        ]),
    };
    let asked = story.dice.chance(0.75);
    let (low, high) = prices.budget();
    let visit = VisitRecorded {
        visit_id: story.code("V"),
        kind,
        purpose,
        lead_source: source,
        consultant_id: story.consultant(),
        intent: Some(story.dice.weighted(&[(2, Intent::A), (4, Intent::B), (3, Intent::C), (1, Intent::D)])),
        budget_min_fen: asked.then_some(low),
        budget_max_fen: asked.then_some(high),
        rooms: asked.then_some(prices.rooms),
        area: asked.then_some(prices.area),
        motive: asked.then_some(prices.motive),
        household: asked.then_some(prices.household),
        minutes: Some(Minutes(story.dice.between(15, 120) as u32)),
    };
    story.tell(at, if online { Channel::Web } else { Channel::InPerson }, Touchpoint::VisitRecorded(visit));
}

/// The customer is heard of no more; often somebody writes down why.
fn lost(story: &mut Story<'_>, after: Timestamp, low: i64, high: i64) {
    if !story.dice.chance(LOSS_NOTED) {
        return;
    }
    let at = story.days_later(after, low, high);
    let reason = story.dice.weighted(&[
        (28, LostReason::Price),
        (18, LostReason::Location),
        (20, LostReason::Competitor),
        (8, LostReason::Loan),
        (12, LostReason::NoNeed),
        (14, LostReason::Unreachable),
    ]);
    story.tell(at, Channel::Phone, Touchpoint::LeadLost(LeadLost { reason }));
}

fn lead_source(story: &mut Story<'_>) -> LeadSource {
    story.dice.weighted(&[
        (20, LeadSource::WalkIn),
        (14, LeadSource::Advert),
        (18, LeadSource::Social),
        (20, LeadSource::Broker),
        (12, LeadSource::Referral),
        (5, LeadSource::Event),
        (9, LeadSource::Portal),
        (2, LeadSource::Other),
    ])
}

fn channel(source: LeadSource) -> Channel {
    match source {
        LeadSource::Social => Channel::Wechat,
        LeadSource::Portal | LeadSource::Advert => Channel::Web,
        LeadSource::Broker => Channel::Agent,
        LeadSource::WalkIn | LeadSource::Event => Channel::InPerson,
        LeadSource::Referral | LeadSource::Other => Channel::Phone,
    }
}
