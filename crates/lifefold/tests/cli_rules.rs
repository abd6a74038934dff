//! `lifefold rules` through the binary: what it prints, where, and the exit code.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::process::{Command, Output};

/// Runs the binary in an empty folder, without the settings of whoever runs the tests.
fn lifefold(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_lifefold"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LIFEFOLD_")) {
        command.env_remove(name);
    }
    command.current_dir(folder.path()).args(arguments).output().unwrap()
}

/// Exit code, stdout, stderr.
fn check(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = lifefold(arguments);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn file(folder: &tempfile::TempDir, text: &str) -> PathBuf {
    let path = folder.path().join("rules.toml");
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn show_prints_the_compiled_in_file() {
    assert_eq!(check(&["rules", "show"]), (Some(0), views::rules::DEFAULT_FILE.to_owned(), String::new()));
}

#[test]
fn what_is_shown_is_no_mistake_and_the_same_as_the_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, views::rules::DEFAULT_FILE);
    let path = path.to_str().unwrap();
    let version = views::rules::Rules::default().version();
    let (code, out, err) = check(&["rules", "check", path]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let expect = format!("{path}: no mistakes; rules version {version}, the same as the defaults; ");
    assert!(out.starts_with(&expect), "{out}");
}

#[test]
fn a_given_file_is_shown_in_canonical_form() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "# only one number\n[lifecycle]\nlost_after_days = 120\n");
    let (code, out, _) = check(&["rules", "show", path.to_str().unwrap()]);
    assert_eq!(code, Some(0));
    let shown = views::rules::Rules::parse(&out).unwrap();
    assert_eq!(shown.lifecycle.lost_after_days, 120);
    assert_eq!(shown.to_toml(), out);
}

#[test]
fn every_mistake_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "[lifecycle]\nlost_after_days = \"many\"\nlost_after_day = 90\n");
    let path = path.to_str().unwrap();
    let (code, out, err) = check(&["rules", "check", path]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.starts_with(&format!("error: {path} has 2 mistakes\n")), "{err}");
    for line in [2, 3] {
        assert!(err.contains(&format!("\n{path}:{line}:")), "{err}");
    }
}

#[test]
fn a_missing_file_is_named() {
    let (code, _, err) = check(&["rules", "check", "/no/such/rules.toml"]);
    assert_eq!(code, Some(1));
    assert!(err.starts_with("error: /no/such/rules.toml: "), "{err}");
}
