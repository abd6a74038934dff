//! Histories of one customer, told in tests event by event: real events, filed as a projector files them.

use serde_json::{Value, json};
use touchpoint::{CustomerId, Event, EventId, Position, Recorded, Timestamp};
use views::rules::Rules;
use views::{Moment, Record, View};

/// The customer whom stories are about.
pub(crate) const CUSTOMER: CustomerId = CustomerId::from_u128(0xC0FFEE);

/// An instant from its text.
pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// What happened to a customer, in the order in which the log took it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Story {
    sent: Vec<Sent>,
}

#[derive(Debug, Clone)]
struct Sent {
    body: Value,
    recorded_at: Timestamp,
}

impl Story {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Something happened, and was recorded at once.
    pub(crate) fn event(mut self, time: &str, kind: &str, data: Value) -> Self {
        let id = EventId::from_u128(self.sent.len() as u128 + 1);
        let version = touchpoint::Kind::from_name(kind).unwrap_or_else(|| panic!("no event type {kind}")).version();
        let body = json!({
            "specversion": "1.0", "id": id, "source": "test", "type": kind, "subject": CUSTOMER,
            "dataschema": format!("urn:lifefold:{kind}:{version}"), "time": time, "channel": "SYSTEM", "data": data,
        });
        self.sent.push(Sent { body, recorded_at: at(time) });
        self
    }

    /// The event before was recorded only then.
    pub(crate) fn recorded(mut self, time: &str) -> Self {
        self.last().recorded_at = at(time);
        self
    }

    /// The event before names this attribute of the envelope.
    pub(crate) fn with(mut self, attribute: &str, value: &str) -> Self {
        self.last().body[attribute] = json!(value);
        self
    }

    fn last(&mut self) -> &mut Sent {
        self.sent.last_mut().expect("an event was told before")
    }

    /// The id of an event, by its index.
    pub(crate) fn id(index: usize) -> EventId {
        EventId::from_u128(index as u128 + 1)
    }

    pub(crate) fn visit(self, time: &str, more: Value) -> Self {
        let data = json!({
            "visit_id": format!("V{}", self.sent.len()), "kind": "FIRST", "purpose": "SALES_CENTRE",
            "lead_source": "WALK_IN", "consultant_id": "Z1",
        });
        self.event(time, "VisitRecorded", merged(data, more))
    }

    pub(crate) fn signed(self, time: &str, contract: &str, price_fen: i64) -> Self {
        let data = json!({
            "contract_id": contract, "unit_id": "U1", "price_fen": price_fen, "payment": "FULL",
            "planned_handover_on": "2030-01-01",
        });
        self.event(time, "ContractSigned", data)
    }

    pub(crate) fn cancelled(self, time: &str, contract: &str) -> Self {
        self.event(time, "ContractCancelled", json!({ "contract_id": contract, "by": "CUSTOMER", "reason": "LOAN" }))
    }

    pub(crate) fn handed_over(self, time: &str, contract: &str, on: &str) -> Self {
        let data = json!({ "contract_id": contract, "handed_over_on": on, "defects_open": 0 });
        self.event(time, "HandoverCompleted", data)
    }

    pub(crate) fn moved_in(self, time: &str, contract: &str, on: &str) -> Self {
        self.event(time, "MovedIn", json!({ "contract_id": contract, "on": on }))
    }

    pub(crate) fn complaint(self, time: &str, complaint: &str, more: Value) -> Self {
        let data = json!({
            "complaint_id": complaint, "port": "REPAIR_SERVICE", "category": "LEAK", "severity": "MEDIUM",
        });
        self.event(time, "ComplaintLodged", merged(data, more))
    }

    pub(crate) fn revisit(self, time: &str) -> Self {
        let revisit = format!("R{}", self.sent.len());
        self.event(time, "RevisitCompleted", json!({ "revisit_id": revisit, "mode": "PHONE", "trigger": "PERIODIC" }))
    }

    pub(crate) fn answered(self, time: &str, port: &str, metric: &str, score: u8) -> Self {
        let data = json!({
            "survey_id": format!("S{}", self.sent.len()), "wave_id": "2025", "port": port,
            "item_code": format!("{port}_OVERALL"), "metric": metric, "score": score,
        });
        self.event(time, "SurveyAnswered", data)
    }

    pub(crate) fn referral(self, time: &str, referral: &str) -> Self {
        let referred = CustomerId::from_u128(7);
        self.event(time, "ReferralMade", json!({ "referral_id": referral, "referred_customer_id": referred }))
    }

    pub(crate) fn converted(self, time: &str, referral: &str) -> Self {
        self.event(time, "ReferralConverted", json!({ "referral_id": referral, "contract_id": "OTHER" }))
    }

    pub(crate) fn voided(self, time: &str, target: EventId) -> Self {
        self.event(time, "EventVoided", json!({ "target_event_id": target, "reason": "MISTAKE" }))
    }

    /// The record after all of it.
    pub(crate) fn record(&self) -> Record {
        self.record_in(&(0..self.sent.len()).collect::<Vec<_>>())
    }

    /// The record after the events of these indices, filed in this order.
    pub(crate) fn record_in(&self, order: &[usize]) -> Record {
        let mut record = Record::default();
        for &index in order {
            let Sent { body, recorded_at } = &self.sent[index];
            let bytes = body.to_string();
            let event = Event::decode(bytes.as_bytes()).unwrap_or_else(|error| panic!("{bytes}: {error:?}"));
            let position = Position(index as u64 + 2);
            record.file(&Recorded { position, recorded_at: *recorded_at, event });
        }
        record
    }

    /// The answer of a view at an instant, by the default rules.
    pub(crate) fn answer<V: View>(&self, as_of: &str) -> V::Answer {
        self.answer_by::<V>(&Rules::default(), as_of)
    }

    /// The answer of a view at an instant, by these rules.
    pub(crate) fn answer_by<V: View>(&self, rules: &Rules, as_of: &str) -> V::Answer {
        let answer = V::answer(&self.record(), rules, &mut Moment::now(at(as_of)));
        answer.unwrap_or_else(|| panic!("no event counts at {as_of}"))
    }
}

fn merged(mut data: Value, more: Value) -> Value {
    if let (Some(data), Some(more)) = (data.as_object_mut(), more.as_object()) {
        data.extend(more.clone());
    }
    data
}
