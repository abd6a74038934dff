//! `segment`: who a customer is for the company, and how many are.

mod funnel;
mod render;
mod watch;

use api::v1;
use api::v1::member_selector::Selector;
use clap::ValueEnum;

use super::asking::{ViewArgs, ViewClient};
use super::evidence::Events;
use super::failure::{Failure, Outcome};
use super::pages::Limit;
use super::query::{self, Scope};
use super::series::Series;
use super::{watch as watching, words};
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  lifefold segment explain 0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11
  lifefold segment 0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11    the same
  lifefold segment members stage RUN_IN --project P003
  lifefold segment totals --as-of 2025-12-31
  lifefold segment funnel --company C01";

const EXPLAIN: &str = "\
Examples:
  lifefold segment explain 0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11
  lifefold segment explain 0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11 --as-of 2025-12-31 -o json";

const MEMBERS: &str = "\
Examples:
  lifefold segment members stage RUN_IN --project P003
  lifefold segment members tier VIP --company C01 --as-of 2025-12-31
  lifefold segment members rule complaints_unheard --limit 1000 -o ndjson

`lifefold segment totals` names every value of every axis, and the rule segments.";

const TOTALS: &str = "\
Examples:
  lifefold segment totals
  lifefold segment totals --project P003 --as-of 2025-12-31 -o json
  lifefold segment totals --from 2024-01-31 --to 2025-12-31 --every month";

const FUNNEL: &str = "\
Examples:
  lifefold segment funnel --as-of 2025-12-31
  lifefold segment funnel --company C01 --all
  lifefold segment funnel -o json

A cohort is the Shanghai month of a customer's first event. The table has the whole, every lead source, and the latest \
12 cohorts; --all adds each cohort by lead source. JSON always has everything, with the median days of every step.";

const WATCH: &str = "\
Examples:
  lifefold segment watch
  lifefold segment watch tier VIP --company C01
  lifefold segment watch rule complaints_unheard -o ndjson

First how many are on the list, then a line for each change: when, who, from what to what, which rule segments came (+)
and went (−), and the event or the time that made it so. Ctrl-C ends it. ndjson also prints the list, a change a line,
and marks that say how far the watch came; after a line list_again begin with an empty list.";

/// Arguments of `segment`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = false, subcommand_negates_reqs = true)]
pub(crate) struct Args {
    /// The customer's id
    #[arg(value_name = "CUSTOMER", value_parser = query::customer, required = true)]
    customer: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    asking: ViewArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Shows a customer on every axis, with the events behind it, and what decides on rule segments
    #[command(after_help = EXPLAIN)]
    Explain {
        /// The customer's id
        #[arg(value_name = "CUSTOMER", value_parser = query::customer)]
        customer: String,
    },
    /// Lists the customers with a value of an axis, or in a rule segment
    #[command(after_help = MEMBERS)]
    Members {
        /// The axis
        axis: Axis,
        /// The value, for example RUN_IN, KEY_VALUE, VIP, UPGRADE, COUPLE, or the name of a rule segment
        value: String,
        #[command(flatten)]
        limit: Limit,
        #[command(flatten)]
        scope: Scope,
    },
    /// Watches who moves between stages, labels, tiers and rule segments: each change as it comes, until Ctrl-C
    #[command(after_help = WATCH)]
    Watch {
        /// Only customers with a value of this axis
        #[arg(requires = "value")]
        axis: Option<Axis>,
        /// The value, for example RUN_IN, KEY_VALUE, VIP, UPGRADE, COUPLE, or the name of a rule segment
        value: Option<String>,
        #[command(flatten)]
        from: watching::From,
        #[command(flatten)]
        scope: Scope,
    },
    /// Counts the customers with each value of each axis, and in each rule segment
    #[command(after_help = TOTALS)]
    Totals {
        #[command(flatten)]
        scope: Scope,
        #[command(flatten)]
        series: Series,
    },
    /// Counts the customers who ever reached each step, by lead source and by month of the first event
    #[command(after_help = FUNNEL)]
    Funnel {
        /// Show every cohort, each by lead source
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        scope: Scope,
    },
}

