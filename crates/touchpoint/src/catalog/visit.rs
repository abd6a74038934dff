//! From the first lead to the subscription.

use super::macros::{codes, event};
use crate::Code;
use crate::number::{Area, Count, Fen, Minutes};

codes! {
    /// Whether the customer had visited before.
    VisitKind { First = "FIRST", Repeat = "REPEAT" }
}
codes! {
    /// What was visited.
    VisitPurpose {
        SalesCentre = "SALES_CENTRE", ShowFlat = "SHOW_FLAT", SiteOpenDay = "SITE_OPEN_DAY", OnlineTour = "ONLINE_TOUR",
    }
}
codes! {
    /// How the customer came to know of the project.
    LeadSource {
        WalkIn = "WALK_IN", Advert = "ADVERT", Social = "SOCIAL", Broker = "BROKER", Referral = "REFERRAL",
        Event = "EVENT", Portal = "PORTAL", Other = "OTHER",
    }
}
codes! {
    /// The consultant's grading of the customer's intent to buy, A the strongest.
    Intent { A = "A", B = "B", C = "C", D = "D" }
}
codes! {
    /// Why the customer looks for a home.
    Motive {
        FirstHome = "FIRST_HOME", Upgrade = "UPGRADE", Investment = "INVESTMENT", ElderCare = "ELDER_CARE",
        Education = "EDUCATION",
    }
}
codes! {
    /// Who is to live there.
    Household {
        Single = "SINGLE", Couple = "COUPLE", YoungChild = "YOUNG_CHILD", SchoolChild = "SCHOOL_CHILD",
        ThreeGenerations = "THREE_GENERATIONS", EmptyNest = "EMPTY_NEST",
    }
}
codes! {
    /// Why a lead was given up.
    LostReason {
        Price = "PRICE", Location = "LOCATION", Competitor = "COMPETITOR", Loan = "LOAN", NoNeed = "NO_NEED",
        Unreachable = "UNREACHABLE",
    }
}
codes! {
    /// Who ended an agreement.
    Party { Customer = "CUSTOMER", Developer = "DEVELOPER" }
}

event! {
    /// 来访 / 复访: the customer came to the sales centre, a show flat, an open day or an online tour.
    VisitRecorded<'a> {
        /// The visit's code.
        visit_id: Code<'a>,
        /// First or repeat visit.
        kind: VisitKind,
        /// What was visited.
        purpose: VisitPurpose,
        /// How the customer came to know of the project.
        lead_source: LeadSource,
        /// 置业顾问: the consultant's code.
        consultant_id: Code<'a>,
        /// The consultant's grading of the intent to buy, A the strongest.
        intent: Option<Intent>,
        /// Lower bound of the budget, in fen; at most `budget_max_fen`.
        budget_min_fen: Option<Fen>,
        /// Upper bound of the budget, in fen.
        budget_max_fen: Option<Fen>,
        /// Rooms wanted.
        rooms: Option<Count>,
        /// Area wanted, in 0.01 m².
        area: Option<Area>,
        /// Why the customer looks for a home.
        motive: Option<Motive>,
        /// Who is to live there.
        household: Option<Household>,
        /// How long the visit took, in minutes.
        minutes: Option<Minutes>,
    }
    rule (budget_min_fen, budget_max_fen) |_about, broken| {
        if let (Some(low), Some(high)) = (budget_min_fen, budget_max_fen)
            && low > high
        {
            broken.add("data.budget_min_fen", format!("expected at most budget_max_fen ({}), got {}", high.0, low.0));
        }
    }
}

event! {
    /// 线索: the customer became known, without having been seen.
    LeadRegistered {
        /// How the customer came to know of the project.
        lead_source: LeadSource,
    }
}

event! {
    /// The lead was given up.
    LeadLost {
        /// Why.
        reason: LostReason,
    }
}

event! {
    /// The customer got another consultant.
    ConsultantReassigned<'a> {
        /// The consultant until now.
        from: Code<'a>,
        /// The consultant from now on; another one.
        to: Code<'a>,
    }
    rule (from, to) |_about, broken| {
        if from == to {
            broken.add("data.to", format!("expected another consultant than from, got {to} twice"));
        }
    }
}

event! {
    /// 认购: a unit was reserved with a deposit.
    SubscriptionPlaced<'a> {
        /// The subscription's code.
        subscription_id: Code<'a>,
        /// The reserved unit.
        unit_id: Code<'a>,
        /// The deposit, in fen.
        deposit_fen: Fen,
    }
}

event! {
    /// A subscription ended without a contract.
    SubscriptionCancelled<'a> {
        /// The subscription's code.
        subscription_id: Code<'a>,
        /// Who ended it.
        by: Party,
    }
}
