//! The churn risk of a customer as a row, and what the views have in common.

use api::v1;

use crate::field::Fields;

/// A row for each customer's risk.
pub fn risks() -> Fields<v1::Risk> {
    let fields = Fields::<v1::Risk>::new()
        .text("customer_id", "The customer's UUID.", |it| &it.customer_id)
        .flag("withheld", "Withdrew consent to PROFILING: only the lifecycle is said.", |it| Some(it.withheld))
        .of(lifecycle(), |it| it.lifecycle.as_ref())
        .word("band", "RISK_BAND_", "The band of the probability.", |it| Some(it.band().as_str_name()))
        .int("p_millionths", "The probability, 0 to 1000000 millionths.", |it| it.p_millionths)
        .long("points_millionths", "The sum of the points of all reasons; null for LOST and EXITED.", |it| {
            it.points_millionths
        })
        .int("horizon_days", "The horizon that the probability is for.", |it| it.horizon_days)
        .flag("calibrated", "The model was fitted to observed outcomes.", |it| Some(it.calibrated))
        .instant("silent_since", "The last sign of life.", |it| it.silent_since.as_ref())
        .int("days_silent", "Whole days of 24 hours since then.", |it| it.days_silent);
    fields.of(window(), |it| it.repurchase_window.as_ref()).of(belonging(), |it| it.belonging.as_ref()).list(
        "reasons",
        "Why, by |points| descending, then code.",
        reasons(),
        |it| &it.reasons,
    )
}

fn window() -> Fields<v1::RepurchaseWindow> {
    Fields::<v1::RepurchaseWindow>::new()
        .day("repurchase_from", "The first date on which the customer may buy again.", |it| Some(&it.from_date))
        .day("repurchase_until", "The first date after that.", |it| Some(&it.until_date))
        .flag("repurchase_open", "as_of is in between.", |it| Some(it.open))
}

/// Where a customer stands in the lifecycle.
pub(crate) fn lifecycle() -> Fields<v1::Lifecycle> {
    Fields::<v1::Lifecycle>::new()
        .word("stage", "LIFECYCLE_STAGE_", "The lifecycle stage.", |it| Some(it.stage().as_str_name()))
        .flag("stage_inferred", "LOST follows from silence, and not from LeadLost.", |it| Some(it.inferred))
        .flag("open_contract", "An owner has a further contract, not yet delivered.", |it| Some(it.open_contract))
        .day("owner_from", "Of an owner: from when the months count.", |it| Some(&it.owner_from))
}

/// Where a customer belongs.
pub(crate) fn belonging() -> Fields<v1::Belonging> {
    Fields::<v1::Belonging>::new()
        .text("company_id", "The city company.", |it| &it.company_id)
        .text("project_id", "The project.", |it| &it.project_id)
        .text("consultant_id", "The consultant.", |it| &it.consultant_id)
}

/// Reasons with the events behind them.
pub(crate) fn reasons() -> Fields<v1::Reason> {
    Fields::<v1::Reason>::new()
        .text("code", "The reason's code.", |it| &it.code)
        .long("points_millionths", "What it adds, or takes.", |it| it.points_millionths)
        .list("evidence", "The events behind it, the oldest first.", evidence(), |it| &it.evidence)
}

/// Events behind something.
pub(crate) fn evidence() -> Fields<v1::Evidence> {
    Fields::<v1::Evidence>::new().text("event_id", "The event's id.", |it| &it.event_id).instant(
        "occurred_at",
        "When it happened.",
        |it| it.occurred_at.as_ref(),
    )
}
