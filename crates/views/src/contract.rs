//! Contracts and subscriptions of a customer, folded from the counting events.

use touchpoint::{AmendmentKind, ContractSigned, Date, Fen, Timestamp, Touchpoint};

use crate::Filed;

/// A contract, opened by the first ContractSigned of its id.
#[derive(Debug, Clone)]
pub struct Contract<'t> {
    /// The event that opened it.
    pub signing: &'t Filed<'t>,
    /// What was signed.
    pub signed: &'t ContractSigned<'t>,
    /// The price after all amendments.
    pub price: Fen,
    /// From when it is cancelled.
    pub cancelled_at: Option<Timestamp>,
    /// From when the unit is resold.
    pub resold_at: Option<Timestamp>,
    /// The first handover.
    pub handover: Option<Delivery<'t>>,
    /// The first moving in.
    pub moved_in: Option<Delivery<'t>>,
}

/// A handover or moving in.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'t> {
    /// The event.
    pub event: &'t Filed<'t>,
    /// When it took effect: not before the signing.
    pub at: Timestamp,
    /// The date that it names.
    pub on: Date,
}

impl<'t> Contract<'t> {
    /// The contract's code.
    pub fn id(&self) -> &'t str {
        self.signed.contract_id.as_str()
    }

    /// Signed, and neither cancelled nor resold.
    pub fn is_live(&self) -> bool {
        self.cancelled_at.is_none() && self.resold_at.is_none()
    }

    /// Handed over or moved in.
    pub fn is_delivered(&self) -> bool {
        self.handover.is_some() || self.moved_in.is_some()
    }

    /// The date from which the months of ownership count: of moving in, else of the handover.
    pub fn owned_from(&self) -> Option<Date> {
        self.moved_in.or(self.handover).map(|delivery| delivery.on)
    }
}

/// The contracts of a customer, in the order of their signing.
pub fn contracts<'t>(events: &'t [Filed<'t>]) -> Vec<Contract<'t>> {
    let mut contracts: Vec<Contract<'t>> = Vec::new();
    for signing in events {
        if let Touchpoint::ContractSigned(signed) = &signing.body
            && contracts.iter().all(|contract| contract.signed.contract_id != signed.contract_id)
        {
            let price = signed.price_fen;
            contracts.push(Contract {
                signing,
                signed,
                price,
                cancelled_at: None,
                resold_at: None,
                handover: None,
                moved_in: None,
            });
        }
    }
    if !contracts.is_empty() {
        events.iter().for_each(|step| apply(step, &mut contracts));
    }
    contracts
}

/// The contract that a step is of.
fn step_of<'t>(body: &'t Touchpoint<'_>) -> Option<&'t str> {
    let id = match body {
        Touchpoint::ContractAmended(step) => &step.contract_id,
        Touchpoint::ContractCancelled(step) => &step.contract_id,
        Touchpoint::UnitResold(step) => &step.contract_id,
        Touchpoint::HandoverCompleted(step) => &step.contract_id,
        Touchpoint::MovedIn(step) => &step.contract_id,
        _ => return None,
    };
    Some(id.as_str())
}

/// Applies a step to the contract that it names; steps come in order, whether before or after the signing.
fn apply<'t>(step: &'t Filed<'t>, contracts: &mut [Contract<'t>]) {
    let Some(id) = step_of(&step.body) else { return };
    let Some(contract) = contracts.iter_mut().find(|contract| contract.id() == id) else { return };
    let at = step.occurred_at.max(contract.signing.occurred_at);
    match &step.body {
        Touchpoint::ContractAmended(amended) if amended.kind == AmendmentKind::Price => {
            contract.price = amended.price_fen.unwrap_or(contract.price);
        }
        Touchpoint::ContractCancelled(_) => _ = contract.cancelled_at.get_or_insert(at),
        Touchpoint::UnitResold(_) => _ = contract.resold_at.get_or_insert(at),
        Touchpoint::HandoverCompleted(handover) => {
            contract.handover.get_or_insert(Delivery { event: step, at, on: handover.handed_over_on });
        }
        Touchpoint::MovedIn(moved) => {
            contract.moved_in.get_or_insert(Delivery { event: step, at, on: moved.on });
        }
        _ => {}
    }
}

/// Subscriptions of a customer: whether there ever was one, and whether one is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscriptions {
    /// There was one.
    pub any: bool,
    /// One is open: neither cancelled nor fulfilled by a contract.
    pub open: bool,
}

/// Folds the subscriptions. A contract that names one ends that one; a contract that names none ends all before it.
pub fn subscriptions(events: &[Filed<'_>], contracts: &[Contract<'_>]) -> Subscriptions {
    let mut seen: Vec<&str> = Vec::new();
    let mut open = false;
    for event in events {
        let Touchpoint::SubscriptionPlaced(placed) = &event.body else { continue };
        let id = placed.subscription_id.as_str();
        if seen.contains(&id) {
            continue;
        }
        seen.push(id);
        let cancelled = events.iter().any(
            |step| matches!(&step.body, Touchpoint::SubscriptionCancelled(it) if it.subscription_id.as_str() == id),
        );
        let fulfilled = contracts.iter().any(|contract| match &contract.signed.subscription_id {
            Some(named) => named.as_str() == id,
            None => contract.signing.order() > event.order(),
        });
        open |= !cancelled && !fulfilled;
    }
    Subscriptions { any: !seen.is_empty(), open }
}
