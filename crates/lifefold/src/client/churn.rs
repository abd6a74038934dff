//! `churn`: who is about to be lost, and why.

mod render;

use api::v1;

use super::evidence::Events;
use super::failure::{Failure, Outcome};
use super::link::{Link, Wait};
use super::output::{Format, Output};
use super::pages::Limit;
use super::query::{self, Query, Scope};
use super::words;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  lifefold churn explain 0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11
  lifefold churn explain 0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11 --as-of 2025-03-31 --known-at 2025-03-31
  lifefold churn list --band CRITICAL --project P003
  lifefold churn totals --company C01 -o json";

/// Arguments of `churn`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    query: Query,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    wait: Wait,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// A customer's risk: probability, band, and every reason with its points and the events behind it
    Explain {
        /// The customer's id
        #[arg(value_name = "CUSTOMER", value_parser = query::customer)]
        customer: String,
    },
    /// Customers at risk, the highest risk first
    List {
        /// Only this band: LOW, MEDIUM, HIGH or CRITICAL
        #[arg(long, value_parser = words::read_band)]
        band: Option<v1::RiskBand>,
        #[command(flatten)]
        scope: Scope,
        #[command(flatten)]
        limit: Limit,
    },
    /// How many customers are in each band
    Totals {
        #[command(flatten)]
        scope: Scope,
    },
}

/// Runs `churn`.
pub(crate) async fn run(args: Args, settings: &Settings) -> Result<Outcome, Failure> {
    let Args { command, query, output, wait } = args;
    let link = Link::new(settings, &wait);
    let query = query.message();
    match command {
        Command::Explain { customer } => explain(&link, &output, customer, query).await?,
        Command::List { band, scope, limit } => {
            let mut churn = link.churn().await?;
            let band = band.map_or(0, i32::from);
            let list = limit.collect(async |page_size, page_token| {
                let request = v1::ListAtRiskRequest { band, scope: scope.message(), query, page_size, page_token };
                Ok(churn.list_at_risk(link.request(request)).await?.into_inner())
            });
            let list = list.await?;
            output.list(&list, |screen| render::list(screen, &list))?;
        }
        Command::Totals { scope } => {
            let request = v1::CountBandsRequest { scope: scope.message(), query };
            let answer = link.churn().await?.count_bands(link.request(request)).await?.into_inner();
            output.show(&answer, |screen| render::totals(screen, &answer))?;
        }
    }
    Ok(Outcome::Done)
}

async fn explain(
    link: &Link,
    output: &Output,
    customer_id: String,
    query: Option<v1::ViewQuery>,
) -> Result<(), Failure> {
    let request = v1::GetRiskRequest { customer_id: customer_id.clone(), query };
    let answer = link.churn().await?.get_risk(link.request(request)).await?.into_inner();
    let events = match output.output {
        Format::Table => Events::of(link, &customer_id).await,
        Format::Json | Format::Ndjson => Events::default(),
    };
    output.show(&answer, |screen| render::explain(screen, &answer, &events))
}
