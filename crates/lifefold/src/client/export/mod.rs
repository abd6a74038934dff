//! `export`: takes events or a whole view away as files that others can open.

mod events;
mod views;
mod write;

use std::path::PathBuf;

use clap::ValueEnum;
use export::{Error, Export, Manifest, Rows};

use super::asking::Call;
use super::failure::{Failure, Outcome};
use super::output::{self, Format as Form, Screen};
use super::query::{self, Query};
use super::replaying::Which;
use super::{format, output::Output};
use crate::cli::View;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  lifefold export events --out events
  lifefold export events --type ComplaintLodged --type ComplaintResolved --from 2025-01-01 --out complaints
  lifefold export churn --as-of 2025-12-31 --known-at 2026-01-15 --out churn-2025
  lifefold export segmentation --format csv --out segments
  duckdb -c \"select band, count(*) from 'churn-2025/churn.parquet' group by band\"";

const EVENTS_EXAMPLES: &str = "\
Examples:
  lifefold export events --out events
  lifefold export events --project P003 --from 2025-01-01 --out p003 --format ndjson";

const VIEW_EXAMPLES: &str = "\
Examples:
  lifefold export churn --out churn
  lifefold export churn --as-of 2025-12-31 --known-at 2026-01-15 --out churn-2025 --format csv";

/// Arguments of `export`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Exports every event of the log, a row each: the envelope, and a column for each field of the catalogue
    #[command(after_help = EVENTS_EXAMPLES)]
    Events {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        to: To,
    },
    /// Exports where every customer stands: stage, RFM, value tier, demand, rule segments
    #[command(after_help = VIEW_EXAMPLES.replace("churn", "segmentation"))]
    Segmentation(OfView),
    /// Exports how content every customer is: index, loyalty, observations, complaints
    #[command(after_help = VIEW_EXAMPLES.replace("churn", "satisfaction"))]
    Satisfaction(OfView),
    /// Exports every customer's churn risk with its reasons
    #[command(after_help = VIEW_EXAMPLES)]
    Churn(OfView),
}

#[derive(Debug, clap::Args)]
struct OfView {
    #[command(flatten)]
    query: Query,
    #[command(flatten)]
    to: To,
}

/// Where it goes, and in which form.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Files")]
struct To {
    /// The folder for the file and its manifest.json; it is made if need be
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The form of the file
    #[arg(long, value_enum, default_value_t = FileForm::Parquet, value_name = "FORMAT")]
    format: FileForm,
    /// Replace an export that is there already
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    call: Call,
}

/// The form of a file.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum FileForm {
    /// Typed columns: for DuckDB, pandas, Polars, Spark
    Parquet,
    /// A JSON document a line
    Ndjson,
    /// Comma-separated values; lists are JSON
    Csv,
}

impl To {
    /// Begins the export.
    fn begin(&self, what: &'static str, rows: &impl Rows) -> Result<Export, Failure> {
        let format = match self.format {
            FileForm::Parquet => export::Format::Parquet,
            FileForm::Ndjson => export::Format::Ndjson,
            FileForm::Csv => export::Format::Csv,
        };
        Ok(Export::begin(&self.out, what, format, rows.columns(), self.force)?)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::File(path, error) => Self::File(path.display().to_string(), error),
            Error::Exists(_) => Self::Other(format!("{error}\n  --force replaces it, --out names another folder")),
            Error::Form(_) => Self::Other(error.to_string()),
        }
    }
}

/// Runs `export`.
pub(crate) async fn run(args: Args, settings: &Settings) -> Result<Outcome, Failure> {
    let (to, manifest) = match args.what {
        What::Events { which, to } => {
            let manifest = events::export(&which, &to, settings).await?;
            (to, manifest)
        }
        What::Segmentation(it) => view(View::Segmentation, it, settings).await?,
        What::Satisfaction(it) => view(View::Satisfaction, it, settings).await?,
        What::Churn(it) => view(View::Churn, it, settings).await?,
    };
    show(&to.call.output, &to, &manifest)?;
    Ok(Outcome::Done)
}

async fn view(view: View, OfView { query, to }: OfView, settings: &Settings) -> Result<(To, Manifest), Failure> {
    let link = to.call.link(settings);
    let manifest = match view {
        View::Segmentation => views::export::<views::Segmentation>(link, query.message(), &to).await?,
        View::Satisfaction => views::export::<views::Satisfaction>(link, query.message(), &to).await?,
        View::Churn => views::export::<views::Churn>(link, query.message(), &to).await?,
    };
    Ok((to, manifest))
}

/// Says what was written.
fn show(output: &Output, to: &To, manifest: &Manifest) -> Result<(), Failure> {
    let json = || serde_json::to_value(manifest).map_err(|error| Failure::Other(error.to_string()));
    match output.output {
        Form::Table => output::print(&table(Screen::of_stdout(), to, manifest)),
        Form::Json => output::print_json(&json()?),
        Form::Ndjson => output::print(&format!("{}\n", json()?)),
    }
}

fn table(screen: Screen, to: &To, manifest: &Manifest) -> String {
    let basis = &manifest.basis;
    let files = manifest
        .files
        .iter()
        .map(|file| ("file", format!("{}, {}", to.out.join(&file.name).display(), format::bytes(file.bytes))));
    let optional = [
        ("as of", local(basis.as_of.as_deref())),
        ("known at", local(basis.known_at.as_deref())),
        ("rules", basis.rules_version.clone()),
        ("digest", basis.digest.clone()),
        ("INCOMPLETE", basis.parked.filter(|parked| *parked > 0).map(|parked| format!("{parked} events set aside"))),
    ];
    let rows = std::iter::once(("rows", format::count(manifest.rows)));
    let position = std::iter::once(("position", format::count(basis.position)));
    let optional = optional.into_iter().filter_map(|(name, value)| Some((name, value?)));
    screen.pairs(files.chain(rows).chain(position).chain(optional))
}

/// An instant of the manifest as tables show it.
fn local(instant: Option<&str>) -> Option<String> {
    let instant = query::instant(instant?).ok()?;
    Some(format::local(Some(&instant)))
}
