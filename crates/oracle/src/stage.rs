//! The lifecycle stage, silence and interactions: docs/views.md sections 1 and 2.

use chrono::NaiveDate;

use crate::admit::Admitted;
use crate::clock::{DAY, parse_date, plus_months, shanghai_date, shanghai_midnight};
use crate::contract::{Contract, contracts, live_contracts, open_subscriptions};
use crate::event::{Event, Evidence};

/// "At 90 × 24 h of silence."
fn lost_after(admitted: &Admitted<'_>) -> i64 {
    admitted.numbers.whole("lifecycle.lost_after_days") * DAY
}

/// Months after moving in at which STABLE and LONG_TERM begin.
fn owner_months(admitted: &Admitted<'_>) -> [u32; 2] {
    ["lifecycle.stable_after_months", "lifecycle.long_term_after_months"]
        .map(|path| admitted.numbers.whole(path) as u32)
}

/// "An interaction is what the customer took part in: visit, subscription placed, contract signed, handover, moved in,
/// complaint lodged or reopened, revisit completed, survey answered (not_applicable too), referral made."
const INTERACTIONS: [&str; 10] = [
    "VisitRecorded",
    "SubscriptionPlaced",
    "ContractSigned",
    "HandoverCompleted",
    "MovedIn",
    "ComplaintLodged",
    "ComplaintReopened",
    "RevisitCompleted",
    "SurveyAnswered",
    "ReferralMade",
];

/// The stage at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    /// LOST by silence alone.
    pub(crate) inferred: bool,
    /// An owner with a further contract that is not yet delivered.
    pub(crate) open_contract: bool,
    /// For an owner: the Shanghai date from which the months count.
    pub(crate) owner_from: Option<NaiveDate>,
}

impl Stage {
    fn plain(name: &'static str) -> Self {
        Self { name, inferred: false, open_contract: false, owner_from: None }
    }
}

/// The interactions, in order. "It counts even while a reference is unresolved."
pub(crate) fn interactions<'a>(admitted: &Admitted<'a>) -> Vec<&'a Event> {
    admitted.events.iter().copied().filter(|event| INTERACTIONS.contains(&event.kind)).collect()
}

/// "Silence runs from the later of the last interaction and the last LeadRegistered, else from the customer's first
/// event."
pub(crate) fn silent_since<'a>(admitted: &Admitted<'a>) -> &'a Event {
    let interaction = interactions(admitted).last().copied();
    let registered = admitted.of("LeadRegistered").last().copied();
    let later = [interaction, registered].into_iter().flatten().max_by_key(|event| event.order());
    later.unwrap_or(admitted.events[0])
}

/// The stage at as_of.
pub(crate) fn stage(admitted: &Admitted<'_>) -> Stage {
    let contracts = contracts(admitted);
    let live: Vec<&Contract<'_>> = contracts.iter().filter(|contract| contract.live()).collect();
    if !live.is_empty() {
        return with_live_contract(admitted, &live);
    }
    let subscribed = !open_subscriptions(admitted).is_empty();
    if !contracts.is_empty() {
        // "No live contract left: EXITED; only an open subscription or a live contract leaves it."
        return Stage::plain(if subscribed { "SUBSCRIBED" } else { "EXITED" });
    }
    // "LOST (inferred: true, false where LeadLost made it)."
    if lost_by_event(admitted) {
        return Stage::plain("LOST");
    }
    // "At 90 × 24 h of silence without a contract ever signed: LOST; any interaction or LeadRegistered ends that."
    if admitted.since(silent_since(admitted).at) >= lost_after(admitted) {
        return Stage { inferred: true, ..Stage::plain("LOST") };
    }
    // "SUBSCRIBED with an open subscription, PROSPECT if ever a visit or subscription, else LEAD (also a customer known
    // by any other event only)."
    if subscribed {
        return Stage::plain("SUBSCRIBED");
    }
    let seen = !admitted.of("VisitRecorded").is_empty() || !admitted.of("SubscriptionPlaced").is_empty();
    Stage::plain(if seen { "PROSPECT" } else { "LEAD" })
}