/// What customers are told apart by.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Axis {
    /// Lifecycle stage
    Stage,
    /// RFM label
    Label,
    /// Value tier
    Tier,
    /// Motive of the demand
    Motive,
    /// Household of the demand
    Household,
    /// Segment of the rules file
    Rule,
}

impl Axis {
    fn selector(self, value: &str) -> Result<Selector, Failure> {
        let selector = match self {
            Self::Stage => words::read_stage(value).map(|it| Selector::Stage(it.into())),
            Self::Label => words::read_label(value).map(|it| Selector::RfmLabel(it.into())),
            Self::Tier => words::read_tier(value).map(|it| Selector::ValueTier(it.into())),
            Self::Motive => words::read_motive(value).map(|it| Selector::Motive(it.into())),
            Self::Household => words::read_household(value).map(|it| Selector::Household(it.into())),
            Self::Rule => Ok(Selector::RuleSegment(value.to_owned())),
        };
        selector.map_err(|error| Failure::Usage(format!("value {value:?}: {error}")))
    }
}

/// Runs `segment`.
pub(crate) async fn run(args: Args, settings: &Settings) -> Result<Outcome, Failure> {
    let ask = args.asking.of(settings);
    match args.command {
        Some(Command::Explain { customer }) => ask.segments(customer).await?,
        Some(Command::Members { axis, value, scope, limit }) => {
            ask.members(axis.selector(&value)?, &scope, &limit).await?;
        }
        Some(Command::Watch { axis, value, from, scope }) => {
            let selector = axis.zip(value).map(|(axis, value)| axis.selector(&value)).transpose()?;
            watching::run(watch::Filter { selector, scope }, &ask, from).await?;
        }
        Some(Command::Totals { scope, series }) => ask.members_by_axis(&scope, &series).await?,
        Some(Command::Funnel { scope, all }) => ask.funnel(&scope, all).await?,
        None => ask.segments(args.customer.unwrap_or_default()).await?,
    }
    Ok(Outcome::Done)
}

impl ViewClient {
    async fn segments(&self, customer_id: String) -> Result<(), Failure> {
        let query = self.query.clone();
        let request = v1::GetCustomerSegmentsRequest { customer_id: customer_id.clone(), query, explain: true };
        let mut service = self.link.segmentation().await?;
        let answer = service.get_customer_segments(self.link.request(request)).await?.into_inner();
        let events = Events::for_table(self, &customer_id).await;
        self.output.show(&answer, |screen| render::customer(screen, &answer, &events))
    }

    async fn members(&self, selector: Selector, scope: &Scope, limit: &Limit) -> Result<(), Failure> {
        let selector = Some(v1::MemberSelector { selector: Some(selector) });
        let mut service = self.link.segmentation().await?;
        let list = limit.collect(async |page_size, page_token| {
            let (selector, scope) = (selector.clone(), scope.message());
            let request = v1::ListMembersRequest { selector, scope, query: self.query.clone(), page_size, page_token };
            Ok(service.list_members(self.link.request(request)).await?.into_inner())
        });
        let list = list.await?;
        self.output.list(&list, |screen| render::members(screen, &list))
    }

    async fn members_by_axis(&self, scope: &Scope, series: &Series) -> Result<(), Failure> {
        let mut service = self.link.segmentation().await?;
        let fetch = async |query| {
            let request = v1::CountMembersRequest { scope: scope.message(), query };
            Ok(service.count_members(self.link.request(request)).await?.into_inner())
        };
        series.show(self, fetch, render::totals).await
    }

    async fn funnel(&self, scope: &Scope, all: bool) -> Result<(), Failure> {
        let request = v1::GetFunnelRequest { scope: scope.message(), query: self.query.clone() };
        let answer = self.link.segmentation().await?.get_funnel(self.link.request(request)).await?.into_inner();
        self.output.show(&answer, |screen| funnel::render(screen, &answer, all))
    }
}
