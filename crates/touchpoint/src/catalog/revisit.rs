//! 回访: the company contacts the customer to follow up.

use super::macros::{codes, event};
use crate::number::Stars;
use crate::{Code, Date};

codes! {
    /// How the customer was contacted.
    RevisitMode { Phone = "PHONE", HomeVisit = "HOME_VISIT", Online = "ONLINE" }
}
codes! {
    /// Why the customer was contacted.
    RevisitTrigger {
        /// After a contract was signed.
        PostSign = "POST_SIGN",
        /// After a unit was delivered.
        PostHandover = "POST_HANDOVER",
        /// After a complaint.
        PostComplaint = "POST_COMPLAINT",
        /// At regular intervals.
        Periodic = "PERIODIC",
        /// Four years after the unit was delivered.
        FourYear = "FOUR_YEAR",
    }
}
codes! {
    /// Why a revisit did not come about.
    MissedReason { NoAnswer = "NO_ANSWER", Refused = "REFUSED", WrongNumber = "WRONG_NUMBER" }
}

event! {
    /// 回访: the company followed up with the customer.
    RevisitCompleted<'a> {
        /// The revisit's code.
        revisit_id: Code<'a>,
        /// How the customer was contacted.
        mode: RevisitMode,
        /// Why.
        trigger: RevisitTrigger,
        /// What the customer answered, 1 to 5.
        satisfaction: Option<Stars>,
        /// The complaint that was followed up.
        complaint_id: Option<Code<'a>>,
        /// The customer should be seen in person.
        needs_face_to_face: Option<bool>,
    }
}

event! {
    /// A revisit was planned.
    RevisitScheduled<'a> {
        /// The revisit's code.
        revisit_id: Code<'a>,
        /// The planned date.
        due_on: Date,
        /// Why.
        trigger: RevisitTrigger,
    }
}

event! {
    /// A revisit did not come about.
    RevisitMissed<'a> {
        /// The revisit's code.
        revisit_id: Code<'a>,
        /// Why.
        reason: MissedReason,
    }
}

event! {
    /// The customer was seen in person after a revisit.
    FaceToFaceFollowUp<'a> {
        /// The revisit's code.
        revisit_id: Code<'a>,
        /// A code for the outcome, not prose.
        outcome: Code<'a>,
    }
}
