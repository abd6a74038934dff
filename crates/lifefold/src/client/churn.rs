//! `churn`: who is about to be lost, and why.

mod render;
mod watch;

use api::v1;

use super::asking::{ViewArgs, ViewClient};
use super::evidence::Events;
use super::failure::{Failure, Outcome};
use super::pages::Limit;
use super::query::{self, Scope};
use super::series::{Series, Totals};
use super::{watch as watching, words};
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  lifefold churn explain 0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11
  lifefold churn list --project P003
  lifefold churn totals --company C01 -o json

Bands of p: LOW below .20, MEDIUM below .40, HIGH below .70, else CRITICAL; LOST and EXITED customers have p 1.";

const EXPLAIN: &str = "\
Examples:
  lifefold churn explain 0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11
  lifefold churn explain 0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11 --known-at 2025-12-31";

const LIST: &str = "\
Examples:
  lifefold churn list --consultant S-P003-02
  lifefold churn list --band HIGH --project P003 --limit 20
  lifefold churn list --band CRITICAL --as-of 2025-12-31 -o ndjson

Without --band, LOST and EXITED customers are left out: they are lost already. --band CRITICAL lists them too.";

const TOTALS: &str = "\
Examples:
  lifefold churn totals
  lifefold churn totals --company C01 --as-of 2025-12-31 -o json
  lifefold churn totals --from 2024-01-31 --to 2025-12-31 --every month
  lifefold churn totals --from 2024-01-31 --to 2025-12-31 --every quarter --as-known -o ndjson";

const WATCH: &str = "\
Examples:
  lifefold churn watch --band HIGH
  lifefold churn watch --band HIGH --project P003 --bands-only
  lifefold churn watch --band HIGH --with-reasons
  lifefold churn watch --consultant S-P003-02 -o ndjson

First how many are on the list, then a line for each change: when, who, from what to what, which reasons came (+) and
went (−), and the event or the time that made it so. Ctrl-C ends it. ndjson also prints the list, a change a line, and
marks that say how far the watch came; after a line list_again begin with an empty list.";

/// Arguments of `churn`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    asking: ViewArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Explains a customer's risk: probability, band, and every reason with its points and the events behind it
    #[command(after_help = EXPLAIN)]
    Explain {
        /// The customer's id
        #[arg(value_name = "CUSTOMER", value_parser = query::customer)]
        customer: String,
    },
    /// Lists customers who can still be kept, the highest risk first
    #[command(after_help = LIST)]
    List {
        /// Only this band: LOW, MEDIUM, HIGH, or CRITICAL with those who are LOST or EXITED
        #[arg(long, value_parser = words::read_band)]
        band: Option<v1::RiskBand>,
        #[command(flatten)]
        limit: Limit,
        #[command(flatten)]
        scope: Scope,
    },
    /// Watches who becomes a risk, and who is one no more: each change as it comes, until Ctrl-C
    #[command(after_help = WATCH)]
    Watch {
        #[command(flatten)]
        from: watching::From,
        #[command(flatten)]
        filter: watch::Filter,
    },
    /// Counts the customers in each band
    #[command(after_help = TOTALS)]
    Totals {
        #[command(flatten)]
        scope: Scope,
        #[command(flatten)]
        series: Series,
    },
}

/// Runs `churn`.
pub(crate) async fn run(args: Args, settings: &Settings) -> Result<Outcome, Failure> {
    let ask = args.asking.of(settings);
    match args.command {
        Command::Explain { customer } => ask.risk(customer).await?,
        Command::List { band, scope, limit } => ask.at_risk(band, &scope, &limit).await?,
        Command::Watch { from, filter } => watching::run(filter, &ask, from).await?,
        Command::Totals { scope, series } => ask.bands(&scope, &series).await?,
    }
    Ok(Outcome::Done)
}

impl ViewClient {
    async fn risk(&self, customer_id: String) -> Result<(), Failure> {
        let request = v1::GetRiskRequest { customer_id: customer_id.clone(), query: self.query.clone() };
        let answer = self.link.churn().await?.get_risk(self.link.request(request)).await?.into_inner();
        let events = Events::for_table(self, &customer_id).await;
        self.output.show(&answer, |screen| render::explain(screen, &answer, &events))
    }

    async fn at_risk(&self, band: Option<v1::RiskBand>, scope: &Scope, limit: &Limit) -> Result<(), Failure> {
        let mut churn = self.link.churn().await?;
        let list = limit.collect(async |page_size, page_token| {
            let request = v1::ListAtRiskRequest {
                band: band.map_or(0, i32::from),
                scope: scope.message(),
                query: self.query.clone(),
                page_size,
                page_token,
                without_lost: band.is_none(),
            };
            Ok(churn.list_at_risk(self.link.request(request)).await?.into_inner())
        });
        let list = list.await?;
        self.output.list(&list, |screen| render::list(screen, &list))
    }

    async fn bands(&self, scope: &Scope, series: &Series) -> Result<(), Failure> {
        let mut service = self.link.churn().await?;
        let fetch = async |query| {
            let request = v1::CountBandsRequest { scope: scope.message(), query };
            Ok(service.count_bands(self.link.request(request)).await?.into_inner())
        };
        series.show(self, fetch, render::totals).await
    }
}

impl Totals for v1::CountBandsResponse {
    fn all(&self) -> [u64; 2] {
        [self.customers, self.withheld]
    }

    fn rows(&self) -> Vec<(&'static str, String, u64)> {
        self.bands.iter().map(|it| ("band", words::band(it.band).to_owned(), it.customers)).collect()
    }

    fn meta(&self) -> Option<&v1::AnswerMeta> {
        self.meta.as_ref()
    }
}
