//! `rules activate` and `rules rollback`: show who would move, ask, put the rules in force.

use std::path::PathBuf;

use api::v1;

use super::{log, parse, read, render};
use crate::client::asking::{Call, ViewClient};
use crate::client::failure::{Failure, Outcome};
use crate::client::format;
use crate::client::link::VIEWS;
use crate::client::output::{self, Screen};
use crate::client::terminal;
use crate::settings::Settings;

const ACTIVATE_EXAMPLES: &str = "\
Examples:
  lifefold rules activate candidate.toml --note 'silence counts less, board of 3 March'
  lifefold rules activate candidate.toml --yes -o json

Shows how many customers move, and asks. All views go over at once, as soon as they have read it in the log; answers \
say which rules they are by. `lifefold rules diff` says who moves.";
const ROLLBACK_EXAMPLES: &str = "\
Examples:
  lifefold rules rollback
  lifefold rules rollback --to 686a0adaf9b939b8 --yes

Activates rules of the history once more; what was answered in between stays in the history.";

/// Arguments of `rules activate`.
#[derive(Debug, clap::Args)]
#[command(after_help = ACTIVATE_EXAMPLES)]
pub(super) struct Activate {
    /// The rules file
    file: PathBuf,
    #[command(flatten)]
    change: Change,
}

/// Arguments of `rules rollback`.
#[derive(Debug, clap::Args)]
#[command(after_help = ROLLBACK_EXAMPLES)]
pub(super) struct Rollback {
    /// Activate these; default: those before the ones in force
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
    #[command(flatten)]
    change: Change,
}

/// How rules are put in force.
#[derive(Debug, clap::Args)]
struct Change {
    /// Who wants it and why: one line, without personal data, since it stays in the log
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    call: Call,
}

/// Runs `rules activate`.
pub(super) async fn activate(args: Activate, settings: &Settings) -> Result<Outcome, Failure> {
    let Activate { file, change } = args;
    let text = read(&file)?;
    // Says every mistake with file and line, and more of them than a service can.
    parse(&file, &text)?;
    let ask = change.ask(settings);
    let active = log::active(&ask.link).await?;
    let note = change.note.clone().unwrap_or_default();
    change.carry_out(&ask, active, text, note).await
}

/// Runs `rules rollback`.
pub(super) async fn rollback(args: Rollback, settings: &Settings) -> Result<Outcome, Failure> {
    let Rollback { to, change } = args;
    let ask = change.ask(settings);
    let active = log::active(&ask.link).await?;
    let version = match to {
        Some(version) => version,
        None => log::before(&ask.link, active.as_ref()).await?,
    };
    let text = log::get(&ask.link, Some(version.clone())).await?.text;
    let note = change.note.clone().unwrap_or_else(|| match &active {
        Some(active) => format!("rolled back from {} to {version}", active.version),
        None => format!("rolled back to {version}"),
    });
    change.carry_out(&ask, active, text, note).await
}

impl Change {
    fn ask(&self, settings: &Settings) -> ViewClient {
        let (link, output) = (self.call.link(settings), self.call.output.clone());
        ViewClient { link, output, query: Some(v1::ViewQuery::default()) }
    }

    /// Shows who would move, asks, and puts these rules in the place of those that are in force.
    async fn carry_out(
        self,
        ask: &ViewClient,
        active: Option<v1::RulesActivation>,
        text: String,
        note: String,
    ) -> Result<Outcome, Failure> {
        match preview(ask, active.as_ref(), &text).await {
            Ok(preview) => output::note(preview.trim_end()),
            Err(failure) if self.yes => output::note(&format!("who would move is not known: {failure}\n")),
            Err(failure) => return Err(failure),
        }
        if !self.yes && !confirmed()? {
            output::note("nothing is changed");
            return Ok(Outcome::Failed);
        }
        let expected_version = Some(active.map(|it| it.version).unwrap_or_default());
        let request = v1::ActivateRulesRequest { text, expected_version, note };
        let answer = ask.link.rules().await?.activate_rules(ask.link.request(request)).await?.into_inner();
        ask.output.show(&answer, |_| said(&answer))?;
        Ok(Outcome::Done)
    }
}

/// How many would move in each view.
async fn preview(ask: &ViewClient, active: Option<&v1::RulesActivation>, text: &str) -> Result<String, Failure> {
    let mut diffs = Vec::new();
    for view in VIEWS {
        // No customer is shown, and a page has at least one.
        diffs.push((view, ask.diff(view, text, 1, String::new()).await?.diff));
    }
    Ok(render::brief(Screen::of_stdout(), active, &diffs))
}

fn confirmed() -> Result<bool, Failure> {
    terminal::attended("--yes puts the rules in force without asking")?;
    Ok(matches!(terminal::answer("Put them in force? [y/N]")?.as_str(), "y" | "Y" | "yes"))
}

fn said(answer: &v1::ActivateRulesResponse) -> String {
    let it = answer.activation.clone().unwrap_or_default();
    let position = format::count(it.position);
    match answer.already_active {
        true => format!("rules {} are in force already, since position {position}\n", it.version),
        false => format!(
            "rules {} are in force from position {position} on; --min-position {} waits for them\n",
            it.version, it.position
        ),
    }
}
