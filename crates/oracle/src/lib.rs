//! The oracle: the meaning of events and answers (docs/views.md), evaluated plainly and slowly, to judge the views by.
//!
//! Written from the domain's text and from nothing else. Every question starts from all events of a customer; nothing is
//! kept between two questions. [`History::read`] reads the bodies once; all functions take a history, `as_of` and
//! `known_at`, and answer in plain types: instants and durations in microseconds, money in fen, probabilities and points
//! in millionths, indexes and scores in hundredths, rates in basis points, event ids as 128-bit values.
//!
//! # Where the domain's text leaves room, and what is decided here
//!
//! Events and admission
//! - Bodies that cannot be read (parked) do not claim their event id; a void by id or position drops them, limited by
//!   known_at alone; otherwise those recorded by known_at count as parked at every as_of.
//! - A void by `target_position` also works on a readable event at that position. Duplicates are dropped first, so
//!   voiding the first position of a duplicated event voids the event, and voiding the second has no effect.
//! - An event that has the id of an earlier one and other content has no effect, be it a void, a consent or an erasure.
//! - Present consent to PROFILING (it decides `withheld`) is limited neither by as_of nor by known_at; neither are the
//!   voids of consent events that decide it.
//! - An event up to 5 minutes after as_of counts as happening at as_of in windows, days and clocks (never less than 0);
//!   the exact age in the satisfaction index stays negative there, so that all weights decay alike.
//! - An unresolved optional reference (`subscription_id` of a ContractSigned, `contract_id` of a ComplaintLodged,
//!   `complaint_id` of a RevisitCompleted or SurveyAnswered) is counted, but does not hold back the event itself.
//! - Unresolved references are counted for every admitted event, repeated openings included.
//! - Steps that name a contract count after its cancellation or resale too (a later handover reaches DELIVERED).
//! - Steps of subscriptions, defects and referrals count whatever their date, once both events are there.
//!
//! Stage, silence, interactions
//! - An interaction is decided by its type alone: a ComplaintReopened that the state does not allow, and a repeated
//!   opening, are interactions. "Handover" is HandoverCompleted only.
//! - [`stage_began`] is found by evaluating the stage at all earlier instants of change: the instant from which the stage has
//!   had its name without a break. So a LeadLost while LOST by silence keeps the earlier instant (and makes `inferred`
//!   false), and a HandoverCompleted after MovedIn keeps MovedIn's. An event a few minutes ahead of as_of keeps its own.
//! - SUBSCRIBED too becomes LOST after 90 days of silence; after a contract ever signed nothing becomes LOST.
//! - LeadLost closes no subscription. A repeated SubscriptionPlaced with a known id brings nobody back.
//! - A ContractSigned that names a subscription ends that one only, whatever the dates; one that names none ends the
//!   subscriptions placed before it in order. Repeated openings of a contract end none.
//! - `open_contract` is set for owner stages only, not for QUASI_OWNER.
//! - If MovedIn is there, months count from its `on`, even where handed_over_on is earlier.
//!
//! Segmentation
//! - The event that made the stage: of an owner the delivery from whose date the months count, of QUASI_OWNER the first
//!   live signing, of SUBSCRIBED the first open subscription, of EXITED the end of the contract that ended last, of LOST
//!   LeadLost or what silence runs from, of PROSPECT the first visit or subscription, of LEAD the first event.
//! - What an amendment made a price rests on the signing and the latest amendment; largest_contract_fen on the first of
//!   the largest; frequency on the last interaction of each day.
//! - No interaction at all gives R 1 (and F 1), not UNKNOWN.
//! - "Latest overall answer", "latest NPS" and the loyalty answers are any item of port OVERALL with that metric, the
//!   latest of the counting answers (docs/views.md section 4); a not_applicable takes away only the answer to the same
//!   question.
//! - A step of the funnel is reached no later than any later step; KNOWN has a median of 0.
//! - Attributes of rule segments: contract_value_fen is 0 without live contracts, largest_contract_fen then missing.
//!   `where` looks at fields of `data` only; voids are never counted.
//!
//! Satisfaction
//! - The headline of port OVERALL is the item `OVERALL_OVERALL`.
//! - An answer without projectid is a place of its own; it counts for its company (if named) and the group.
//! - The mean of items takes company and date of the latest item by order.
//! - NPS and CES count every counting answer of that metric on the port; several items are pooled. A value of NPS is
//!   rounded as a basis point is. Differences below 0 are rounded half up, too (towards plus infinity).
//! - Rankings list the units with at least one value in that wave and port.
//! - The unit of a complaint (service levels) is the company and project that its ComplaintLodged names.
//! - Withdrawing is allowed in every state but WITHDRAWN, RESOLVED and CLOSED included: the total is then WITHDRAWN, or
//!   BREACHED past the limit; acknowledgement and first resolution keep their outcome.
//! - Acknowledged, Assessed, Assigned and Escalated after a resolution are allowed and do not change the state; no step
//!   but Reopened leads back to an earlier state.
//! - "A counting CSAT answer ... that names the complaint" may be on any port.
//! - Observations on ports of weight 0 are listed and change nothing; with nothing else the index is UNKNOWN.
//!
//! Churn risk
//! - The at-risk list holds everybody, LOW, LOST and EXITED included; a band is a range of it.
//! - Points are given without b₀, which stands beside them. LOST and EXITED have neither.
//! - REPURCHASED: the earlier contract must not be cancelled at as_of. Evidence is the later signing.
//! - REPEAT_COMPLAINTS counts complaints (by their opening event), not events; REFERRAL_MADE likewise.
//! - Evidence of complaint reasons is the lodging (OPEN_COMPLAINT and COMPLAINT_OVERDUE: and the assessment that gave the
//!   present severity; COMPLAINT_REOPENED: the reopenings), of SILENCE the event that it runs from, of HANDOVER_DELAYED the signing, of REVISIT_MISSED all misses since the last RevisitCompleted.
//!
//! Rounding
//! - The guard of 1e-9 is added in units of the last place (after scaling), since "rounding is of the exact value": added
//!   to p before scaling it would move one p in a thousand.

mod admit;
mod answers;
mod behind;
mod churn;
mod clock;
mod complaint;
mod contract;
mod customer;
mod event;
mod funnel;
mod funnel_table;
mod numbers;
mod population;
mod reasons;
mod round;
mod rules;
mod satisfaction;
mod scores;
mod segmentation;
mod stage;
mod surveys;

pub use answers::{ItemValue, PortValue};
pub use churn::{Churn, Reason, RepurchaseWindow, Risk, churn};
pub use complaint::{Clock, Complaint};
pub use customer::{Customer, customer, stage_began};
pub use event::{Entry, Evidence, History};
pub use funnel::{Funnel, STEPS};
pub use funnel_table::Cell;
pub use numbers::{Numbers, WrongNumbers};
pub use population::{AtRisk, Population, UNKNOWN, WITHHELD, population};
pub use rules::{DEFAULT_SEGMENTS, Membership, Segment, WrongSegments, parse_segments};
pub use satisfaction::{Observation, Opinion, Satisfaction, satisfaction};
pub use scores::{Ces, Comparison, Nps, Outcomes, Ranked, Score, compare, rank};
pub use segmentation::{Demand, Profile, Segmentation, TierPart, segmentation};
pub use surveys::{Place, ServiceLevel, Surveys, Unit};
