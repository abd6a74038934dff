//! What a customer costs grows with their events, and not with the square: a faulty producer may send thousands.

use std::time::{Duration, Instant};

use crate::support::{Story, at};
use serde_json::{Value, json};
use views::churn::Churn;
use views::rules::Rules;
use views::satisfaction::Satisfaction;
use views::segmentation::Segmentation;
use views::{Moment, Record, View};

const FEW: usize = 1_000;
/// So many times as much.
const MORE: usize = 8;
/// In proportion it would be 8 times as long, by the square 64 times.
const LONGER: u32 = 24;
const TRIES: usize = 5;

/// The shortest of some tries.
fn time<V: View>(record: &Record) -> Duration {
    let one = || {
        let begun = Instant::now();
        let answer = V::answer(record, &Rules::default(), &mut Moment::now(at("2026-06-01T02:00:00Z")));
        assert!(answer.is_some());
        begun.elapsed()
    };
    (0..TRIES).map(|_| one()).min().unwrap()
}

fn check(kind: &str, data: impl Fn(String) -> Value) {
    let record = |events: usize| {
        let bought = json!({"contract_id": "HT", "unit_id": "P003-B7-1802", "price_fen": 418_000_000, "payment": "MORTGAGE",
            "planned_handover_on": "2026-06-30"});
        let story = Story::new().event("2025-03-30T17:30:00Z", "ContractSigned", bought);
        (0..events)
            .fold(story, |story, id| story.event("2025-03-31T17:30:00Z", kind, data(format!("2025-{id}"))))
            .record()
    };
    let (few, many) = (record(FEW), record(FEW * MORE));
    let times = [
        (time::<Segmentation>(&few), time::<Segmentation>(&many)),
        (time::<Satisfaction>(&few), time::<Satisfaction>(&many)),
        (time::<Churn>(&few), time::<Churn>(&many)),
    ];
    for (few, many) in times {
        assert!(many < few * LONGER, "{kind}: {few:?} for {FEW}, {many:?} for {MORE} times as many: {times:?}");
    }
}

#[test]
fn thousands_of_events_cost_in_proportion() {
    check("ContractSigned", |id| {
        json!({"contract_id": id, "unit_id": "P003-B7-1802", "price_fen": 418_000_000, "payment": "MORTGAGE",
            "planned_handover_on": "2026-06-30"})
    });
    check(
        "SubscriptionPlaced",
        |id| json!({"subscription_id": id, "unit_id": "P003-B7-1802", "deposit_fen": 5_000_000}),
    );
    check(
        "ComplaintLodged",
        |id| json!({"complaint_id": id, "port": "REPAIR_SERVICE", "category": "LEAK", "severity": "HIGH"}),
    );
    check(
        "DefectLogged",
        |id| json!({"defect_id": id, "contract_id": "HT", "part": "BATHROOM_FLOOR", "severity": "MAJOR"}),
    );
    check(
        "ReferralMade",
        |id| json!({"referral_id": id, "referred_customer_id": "1b9e6c04-2f7d-4e35-8a60-c3d90f52ab18"}),
    );
}
