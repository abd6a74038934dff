//! The rules in the log: `rules history`, `rules show --active`, and what other commands ask about them.

use api::v1;
use tonic::Code;

use super::render;
use crate::client::asking::Call;
use crate::client::failure::{Failure, Outcome};
use crate::client::link::Link;
use crate::client::output::{self, Format};
use crate::client::pages::Limit;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  lifefold rules history
  lifefold rules history -o ndjson | jq -r .version

The last activation comes first. Answers known at an instant (--known-at) are by the rules that were in force then.";

/// Arguments of `rules history`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    limit: Limit,
    #[command(flatten)]
    call: Call,
}

/// Runs `rules history`.
pub(super) async fn history(args: Args, settings: &Settings) -> Result<Outcome, Failure> {
    let Args { limit, call } = args;
    let link = call.link(settings);
    let all = limit.collect(async |page_size, page_token| list(&link, page_size, page_token).await).await?;
    call.output.list(&all, |screen| render::history(screen, &all.activations))?;
    Ok(Outcome::Done)
}

/// Prints the rules in force.
pub(super) async fn show(call: &Call, settings: &Settings) -> Result<Outcome, Failure> {
    let found = get(&call.link(settings), None).await?;
    match call.output.output {
        Format::Table => output::print(&found.text)?,
        Format::Json | Format::Ndjson => call.output.show(&found, |_| String::new())?,
    }
    Ok(Outcome::Done)
}

/// The rules of a version, or those in force.
pub(super) async fn get(link: &Link, version: Option<String>) -> Result<v1::GetRulesResponse, Failure> {
    Ok(link.rules().await?.get_rules(link.request(v1::GetRulesRequest { version })).await?.into_inner())
}

/// The activation in force; nothing if the log has none.
pub(super) async fn active(link: &Link) -> Result<Option<v1::RulesActivation>, Failure> {
    match get(link, None).await {
        Ok(found) => Ok(found.activation),
        Err(Failure::Refused(status)) if status.code() == Code::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// The version that was in force before the one that is.
pub(super) async fn before(link: &Link, active: Option<&v1::RulesActivation>) -> Result<String, Failure> {
    let active = active.map(|it| it.version.as_str()).unwrap_or_default();
    let mut token = String::new();
    loop {
        let page = list(link, 0, token).await?;
        let other = page.activations.into_iter().map(|it| it.version).find(|it| !it.is_empty() && it != active);
        match other {
            Some(version) => return Ok(version),
            None if page.next_page_token.is_empty() => {
                let none = "there are no rules before those in force: `lifefold rules history` shows all";
                return Err(Failure::Other(none.to_owned()));
            }
            None => token = page.next_page_token,
        }
    }
}

async fn list(link: &Link, page_size: i32, page_token: String) -> Result<v1::ListRulesResponse, Failure> {
    let request = v1::ListRulesRequest { page_size, page_token };
    Ok(link.rules().await?.list_rules(link.request(request)).await?.into_inner())
}
