//! 签约: the purchase contract.

use super::Party;
use super::macros::{codes, event};
use crate::number::{Area, Fen};
use crate::{Code, Date};

codes! {
    /// How the price is paid.
    Payment {
        /// 一次性付款: at once.
        Full = "FULL",
        /// 按揭: with a loan of a bank.
        Mortgage = "MORTGAGE",
        /// 分期: in parts, to the developer.
        Instalment = "INSTALMENT",
    }
}
codes! {
    /// What of a contract was changed.
    AmendmentKind {
        /// 更名: no other field is given, since names are personal data.
        NameChange = "NAME_CHANGE",
        /// 换房: needs `unit_id`.
        UnitSwap = "UNIT_SWAP",
        /// Needs `price_fen`.
        Price = "PRICE",
    }
}

event! {
    /// 签约: the purchase contract was signed.
    ContractSigned<'a> {
        /// The contract's code.
        contract_id: Code<'a>,
        /// The unit sold.
        unit_id: Code<'a>,
        /// The price, in fen; more than 0.
        price_fen: Fen,
        /// How it is paid.
        payment: Payment,
        /// The agreed date of handover.
        planned_handover_on: Date,
        /// The unit's area, in 0.01 m².
        area: Option<Area>,
        /// The subscription that this contract fulfils; without one it ends every subscription before it.
        subscription_id: Option<Code<'a>>,
    }
    rule (price_fen) |_about, broken| {
        if price_fen.0 == 0 {
            broken.add("data.price_fen", "expected more than 0 fen, got 0");
        }
    }
}

event! {
    /// A contract was changed: its names, its unit, or its price. With kind NAME_CHANGE `data` may have no other field
    /// than these.
    ContractAmended<'a> {
        /// The contract's code.
        contract_id: Code<'a>,
        /// What was changed.
        kind: AmendmentKind,
        /// The new price, in fen: required for PRICE, and for nothing else.
        price_fen: Option<Fen>,
        /// The new unit: required for UNIT_SWAP, and for nothing else.
        unit_id: Option<Code<'a>>,
    }
    rule (kind, price_fen) |_about, broken| {
        match (*kind == AmendmentKind::Price, price_fen) {
            (true, None) => broken.add("data.price_fen", "expected a price, since kind is PRICE"),
            (false, Some(_)) => broken.add("data.price_fen", format!("expected nothing, since kind is {kind}")),
            _ => {}
        }
    }
    rule (kind, unit_id) |_about, broken| {
        match (*kind == AmendmentKind::UnitSwap, unit_id) {
            (true, None) => broken.add("data.unit_id", "expected a code, since kind is UNIT_SWAP"),
            (false, Some(_)) => broken.add("data.unit_id", format!("expected nothing, since kind is {kind}")),
            _ => {}
        }
    }
}

event! {
    /// A contract was cancelled.
    ContractCancelled<'a> {
        /// The contract's code.
        contract_id: Code<'a>,
        /// Who ended it.
        by: Party,
        /// A code for the reason, not prose.
        reason: Code<'a>,
    }
}
