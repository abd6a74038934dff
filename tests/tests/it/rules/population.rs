//! Six customers of whom it is known who moves under other rules.

use serde_json::{Value, json};
use tests::{System, View, import};

pub(crate) const AS_OF: &str = "2025-06-30T00:00:00Z";
/// Silent for 42 days.
const STALE: &str = "2025-05-19T00:00:00Z";
/// Silent for 81 days.
const STALER: &str = "2025-04-10T00:00:00Z";
const FRESH: &str = "2025-06-25T00:00:00Z";

/// Silence counts no more, but who is silent for 60 days is lost; 75 is satisfied, and only what is said overall counts; 50
/// days are recent; other segments, and one of the defaults by another condition.
pub(crate) const CANDIDATE: &str = r#"
[lifecycle]
lost_after_days = 60
[satisfaction]
satisfied_from = 75
[satisfaction.port_weights]
SALES_SERVICE = 0
[segmentation]
recency_days = [50, 90, 180, 365]
[churn.reasons.SILENCE]
points_per_gap = 0
[[segments]]
name = "lost_ones"
when = { stage = ["LOST"] }
[[segments]]
name = "seen_of_late"
when = { count = { events = ["VisitRecorded"], days = 60, min = 1 } }
[[segments]]
name = "high_net_worth"
when = { any = [
    { budget_max_fen = { min = 1 } },
    { all = [ { recency = { min = 5 } }, { not = { days_silent = { max = 10 } } } ] },
] }
"#;

pub(crate) const STALE_ONE: u8 = 1;
pub(crate) const LOST_ONE: u8 = 2;
pub(crate) const FRESH_ONE: u8 = 3;
pub(crate) const WITHHELD_STALE: u8 = 4;
pub(crate) const WITHHELD_LOST: u8 = 5;
pub(crate) const CONTENT_ONE: u8 = 6;

pub(crate) fn id(customer: u8) -> String {
    format!("00000000-0000-4000-8000-0000000000{customer:02x}")
}

pub(crate) fn event_id(customer: u8, number: u8) -> String {
    format!("00000000-0000-7000-8000-00000000{customer:02x}{number:02x}")
}

fn event(customer: u8, number: u8, at: &str, kind: &str, version: u8, data: &Value) -> Value {
    json!({
        "specversion": "1.0", "id": event_id(customer, number),
        "source": "tests", "type": kind, "dataschema": format!("urn:lifefold:{kind}:{version}"),
        "subject": id(customer), "time": at, "channel": "IN_PERSON", "data": data,
    })
}

fn visit(customer: u8, at: &str) -> Value {
    let data = json!({
        "visit_id": format!("V{customer}"), "kind": "FIRST", "purpose": "SALES_CENTRE", "lead_source": "WALK_IN",
        "consultant_id": "K1", "motive": "FIRST_HOME",
    });
    event(customer, 1, at, "VisitRecorded", 1, &data)
}

fn withheld(customer: u8) -> Value {
    event(customer, 2, FRESH, "ConsentWithdrawn", 1, &json!({"purpose": "PROFILING"}))
}

fn population() -> Vec<Value> {
    let answer = |port: &str| {
        let item = format!("{port}_OVERALL");
        json!({"survey_id": port, "wave_id": "2025", "port": port, "item_code": item, "metric": "CSAT", "score": 4})
    };
    vec![
        visit(STALE_ONE, STALE),
        visit(LOST_ONE, STALER),
        visit(FRESH_ONE, FRESH),
        visit(WITHHELD_STALE, STALE),
        withheld(WITHHELD_STALE),
        visit(WITHHELD_LOST, STALER),
        withheld(WITHHELD_LOST),
        event(CONTENT_ONE, 1, FRESH, "SurveyAnswered", 2, &answer("OVERALL")),
        event(CONTENT_ONE, 2, FRESH, "SurveyAnswered", 2, &answer("SALES_SERVICE")),
    ]
}

/// The system with everybody in it, and the flags that lead to it.
pub(crate) async fn start() -> (System, Vec<String>) {
    let mut system = System::start().await;
    let items = population().iter().map(|event| tests::json(event.to_string())).collect();
    let imported = import(&system.writer(), items).await;
    let summary = imported.summary.expect("an import to its end");
    assert_eq!(summary.recorded as usize, population().len(), "{:?}", imported.outcomes);
    let mut flags = Vec::new();
    for view in View::ALL {
        system.reader(view).reached(summary.last_position).await;
        flags.extend([format!("--{}", view.name()), format!("http://{}", system.projector(view).address())]);
    }
    (system, flags)
}
