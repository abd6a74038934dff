//! `rules`: check a rules file, show the rules, say who would move under others, put others in force.

mod activate;
mod diff;
mod log;
mod moves;
mod render;

use std::path::{Path, PathBuf};

use views::rules::{DEFAULT_FILE, Rules};

use super::asking::Call;
use super::failure::{Failure, Outcome};
use super::output;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  lifefold rules show > rules.toml      the defaults, each with what it does
  lifefold rules check rules.toml       every mistake with its line; exit code 1 if there is one
  lifefold rules show rules.toml        every number that then applies, in canonical form
  lifefold rules diff rules.toml        who would move if these rules applied; exit code 3 if anything differs
  lifefold rules activate rules.toml    puts them in force, in all views
  lifefold rules history                which were in force when
  lifefold rules rollback               puts those before in force again";

const SHOW_EXAMPLES: &str = "\
Examples:
  lifefold rules show > rules.toml
  lifefold rules show rules.toml
  lifefold rules show --active > active.toml";

/// Arguments of `rules`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Names every mistake of a rules file with its line and column
    #[command(after_help = "Examples:\n  lifefold rules check rules.toml")]
    Check {
        /// The rules file
        file: PathBuf,
    },
    /// Prints the compiled-in rules file, what a given one comes to, or the rules in force
    #[command(after_help = SHOW_EXAMPLES)]
    Show {
        /// Print this file in canonical form: every key, what it leaves out with its default
        file: Option<PathBuf>,
        /// Print the rules in force, in canonical form
        #[arg(long, conflicts_with = "file")]
        active: bool,
        #[command(flatten)]
        call: Call,
    },
    /// Tells who would move if these rules applied: bands, stages, tiers, labels, segments, classes
    Diff(diff::Args),
    /// Puts a rules file in force, in all views, and for good in the log
    Activate(activate::Activate),
    /// Lists which rules were in force when, and why
    History(log::Args),
    /// Puts the rules before those in force, or named ones of the history, in force again
    Rollback(activate::Rollback),
}

/// Runs `rules`.
pub(crate) async fn run(args: Args, settings: &Settings) -> Result<Outcome, Failure> {
    match args.command {
        Command::Check { file } => check(&file),
        Command::Show { active: true, call, .. } => log::show(&call, settings).await,
        Command::Show { file: None, .. } => output::print(DEFAULT_FILE).map(|()| Outcome::Done),
        Command::Show { file: Some(file), .. } => {
            let rules = parse(&file, &read(&file)?)?;
            output::print(&rules.to_toml()).map(|()| Outcome::Done)
        }
        Command::Diff(args) => diff::run(args, settings).await,
        Command::Activate(args) => activate::activate(args, settings).await,
        Command::History(args) => log::history(args, settings).await,
        Command::Rollback(args) => activate::rollback(args, settings).await,
    }
}

fn check(file: &Path) -> Result<Outcome, Failure> {
    let rules = parse(file, &read(file)?)?;
    let same = if rules == Rules::default() { ", the same as the defaults" } else { "" };
    let segments = rules.segmentation.segments.len();
    output::print(&format!(
        "{}: no mistakes; rules version {}{same}; {segments} rule segments\n",
        file.display(),
        rules.version()
    ))?;
    Ok(Outcome::Done)
}

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| Failure::File(file.display().to_string(), error))
}

/// The rules, or every mistake as `file:line:column: message`.
fn parse(file: &Path, text: &str) -> Result<Rules, Failure> {
    Rules::parse(text).map_err(|error| {
        let name = file.display();
        let line = |it: &views::rules::Mistake| format!("\n{name}:{}:{}: {}", it.line, it.column, it.message);
        let mistakes: String = error.mistakes.iter().map(line).collect();
        let number = error.mistakes.len();
        Failure::Other(format!("{name} has {number} mistake{}{mistakes}", if number == 1 { "" } else { "s" }))
    })
}
