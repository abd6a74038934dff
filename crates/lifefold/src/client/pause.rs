//! `pause` and `resume`: a view that stands still for a while.

use api::v1;

use super::asking::Call;
use super::failure::{Failure, Outcome};
use super::format;
use crate::cli::View;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  lifefold pause churn --reason 'month-end report'
  lifefold pause segmentation -o json

A paused view takes no more events, and answers as of the pause; it says how many events it is behind. What it cannot \
know it refuses. It stays paused across restarts, and is not rebuilt.";
const RESUME_EXAMPLES: &str = "\
Examples:
  lifefold resume churn";

/// Arguments of `pause`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The view
    view: View,
    /// Why, for those who wonder
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// Who wants it [default: the user at this machine]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    call: Call,
}

/// Arguments of `resume`.
#[derive(Debug, clap::Args)]
#[command(after_help = RESUME_EXAMPLES)]
pub(crate) struct Resume {
    /// The view
    view: View,
    #[command(flatten)]
    call: Call,
}

/// Runs `pause`.
pub(crate) async fn run(args: Args, settings: &Settings) -> Result<Outcome, Failure> {
    let Args { view, reason, by, call } = args;
    let link = call.link(settings);
    let request = link.request(v1::PauseRequest { by: by.unwrap_or_else(user), reason });
    let answer = link.projector(view).await?.pause(request).await?.into_inner();
    call.output.show(&answer, |_| {
        let pause = answer.pause.clone().unwrap_or_default();
        let (position, at) = (format::count(pause.position), format::clock(pause.at.as_ref()));
        format!("{0} is paused at position {position}, {at}; `lifefold resume {0}` lets it go on\n", view.name())
    })?;
    Ok(Outcome::Done)
}

/// Runs `resume`.
pub(crate) async fn resume(args: Resume, settings: &Settings) -> Result<Outcome, Failure> {
    let Resume { view, call } = args;
    let link = call.link(settings);
    let answer = link.projector(view).await?.resume(link.request(v1::ResumeRequest {})).await?.into_inner();
    call.output.show(&answer, |_| {
        let pause = answer.pause.clone().unwrap_or_default();
        let (position, at) = (format::count(pause.position), format::clock(pause.at.as_ref()));
        format!("{} goes on from position {position}; {} had paused it, {at}\n", view.name(), pause.by)
    })?;
    Ok(Outcome::Done)
}

/// Who asks, as far as the environment says.
fn user() -> String {
    let name = |variable| std::env::var(variable).ok().filter(|name| !name.is_empty());
    let user = name("USER").or_else(|| name("LOGNAME")).unwrap_or_else(|| "somebody".to_owned());
    name("HOSTNAME").map_or(user.clone(), |host| format!("{user}@{host}"))
}
