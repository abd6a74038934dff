//! Histories written down line by line.

use std::collections::BTreeMap;

use oracle::{Entry, History};
use serde_json::{Value, json};
use touchpoint::{CustomerId, Timestamp};

/// One customer's events, in the order of the log.
pub(crate) struct Story {
    customer: u128,
    pub(crate) entries: Vec<Entry>,
}

/// An event that is being added.
pub(crate) struct Line<'a> {
    pub(crate) kind: &'a str,
    pub(crate) at: &'a str,
    pub(crate) recorded_at: &'a str,
    pub(crate) id: u128,
    pub(crate) more: Value,
    pub(crate) data: Value,
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

impl Story {
    pub(crate) fn of(customer: u128) -> Self {
        Self { customer, entries: Vec::new() }
    }

    /// Adds an event that was recorded when it happened; returns its id.
    pub(crate) fn add(&mut self, at: &str, kind: &str, data: Value) -> u128 {
        self.add_in(at, kind, json!({}), data)
    }

    /// The same, with further attributes of the envelope.
    pub(crate) fn add_in(&mut self, at: &str, kind: &str, more: Value, data: Value) -> u128 {
        let id = self.customer * 1_000 + self.entries.len() as u128 + 1;
        self.push(&Line { kind, at, recorded_at: at, id, more, data });
        id
    }

    pub(crate) fn push(&mut self, line: &Line<'_>) {
        let version = if line.kind == "SurveyAnswered" { 2 } else { 1 };
        let mut body = json!({
            "specversion": "1.0",
            "id": touchpoint::EventId::from_u128(line.id),
            "source": "test",
            "type": line.kind,
            "dataschema": format!("urn:lifefold:{}:{version}", line.kind),
            "subject": CustomerId::from_u128(self.customer),
            "time": line.at,
            "channel": "PHONE",
            "data": line.data,
        });
        body.as_object_mut().unwrap().extend(line.more.as_object().unwrap().clone());
        let body = serde_json::to_vec(&body).unwrap();
        if let Err(violations) = touchpoint::Event::decode(&body) {
            panic!("{}: {violations}", line.kind);
        }
        let position = self.entries.len() as u64 + 1;
        self.entries.push(Entry { position, recorded_at: time(line.recorded_at), body });
    }

    pub(crate) fn read(&self) -> History {
        History::read(&self.entries)
    }
}

pub(crate) fn visit() -> Value {
    json!({ "visit_id": "V", "kind": "FIRST", "purpose": "SALES_CENTRE", "lead_source": "WALK_IN", "consultant_id": "K1" })
}

pub(crate) fn signed(contract: &str, price_fen: i64) -> Value {
    json!({ "contract_id": contract, "unit_id": "U1", "price_fen": price_fen, "payment": "FULL",
        "planned_handover_on": "2030-01-01" })
}

pub(crate) fn handed_over(contract: &str, on: &str) -> Value {
    json!({ "contract_id": contract, "handed_over_on": on, "defects_open": 0 })
}

pub(crate) fn cancelled(contract: &str) -> Value {
    json!({ "contract_id": contract, "by": "CUSTOMER", "reason": "LOAN" })
}

pub(crate) fn answer(wave: &str, port: &str, item: &str, metric: &str, score: i64) -> Value {
    json!({ "survey_id": "S", "wave_id": wave, "port": port, "item_code": item, "metric": metric, "score": score })
}

pub(crate) fn complaint(id: &str, port: &str, severity: &str) -> Value {
    json!({ "complaint_id": id, "port": port, "category": "LEAK", "severity": severity })
}

pub(crate) fn step(id: &str) -> Value {
    json!({ "complaint_id": id })
}

pub(crate) fn resolved(id: &str) -> Value {
    json!({ "complaint_id": id, "resolution": "REPAIRED", "root_cause": "PIPE" })
}

pub(crate) fn reopened(id: &str) -> Value {
    json!({ "complaint_id": id, "reason": "AGAIN" })
}

pub(crate) fn revisit(satisfaction: Option<i64>) -> Value {
    json!({ "revisit_id": "R", "mode": "PHONE", "trigger": "PERIODIC", "satisfaction": satisfaction })
}

pub(crate) fn referral(id: &str) -> Value {
    json!({ "referral_id": id, "referred_customer_id": CustomerId::from_u128(99_999) })
}

pub(crate) fn converted(id: &str) -> Value {
    json!({ "referral_id": id, "contract_id": "OTHER" })
}

/// Many customers.
pub(crate) fn crowd(stories: &[Story]) -> BTreeMap<CustomerId, History> {
    stories.iter().map(|story| (CustomerId::from_u128(story.customer), story.read())).collect()
}
