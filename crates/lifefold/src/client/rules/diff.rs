//! `rules diff`: asks all three views who would move if other rules applied.

use std::path::PathBuf;

use api::v1;
use serde_json::{Value, json};

use super::moves::Moves;
use super::{parse, read, render};
use crate::cli::View;
use crate::client::asking::{ViewArgs, ViewClient};
use crate::client::failure::{Failure, Outcome};
use crate::client::json::{self, Named};
use crate::client::link::VIEWS;
use crate::client::output::{self, Format, Screen};

/// Most customers of one page, as the services bound it.
const MAX_PAGE: u32 = 1_000;

const EXAMPLES: &str = "\
Examples:
  lifefold rules diff candidate.toml
  lifefold rules diff candidate.toml --as-of 2025-12-31 --known-at 2026-01-15
  lifefold rules diff candidate.toml --out moves.parquet      everybody who moves, with every change

Exit codes: 0 nothing differs, 3 something does, 1 failed, also for mistakes in the file. What rules say of whole
projects and companies (ranks, marked changes) is not compared.";

/// Arguments of `rules diff`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The candidate rules file
    file: PathBuf,
    /// Show at most so many customers of each view
    #[arg(long, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
    /// Write everybody who moves to this file, a row for each change: .parquet, .ndjson or .csv
    #[arg(long, value_name = "FILE", value_parser = Moves::check)]
    out: Option<PathBuf>,
    #[command(flatten)]
    asking: ViewArgs,
}

/// What a view says; of later pages there is no diff.
pub(super) struct Said {
    pub(super) diff: v1::RulesDiff,
    pub(super) moved: Vec<v1::MovedCustomer>,
    pub(super) meta: Option<v1::AnswerMeta>,
    token: String,
    json: Value,
}

#[cfg(test)]
impl Said {
    /// What is shown in a table.
    pub(super) fn of(diff: v1::RulesDiff, moved: Vec<v1::MovedCustomer>) -> Self {
        Self { diff, moved, meta: None, token: String::new(), json: Value::Null }
    }
}

/// Runs `rules diff`.
pub(super) async fn run(args: Args, settings: &crate::settings::Settings) -> Result<Outcome, Failure> {
    let candidate = read(&args.file)?;
    // Says every mistake with file and line, and more of them than a service can.
    parse(&args.file, &candidate)?;
    let mut ask = args.asking.of(settings);
    let mut moves = args.out.as_deref().map(Moves::create).transpose()?;
    let mut said = Vec::new();
    for view in VIEWS {
        let size = if moves.is_some() { MAX_PAGE } else { args.limit };
        let mut first = ask.diff(view, &candidate, size, String::new()).await?;
        // All views are asked for the instant that the first one has answered for.
        if let (Some(query), Some(meta)) = (&mut ask.query, &first.meta) {
            query.as_of = meta.as_of;
        }
        if let Some(moves) = &mut moves {
            write_all(&ask, view, &candidate, &first, moves).await?;
        }
        first.moved.truncate(args.limit as usize);
        said.push((view, first));
    }
    if let Some(moves) = moves {
        output::note(&moves.finish()?);
    }
    show(ask.output.output, &mut said)?;
    let differs = |diff: &v1::RulesDiff| diff.moved + diff.shifted + diff.withheld_changed > 0;
    let any = said.iter().any(|(_, said)| differs(&said.diff));
    Ok(if any { Outcome::Differs } else { Outcome::Done })
}

/// Writes this page and all that follow it.
async fn write_all(
    ask: &ViewClient,
    view: View,
    candidate: &str,
    first: &Said,
    moves: &mut Moves,
) -> Result<(), Failure> {
    moves.write(view, &first.moved)?;
    let mut token = first.token.clone();
    while !token.is_empty() {
        let page = ask.diff(view, candidate, MAX_PAGE, token).await?;
        moves.write(view, &page.moved)?;
        token = page.token;
    }
    Ok(())
}

fn show(format: Format, said: &mut [(View, Said)]) -> Result<(), Failure> {
    for (_, it) in &mut *said {
        if let Some(list) = it.json["moved"].as_array_mut() {
            list.truncate(it.moved.len());
        }
    }
    match format {
        Format::Table => {
            let screen = Screen::of_stdout();
            let parts: Vec<_> = said.iter().map(|(view, said)| render::view(screen, *view, said)).collect();
            output::print(&parts.join("\n"))
        }
        Format::Json => {
            let views = said.iter().map(|(view, said)| (view.name().to_owned(), said.json.clone()));
            output::print_json(&Value::Object(views.collect()))
        }
        Format::Ndjson => said.iter().try_for_each(|(view, said)| {
            let name = view.name();
            let whole = json!({"view": name, "diff": said.json["diff"], "meta": said.json["meta"]});
            let moved = said.json["moved"].as_array().into_iter().flatten();
            let lines = moved.map(|moved| json!({"view": name, "moved": moved}));
            std::iter::once(whole).chain(lines).try_for_each(|line| output::print(&format!("{line}\n")))
        }),
    }
}

/// Calls DiffRules of one of the services, and takes the answer apart.
macro_rules! diff {
    ($ask:ident, $client:ident, $request:ident, $candidate:ident, $size:ident, $token:ident) => {{
        let request = v1::$request {
            candidate: $candidate.to_owned(),
            query: $ask.query.clone(),
            page_size: i32::try_from($size).unwrap_or(i32::MAX),
            page_token: $token,
        };
        let answer = $ask.link.$client().await?.diff_rules($ask.link.request(request)).await?.into_inner();
        let json = json::value(&answer)?;
        let diff = answer.diff.unwrap_or_default();
        Ok(Said { diff, moved: answer.moved, meta: answer.meta, token: answer.next_page_token, json })
    }};
}

impl ViewClient {
    /// A page of what a view says.
    pub(super) async fn diff(&self, view: View, candidate: &str, size: u32, token: String) -> Result<Said, Failure> {
        match view {
            View::Segmentation => {
                diff!(self, segmentation, SegmentationServiceDiffRulesRequest, candidate, size, token)
            }
            View::Satisfaction => {
                diff!(self, satisfaction, SatisfactionServiceDiffRulesRequest, candidate, size, token)
            }
            View::Churn => diff!(self, churn, ChurnRiskServiceDiffRulesRequest, candidate, size, token),
        }
    }
}

impl Named for v1::SegmentationServiceDiffRulesResponse {
    const NAME: &'static str = "SegmentationServiceDiffRulesResponse";
}

impl Named for v1::SatisfactionServiceDiffRulesResponse {
    const NAME: &'static str = "SatisfactionServiceDiffRulesResponse";
}

impl Named for v1::ChurnRiskServiceDiffRulesResponse {
    const NAME: &'static str = "ChurnRiskServiceDiffRulesResponse";
}
