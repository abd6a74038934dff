//! How content a customer is, as a row.

use api::v1;
use prost_types::Duration;

use crate::churn::{belonging, evidence, lifecycle, reasons};
use crate::field::Fields;

/// A row for each customer's index.
pub fn indexes() -> Fields<v1::CustomerIndex> {
    Fields::<v1::CustomerIndex>::new()
        .text("customer_id", "The customer's UUID.", |it| &it.customer_id)
        .flag("withheld", "Withdrew consent to PROFILING: only lifecycle and complaints are said.", |it| {
            Some(it.withheld)
        })
        .of(lifecycle(), |it| it.lifecycle.as_ref())
        .int("index_hundredths", "The index, 0 to 10000 hundredths.", |it| it.index_hundredths)
        .word("satisfaction_class", "SATISFACTION_CLASS_", "The class of the index.", |it| {
            Some(it.satisfaction_class().as_str_name())
        })
        .word("loyalty_class", "LOYALTY_CLASS_", "The loyalty.", |it| Some(it.loyalty_class().as_str_name()))
        .of(belonging(), |it| it.belonging.as_ref())
        .list("observations", "What the index is made of, the heaviest first.", observation(), |it| &it.observations)
        .list("loyalty_reasons", "The answers behind the loyalty.", reasons(), |it| &it.loyalty_reasons)
        .list("complaints", "All complaints, in the order of their lodging.", complaint(), |it| &it.complaints)
}

fn observation() -> Fields<v1::Observation> {
    Fields::<v1::Observation>::new()
        .word("port", "SERVICE_PORT_", "The service port.", |it| Some(it.port().as_str_name()))
        .int("value", "The value, 1 to 5.", |it| Some(it.value))
        .int("weight_millionths", "Its share of the index.", |it| Some(it.weight_millionths))
        .instant("dated_at", "When it was given, or its age starts.", |it| it.dated_at.as_ref())
        .flag("inferred", "It is inferred from a complaint.", |it| Some(it.inferred))
        .text("complaint_id", "The complaint that it is inferred from.", |it| &it.complaint_id)
        .list("evidence", "The events behind it.", evidence(), |it| &it.evidence)
}

fn complaint() -> Fields<v1::Complaint> {
    Fields::<v1::Complaint>::new()
        .text("complaint_id", "The complaint's code.", |it| &it.complaint_id)
        .word("port", "SERVICE_PORT_", "The service port.", |it| Some(it.port().as_str_name()))
        .text("category", "The code of its category.", |it| &it.category)
        .word("severity", "COMPLAINT_SEVERITY_", "The present severity.", |it| Some(it.severity().as_str_name()))
        .word("state", "COMPLAINT_STATE_", "The state.", |it| Some(it.state().as_str_name()))
        .flag("escalated", "It was escalated.", |it| Some(it.escalated))
        .instant("lodged_at", "When it was lodged.", |it| it.lodged_at.as_ref())
        .text("contract_id", "The contract that it is about.", |it| &it.contract_id)
        .text("group_id", "Of a group complaint: the code of the group.", |it| &it.group_id)
        .text("company_id", "The city company that its lodging names.", |it| &it.company_id)
        .text("project_id", "The project that its lodging names.", |it| &it.project_id)
        .of(
            clock([
                "acknowledgement",
                "acknowledgement_taken_us",
                "acknowledgement_limit_us",
                "acknowledgement_due_at",
            ]),
            |it| it.acknowledgement.as_ref(),
        )
        .of(clock(["resolution", "resolution_taken_us", "resolution_limit_us", "resolution_due_at"]), |it| {
            it.first_resolution.as_ref()
        })
        .of(clock(["total", "total_taken_us", "total_limit_us", "total_due_at"]), |it| it.total.as_ref())
        .int("reopenings", "How often it was effectively reopened.", |it| Some(it.reopenings))
        .int("ignored_steps", "Steps that its state did not allow.", |it| Some(it.ignored_steps))
        .list("evidence", "Lodging, assessment, reopenings, resolution.", evidence(), |it| &it.evidence)
}

/// A clock of a complaint: level, time taken, limit, end, by these names.
fn clock([level, taken, limit, due]: [&'static str; 4]) -> Fields<v1::ServiceClock> {
    Fields::<v1::ServiceClock>::new()
        .word(level, "SERVICE_LEVEL_", "Whether the limit was kept.", |it| Some(it.level().as_str_name()))
        .long(taken, "The time taken, in microseconds.", |it| it.taken.as_ref().map(micros))
        .long(limit, "The limit, in microseconds.", |it| it.limit.as_ref().map(micros))
        .instant(due, "When the limit ends, while the clock runs.", |it| it.due_at.as_ref())
}

fn micros(duration: &Duration) -> i64 {
    duration.seconds.saturating_mul(1_000_000).saturating_add(i64::from(duration.nanos / 1_000))
}
