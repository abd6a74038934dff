//! The price, the contract, and what becomes of it before the keys are handed over.

use touchpoint::*;

use super::home::Home;
use super::story::Story;
use crate::dice::code;

/// Share of contracts that are changed, and that are cancelled before handover.
const AMENDED: f64 = 0.07;
const CANCELLED: f64 = 0.035;
const FEN_PER_YUAN: i64 = 100;
/// Budgets are said in steps of ¥100,000.
const BUDGET_STEP_FEN: i64 = 10_000_000;

/// What the customer looks for, and what it costs.
pub(super) struct PriceList {
    pub(super) rooms: Count,
    pub(super) area: Area,
    pub(super) motive: Motive,
    pub(super) household: Household,
    /// The list price, in fen: whole yuan.
    price: i64,
}

impl PriceList {
    pub(super) fn new(story: &mut Story<'_>) -> Self {
        let rooms = story.dice.weighted(&[(2, 1), (5, 2), (10, 3), (5, 4), (1, 5)]);
        let area = 2_200 + rooms * 2_500 + story.dice.between(0, 2_400);
        let price = story.project.price_yuan * area / 100 * story.dice.between(93, 112) / 100 * FEN_PER_YUAN;
        Self {
            rooms: Count(rooms as u32),
            area: Area(area as u32),
            motive: story.dice.weighted(&[
                (8, Motive::FirstHome),
                (7, Motive::Upgrade),
                (2, Motive::Investment),
                (1, Motive::ElderCare),
                (3, Motive::Education),
            ]),
            household: story.dice.pick(Household::ALL),
            price,
        }
    }

    /// What the customer says to be able to pay.
    pub(super) fn budget(&self) -> (Fen, Fen) {
        let low = self.price * 9 / 10 / BUDGET_STEP_FEN * BUDGET_STEP_FEN;
        (Fen(low), Fen(low + self.price / 4 / BUDGET_STEP_FEN * BUDGET_STEP_FEN + BUDGET_STEP_FEN))
    }
}

/// Signs; the home, unless the contract is cancelled before the keys are there.
pub(super) fn sign(
    story: &mut Story<'_>,
    prices: &PriceList,
    signed_at: Timestamp,
    unit_id: Code<'static>,
    subscription_id: Code<'static>,
) -> Option<Home> {
    let contract = story.code("HT");
    let slack = story.dice.between(0, 4) as u32;
    let planned = signed_at.shanghai_date().plus_months(story.project.months_to_handover - 2 + slack);
    let signed = ContractSigned {
        contract_id: contract.clone(),
        unit_id,
        price_fen: Fen(prices.price),
        payment: story.dice.weighted(&[(2, Payment::Full), (7, Payment::Mortgage), (1, Payment::Instalment)]),
        planned_handover_on: planned,
        area: Some(prices.area),
        subscription_id: Some(subscription_id),
    };
    story.tell(signed_at, Channel::InPerson, Touchpoint::ContractSigned(signed));
    if story.dice.chance(AMENDED) {
        amend(story, prices, &contract, signed_at);
    }
    if story.dice.chance(CANCELLED) {
        cancel(story, contract, signed_at);
        return None;
    }
    Some(Home::new(contract, signed_at, planned, story.world.until))
}

fn amend(story: &mut Story<'_>, prices: &PriceList, contract: &Code<'static>, signed_at: Timestamp) {
    let kind =
        story.dice.weighted(&[(3, AmendmentKind::NameChange), (2, AmendmentKind::UnitSwap), (5, AmendmentKind::Price)]);
    let discount = story.dice.between(94, 99);
    let amended = ContractAmended {
        contract_id: contract.clone(),
        kind,
        price_fen: (kind == AmendmentKind::Price).then_some(Fen(prices.price / 10_000 * discount * 100)),
        unit_id: (kind == AmendmentKind::UnitSwap).then(|| story.unit()),
    };
    let at = story.days_later(signed_at, 3, 60);
    story.tell(at, Channel::InPerson, Touchpoint::ContractAmended(amended));
}

fn cancel(story: &mut Story<'_>, contract_id: Code<'static>, signed_at: Timestamp) {
    let cancelled = ContractCancelled {
        contract_id,
        by: story.dice.weighted(&[(8, Party::Customer), (2, Party::Developer)]),
        reason: code(story.dice.pick(&["LOAN_REFUSED", "CHANGED_PLANS", "DELAY", "PRICE_DROP"])),
    };
    let at = story.days_later(signed_at, 15, 200);
    story.tell(at, Channel::InPerson, Touchpoint::ContractCancelled(cancelled));
}
