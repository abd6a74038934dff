//! A client in another language, with nothing but grpcio and reflection, records and reads its own write.

use serde_json::Value;
use tests::{Python, System, View};

/// Example C1: a prospect, silent for 7 days.
#[tokio::test(flavor = "multi_thread")]
async fn a_python_client_reads_what_it_has_just_recorded() {
    let python = || Python::with("requirements.txt", env!("CARGO_TARGET_TMPDIR"));
    let python = tokio::task::spawn_blocking(python).await.unwrap();
    let mut system = System::start().await;
    let (gateway, churn) = (system.gateway.address().to_string(), system.projector(View::Churn).address().to_string());
    let told = python.run("client.py", &[&gateway, &churn]);

    let (risk, meta) = (&told["answer"]["risk"], &told["answer"]["meta"]);
    assert_eq!(risk["customer_id"], told["customer"]);
    assert_eq!(risk["lifecycle"]["stage"], "LIFECYCLE_STAGE_PROSPECT");
    assert_eq!(risk["p_millionths"], 377_541);
    assert_eq!(risk["band"], "RISK_BAND_MEDIUM");
    assert_eq!(risk["reasons"], Value::Null, "nothing speaks for or against");
    let position = |value: &Value| value["position"].as_str().unwrap().parse::<u64>().unwrap();
    assert!(position(meta) >= position(&told["recorded"]));

    let step = &told["watched"]["step"];
    assert_eq!(step["effect"], "WATCH_EFFECT_ENTERED");
    assert_eq!(position(step), position(&told["recorded"]), "by the event that was recorded");

    let entry = system.machine.log_entries().await.into_iter().next_back().unwrap();
    assert_eq!(entry.position.0, position(&told["recorded"]));
    let body: Value = serde_json::from_slice(&entry.body).unwrap();
    assert_eq!((&body["id"], &body["subject"]), (&told["event"], &told["customer"]));
    system.never_panicked();
}
