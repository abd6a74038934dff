//! 交付: from the notice to resale, and the defects of the unit.

use super::macros::{codes, event};
use crate::number::Count;
use crate::{Code, Date};

codes! {
    /// How bad a defect is.
    DefectSeverity {
        Minor = "MINOR",
        /// Serious: a reason for churn risk until it is rectified.
        Major = "MAJOR",
        /// Serious, as MAJOR.
        Safety = "SAFETY",
    }
}

event! {
    /// 交付: the unit was delivered.
    HandoverCompleted<'a> {
        /// The contract's code.
        contract_id: Code<'a>,
        /// The date on the handover record; at most the date of the event.
        handed_over_on: Date,
        /// Defects noted at handover and still open.
        defects_open: Count,
        /// Those of them that are serious.
        defects_serious: Option<Count>,
    }
    rule (handed_over_on) |about, broken| {
        about.not_after("handed_over_on", *handed_over_on, broken);
    }
}

event! {
    /// The customer was told when to take over the unit.
    HandoverNotified<'a> {
        /// The contract's code.
        contract_id: Code<'a>,
        /// The date of the appointment.
        due_on: Date,
    }
}

event! {
    /// The customer refused to take over the unit.
    HandoverRefused<'a> {
        /// The contract's code.
        contract_id: Code<'a>,
        /// A code for the reason, not prose.
        reason: Code<'a>,
    }
}

event! {
    /// A defect of the unit was logged.
    DefectLogged<'a> {
        /// The defect's code.
        defect_id: Code<'a>,
        /// The contract's code.
        contract_id: Code<'a>,
        /// A code for the part of the building.
        part: Code<'a>,
        /// How bad it is.
        severity: DefectSeverity,
    }
}

event! {
    /// A defect was put right.
    DefectRectified<'a> {
        /// The defect's code.
        defect_id: Code<'a>,
    }
}

event! {
    /// 入住: the customer moved in.
    MovedIn<'a> {
        /// The contract's code.
        contract_id: Code<'a>,
        /// The date; at most the date of the event.
        on: Date,
    }
    rule (on) |about, broken| {
        about.not_after("on", *on, broken);
    }
}

event! {
    /// The unit was sold on.
    UnitResold<'a> {
        /// The contract's code.
        contract_id: Code<'a>,
        /// The date; at most the date of the event.
        on: Date,
    }
    rule (on) |about, broken| {
        about.not_after("on", *on, broken);
    }
}
