//! `satisfaction`: how content customers are, one by one and by company, project, wave and service port.

mod ask;
mod complaints;
mod customer;
mod examples;
mod report;
mod units;

use api::v1;
use clap::ValueEnum;

use super::asking::ViewArgs;
use super::failure::{Failure, Outcome};
use super::pages::Limit;
use super::query::{self, Scope};
use super::series::Series;
use super::words;
use crate::settings::Settings;

/// Arguments of `satisfaction`.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::ALL)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    asking: ViewArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Explains a customer's index: what it is made of and the events behind it, loyalty, and complaints
    #[command(after_help = examples::EXPLAIN, visible_alias = "customer")]
    Explain {
        /// The customer's id
        #[arg(value_name = "CUSTOMER", value_parser = query::customer)]
        customer: String,
    },
    /// Reports on a unit, port by port, with the wave before, the group, and the rank
    #[command(after_help = examples::REPORT)]
    Report(Of),
    /// Reports on a unit, item by item
    #[command(after_help = examples::INDICATORS)]
    Indicators(Of),
    /// Compares two waves of a unit, port by port
    #[command(after_help = examples::COMPARE)]
    Compare(Of),
    /// Ranks city companies or projects by the rate of one port
    #[command(after_help = examples::RANK)]
    Rank {
        /// What is ranked
        #[arg(long, value_enum, default_value_t = Kind::Project)]
        by: Kind,
        /// The service port
        #[arg(long, value_parser = words::read_port, default_value = "OVERALL")]
        port: v1::ServicePort,
        /// The survey wave
        #[arg(long)]
        wave: Option<String>,
        #[command(flatten)]
        limit: Limit,
    },
    /// Shows net promoter score and customer effort of a unit beside the group
    #[command(after_help = examples::NPS)]
    Nps {
        #[command(flatten)]
        unit: Unit,
        /// The service port
        #[arg(long, value_parser = words::read_port, default_value = "OVERALL")]
        port: v1::ServicePort,
        /// The survey wave
        #[arg(long)]
        wave: Option<String>,
    },
    /// Counts the customers in each satisfaction class and each loyalty class
    #[command(after_help = examples::TOTALS)]
    Totals {
        #[command(flatten)]
        scope: Scope,
        #[command(flatten)]
        series: Series,
    },
    /// Lists open complaints with their clocks, the most urgent first
    #[command(after_help = examples::COMPLAINTS)]
    Complaints {
        #[command(flatten)]
        about: About,
        /// Only those past their limit
        #[arg(long)]
        overdue: bool,
        #[command(flatten)]
        limit: Limit,
        #[command(flatten)]
        scope: Scope,
    },
    /// Counts the complaints that were acknowledged and resolved within their limits
    #[command(after_help = examples::SERVICE_LEVELS)]
    ServiceLevels {
        #[command(flatten)]
        unit: Unit,
        #[command(flatten)]
        about: About,
    },
}

/// Whose scores, and of which waves.
#[derive(Debug, clap::Args)]
struct Of {
    #[command(flatten)]
    unit: Unit,
    /// The survey wave
    #[arg(long)]
    wave: Option<String>,
    /// The wave to compare with [default: the one before]
    #[arg(long = "with", value_name = "WAVE")]
    with: Option<String>,
    /// Only this service port; may be given several times
    #[arg(long = "port", value_parser = words::read_port, value_name = "PORT")]
    ports: Vec<v1::ServicePort>,
}

/// Whose scores.
#[derive(Debug, clap::Args)]
struct Unit {
    /// Whose: group, company:<CODE> or project:<CODE>
    #[arg(long, default_value = "group", value_parser = read_unit)]
    unit: v1::Unit,
}

/// Which complaints.
#[derive(Debug, clap::Args)]
struct About {
    /// Only complaints on this service port
    #[arg(long, value_parser = words::read_port)]
    port: Option<v1::ServicePort>,
    /// Only complaints of this present severity: LOW, MEDIUM, HIGH or CRITICAL
    #[arg(long, value_parser = words::read_severity)]
    severity: Option<v1::ComplaintSeverity>,
}

/// What is ranked.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// Projects
    Project,
    /// City companies
    Company,
}

impl Kind {
    const fn message(self) -> v1::UnitKind {
        match self {
            Self::Project => v1::UnitKind::Project,
            Self::Company => v1::UnitKind::Company,
        }
    }
}

/// A unit as it is typed.
fn read_unit(text: &str) -> Result<v1::Unit, String> {
    use v1::unit::Unit::{CompanyId, ProjectId};
    let unit = match text.split_once(':') {
        None if text == "group" => None,
        Some(("company", code)) if !code.is_empty() => Some(CompanyId(code.to_owned())),
        Some(("project", code)) if !code.is_empty() => Some(ProjectId(code.to_owned())),
        _ => return Err("expected group, company:<CODE> or project:<CODE>, for example project:P003".to_owned()),
    };
    Ok(v1::Unit { unit })
}

/// A unit as a title.
fn title(unit: &v1::Unit) -> String {
    use v1::unit::Unit::{CompanyId, ProjectId};
    match &unit.unit {
        None => "The group 集团".to_owned(),
        Some(CompanyId(code)) => format!("City company 一线公司 {code}"),
        Some(ProjectId(code)) => format!("Project 项目 {code}"),
    }
}

/// Runs `satisfaction`.
pub(crate) async fn run(args: Args, settings: &Settings) -> Result<Outcome, Failure> {
    let ask = args.asking.of(settings);
    match args.command {
        Command::Explain { customer } => ask.customer(customer).await?,
        Command::Report(of) => ask.report(of).await?,
        Command::Indicators(of) => ask.indicators(of).await?,
        Command::Compare(of) => ask.compare(of).await?,
        Command::Rank { by, port, wave, limit } => ask.rank(by, port, wave, &limit).await?,
        Command::Nps { unit, port, wave } => ask.nps(unit.unit, port, wave).await?,
        Command::Totals { scope, series } => ask.classes(&scope, &series).await?,
        Command::Complaints { scope, about, overdue, limit } => {
            ask.complaints(&scope, &about, overdue, &limit).await?;
        }
        Command::ServiceLevels { unit, about } => ask.service_levels(unit.unit, &about).await?,
    }
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_the_group_a_company_or_a_project() {
        let shown = |text| read_unit(text).map(|unit| title(&unit));
        assert_eq!(shown("group").unwrap(), "The group 集团");
        assert_eq!(shown("company:C01").unwrap(), "City company 一线公司 C01");
        assert_eq!(shown("project:P003").unwrap(), "Project 项目 P003");
        for wrong in ["", "P003", "project:", "team:x"] {
            assert!(shown(wrong).is_err(), "{wrong}");
        }
    }
}
