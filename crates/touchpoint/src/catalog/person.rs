//! What concerns the person behind the customer: consent, correction, erasure. No personal data in any of them.

use super::macros::{codes, event};
use crate::Code;

codes! {
    /// What the customer consents to.
    ConsentPurpose {
        Service = "SERVICE",
        /// Once withdrawn, a reason for churn risk.
        Marketing = "MARKETING",
        Survey = "SURVEY",
        /// Once withdrawn: in no rule segment, member list or at-risk list; asked by id, most is withheld.
        Profiling = "PROFILING",
        /// With others than the company.
        Sharing = "SHARING",
    }
}

event! {
    /// A field of the customer's profile was corrected in the source system. `data` may have no other field than these.
    ProfileCorrected<'a> {
        /// The field's name only, never its value.
        field: Code<'a>,
    }
}

event! {
    /// The customer consented.
    ConsentGranted {
        /// To what.
        purpose: ConsentPurpose,
    }
}

event! {
    /// The customer withdrew a consent.
    ConsentWithdrawn {
        /// To what.
        purpose: ConsentPurpose,
    }
}

event! {
    /// The customer is to be forgotten: no view, no count, at any instant; later events of the id are ignored.
    CustomerErased {}
}
