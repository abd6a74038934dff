//! From the first lead to the subscription.

use super::macros::{codes, event};
use crate::Code;
use crate::number::{Area, Count, Fen, Minutes};

codes! {
    /// Whether the customer had visited before.
    VisitKind {
        /// 来访: the first time.
        First = "FIRST",
        /// 复访: the customer comes again. Not a revisit 回访, in which the company contacts the customer.
        Repeat = "REPEAT",
    }
}
codes! {
    /// What was visited.
    VisitPurpose {
        /// 售楼处.
        SalesCentre = "SALES_CENTRE",
        /// 样板间.
        ShowFlat = "SHOW_FLAT",
        /// 工地开放日: the building site was open to customers.
        SiteOpenDay = "SITE_OPEN_DAY",
        /// 线上看房.
        OnlineTour = "ONLINE_TOUR",
    }
}
codes! {
    /// How the customer came to know of the project.
    LeadSource {
        /// 自然到访: came by unasked.
        WalkIn = "WALK_IN",
        /// 广告.
        Advert = "ADVERT",
        /// 社交媒体: social media.
        Social = "SOCIAL",
        /// 中介.
        Broker = "BROKER",
        /// 老带新: a customer recommended it.
        Referral = "REFERRAL",
        /// 活动: something that the company held.
        Event = "EVENT",
        /// 房产网站: a site that lists homes of many sellers.
        Portal = "PORTAL",
        Other = "OTHER",
    }
}
codes! {
    /// The consultant's grading of the customer's intent to buy, A the strongest.
    Intent {
        /// The strongest.
        A = "A",
        B = "B",
        C = "C",
        /// The weakest.
        D = "D",
    }
}
codes! {
    /// Why the customer looks for a home.
    Motive {
        /// 首置.
        FirstHome = "FIRST_HOME",
        /// 改善: a better home than the present one.
        Upgrade = "UPGRADE",
        /// 投资.
        Investment = "INVESTMENT",
        /// 养老: for parents, or for old age.
        ElderCare = "ELDER_CARE",
        /// 学区: for the sake of a school.
        Education = "EDUCATION",
    }
}
codes! {
    /// Who is to live there.
    Household {
        Single = "SINGLE",
        /// Without children.
        Couple = "COUPLE",
        /// With a child below school age.
        YoungChild = "YOUNG_CHILD",
        /// With a child at school.
        SchoolChild = "SCHOOL_CHILD",
        /// 三代同堂.
        ThreeGenerations = "THREE_GENERATIONS",
        /// 空巢: the children have moved out.
        EmptyNest = "EMPTY_NEST",
    }
}
codes! {
    /// Why a lead was given up.
    LostReason {
        Price = "PRICE",
        Location = "LOCATION",
        /// Bought, or wants to buy, from somebody else.
        Competitor = "COMPETITOR",
        /// No loan was to be had.
        Loan = "LOAN",
        /// Does not look for a home any more.
        NoNeed = "NO_NEED",
        /// Does not answer.
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
