//! Touchpoints to record.

use api::v1;
use touchpoint::{CustomerId, EventId, Timestamp};

/// An instant, as RFC 3339.
///
/// # Panics
/// If it is none.
pub fn instant(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A first visit.
pub fn visit(customer: CustomerId, event: EventId, at: Timestamp) -> v1::Touchpoint {
    let visit = v1::VisitRecorded {
        visit_id: format!("V-{:x}", event.as_u128()),
        kind: v1::VisitKind::First.into(),
        purpose: v1::VisitPurpose::SalesCentre.into(),
        lead_source: v1::LeadSource::WalkIn.into(),
        consultant_id: "K-1".to_owned(),
        ..Default::default()
    };
    v1::Touchpoint {
        id: event.to_string(),
        source: "tests".to_owned(),
        customer_id: customer.to_string(),
        occurred_at: Some(api::names::timestamp(at)),
        channel: v1::Channel::InPerson.into(),
        event: Some(v1::touchpoint::Event::VisitRecorded(visit)),
        ..Default::default()
    }
}
