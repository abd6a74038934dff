//! 投诉: a complaint and its steps, after ISO 10002.

use super::macros::{codes, event};
use crate::Code;
use crate::number::Level;

codes! {
    /// 端口: the part of the company that a score or complaint is about.
    ServicePort {
        /// 总体: the company as a whole.
        Overall = "OVERALL",
        /// 销售服务.
        SalesService = "SALES_SERVICE",
        /// 规划设计.
        PlanningDesign = "PLANNING_DESIGN",
        /// 工程质量.
        ConstructionQuality = "CONSTRUCTION_QUALITY",
        /// 维修服务.
        RepairService = "REPAIR_SERVICE",
        /// 物业管理.
        PropertyManagement = "PROPERTY_MANAGEMENT",
        /// 投诉处理.
        ComplaintHandling = "COMPLAINT_HANDLING",
        /// 交付.
        Handover = "HANDOVER",
        /// 呼叫中心.
        CallCentre = "CALL_CENTRE",
    }
}
codes! {
    /// How grave a complaint is.
    ComplaintSeverity {
        /// To be resolved within 168 hours, by the rules as shipped.
        Low = "LOW",
        /// Within 120 hours.
        Medium = "MEDIUM",
        /// Within 72 hours.
        High = "HIGH",
        /// Within 24 hours.
        Critical = "CRITICAL",
    }
}
codes! {
    /// How a complaint was resolved.
    Resolution {
        /// What was wrong was put right.
        Repaired = "REPAIRED",
        /// The customer was paid or given something.
        Compensated = "COMPENSATED",
        /// An explanation was enough.
        Explained = "EXPLAINED",
        /// The company sees no ground for it; it is resolved all the same.
        Rejected = "REJECTED",
    }
}

event! {
    /// 投诉: the customer lodged a complaint.
    ComplaintLodged<'a> {
        /// The complaint's code.
        complaint_id: Code<'a>,
        /// The service port that it is about.
        port: ServicePort,
        /// A code for the category, not prose.
        category: Code<'a>,
        /// How grave it is, until it is assessed.
        severity: ComplaintSeverity,
        /// The contract that it is about.
        contract_id: Option<Code<'a>>,
        /// 群诉: the code that several customers' complaints about one cause share.
        group_id: Option<Code<'a>>,
        /// A code for the remedy that the customer wants.
        remedy_sought: Option<Code<'a>>,
    }
}

event! {
    /// The receipt of a complaint was acknowledged.
    ComplaintAcknowledged<'a> {
        /// The complaint's code.
        complaint_id: Code<'a>,
    }
}

event! {
    /// A complaint was assessed; its severity replaces the lodged one, also for the time before.
    ComplaintAssessed<'a> {
        /// The complaint's code.
        complaint_id: Code<'a>,
        /// How grave it is.
        severity: ComplaintSeverity,
    }
}

event! {
    /// A complaint was given to a department.
    ComplaintAssigned<'a> {
        /// The complaint's code.
        complaint_id: Code<'a>,
        /// The department's code.
        department: Code<'a>,
    }
}

event! {
    /// A complaint was escalated.
    ComplaintEscalated<'a> {
        /// The complaint's code.
        complaint_id: Code<'a>,
        /// The level of escalation, 1 the lowest.
        level: Level,
    }
}

event! {
    /// A complaint was resolved.
    ComplaintResolved<'a> {
        /// The complaint's code.
        complaint_id: Code<'a>,
        /// How.
        resolution: Resolution,
        /// A code for the root cause, not prose.
        root_cause: Code<'a>,
    }
}

event! {
    /// A resolved or closed complaint was opened again.
    ComplaintReopened<'a> {
        /// The complaint's code.
        complaint_id: Code<'a>,
        /// A code for the reason, not prose.
        reason: Code<'a>,
    }
}

event! {
    /// A complaint was closed; an open one is resolved by that.
    ComplaintClosed<'a> {
        /// The complaint's code.
        complaint_id: Code<'a>,
    }
}

event! {
    /// The customer withdrew a complaint; nothing counts after that.
    ComplaintWithdrawn<'a> {
        /// The complaint's code.
        complaint_id: Code<'a>,
    }
}
