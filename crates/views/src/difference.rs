//! How two records of one customer differ, event by event: what a rebuild shows where it comes to another result.

use std::collections::{BTreeMap, BTreeSet};

use touchpoint::{EventId, Kind, Position};

use crate::{Filed, Parked, Record};

/// One difference between a first and a second record of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// The customer is erased in the second only.
    Erased,
    /// The customer is erased in the first only.
    NotErased,
    /// An event is in the first only.
    Missing(EventId, Kind),
    /// An event is in the second only.
    Extra(EventId, Kind),
    /// An event is in both, and not the same.
    Changed {
        /// Which.
        event: EventId,
        /// What it is in the first.
        kind: Kind,
        /// What is not the same.
        fields: Vec<FieldDifference>,
    },
    /// The event at this position is parked in the second only.
    Parked(Position),
    /// The event at this position is parked in the first only.
    NotParked(Position),
}

/// A field of an event that is not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldDifference {
    /// Its name on the wire; `position` and `recorded_at` are what the log gave.
    pub field: String,
    /// The value in the first; empty where it is absent.
    pub first: String,
    /// The value in the second; empty where it is absent.
    pub second: String,
}

impl Difference {
    /// The name of what differs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Erased => "ERASED",
            Self::NotErased => "NOT_ERASED",
            Self::Missing(..) => "MISSING",
            Self::Extra(..) => "EXTRA",
            Self::Changed { .. } => "CHANGED",
            Self::Parked(_) => "PARKED",
            Self::NotParked(_) => "NOT_PARKED",
        }
    }
}

/// How the second record differs from the first, by what both must hold of the log up to this position. An erasure has
/// no position: where only one record knows of it, look again when both are as far.
pub fn differences(first: &Record, second: &Record, up_to: Position) -> Vec<Difference> {
    if first.as_bytes() == second.as_bytes() {
        return Vec::new();
    }
    match (first.is_erased(), second.is_erased()) {
        (false, true) => return vec![Difference::Erased],
        (true, false) => return vec![Difference::NotErased],
        _ => {}
    }
    let facts = |record| -> BTreeMap<EventId, Filed<'_>> {
        Record::facts(record).filter(|fact| fact.position <= up_to).map(|fact| (fact.id, fact)).collect()
    };
    let (one, other) = (facts(first), facts(second));
    let mut found = Vec::new();
    for (event, fact) in &one {
        match other.get(event) {
            None => found.push(Difference::Missing(*event, fact.body.kind())),
            Some(same) if same == fact => {}
            Some(changed) => {
                let (kind, fields) = (fact.body.kind(), fields(fact, changed));
                found.push(Difference::Changed { event: *event, kind, fields });
            }
        }
    }
    let extra = other.iter().filter(|(event, _)| !one.contains_key(event));
    found.extend(extra.map(|(event, fact)| Difference::Extra(*event, fact.body.kind())));
    let parked = |record: &Record| -> Vec<Parked> {
        record.parked().into_iter().filter(|parked| parked.position <= up_to).collect()
    };
    let (one, other) = (parked(first), parked(second));
    // Parked for another reason is both.
    let only = |here: &[Parked], there: &[Parked], kind: fn(Position) -> Difference| -> Vec<Difference> {
        here.iter().filter(|parked| !there.contains(parked)).map(|parked| kind(parked.position)).collect()
    };
    found.extend(only(&other, &one, Difference::Parked));
    found.extend(only(&one, &other, Difference::NotParked));
    found
}

fn fields(first: &Filed<'_>, second: &Filed<'_>) -> Vec<FieldDifference> {
    let (one, other) = (texts(first), texts(second));
    let names: BTreeSet<_> = one.keys().chain(other.keys()).collect();
    let text = |of: &BTreeMap<String, String>, name: &String| of.get(name).cloned().unwrap_or_default();
    let both = names.into_iter().map(|name| (name, text(&one, name), text(&other, name)));
    let differ = both.filter(|(_, first, second)| first != second);
    differ.map(|(field, first, second)| FieldDifference { field: field.clone(), first, second }).collect()
}

