//! The order in which a server is found, and what is said when there is none.

#![allow(clippy::unwrap_used, reason = "a failed step of a test ends the test")]

use std::{fs, path::Path, process::Command};

use broker::{Env, FindError, Located, MIN_VERSION, Origin, find_in, find_server, server_in};

/// A program that prints what an old or new server would print. Written by another process: a file that
/// this one holds open for writing cannot be run, and a fork of another test may hold it open for a moment.
fn pretend(folder: &Path, version: &str) {
    let write = format!("printf '#!/bin/sh\\necho nats-server: v{version}\\n' > nats-server && chmod +x nats-server");
    assert!(Command::new("sh").args(["-c", &write]).current_dir(folder).status().unwrap().success());
}

fn offline(path: &[&Path], cache: &Path) -> Env {
    let path = std::env::join_paths(path).unwrap();
    Env { path: Some(path), cache: Some(cache.to_path_buf()), ..Env::default() }
}

#[test]
fn a_url_wins_over_everything() {
    let env = Env { nats_url: Some("nats://elsewhere:4222".into()), ..Env::of_process() };
    assert_eq!(find_in(&env).unwrap(), Located::External("nats://elsewhere:4222".into()));
}

#[test]
fn a_named_binary_that_is_too_old_is_refused_and_not_replaced() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    pretend(old.path(), "2.9.10");
    pretend(new.path(), "2.15.1");
    let env = Env { server_bin: Some(old.path().join("nats-server")), ..offline(&[new.path()], new.path()) };
    let refused = server_in(&env).unwrap_err().to_string();
    assert!(refused.contains("older than 2.14.4") && refused.contains("NATS_SERVER_BIN"), "{refused}");
}

#[test]
fn the_first_new_enough_server_of_the_path_is_taken() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    pretend(old.path(), "2.9.10");
    pretend(new.path(), "2.14.4");
    let found = server_in(&offline(&[old.path(), new.path()], old.path())).unwrap();
    assert_eq!((found.path, found.version, found.origin), (new.path().join("nats-server"), MIN_VERSION, Origin::Path));
}

#[test]
fn the_cache_serves_without_the_network() {
    let cache = tempfile::tempdir().unwrap();
    let folder = cache.path().join("nats-server-2.15.1");
    fs::create_dir(&folder).unwrap();
    pretend(&folder, "2.15.1");
    let found = server_in(&offline(&[], cache.path())).unwrap();
    assert_eq!((found.path, found.origin), (folder.join("nats-server"), Origin::Cache));
}

#[test]
fn nothing_found_lists_every_step_and_the_fix() {
    let (old, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    pretend(old.path(), "2.9.10");
    let error = server_in(&offline(&[old.path()], cache.path())).unwrap_err();
    let FindError::NotFound { tried } = &error else { panic!("{error}") };
    assert_eq!(tried.len(), 3, "{tried:?}");
    let text = error.to_string();
    for part in ["NATS_URL", "older than 2.14.4", "cache: ", "fix: install nats-server 2.14.4+"] {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
}

#[test]
fn this_machine_has_a_real_server() {
    let server = find_server().unwrap();
    assert!(server.version >= MIN_VERSION, "{}", server.version);
}
