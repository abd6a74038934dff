//! What the client commands say without any service: usage, addresses, help.
#![allow(clippy::unwrap_used)]

use std::process::{Command, Stdio};

const CUSTOMER: &str = "0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11";
/// Nobody listens on port 1, and only the system may.
const NOBODY: &str = "http://127.0.0.1:1";

/// Exit code, stdout and stderr of the binary in an empty folder.
fn check(arguments: &[&str]) -> (Option<i32>, String, String) {
    run(arguments, Stdio::piped())
}

/// As [`check`], with this as its stdout.
fn run(arguments: &[&str], stdout: Stdio) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_lifefold"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LIFEFOLD_")) {
        command.env_remove(name);
    }
    for name in ["GATEWAY", "SEGMENTATION", "SATISFACTION", "CHURN"] {
        command.env(format!("LIFEFOLD_{name}"), NOBODY);
    }
    command.current_dir(folder.path()).args(arguments).stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped());
    let output = command.spawn().unwrap().wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn wrong_usage_is_code_2_and_names_the_argument() {
    for (arguments, named) in [
        (vec!["churn", "explain", "Mr Wang"], "CUSTOMER"),
        (vec!["churn", "list", "--band", "HUGE"], "expected one of LOW, MEDIUM, HIGH, CRITICAL"),
        (vec!["churn", "list", "--limit", "0"], "--limit"),
        (vec!["churn", "totals", "--as-of", "yesterday"], "expected an instant such as 2025-04-01T09:30:00+08:00"),
        (vec!["churn", "totals", "--known-at", "2025-02-30"], "--known-at"),
        (vec!["churn", "totals", "--max-position", "0"], "positions count from 1"),
        (
            vec!["churn", "totals", "--from", "25-01-01", "--to", "2025-02-01"],
            "expected a calendar date such as 2025-04-01",
        ),
        (vec!["segment", "members", "stage", "HUGE"], "value \"HUGE\": expected one of LEAD, PROSPECT"),
        (vec!["replay", "--type", "Complaint"], "like it are ComplaintLodged"),
        (vec!["replay", "--from", "11", "--to", "9"], "--to is before --from"),
        (vec!["segment"], "CUSTOMER"),
        (vec!["segment", "members", "height", "TALL"], "AXIS"),
        (vec!["satisfaction", "report", "--unit", "P003"], "expected group, company:<CODE> or project:<CODE>"),
        (vec!["satisfaction", "rank", "--port", "kitchen"], "SALES_SERVICE"),
        (vec!["replay", "--from", "0"], "positions count from 1"),
        (vec!["rebuild", "everything"], "segmentation, satisfaction, churn"),
        (vec!["status", "--output", "xml"], "table, json, ndjson"),
        (vec!["import"], "FILE"),
        (vec!["import", ""], "FILE"),
        (vec!["record", ""], "EVENT"),
    ] {
        let (code, out, err) = check(&arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(err.contains(named), "{arguments:?} names {named}:\n{err}");
    }
}

#[test]
fn an_address_that_nobody_listens_at_is_named_with_what_to_do() {
    for (arguments, service) in [
        (vec!["churn", "explain", CUSTOMER], "churn view"),
        (vec!["segment", CUSTOMER], "segmentation view"),
        (vec!["segment", "totals", "-o", "json"], "segmentation view"),
        (vec!["satisfaction", "report"], "satisfaction view"),
        (vec!["timeline", CUSTOMER], "gateway"),
        (vec!["replay", "--limit", "1"], "gateway"),
        (vec!["rebuild", "churn", "--yes"], "churn view"),
        (vec!["import", "-"], "gateway"),
    ] {
        let (code, out, err) = check(&arguments);
        assert_eq!((code, out.as_str()), (Some(1), ""), "{arguments:?}");
        assert!(err.starts_with(&format!("error: cannot reach the {service} at {NOBODY}: ")), "{arguments:?}: {err}");
        assert!(err.contains("is it running (`lifefold up`, or its unit)?"), "{arguments:?}: {err}");
    }
}

#[test]
fn status_shows_what_it_does_not_reach() {
    let (code, out, err) = check(&["status"]);
    assert_eq!(code, Some(1));
    assert_eq!(out.matches("NOT REACHED").count(), 3, "{out}");
    assert_eq!(err.matches("error: cannot reach").count(), 3, "{err}");
    let (code, out, _) = check(&["status", "-o", "ndjson"]);
    assert_eq!((code, out.lines().count()), (Some(1), 3), "{out}");
}

#[test]
fn a_broken_event_is_refused_before_anything_is_asked() {
    let event =
        r#"{"type":"VisitRecorded","subject":"0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11","channel":"FAX","data":{}}"#;
    let (code, _, err) = check(&["record", event]);
    assert_eq!(code, Some(1));
    for field in ["channel", "data.visit_id", "data.kind", "data.purpose", "data.lead_source", "data.consultant_id"] {
        assert!(err.contains(&format!("\n  {field} ")), "{field} in\n{err}");
    }
    let (code, _, err) = check(&["record", "no-such-file.json"]);
    assert_eq!(code, Some(1));
    assert!(err.starts_with("error: no-such-file.json: "), "{err}");
}

#[test]
fn settings_are_listed_where_they_matter_and_taken_everywhere() {
    for (command, listed) in
        [(&["status"][..], false), (&["churn", "list"], false), (&["gateway"], true), (&["up"], true), (&[], true)]
    {
        let (code, help, _) = check(&[command, &["--help"]].concat());
        assert_eq!((code, help.contains("--replicas")), (Some(0), listed), "{command:?}: {help}");
        assert!(help.contains("--config <FILE>"), "{command:?}: {help}");
        assert_eq!(help.contains("`lifefold --help` lists them"), !listed, "{command:?}: {help}");
        let (code, _, err) = check(&[command, &["--replicas", "2"]].concat());
        assert!(code == Some(2) && (command.is_empty() || err.contains("flag --replicas")), "{command:?}: {err}");
    }
}

#[test]
fn who_reads_no_further_is_no_failure() {
    for arguments in [
        &["config", "show"][..],
        &["config", "show", "-o", "json"],
        &["config", "show", "-o", "ndjson"],
        &["rules", "show"],
        &["demo", "10"],
        &["--help"],
    ] {
        let (_, unread) = std::io::pipe().unwrap();
        assert_eq!(run(arguments, unread.into()), (Some(0), String::new(), String::new()), "{arguments:?}");
    }
}

#[test]
fn every_command_has_help_with_examples() {
    for command in
        ["record", "import", "timeline", "replay", "segment", "churn", "satisfaction", "status", "rebuild", "rules"]
    {
        let (code, out, _) = check(&[command, "--help"]);
        assert_eq!(code, Some(0));
        assert!(out.contains(&format!("Examples:\n  lifefold {command}")), "{out}");
    }
}
