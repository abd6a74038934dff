//! The README's tour: its commands, run in their order against the demo, print what it shows.
//!
//! The demo comes through a gateway before any projector is there, which takes a debug build a third of the time that
//! `lifefold up --demo` takes; that it imports the same is tested with fewer customers in `up.rs`.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use history::believable::{Config, Population};
use tests::{CONTROL_MESSAGES, Clients, Machine, System, View, import, instant, json, lifefold};

const README: &str = include_str!("../../../README.md");
/// Stands for any number of lines that are not shown.
const ELISION: &str = "…";
/// Commands that the tour has; fewer would mean that they are no longer found.
const COMMANDS: usize = 12;
/// The customers of the demo, and the seed of `lifefold up`.
const CUSTOMERS: u64 = 10_000;
const SEED: u64 = 1;

/// A command, and the lines that are shown after it.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    command: String,
    shown: Vec<String>,
}

/// What stands between fences, block by block.
fn blocks(page: &str) -> Vec<Vec<&str>> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while lines.any(|line| line.starts_with("```")) {
        blocks.push(lines.by_ref().take_while(|line| *line != "```").collect());
    }
    blocks
}

/// The commands of a block. A here-document belongs to its command.
fn steps(block: &[&str]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut document = false;
    for line in block {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => {
                document = command.contains("<<'END'");
                steps.push(Step { command: command.to_owned(), shown: Vec::new() });
            }
            (None, Some(step)) if document => {
                step.command = format!("{}\n{line}", step.command);
                document = *line != "END";
            }
            (None, Some(step)) => step.shown.push((*line).to_owned()),
            // No command: what something printed by itself.
            (None, None) => return Vec::new(),
        }
    }
    steps.iter_mut().for_each(|step| trim(&mut step.shown));
    steps
}

fn trim(lines: &mut Vec<String>) {
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
}

/// A line without what differs from machine to machine: the digest, which covers when the log took an event. Of two
/// digests in a line the second is that of the content.
fn comparable(line: &str) -> String {
    let is_digest = |word: &&str| word.len() == 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let line = line.trim_end();
    match line.split_whitespace().find(is_digest) {
        Some(digest) => line.replacen(digest, "<digest>", 1),
        None => line.to_owned(),
    }
}

/// These lines are those that are shown.
fn is_shown(shown: &[String], told: &[String]) -> bool {
    match shown.split_first() {
        None => told.is_empty(),
        Some((line, rest)) if line == ELISION => (0..=told.len()).any(|skipped| is_shown(rest, &told[skipped..])),
        Some((line, rest)) => {
            told.split_first().is_some_and(|(one, more)| comparable(one) == comparable(line) && is_shown(rest, more))
        }
    }
}

/// A reader of the README, who sits where `cargo lf` is known.
struct Reader {
    folder: PathBuf,
    variables: Vec<(String, String)>,
}

impl Reader {
    fn new(system: &mut System) -> Self {
        let folder = system.machine.folder().join("reader");
        let cargo = folder.join("cargo");
        fs::create_dir(&folder).unwrap();
        fs::write(&cargo, format!("#!/bin/sh\nshift\nexec {:?} \"$@\"\n", lifefold())).unwrap();
        fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
        let mut variables = vec![("PATH".to_owned(), format!("{}:{}", folder.display(), env::var("PATH").unwrap()))];
        variables.push(("LIFEFOLD_GATEWAY".to_owned(), format!("http://{}", system.gateway.address())));
        for view in View::ALL {
            let name = format!("LIFEFOLD_{}", view.name().to_uppercase());
            variables.push((name, format!("http://{}", system.projector(view).address())));
        }
        Self { folder, variables }
    }

    fn run(&self, command: &str) -> Said {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).current_dir(&self.folder).envs(self.variables.iter().cloned());
        let done = shell.output().unwrap();
        let lines = |said: Vec<u8>| String::from_utf8(said).unwrap().lines().map(str::to_owned).collect();
        Said { succeeds: done.status.success(), out: lines(done.stdout), err: lines(done.stderr) }
    }
}