fn with_live_contract(admitted: &Admitted<'_>, live: &[&Contract<'_>]) -> Stage {
    // "The unit is the one with the earliest such date among live contracts; when it ends, the next takes over."
    let Some(earliest) = live.iter().filter_map(|contract| contract.months_from()).min() else {
        return Stage::plain("QUASI_OWNER");
    };
    // "Calendar months, day clamped to the month's end, changing at 00:00 Shanghai."
    let today = shanghai_date(admitted.as_of);
    let [stable, long_term] = owner_months(admitted).map(|months| plus_months(earliest, months));
    let name = if today < stable {
        "RUN_IN"
    } else if today < long_term {
        "STABLE"
    } else {
        "LONG_TERM"
    };
    // "An owner with a further contract not yet delivered keeps the owner stage, flag open_contract."
    let open_contract = live.iter().any(|contract| !contract.delivered());
    Stage { name, inferred: false, open_contract, owner_from: Some(earliest) }
}

/// The event that made the stage. Of an owner: the delivery from whose date the months count.
pub(crate) fn stage_by(admitted: &Admitted<'_>) -> Option<Evidence> {
    let live = live_contracts(admitted);
    let stage = stage(admitted);
    let event = match stage.name {
        "RUN_IN" | "STABLE" | "LONG_TERM" => {
            let home =
                live.iter().filter(|contract| contract.delivered()).min_by_key(|contract| contract.months_from())?;
            home.moved_in.or(home.handover)?
        }
        "QUASI_OWNER" => live.first()?.signed,
        "SUBSCRIBED" => open_subscriptions(admitted).first().copied()?,
        // "No live contract left": since the last of them ended.
        "EXITED" => return contracts(admitted).iter().filter_map(|contract| contract.ended).max().map(|(_, end)| end),
        "LOST" if stage.inferred => silent_since(admitted),
        "LOST" => admitted.of("LeadLost").last().copied()?,
        "PROSPECT" => {
            let seen = |event: &&&Event| matches!(event.kind, "VisitRecorded" | "SubscriptionPlaced");
            admitted.events.iter().find(seen).copied()?
        }
        _ => admitted.events.first().copied()?,
    };
    Some(event.order())
}

/// "After LeadLost only a visit, a new subscription, LeadRegistered or contract brings the stage back." (Whether there
/// ever was a contract is asked before.)
fn lost_by_event(admitted: &Admitted<'_>) -> bool {
    let Some(lost) = admitted.of("LeadLost").last().copied() else {
        return false;
    };
    let mut back = admitted.of("VisitRecorded");
    back.extend(admitted.of("LeadRegistered"));
    back.extend(admitted.openings("SubscriptionPlaced", "subscription_id"));
    !back.iter().any(|event| event.order() > lost.order())
}

/// Since when, without a break, the stage has had its name: the stage is evaluated at every instant at which it could
/// have changed, from the latest back to the first with another stage.
pub(crate) fn stage_since(admitted: &Admitted<'_>) -> i64 {
    let present = stage(admitted).name;
    let mut instants = instants_of_change(admitted);
    instants.sort_unstable();
    let mut since = instants.last().copied().unwrap_or(admitted.as_of);
    for instant in instants.into_iter().rev() {
        let then = admitted.earlier(instant).map(|earlier| stage(&earlier).name);
        if then != Some(present) {
            break;
        }
        since = instant;
    }
    since
}

/// The instants up to as_of at which an event happens, silence reaches 90 days, or months of residence end.
fn instants_of_change(admitted: &Admitted<'_>) -> Vec<i64> {
    let mut instants: Vec<i64> = Vec::new();
    for event in &admitted.events {
        instants.push(event.at + lost_after(admitted));
        for date in [event.text("handed_over_on"), event.text("on")].into_iter().flatten().filter_map(parse_date) {
            instants.extend(owner_months(admitted).map(|months| shanghai_midnight(plus_months(date, months))));
        }
    }
    instants.retain(|instant| *instant <= admitted.as_of);
    // An event up to 5 minutes after as_of may be admitted.
    instants.extend(admitted.events.iter().map(|event| event.at));
    instants
}
