//! Order of the sources, and mistakes told all at once.

use std::collections::BTreeMap;

use super::*;

fn flags(values: &[(&'static str, &str)]) -> Flags {
    Flags { file: None, values: values.iter().map(|(name, text)| (*name, (*text).to_owned())).collect() }
}

fn resolve(flags: &Flags, process: Process, environment: &[(&str, &str)]) -> Result<Settings, String> {
    let environment: BTreeMap<_, _> = environment.iter().copied().collect();
    let look = |name: &str| environment.get(name).map(|text| (*text).to_owned());
    Settings::resolve_in(flags, process, &look).map_err(|mistakes| mistakes.to_string())
}

#[test]
fn a_flag_goes_before_a_variable_before_a_file_before_the_default() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some.toml");
    std::fs::write(&path, "stream = \"FILE\"\nreplicas = 3\nlisten = \"127.0.0.1:1\"\n").unwrap();
    let mut flags = flags(&[("listen", "127.0.0.1:3")]);
    flags.file = Some(path);
    let environment = [("LIFEFOLD_LISTEN", "127.0.0.1:2"), ("LIFEFOLD_STREAM", "VARIABLE")];
    let settings = resolve(&flags, Process::Gateway, &environment).unwrap();
    assert_eq!(settings.listen.port(), 3);
    assert_eq!(settings.stream, "VARIABLE");
    assert_eq!(settings.replicas, 3);
    assert!(!settings.provision);
    let origins: Vec<_> = settings.given.iter().take(4).map(|given| given.origin.to_string()).collect();
    assert_eq!(origins[0], "default");
    assert_eq!(origins[1], "environment LIFEFOLD_STREAM");
    assert!(origins[2].ends_with("some.toml"), "{origins:?}");
}

#[test]
fn defaults_follow_the_process() {
    let settings = resolve(&flags(&[]), Process::Churn, &[]).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:7403");
    assert_eq!(settings.metrics_listen.unwrap().to_string(), "127.0.0.1:9403");
    assert_eq!(settings.data, Path::new("./data/churn"));
}

#[test]
fn every_mistake_is_told_at_once_and_no_password() {
    let flags = flags(&[("listen", "nowhere"), ("replicas", "2"), ("scrub_rate", "1001")]);
    let environment =
        [("LIFEFOLD_NATS_URL", "http://me:secret@host"), ("LIFEFOLD_PROVISION", "perhaps"), ("LIFEFOLD_CHURN", "host")];
    let told = resolve(&flags, Process::Gateway, &environment).unwrap_err();
    assert_eq!(told.lines().count(), 7, "{told}");
    assert!(told.starts_with("6 settings are wrong"), "{told}");
    assert!(told.contains("scrub_rate = \"1001\" (flag --scrub-rate): expected a whole number"), "{told}");
    assert!(told.contains("listen = \"nowhere\" (flag --listen): expected an address"), "{told}");
    assert!(
        told.contains("provision = \"perhaps\" (environment LIFEFOLD_PROVISION): expected true or false"),
        "{told}"
    );
    assert!(told.contains("http://me:***@host") && !told.contains("secret"), "{told}");
}

#[test]
fn an_unknown_name_and_broken_toml_are_mistakes_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some.toml");
    let mut flags = flags(&[]);
    flags.file = Some(path.clone());
    let told = resolve(&flags, Process::Gateway, &[]).unwrap_err();
    assert!(told.contains("some.toml"), "{told}");
    std::fs::write(&path, "lisen = \"127.0.0.1:1\"\n").unwrap();
    let told = resolve(&flags, Process::Gateway, &[]).unwrap_err();
    assert!(told.contains("lisen is no setting"), "{told}");
    std::fs::write(&path, "stream = \"X\"\nnats_url = \"nats://me:secret@host\n").unwrap();
    let told = resolve(&flags, Process::Gateway, &[]).unwrap_err();
    assert!(told.contains("line 2") && !told.contains("secret"), "{told}");
}
