//! The linters of deploy/: nats-server, systemd-analyze, promtool.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::{
    run::must,
    test::Outcome,
    tools::{self, Tool},
};

/// The configurations that a server is started with; they include the others.
const NATS: &[&str] = &["deploy/nats/single.conf", "deploy/nats/cluster.conf"];
const SYSTEMD: &str = "deploy/systemd";
/// Names the file of the alerts, which is checked with it.
const SCRAPE: &str = "deploy/prometheus/scrape.yml";
const ALERT_TESTS: &str = "deploy/prometheus/alerts.test.yml";
/// What the units run, where their packages are installed.
const EXECUTABLES: &[&str] = &["/usr/bin/lifefold", "/usr/bin/nats-server"];
/// Stands for the instances of `lifefold-projector@.service`.
const INSTANCE: &str = "churn";

/// `nats-server -t` on each configuration, with a value of its own for each variable that it reads.
pub(crate) fn nats() -> Result<Outcome> {
    let server = broker::find_server()?;
    let folder = tools::root()?.join("deploy/nats");
    let mut names = Vec::new();
    for file in files(&folder)? {
        names.extend(variables(&fs::read_to_string(&file)?));
    }
    for config in NATS {
        let mut check = Command::new(&server.path);
        check.args(["-t", "-c", config]).envs(names.iter().map(|name| (name, format!("lint-{name}"))));
        must(&mut check)?;
    }
    Ok(Outcome::Passed)
}

/// `systemd-analyze verify` on a copy that names executables of this machine, since those of the packages
/// need not be installed here.
pub(crate) fn systemd() -> Result<Outcome> {
    let analyze = match tools::systemd_analyze() {
        Tool::Found(analyze) => analyze,
        Tool::Missing(reason) => return Ok(Outcome::Skipped(reason)),
    };
    let units = copy_units()?;
    let mut verify = Command::new(analyze);
    verify.args(["verify", "--man=no"]).args(&units);
    let output = verify.output().context("cannot run systemd-analyze")?;
    let said = String::from_utf8_lossy(&output.stderr);
    // It also complains of units of this machine, and of some mistakes only by a warning.
    let about_ours: Vec<&str> = said.lines().filter(|line| line.contains("lifefold")).collect();
    ensure!(output.status.success() && about_ours.is_empty(), "systemd-analyze verify says:\n{said}");
    Ok(Outcome::Passed)
}

/// `promtool check config`, which checks the rules too, and the alerts' own tests.
pub(crate) fn prometheus() -> Result<Outcome> {
    let promtool = match tools::promtool()? {
        Tool::Found(promtool) => promtool,
        Tool::Missing(reason) => return Ok(Outcome::Skipped(reason)),
    };
    must(Command::new(&promtool).args(["check", "config", SCRAPE]))?;
    must(Command::new(&promtool).args(["test", "rules", ALERT_TESTS]))?;
    Ok(Outcome::Passed)
}

/// Names behind `$` in a configuration: `password: $NATS_GATEWAY_PASSWORD`. Comments count for nothing.
fn variables(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let names = lines.flat_map(|line| line.split('$').skip(1)).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_');
        rest[..end.unwrap_or(rest.len())].to_owned()
    });
    names.filter(|name| !name.is_empty()).collect()
}

fn copy_units() -> Result<Vec<PathBuf>> {
    // Any executable will do: only that there is one is verified.
    let stand_in = std::env::current_exe()?;
    let work = tools::target()?.join("xtask/systemd");
    if work.exists() {
        fs::remove_dir_all(&work)?;
    }
    fs::create_dir_all(&work)?;
    let mut units = Vec::new();
    for file in files(&tools::root()?.join(SYSTEMD))? {
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if !name.ends_with(".service") && !name.ends_with(".target") {
            continue;
        }
        let text = fs::read_to_string(&file)?;
        let text = EXECUTABLES.iter().fold(text, |text, named| text.replace(named, &stand_in.to_string_lossy()));
        let unit = work.join(name.replace("@.", &format!("@{INSTANCE}.")));
        fs::write(&unit, text)?;
        units.push(unit);
    }
    Ok(units)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    files.retain(|file| file.is_file());
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_variables_that_a_configuration_reads() {
        let text = "# password: $NOT_READ\npassword: $NATS_A1\nroutes: [ $R_1, $R_2 ]\nallow: [ \"$JS.API.>\" ]\n";
        assert_eq!(variables(text), ["NATS_A1", "R_1", "R_2", "JS"]);
        assert_eq!(variables("nothing here: 1"), Vec::<String>::new());
    }

    #[test]
    fn every_configuration_of_a_server_is_linted() {
        let mut starts = files(&tools::root().unwrap().join("deploy/nats")).unwrap();
        starts.retain(|file| !file.ends_with("accounts.conf"));
        let linted: Vec<PathBuf> = NATS.iter().map(|file| tools::root().unwrap().join(file)).collect();
        assert!(starts.iter().all(|file| linted.contains(file)), "{starts:?}");
    }
}
