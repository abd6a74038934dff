//! `history`: a customer's events one after the other, with the answers right before and right after each.

mod render;

use api::v1;
use clap::ValueEnum;
use serde_json::{Value, json};

use super::asking::{ViewArgs, ViewClient};
use super::facts::{Answered, Basis, Facts, Reader};
use super::failure::{Failure, Outcome};
use super::happened::{self, Happened, Micros, Past, micros, stamp};
use super::link::VIEWS;
use super::output::{self, Format, Screen};
use super::progress::Progress;
use super::{format, json, query};
use crate::cli::View;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  lifefold history 0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11
  lifefold history 0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11 --view churn --as-of 2025-12-31
  lifefold history 0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11 --by recorded -o ndjson

By `occurred` the answers are those of everything known (or known at --known-at), as of each event: a voided event \
changes nothing. By `recorded` they are what one would have been told then: known_at goes along, and as_of too unless \
--as-of holds it. Events of the same instant are one step, since no instant lies between them.";

/// Arguments of `history`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The customer's id
    #[arg(value_name = "CUSTOMER", value_parser = query::customer)]
    customer: String,
    /// Only the answers of this view [default: all three]
    #[arg(long, value_enum)]
    view: Option<View>,
    /// The order of the events
    #[arg(long, value_enum, default_value_t = By::Occurred)]
    by: By,
    #[command(flatten)]
    asking: ViewArgs,
}

/// The order of the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// As they happened
    Occurred,
    /// As they became known
    Recorded,
}

impl By {
    /// The instant of an event in this order.
    const fn instant(self, event: &Happened) -> Micros {
        match self {
            Self::Occurred => event.effect,
            Self::Recorded => event.known,
        }
    }

    /// What is asked for at an instant of this order.
    fn query(self, asked: &v1::ViewQuery, at: Micros) -> v1::ViewQuery {
        let at = Some(stamp(at));
        match self {
            Self::Occurred => v1::ViewQuery { as_of: at, ..asked.clone() },
            Self::Recorded => v1::ViewQuery { as_of: asked.as_of.or(at), known_at: at, ..asked.clone() },
        }
    }
}

/// The events of one instant, with the answers on both sides of it.
struct Step {
    at: Micros,
    events: Vec<Happened>,
    before: Option<Facts>,
    after: Option<Facts>,
    /// What the answers after it rest on, or those before it.
    basis: Option<Basis>,
}

/// Runs `history`.
pub(crate) async fn run(args: Args, settings: &Settings) -> Result<Outcome, Failure> {
    let ask = args.asking.of(settings);
    let steps = steps(&ask, &args.customer, args.view, args.by).await?;
    if steps.is_empty() {
        output::note(&format!(
            "{}: no event counts at that instant, as it was known; the log has later ones",
            args.customer
        ));
    }
    match ask.output.output {
        Format::Table => output::print(&render::steps(Screen::of_stdout(), &steps))?,
        Format::Ndjson => steps.iter().try_for_each(|step| output::print(&format!("{}\n", step.json()?)))?,
        Format::Json => output::print_json(&Value::Array(steps.iter().map(Step::json).collect::<Result<_, _>>()?))?,
    }
    Ok(Outcome::Done)
}

async fn steps(ask: &ViewClient, customer: &str, view: Option<View>, by: By) -> Result<Vec<Step>, Failure> {
    let views = view.as_ref().map_or(VIEWS.as_slice(), std::slice::from_ref);
    let mut reader = Reader::new(&ask.link, views).await?.explaining();
    let asked = ask.query.clone().unwrap_or_default();
    let Past { mut events, asked, .. } = happened::past(&ask.link, &mut reader, customer, asked).await?;
    if let Some(end) = asked.as_of.as_ref().map(micros) {
        events.retain(|event| event.effect <= end || (by == By::Recorded && event.holds_always()));
    }
    // Stable: at the same instant they stay in the order in which they count.
    events.sort_by_key(|event| by.instant(event));
    let mut progress = Progress::new(Some(events.len() as u64));
    let (mut steps, mut done) = (Vec::new(), 0);
    for events in events.chunk_by(|a, b| by.instant(a) == by.instant(b)) {
        let Some(at) = events.first().map(|event| by.instant(event)) else { continue };
        let before = reader.at(&ask.link, customer, by.query(&asked, at - 1)).await?;
        let after = reader.at(&ask.link, customer, by.query(&asked, at)).await?;
        done += events.len() as u64;
        progress.at(done, || format!("at {}", format::date(Some(&stamp(at)))));
        steps.push(Step::new(at, events, before, after));
    }
    progress.finish();
    Ok(steps)
}

impl Step {
    fn new(at: Micros, events: &[Happened], before: Option<Answered>, after: Option<Answered>) -> Self {
        let basis = after.as_ref().or(before.as_ref()).map(|answered| answered.basis.clone());
        let [before, after] = [before, after].map(|answered| answered.map(|answered| answered.facts));
        Self { at, events: events.to_vec(), before, after, basis }
    }

    fn json(&self) -> Result<Value, Failure> {
        let changed = Facts::changed(self.before.as_ref(), self.after.as_ref());
        let after = self.after.as_ref().map(Facts::json);
        let value = |name: &str| after.as_ref().and_then(|after| after.get(name)).cloned().unwrap_or_default();
        let changed: serde_json::Map<_, _> =
            changed.into_iter().map(|(name, _)| (name.to_owned(), value(name))).collect();
        let decided = Facts::segments_changed(self.before.as_ref(), self.after.as_ref());
        Ok(json!({
            "at": format::rfc3339(Some(&stamp(self.at))),
            "events": self.events.iter().map(Happened::json).collect::<Vec<_>>(),
            "before": self.before.as_ref().map(Facts::json),
            "after": after,
            "changed": changed,
            "position": self.basis.as_ref().map(|basis| basis.position),
            "rules_version": self.basis.as_ref().map(|basis| &basis.rules),
            "segment_decisions": decided.into_iter().map(json::value).collect::<Result<Vec<_>, _>>()?,
        }))
    }
}
