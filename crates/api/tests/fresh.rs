//! The committed `events.proto`, the generated Rust and the descriptors are what the generator writes today.

#[path = "../examples/generate/compile.rs"]
mod compile;
#[path = "../examples/generate/events.rs"]
mod events;

use std::fs;
use std::path::{Path, PathBuf};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const COMMAND: &str = "cargo run -q -p api --example generate";

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn protos() -> PathBuf {
    here().join("../../proto")
}

fn check(path: &Path, expected: &[u8]) {
    let committed = fs::read(path).unwrap_or_default();
    assert!(committed == expected, "{} is stale; run `{COMMAND}` and commit the result", path.display());
}

#[test]
fn events_proto_is_the_catalogue() {
    check(&protos().join(events::PATH), events::proto().as_bytes());
}

#[test]
fn generated_code_and_descriptors_are_the_protos() {
    let compiled = compile::compile(&protos()).unwrap();
    check(&here().join(compile::RUST_PATH), compiled.rust.as_bytes());
    check(&here().join(compile::DESCRIPTORS_PATH), &compiled.descriptors);
}

/// Wire numbers are for ever: these were in the first release.
#[test]
fn numbers_of_the_first_events_hold() {
    let proto = events::proto();
    for line in [
        "VisitRecorded visit_recorded = 101;",
        "ContractSigned contract_signed = 107;",
        "HandoverCompleted handover_completed = 110;",
        "ComplaintLodged complaint_lodged = 117;",
        "RevisitCompleted revisit_completed = 126;",
        "EventVoided event_voided = 137;",
        "optional uint32 score = 6;",
        "SERVICE_PORT_CALL_CENTRE = 9;",
    ] {
        assert!(proto.lines().any(|it| it.trim() == line), "{line}");
    }
}