/// Every field of a fact by its name.
fn texts(fact: &Filed<'_>) -> BTreeMap<String, String> {
    let kind = fact.body.kind();
    let attributes = [
        ("type", Some(kind.name().to_owned())),
        ("time", Some(fact.occurred_at.to_string())),
        ("companyid", fact.company.as_ref().map(ToString::to_string)),
        ("projectid", fact.project.as_ref().map(ToString::to_string)),
        ("firstrecordedat", fact.first_recorded_at.map(|at| at.to_string())),
        ("position", Some(fact.position.to_string())),
        ("recorded_at", Some(fact.recorded_at.to_string())),
    ];
    let attributes = attributes.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let data = kind.fields().iter().zip(fact.body.scalars());
    let data = data.map(|(field, value)| (format!("data.{}", field.name), value.to_string()));
    attributes.chain(data).collect()
}

#[cfg(test)]
mod tests {
    use touchpoint::{Event, Recorded, Timestamp};

    use super::*;

    fn visit(id: u128, port: &str, position: u64) -> Record {
        let mut record = Record::default();
        file(&mut record, id, port, position);
        record
    }

    fn file(record: &mut Record, id: u128, consultant: &str, position: u64) {
        let id = EventId::from_u128(id);
        let body = format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"s","type":"VisitRecorded","dataschema":"urn:lifefold:VisitRecorded:1","subject":"00000000-0000-0000-0000-000000000001","time":"2025-01-01T00:00:00Z","channel":"IN_PERSON","companyid":"C1","projectid":"P1","data":{{"visit_id":"V1","kind":"FIRST","purpose":"SALES_CENTRE","lead_source":"WALK_IN","consultant_id":"{consultant}"}}}}"#
        );
        let event = Event::decode(body.as_bytes()).unwrap();
        record.file(&Recorded { position: Position(position), recorded_at: Timestamp::from_micros(1), event });
    }

    #[test]
    fn the_same_facts_do_not_differ() {
        assert!(differences(&visit(1, "S1", 5), &visit(1, "S1", 5), Position(9)).is_empty());
    }

    #[test]
    fn what_is_after_the_position_does_not_count() {
        let mut further = visit(1, "S1", 5);
        file(&mut further, 2, "S1", 10);
        assert!(differences(&visit(1, "S1", 5), &further, Position(9)).is_empty());
        let found = differences(&visit(1, "S1", 5), &further, Position(10));
        assert_eq!(found, [Difference::Extra(EventId::from_u128(2), Kind::VisitRecorded)]);
        assert_eq!(differences(&further, &visit(1, "S1", 5), Position(10))[0].code(), "MISSING");
    }

    #[test]
    fn a_changed_event_names_its_fields() {
        let found = differences(&visit(1, "S1", 5), &visit(1, "S2", 5), Position(9));
        let [Difference::Changed { fields, .. }] = &found[..] else { panic!("{found:?}") };
        let named: Vec<_> = fields.iter().map(|it| it.field.as_str()).collect();
        assert_eq!(named, ["data.consultant_id"]);
        assert!(fields[0].first.contains("S1") && fields[0].second.contains("S2"), "{fields:?}");
    }

    #[test]
    fn what_is_parked_differs_by_position() {
        let mut parked = visit(1, "S1", 5);
        let (position, recorded_at) = (Position(6), Timestamp::from_micros(1));
        parked.park(Parked { position, recorded_at, reason: touchpoint::Unreadable::Malformed, id: None });
        assert_eq!(differences(&visit(1, "S1", 5), &parked, Position(9)), [Difference::Parked(position)]);
        assert_eq!(differences(&parked, &visit(1, "S1", 5), Position(9)), [Difference::NotParked(position)]);
        assert!(differences(&parked, &visit(1, "S1", 5), Position(5)).is_empty());
        let mut otherwise = visit(1, "S1", 5);
        otherwise.park(Parked { position, recorded_at, reason: touchpoint::Unreadable::UnknownType, id: None });
        let both = [Difference::Parked(position), Difference::NotParked(position)];
        assert_eq!(differences(&parked, &otherwise, Position(9)), both);
    }
}
