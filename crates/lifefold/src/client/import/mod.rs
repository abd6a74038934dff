//! `import`: many touchpoints, one JSON event a line; one that is refused does not stop the others.

mod lines;
mod refusals;
mod transfer;

use std::path::{Path, PathBuf};

use api::v1;

use super::asking::Call;
use super::failure::{Failure, Outcome};
use super::output::{self, Format};
use super::{format, json};
use crate::settings::Settings;
use lines::Lines;
use refusals::Refusals;
use transfer::Transfer;

const EXAMPLES: &str = "\
Examples:
  lifefold import history.ndjson --errors refused.txt
  gunzip -c history.ndjson.gz | lifefold import -

A line is an event in CloudEvents 1.0 structured JSON, at most 63 KiB; it is stored as it stands. Empty lines are passed \
over. Sending a file again is harmless: what is there already is a duplicate. A refused line is reported as \
`file:line: field: what was expected`, on stderr or in the file of --errors. Exit code 1: a line was refused.";

/// Arguments of `import`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The file, or - for stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Write what is wrong with refused lines into this file
    #[arg(long, value_name = "FILE")]
    errors: Option<PathBuf>,
    #[command(flatten)]
    call: Call,
}

/// Runs `import`.
pub(crate) async fn run(args: Args, settings: &Settings) -> Result<Outcome, Failure> {
    let lines = open(&args.file).await?;
    let refusals = Refusals::new(lines.name(), args.errors.as_deref())?;
    let link = args.call.link(settings);
    let (summary, elapsed) = Transfer::new(link, lines, refusals).run().await?;
    match args.call.output.output {
        Format::Table => output::print(&render(&summary, elapsed))?,
        Format::Json => output::print_json(&json::value(&summary)?)?,
        Format::Ndjson => output::print(&format!("{}\n", json::value(&summary)?))?,
    }
    Ok(if summary.refused == 0 { Outcome::Done } else { Outcome::Failed })
}

async fn open(file: &Path) -> Result<Lines, Failure> {
    if file.as_os_str() == "-" {
        return Ok(Lines::new("stdin".to_owned(), tokio::io::stdin(), None));
    }
    let name = file.display().to_string();
    let failure = |error| Failure::File(name.clone(), error);
    let opened = tokio::fs::File::open(file).await.map_err(failure)?;
    let size = opened.metadata().await.map_err(failure)?.len();
    Ok(Lines::new(name.clone(), opened, Some(size)))
}

fn render(summary: &v1::ImportSummary, elapsed: std::time::Duration) -> String {
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    format!(
        "{} events in {:.1} s ({}/s): {} written, {} duplicates, {} refused; last position {}\n",
        format::count(summary.received),
        elapsed.as_secs_f64(),
        format::count(summary.received.saturating_mul(1_000) / millis),
        format::count(summary.recorded),
        format::count(summary.duplicates),
        format::count(summary.refused),
        format::count(summary.last_position),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_says_what_became_of_every_line() {
        let summary = v1::ImportSummary {
            received: 12_345,
            recorded: 12_000,
            duplicates: 300,
            refused: 45,
            last_position: 12_099,
        };
        let expect =
            "12,345 events in 2.0 s (6,172/s): 12,000 written, 300 duplicates, 45 refused; last position 12,099\n";
        assert_eq!(render(&summary, std::time::Duration::from_secs(2)), expect);
    }
}
