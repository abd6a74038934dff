//! Referrals: customers who bring customers.

use super::macros::event;
use crate::{Code, CustomerId};

event! {
    /// The customer recommended somebody.
    ReferralMade<'a> {
        /// The referral's code.
        referral_id: Code<'a>,
        /// The recommended customer; somebody else.
        referred_customer_id: CustomerId,
    }
    rule (referred_customer_id) |about, broken| {
        if about.customer == Some(*referred_customer_id) {
            broken.add("data.referred_customer_id", "expected another customer than subject");
        }
    }
}

event! {
    /// The recommended customer signed.
    ReferralConverted<'a> {
        /// The referral's code.
        referral_id: Code<'a>,
        /// The other customer's contract.
        contract_id: Code<'a>,
    }
}
