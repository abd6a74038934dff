//! A client in another language, with nothing but grpcio and reflection, records and reads its own write.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tests::{System, View};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python");
/// Where the packages are kept from run to run.
const KEPT: &str = env!("CARGO_TARGET_TMPDIR");

/// Runs a program to its end. Says what it printed if it fails.
fn run(program: &Path, arguments: &[&str], hint: &str) -> Output {
    let done = Command::new(program).args(arguments).output();
    let done = done.unwrap_or_else(|error| panic!("cannot run {}: {error}; {hint}", program.display()));
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{} {arguments:?} failed: {hint}\n{errors}", program.display());
    done
}

/// The Python of an environment with the pinned packages. It is made anew when the pins change, and whole or not at all.
fn python() -> PathBuf {
    let pins = format!("{FOLDER}/requirements.txt");
    let text = std::fs::read(&pins).unwrap();
    let folder = Path::new(KEPT).join(format!("python-{:08x}", checksum(&text)));
    let (program, whole) = (folder.join("bin/python"), folder.join("whole"));
    if !whole.exists() {
        let place = folder.to_string_lossy();
        run(Path::new("python3"), &["-m", "venv", "--clear", &place], "install Python 3 with its venv module");
        let install =
            ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", &pins];
        run(&program, &install, "pip needs PyPI or a mirror of it: set PIP_INDEX_URL or a proxy");
        std::fs::write(&whole, "").unwrap();
    }
    program
}

/// FNV-1a: tells pins apart, and is no protection.
fn checksum(text: &[u8]) -> u32 {
    text.iter().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// Example C1: a prospect, silent for 7 days.
#[tokio::test(flavor = "multi_thread")]
async fn a_python_client_reads_what_it_has_just_recorded() {
    let python = tokio::task::spawn_blocking(python).await.unwrap();
    let mut system = System::start().await;
    let (gateway, churn) = (system.gateway.address().to_string(), system.projector(View::Churn).address().to_string());
    let client = format!("{FOLDER}/client.py");
    let done = run(&python, &[&client, &gateway, &churn], "see what it says");
    let told: Value = serde_json::from_slice(&done.stdout).unwrap();

    let (risk, meta) = (&told["answer"]["risk"], &told["answer"]["meta"]);
    assert_eq!(risk["customer_id"], told["customer"]);
    assert_eq!(risk["lifecycle"]["stage"], "LIFECYCLE_STAGE_PROSPECT");
    assert_eq!(risk["p_millionths"], 377_541);
    assert_eq!(risk["band"], "RISK_BAND_MEDIUM");
    assert_eq!(risk["reasons"], Value::Null, "nothing speaks for or against");
    let position = |value: &Value| value["position"].as_str().unwrap().parse::<u64>().unwrap();
    assert!(position(meta) >= position(&told["recorded"]));

    let entry = system.machine.log_entries().await.into_iter().next_back().unwrap();
    assert_eq!(entry.position.0, position(&told["recorded"]));
    let body: Value = serde_json::from_slice(&entry.body).unwrap();
    assert_eq!((&body["id"], &body["subject"]), (&told["event"], &told["customer"]));
    system.never_panicked();
}
