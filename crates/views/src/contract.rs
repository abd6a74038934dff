//! Contracts and subscriptions of a customer, folded from the counting events.

use touchpoint::{AmendmentKind, Code, ContractSigned, Date, EventId, Fen, Timestamp, Touchpoint};

use crate::Filed;
use crate::first::Firsts;

/// A contract, opened by the first ContractSigned of its id.
#[derive(Debug, Clone)]
pub struct Contract<'t> {
    /// The event that opened it.
    pub signing: &'t Filed<'t>,
    /// What was signed.
    pub signed: &'t ContractSigned<'t>,
    /// The price after all amendments.
    pub price: Fen,
    /// The amendment that gave it.
    pub repriced: Option<&'t Filed<'t>>,
    /// The first cancellation or resale, and when it took effect.
    pub ended: Option<(Timestamp, &'t Filed<'t>)>,
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

impl Delivery<'_> {
    /// By when it took effect; of two that did so together, by the order of the events.
    pub fn order(&self) -> (Timestamp, (Timestamp, EventId)) {
        (self.at, self.event.order())
    }
}

impl<'t> Contract<'t> {
    fn new(signing: &'t Filed<'t>, signed: &'t ContractSigned<'t>) -> Self {
        let price = signed.price_fen;
        Self {
            signing,
            signed,
            price,
            repriced: None,
            ended: None,
            cancelled_at: None,
            resold_at: None,
            handover: None,
            moved_in: None,
        }
    }

    /// Takes a step of this contract; steps come in order, whether before or after the signing.
    fn take(&mut self, step: &'t Filed<'t>) {
        let at = step.occurred_at.max(self.signing.occurred_at);
        if matches!(step.body, Touchpoint::ContractCancelled(_) | Touchpoint::UnitResold(_)) {
            self.ended.get_or_insert((at, step));
        }
        match &step.body {
            Touchpoint::ContractAmended(amended) if amended.kind == AmendmentKind::Price => {
                self.price = amended.price_fen.unwrap_or(self.price);
                self.repriced = Some(step);
            }
            Touchpoint::ContractCancelled(_) => _ = self.cancelled_at.get_or_insert(at),
            Touchpoint::UnitResold(_) => _ = self.resold_at.get_or_insert(at),
            Touchpoint::HandoverCompleted(handover) => {
                self.handover.get_or_insert(Delivery { event: step, at, on: handover.handed_over_on });
            }
            Touchpoint::MovedIn(moved) => {
                self.moved_in.get_or_insert(Delivery { event: step, at, on: moved.on });
            }
            _ => {}
        }
    }

    /// The contract's code.
    pub fn id(&self) -> &'t str {
        self.signed.contract_id.as_str()
    }

    /// The events that give the price: the signing, and the latest amendment of it.
    pub fn priced_by(&self) -> impl Iterator<Item = &'t Filed<'t>> {
        std::iter::once(self.signing).chain(self.repriced)
    }

    /// Signed, and neither cancelled nor resold.
    pub fn is_live(&self) -> bool {
        self.cancelled_at.is_none() && self.resold_at.is_none()
    }

    /// The first handover and the first moving in, as far as they are there.
    pub fn deliveries(&self) -> impl Iterator<Item = Delivery<'t>> {
        self.handover.into_iter().chain(self.moved_in)
    }

    /// Handed over or moved in.
    pub fn is_delivered(&self) -> bool {
        self.handover.is_some() || self.moved_in.is_some()
    }

    /// The delivery from whose date the months of ownership count: moving in, else the handover.
    pub fn owned_by(&self) -> Option<Delivery<'t>> {
        self.moved_in.or(self.handover)
    }
}

/// The contracts of a customer, in the order of their signing.
pub fn contracts<'t>(events: &'t [Filed<'t>]) -> Vec<Contract<'t>> {
    let signings = Firsts::of(events, |body| match body {
        Touchpoint::ContractSigned(signed) => Some((&signed.contract_id, signed)),
        _ => None,
    });
    let mut contracts: Vec<_> = signings.all.iter().map(|(signing, signed)| Contract::new(signing, signed)).collect();
    if contracts.is_empty() {
        return contracts;
    }
    for step in events {
        if let Some(index) = step_of(&step.body).and_then(|id| signings.index(id)) {
            contracts[index].take(step);
        }
    }
    contracts
}

/// The contract that a step is of.
fn step_of<'t>(body: &'t Touchpoint<'t>) -> Option<&'t Code<'t>> {
    let id = match body {
        Touchpoint::ContractAmended(step) => &step.contract_id,
        Touchpoint::ContractCancelled(step) => &step.contract_id,
        Touchpoint::UnitResold(step) => &step.contract_id,
        Touchpoint::HandoverCompleted(step) => &step.contract_id,
        Touchpoint::MovedIn(step) => &step.contract_id,
        _ => return None,
    };
    Some(id)
}

/// Subscriptions of a customer: whether there ever was one, and whether one is open.
#[derive(Debug, Clone, Copy)]
pub struct Subscriptions<'t> {
    /// There was one.
    pub any: bool,
    /// The first that is open: neither cancelled nor fulfilled by a contract.
    pub open: Option<&'t Filed<'t>>,
}

/// Folds the subscriptions. A contract that names one ends that one; a contract that names none ends all before it.
pub fn subscriptions<'t>(events: &'t [Filed<'t>], contracts: &[Contract<'t>]) -> Subscriptions<'t> {
    let placed = Firsts::of(events, |body| match body {
        Touchpoint::SubscriptionPlaced(placed) => Some((&placed.subscription_id, placed)),
        _ => None,
    });
    let mut open = vec![true; placed.all.len()];
    let cancelled = events.iter().filter_map(|step| match &step.body {
        Touchpoint::SubscriptionCancelled(cancelled) => Some(&cancelled.subscription_id),
        _ => None,
    });
    let named = contracts.iter().filter_map(|contract| contract.signed.subscription_id.as_ref());
    for index in cancelled.chain(named).filter_map(|id| placed.index(id)) {
        open[index] = false;
    }
    let naming_none = contracts.iter().filter(|contract| contract.signed.subscription_id.is_none());
    let last = naming_none.map(|contract| contract.signing.order()).max();
    let is_open = |event: &Filed<'_>| last.is_none_or(|last| last <= event.order());
    let any = !open.is_empty();
    let mut open = placed.all.iter().zip(open).filter(|(_, open)| *open).map(|((event, _), _)| *event);
    Subscriptions { any, open: open.find(|event| is_open(event)) }
}
