//! Where a customer stands on every axis, as a row.

use api::v1;

use crate::churn::{belonging, evidence, lifecycle, reasons};
use crate::field::Fields;

/// A row for each customer's segments.
pub fn segments() -> Fields<v1::CustomerSegments> {
    Fields::<v1::CustomerSegments>::new()
        .text("customer_id", "The customer's UUID.", |it| &it.customer_id)
        .flag("withheld", "Withdrew consent to PROFILING: only the lifecycle is said.", |it| Some(it.withheld))
        .of(lifecycle(), |it| it.lifecycle.as_ref())
        .of(rfm(), |it| it.rfm.as_ref())
        .of(value(), |it| it.value.as_ref())
        .of(demand(), |it| it.demand.as_ref())
        .of(belonging(), |it| it.belonging.as_ref())
        .list("rule_segments", "The rule segments that the customer is in.", membership(), |it| &it.rule_segments)
}

fn rfm() -> Fields<v1::Rfm> {
    Fields::<v1::Rfm>::new()
        .int("recency", "R, 1 to 5.", |it| Some(it.recency))
        .int("frequency", "F, 1 to 5.", |it| Some(it.frequency))
        .int("monetary", "M, 1 to 5.", |it| Some(it.monetary))
        .word("rfm_label", "RFM_LABEL_", "The label of R, F and M.", |it| Some(it.label().as_str_name()))
        .instant("last_interaction_at", "When the last interaction was.", |it| {
            it.last_interaction.as_ref()?.occurred_at.as_ref()
        })
        .int("interaction_days", "Distinct days of interaction in 365 days.", |it| Some(it.interaction_days))
        .long("live_contracts_fen", "Sum of the prices of the live contracts.", |it| Some(it.live_contracts_fen))
}

fn value() -> Fields<v1::CustomerValue> {
    Fields::<v1::CustomerValue>::new()
        .word("value_tier", "VALUE_TIER_", "The value tier.", |it| Some(it.tier().as_str_name()))
        .int("score_hundredths", "The score of the tier, 0 to 10000 hundredths.", |it| Some(it.score_hundredths))
        .list("value_reasons", "The parts of the score.", reasons(), |it| &it.reasons)
}

fn demand() -> Fields<v1::Demand> {
    Fields::<v1::Demand>::new()
        .word("motive", "MOTIVE_", "Why the customer looks for a home.", |it| Some(it.motive().as_str_name()))
        .word("household", "HOUSEHOLD_", "Who is to live there.", |it| Some(it.household().as_str_name()))
        .int("rooms", "Rooms wanted.", |it| it.rooms)
        .long("budget_min_fen", "Lower bound of the budget.", |it| it.budget_min_fen)
        .long("budget_max_fen", "Upper bound of the budget.", |it| it.budget_max_fen)
        .list("demand_reasons", "The visits that named it.", reasons(), |it| &it.reasons)
}

fn membership() -> Fields<v1::Membership> {
    Fields::<v1::Membership>::new().text("name", "The segment's name.", |it| &it.name).list(
        "evidence",
        "The events that its conditions counted.",
        evidence(),
        |it| &it.evidence,
    )
}