/// What a command says.
#[derive(Debug)]
struct Said {
    succeeds: bool,
    out: Vec<String>,
    err: Vec<String>,
}

impl Said {
    /// These lines are what is said. Where a command takes long, stderr has progress that a README does not show.
    fn is(&self, shown: &[String]) -> bool {
        let all = [self.out.clone(), self.err.clone()].concat();
        [self.out.clone(), all].into_iter().any(|mut told| {
            trim(&mut told);
            is_shown(shown, &told)
        })
    }
}

/// Everything that runs, with the demo in it.
async fn demo() -> System {
    let machine = Machine::start();
    let mut gateway = machine.gateway();
    let writer = Clients::of(gateway.address());
    writer.serving("lifefold.v1.TouchpointService").await;
    let (sent, totals) = Population::new(Config::new(CUSTOMERS, SEED, instant("2026-01-01T00:00:00Z"))).sent();
    let items = sent.iter().map(|planned| json(planned.import_body())).collect();
    let imported = import(&writer, items).await.summary.expect("an import to its end");
    assert_eq!(imported.last_position, CONTROL_MESSAGES as u64 + totals.events);
    assert!(README.contains(&format!("imported {} events in", thousands(totals.sent()))));
    let mut system = System { gateway, projectors: View::ALL.map(|view| machine.projector(view)), machine };
    system.serving().await;
    for view in View::ALL {
        system.reader(view).reached(imported.last_position).await;
    }
    system
}

fn thousands(number: u64) -> String {
    format!("{},{:03}", number / 1_000, number % 1_000)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_tour_prints_what_is_shown() {
    let blocks = blocks(README);
    let steps: Vec<_> = blocks.iter().flat_map(|block| steps(block)).collect();
    assert!(steps.len() >= COMMANDS, "{steps:#?}");
    let mut system = demo().await;
    let reader = Reader::new(&mut system);
    let tried: Vec<_> = blocks.concat().into_iter().filter_map(|line| line.strip_prefix("  cargo lf ")).collect();
    assert_eq!(tried.len(), 3, "`up` says what to try");
    for command in tried {
        let said = reader.run(&format!("cargo lf {command}"));
        assert!(said.succeeds, "{command}: {said:#?}");
    }
    for Step { command, shown } in &steps {
        let said = reader.run(command);
        assert!(said.is(shown), "$ {command}\n{said:#?}\nis not what is shown:\n{}", shown.join("\n"));
    }
    system.never_panicked();
}

#[test]
fn commands_are_told_from_what_they_print() {
    let page = "text\n```\n$ a <<'END'\n1\nEND\n$ b\nx\n\n$ c\n```\n```\nx\n```\n";
    let blocks = blocks(page);
    assert_eq!(blocks.len(), 2);
    let step = |command: &str, shown: &[&str]| {
        let shown = shown.iter().map(|&line| line.to_owned()).collect();
        Step { command: command.to_owned(), shown }
    };
    assert_eq!(steps(&blocks[0]), [step("a <<'END'\n1\nEND", &[]), step("b", &["x"]), step("c", &[])]);
    assert_eq!(steps(&blocks[1]), []);
}

#[test]
fn only_what_is_elided_or_differs_by_machine_may_differ() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let is_shown = |shown: &str, told: &str| is_shown(&lines(shown), &lines(told));
    assert!(is_shown("a\n…\nd", "a\nb\nc\nd") && is_shown("a\n…", "a") && is_shown("…\na", "a"));
    assert!(!is_shown("a\n…\nd", "a\nb") && !is_shown("a", "a\nb") && !is_shown("a\nb", "a"));
    let (one, other) = ("0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210");
    assert!(is_shown(&format!("x {one} {other}"), &format!("x {other} {other}")));
    assert!(!is_shown(&format!("x {one} {other}"), &format!("x {one} {one}")));
}
