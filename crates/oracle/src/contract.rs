//! Contracts, subscriptions, defects and referrals as they stand at as_of.

use chrono::NaiveDate;

use crate::admit::Admitted;
use crate::clock::parse_date;
use crate::event::{Event, Evidence};

/// A contract, opened by its first ContractSigned.
#[derive(Debug)]
pub(crate) struct Contract<'a> {
    pub(crate) signed: &'a Event,
    pub(crate) price_fen: i64,
    /// The signing, and the amendment that gave the present price.
    pub(crate) priced_by: Vec<&'a Event>,
    /// When it was first cancelled or resold, and by which event.
    pub(crate) ended: Option<(i64, Evidence)>,
    pub(crate) cancelled: bool,
    pub(crate) resold: bool,
    pub(crate) handover: Option<&'a Event>,
    pub(crate) moved_in: Option<&'a Event>,
}

/// All contracts that were ever signed, by signing.
pub(crate) fn contracts<'a>(admitted: &Admitted<'a>) -> Vec<Contract<'a>> {
    let mut all = Vec::new();
    for signed in admitted.openings("ContractSigned", "contract_id") {
        let id = signed.text("contract_id").unwrap_or_default();
        // "A step dated before the event that opens its contract ... takes effect at the moment of opening, right after
        // it": so all steps count whatever their date, and among themselves they keep their order.
        let steps = |kind: &str| admitted.naming(kind, "contract_id", id);
        let mut price_fen = signed.int("price_fen").unwrap_or_default();
        let mut priced_by = vec![signed];
        for amended in steps("ContractAmended") {
            if amended.text("kind") == Some("PRICE") {
                price_fen = amended.int("price_fen").unwrap_or(price_fen);
                priced_by = vec![signed, amended];
            }
        }
        let ends = [steps("ContractCancelled"), steps("UnitResold")].concat();
        all.push(Contract {
            signed,
            price_fen,
            priced_by,
            ended: ends.iter().map(|end| (end.at.max(signed.at), end.order())).min(),
            cancelled: !steps("ContractCancelled").is_empty(),
            resold: !steps("UnitResold").is_empty(),
            // "The first HandoverCompleted and the first MovedIn of a contract count."
            handover: steps("HandoverCompleted").first().copied(),
            moved_in: steps("MovedIn").first().copied(),
        });
    }
    all
}

/// The live ones, by signing.
pub(crate) fn live_contracts<'a>(admitted: &Admitted<'a>) -> Vec<Contract<'a>> {
    contracts(admitted).into_iter().filter(Contract::live).collect()
}

impl Contract<'_> {
    /// "A live contract is one signed and neither cancelled nor resold."
    pub(crate) fn live(&self) -> bool {
        !self.cancelled && !self.resold
    }

    /// Delivered: by HandoverCompleted, or by MovedIn where there was none.
    pub(crate) fn delivered(&self) -> bool {
        self.handover.is_some() || self.moved_in.is_some()
    }

    /// "Its months count from MovedIn.on, else handed_over_on (Shanghai dates)."
    pub(crate) fn months_from(&self) -> Option<NaiveDate> {
        match (self.moved_in, self.handover) {
            (Some(moved_in), _) => moved_in.text("on").and_then(parse_date),
            (None, Some(handover)) => handover.text("handed_over_on").and_then(parse_date),
            (None, None) => None,
        }
    }

    /// "DELIVERED is the earlier of HandoverCompleted and MovedIn of a known contract, not before its signing": when, and
    /// by which event, of two that take effect together the first by order.
    pub(crate) fn delivered_by(&self) -> Option<(i64, Evidence)> {
        let deliveries = [self.handover, self.moved_in].into_iter().flatten();
        deliveries.map(|event| (event.at.max(self.signed.at), event.order())).min()
    }
}

/// "A subscription is open until SubscriptionCancelled, or a ContractSigned that names it, or, if that names none, any
/// later ContractSigned; cancelling the contract does not reopen it."
pub(crate) fn open_subscriptions<'a>(admitted: &Admitted<'a>) -> Vec<&'a Event> {
    let contracts = contracts(admitted);
    let mut open = Vec::new();
    for placed in admitted.openings("SubscriptionPlaced", "subscription_id") {
        let id = placed.text("subscription_id").unwrap_or_default();
        let cancelled = !admitted.naming("SubscriptionCancelled", "subscription_id", id).is_empty();
        let signed = contracts.iter().any(|contract| match contract.signed.text("subscription_id") {
            Some(named) => named == id,
            None => contract.signed.order() > placed.order(),
        });
        if !cancelled && !signed {
            open.push(placed);
        }
    }
    open
}

/// "A MAJOR or SAFETY DefectLogged on a live contract, not rectified."
pub(crate) fn serious_open_defects<'a>(admitted: &Admitted<'a>) -> Vec<&'a Event> {
    let live = live_contracts(admitted);
    let mut serious = Vec::new();
    for logged in admitted.openings("DefectLogged", "defect_id") {
        let grave = matches!(logged.text("severity"), Some("MAJOR" | "SAFETY"));
        let on_live = live.iter().any(|contract| contract.signed.text("contract_id") == logged.text("contract_id"));
        let id = logged.text("defect_id").unwrap_or_default();
        let rectified = !admitted.naming("DefectRectified", "defect_id", id).is_empty();
        if grave && on_live && !rectified {
            serious.push(logged);
        }
    }
    serious
}

/// "A referral is converted when both its events are there": both events of each, the first of either type.
pub(crate) fn converted_referrals<'a>(admitted: &Admitted<'a>) -> Vec<[&'a Event; 2]> {
    let mut converted = Vec::new();
    for made in admitted.openings("ReferralMade", "referral_id") {
        let id = made.text("referral_id").unwrap_or_default();
        if let Some(conversion) = admitted.naming("ReferralConverted", "referral_id", id).first() {
            converted.push([made, conversion]);
        }
    }
    converted
}
