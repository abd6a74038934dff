//! How the records of two generations differ.

use std::time::Duration;

use touchpoint::{CustomerId, EventId, Kind, Position};
use views::Difference;

use crate::v1;

/// The twin of a kind of difference, by its code; nothing for a code that is none.
pub fn kind(code: &str) -> Option<v1::DifferenceKind> {
    v1::DifferenceKind::from_str_name(&format!("DIFFERENCE_KIND_{code}"))
}

/// How one customer differs.
pub fn customer(customer: CustomerId, differences: &[Difference]) -> v1::CustomerDifference {
    let differences = differences.iter().map(difference).collect();
    v1::CustomerDifference { customer_id: customer.to_string(), differences }
}

fn difference(it: &Difference) -> v1::Difference {
    let kind = kind(it.code()).unwrap_or_default().into();
    let of = |event: &EventId, type_: &Kind| v1::Difference {
        kind,
        event_id: event.to_string(),
        event_type: type_.to_string(),
        ..Default::default()
    };
    let at = |position: &Position| v1::Difference { kind, position: position.0, ..Default::default() };
    match it {
        Difference::Erased | Difference::NotErased => v1::Difference { kind, ..Default::default() },
        Difference::Missing(event, type_) | Difference::Extra(event, type_) => of(event, type_),
        Difference::Parked(position) | Difference::NotParked(position) => at(position),
        Difference::Changed { event, kind: type_, fields } => {
            let field = |it: &views::FieldDifference| v1::FieldDifference {
                field: it.field.clone(),
                serving_value: it.first.clone(),
                new_value: it.second.clone(),
            };
            v1::Difference { fields: fields.iter().map(field).collect(), ..of(event, type_) }
        }
    }
}

/// A time that was measured.
pub fn duration(it: Duration) -> Option<prost_types::Duration> {
    it.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_difference_has_a_twin() {
        let (event, type_, position) = (EventId::from_u128(1), Kind::VisitRecorded, Position(7));
        let all = [
            Difference::Erased,
            Difference::NotErased,
            Difference::Missing(event, type_),
            Difference::Extra(event, type_),
            Difference::Changed { event, kind: type_, fields: Vec::new() },
            Difference::Parked(position),
            Difference::NotParked(position),
        ];
        for it in all {
            assert_eq!(
                kind(it.code()).map(|kind| kind.as_str_name()),
                Some(&*format!("DIFFERENCE_KIND_{}", it.code()))
            );
            assert_ne!(difference(&it).kind(), v1::DifferenceKind::Unspecified);
        }
    }
}
