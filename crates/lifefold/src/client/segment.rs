//! `segment`: who a customer is for the company, and how many are.

mod render;

use api::v1;
use api::v1::member_selector::Selector;
use clap::ValueEnum;

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
  lifefold segment 0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11
  lifefold segment members stage RUN_IN --project P003
  lifefold segment members rule complaints_unheard --limit 1000 -o ndjson
  lifefold segment totals --as-of 2025-03-31
  lifefold segment funnel --company C01";

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
    query: Query,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    wait: Wait,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// The customers with a value of an axis, or in a rule segment
    Members {
        /// The axis
        axis: Axis,
        /// The value, for example RUN_IN, KEY_VALUE, VIP, UPGRADE, COUPLE, or the name of a rule segment
        value: String,
        #[command(flatten)]
        scope: Scope,
        #[command(flatten)]
        limit: Limit,
    },
    /// How many customers have each value of each axis, and are in each rule segment
    Totals {
        #[command(flatten)]
        scope: Scope,
    },
    /// How many customers ever reached each step, by lead source and by month of the first event
    Funnel {
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
    fn selector(self, value: &str) -> Result<Selector, String> {
        Ok(match self {
            Self::Stage => Selector::Stage(words::read_stage(value)?.into()),
            Self::Label => Selector::RfmLabel(words::read_label(value)?.into()),
            Self::Tier => Selector::ValueTier(words::read_tier(value)?.into()),
            Self::Motive => Selector::Motive(words::read_motive(value)?.into()),
            Self::Household => Selector::Household(words::read_household(value)?.into()),
            Self::Rule => Selector::RuleSegment(value.to_owned()),
        })
    }
}

/// Runs `segment`.
pub(crate) async fn run(args: Args, settings: &Settings) -> Result<Outcome, Failure> {
    let Args { customer, command, query, output, wait } = args;
    let link = Link::new(settings, &wait);
    let query = query.message();
    match (command, customer) {
        (Some(Command::Members { axis, value, scope, limit }), _) => {
            let selector = axis.selector(&value).map_err(|error| Failure::Other(format!("{value}: {error}")))?;
            let selector = Some(v1::MemberSelector { selector: Some(selector) });
            let mut segmentation = link.segmentation().await?;
            let list = limit.collect(async |page_size, page_token| {
                let (selector, scope) = (selector.clone(), scope.message());
                let request = v1::ListMembersRequest { selector, scope, query, page_size, page_token };
                Ok(segmentation.list_members(link.request(request)).await?.into_inner())
            });
            let list = list.await?;
            output.list(&list, |screen| render::members(screen, &list))?;
        }
        (Some(Command::Totals { scope }), _) => {
            let request = v1::CountMembersRequest { scope: scope.message(), query };
            let answer = link.segmentation().await?.count_members(link.request(request)).await?.into_inner();
            output.show(&answer, |screen| render::totals(screen, &answer))?;
        }
        (Some(Command::Funnel { scope }), _) => {
            let request = v1::GetFunnelRequest { scope: scope.message(), query };
            let answer = link.segmentation().await?.get_funnel(link.request(request)).await?.into_inner();
            output.show(&answer, |screen| render::funnel(screen, &answer))?;
        }
        (None, customer) => one(&link, &output, customer.unwrap_or_default(), query).await?,
    }
    Ok(Outcome::Done)
}

async fn one(link: &Link, output: &Output, customer_id: String, query: Option<v1::ViewQuery>) -> Result<(), Failure> {
    let request = v1::GetCustomerSegmentsRequest { customer_id: customer_id.clone(), query };
    let answer = link.segmentation().await?.get_customer_segments(link.request(request)).await?.into_inner();
    let events = match output.output {
        Format::Table => Events::of(link, &customer_id).await,
        Format::Json | Format::Ndjson => Events::default(),
    };
    output.show(&answer, |screen| render::customer(screen, &answer, &events))
}
