//! The person behind the customer: consent, referrals, corrections of the record, and being forgotten.

use std::borrow::Cow;

use touchpoint::*;

use super::Resent;
use super::home::Home;
use super::story::Story;
use crate::Planned;
use crate::dice::code;

/// Shares of customers.
const CONSENT_ASKED: f64 = 0.25;
const CONSENT_WITHDRAWN: f64 = 0.12;
const PROFILE_CORRECTED: f64 = 0.03;
const ENTERED_TWICE: f64 = 0.02;
const SENT_TWICE: f64 = 0.04;
const ERASED: f64 = 0.003;
/// Shares of owners who recommend, and of recommendations that end in a contract.
const REFER: f64 = 0.22;
const CONVERTED: f64 = 0.35;

/// What the customer consents to at the first visit, and perhaps takes back.
pub(super) fn consents(story: &mut Story<'_>, at: Timestamp) {
    if !story.dice.chance(CONSENT_ASKED) {
        return;
    }
    let purpose = story.dice.weighted(&[
        (3, ConsentPurpose::Service),
        (5, ConsentPurpose::Marketing),
        (2, ConsentPurpose::Survey),
        (4, ConsentPurpose::Profiling),
        (1, ConsentPurpose::Sharing),
    ]);
    let granted = story.minutes_later(at, 5, 40);
    story.tell(granted, Channel::App, Touchpoint::ConsentGranted(ConsentGranted { purpose }));
    if story.dice.chance(CONSENT_WITHDRAWN) {
        let at = story.days_later(at, 5, 400);
        story.tell(at, Channel::App, Touchpoint::ConsentWithdrawn(ConsentWithdrawn { purpose }));
    }
}

/// Recommends the project to others.
pub(super) fn referrals(story: &mut Story<'_>, home: &Home) {
    if !story.dice.chance(REFER) {
        return;
    }
    for _ in 0..story.dice.weighted(&[(8, 1), (3, 2), (1, 4)]) {
        let Some(friend) = story.acquaintance() else { return };
        let referral_id = story.code("TJ");
        let at = story.days_later(home.signed_at, 20, 900);
        let made = ReferralMade { referral_id: referral_id.clone(), referred_customer_id: friend };
        story.tell(at, Channel::App, Touchpoint::ReferralMade(made));
        if story.dice.chance(CONVERTED) {
            let signed = story.days_later(at, 20, 120);
            let contract_id = code(format!("HT-REF-{referral_id}"));
            story.tell(
                signed,
                Channel::System,
                Touchpoint::ReferralConverted(ReferralConverted { referral_id, contract_id }),
            );
        }
    }
}

/// Corrections of the profile and of the record; and a few are forgotten altogether.
pub(super) fn corrections(story: &mut Story<'_>) {
    let Some(last) = story.planned.iter().map(|planned| planned.event.occurred_at).max() else { return };
    if story.dice.chance(PROFILE_CORRECTED) {
        let field = code(story.dice.pick(&["PHONE", "ADDRESS", "NAME", "EMAIL"]));
        let at = story.days_later(last, 1, 60);
        story.tell(at, Channel::Phone, Touchpoint::ProfileCorrected(ProfileCorrected { field }));
    }
    if story.dice.chance(ENTERED_TWICE) {
        entered_twice(story);
    }
    if story.dice.chance(ERASED) {
        let at = story.days_later(last, 61, 200);
        story.tell(at, Channel::Phone, Touchpoint::CustomerErased(CustomerErased {}));
    }
}

/// Somebody entered an event a second time, under an id of its own; later the second one is voided.
fn entered_twice(story: &mut Story<'_>) {
    let index = story.dice.index(story.planned.len());
    let original = story.planned[index].event.clone();
    let (entered, seen) =
        (story.minutes_later(original.occurred_at, 1, 30), story.days_later(original.occurred_at, 2, 20));
    if seen > story.world.until {
        return;
    }
    let id = story.dice.event_id(entered);
    let twin = Event { id, occurred_at: entered, source: Cow::Borrowed("crm/manual"), ..original };
    story.planned.push(Planned::new(twin, entered.plus_micros(Timestamp::MINUTE)));
    let void = EventVoided { target_event_id: Some(id), target_position: None, reason: code("ENTERED_TWICE") };
    story.tell(seen, Channel::System, Touchpoint::EventVoided(void));
}

/// Events that a source system sends once more, as it does after a lost answer.
pub(super) fn resent(story: &mut Story<'_>) -> Vec<Resent> {
    if !story.dice.chance(SENT_TWICE) {
        return Vec::new();
    }
    let planned = story.planned[story.dice.index(story.planned.len())].clone();
    let at = story.minutes_later(planned.recorded_at, 1, 3 * 24 * 60).min(story.world.until);
    vec![Resent { at, planned }]
}
