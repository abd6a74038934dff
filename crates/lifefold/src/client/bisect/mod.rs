//! `bisect`: the first event, or the first instant, at which an answer became so.

mod condition;

use api::v1;
use serde_json::json;

use super::asking::{ViewArgs, ViewClient};
use super::facts::{Answered, Basis, Facts, Reader};
use super::failure::{Failure, Outcome};
use super::happened::{self, Happened, Micros, Past, micros, stamp};
use super::output::{self, Format, Screen};
use super::progress::Progress;
use super::{format, query};
use crate::cli::View;
use crate::clock;
use crate::settings::Settings;
use condition::Condition;

/// Most instants that are asked for: silence changes p every day at most, so this is more than a century.
const MAX_ASKED: u64 = 50_000;

const EXAMPLES: &str = "\
Examples:
  lifefold bisect 0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11 --until 'band = HIGH'
  lifefold bisect 0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11 --until 'p >= .4' --as-of 2025-12-31
  lifefold bisect 0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11 --until 'segment = complaints_unheard' -o json

Fields: stage, band, tier, label (of RFM), class (of satisfaction) and segment (a rule segment) with = or !=; p (0 to 1) \
and index (0 to 100) with =, !=, >=, <=, > or <. What is not known meets no condition; of who withdrew consent to \
PROFILING only the stage can be asked.
Every change is looked at, by events and by time alone, from the first event up to --as-of or now. With --known-at only \
what was recorded by then. Exit code 1: it never was so.";

/// Arguments of `bisect`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The customer's id
    #[arg(value_name = "CUSTOMER", value_parser = query::customer)]
    customer: String,
    /// What is looked for, such as 'band = HIGH' or 'p >= .4'
    #[arg(long, value_name = "CONDITION")]
    until: Condition,
    #[command(flatten)]
    asking: ViewArgs,
}

/// When the condition was met first.
struct Found {
    at: Micros,
    /// What happened just then; nothing: time alone did it.
    events: Vec<Happened>,
    before: Option<Facts>,
    after: Facts,
}

/// Runs `bisect`.
pub(crate) async fn run(args: Args, settings: &Settings) -> Result<Outcome, Failure> {
    let Args { customer, until, asking } = args;
    let ask = asking.of(settings);
    let asked = ask.query.clone().unwrap_or_default();
    let end = asked.as_of.as_ref().map_or_else(|| clock::now().micros(), micros);
    if let Some(name) = until.segment() {
        known_segment(&ask, name, &asked).await?;
    }
    let mut reader = Reader::new(&ask.link, &[until.view()]).await?;
    let past = happened::past(&ask.link, &mut reader, &customer, asked).await?;
    let found = search(&ask, &mut reader, &customer, &until, &past, end).await?;
    let json = || json(&customer, &until, found.as_ref(), past.basis.as_ref());
    match ask.output.output {
        Format::Table => match &found {
            Some(found) => output::print(&render(Screen::of_stdout(), &customer, &until, found, past.basis.as_ref()))?,
            None => output::note(&never(&customer, &until, end, past.basis.as_ref())),
        },
        Format::Json => output::print_json(&json())?,
        Format::Ndjson => output::print(&format!("{}\n", json()))?,
    }
    Ok(if found.is_some() { Outcome::Done } else { Outcome::Failed })
}

/// Refuses a name that no rule segment has: nobody is ever in it, and everybody is always not in it.
async fn known_segment(ask: &ViewClient, name: &str, asked: &v1::ViewQuery) -> Result<(), Failure> {
    // The names are those of the rules, whatever the instant.
    let request = v1::CountMembersRequest { scope: None, query: Some(v1::ViewQuery { as_of: None, ..asked.clone() }) };
    let mut segmentation = ask.link.segmentation().await?;
    let answer = segmentation.count_members(ask.link.request(request)).await?.into_inner();
    let known: Vec<_> = answer.rule_segments.iter().map(|it| it.name.as_str()).collect();
    if known.contains(&name) {
        return Ok(());
    }
    let (known, rules) = (known.join(", "), answer.meta.unwrap_or_default().rules_version);
    Err(Failure::Usage(format!("segment {name:?}: expected one of those of the rules {rules}: {known}")))
}

fn never(customer: &str, until: &Condition, end: Micros, basis: Option<&Basis>) -> String {
    let basis = basis.map(|basis| format!(" · {}", basis.line())).unwrap_or_default();
    format!("{until}: never so for {customer} up to {}{basis}", format::local(Some(&stamp(end))))
}

/// Consent is always the present one, so that this is of every instant.
fn withheld(customer: &str) -> Failure {
    Failure::Other(format!("{customer} withdrew consent to PROFILING: only the stage can be asked about"))
}

/// Goes from change to change: to the next event, or to where the answer says that it ends, whichever comes first.
async fn search(
    ask: &ViewClient,
    reader: &mut Reader,
    customer: &str,
    until: &Condition,
    Past { events, asked, .. }: &Past,
    end: Micros,
) -> Result<Option<Found>, Failure> {
    let mut progress = Progress::new(None);
    let (mut next, mut before) = (events.first().map(|event| event.effect), None);
    for asked_for in 0..MAX_ASKED {
        let Some(at) = next.filter(|&at| at <= end) else {
            progress.finish();
            return Ok(None);
        };
        progress.at(asked_for, || format!("at {}", format::date(Some(&stamp(at)))));
        let query = v1::ViewQuery { as_of: Some(stamp(at)), ..asked.clone() };
        let answered = reader.at(&ask.link, customer, query).await?;
        if answered.as_ref().is_some_and(|it| it.facts.is_withheld()) && !until.is_of_the_stage() {
            return Err(withheld(customer));
        }
        let holds_to = answered.as_ref().and_then(|it| it.holds_to);
        match answered {
            Some(Answered { facts: after, .. }) if until.holds(&after) => {
                progress.finish();
                return Ok(Some(Found { at, events: just_then(events, at), before, after }));
            }
            other => before = other.map(|it| it.facts),
        }
        let event = events.iter().map(|event| event.effect).find(|&effect| effect > at);
        next = event.into_iter().chain(holds_to.filter(|&to| to > at)).min();
    }
    Err(Failure::Other(format!("gave up after {MAX_ASKED} changes: give an earlier --as-of")))
}

/// The events that count from an instant on.
fn just_then(events: &[Happened], at: Micros) -> Vec<Happened> {
    let counts = |event: &&Happened| event.effect == at && !event.voided && !event.holds_always();
    events.iter().filter(counts).cloned().collect()
}

fn json(customer: &str, until: &Condition, found: Option<&Found>, basis: Option<&Basis>) -> serde_json::Value {
    let Some(found) = found else {
        return json!({
            "customer_id": customer, "until": until.to_string(), "found": false,
            "position": basis.map(|it| it.position), "rules_version": basis.map(|it| &it.rules),
        });
    };
    json!({
        "customer_id": customer,
        "until": until.to_string(),
        "found": true,
        "as_of": format::rfc3339(Some(&stamp(found.at))),
        "by": if found.events.is_empty() { "TIME" } else { "EVENT" },
        "events": found.events.iter().map(Happened::json).collect::<Vec<_>>(),
        "before": found.before.as_ref().map(Facts::json),
        "after": found.after.json(),
        "position": basis.map(|it| it.position),
        "rules_version": basis.map(|it| &it.rules),
    })
}

fn render(screen: Screen, customer: &str, until: &Condition, found: &Found, basis: Option<&Basis>) -> String {
    let at = stamp(found.at);
    let words = |facts: &Facts| {
        let said = facts.words().into_iter().filter(|(_, value)| !value.is_empty());
        said.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
    };
    let before = found.before.as_ref().map_or_else(|| "not known".to_owned(), words);
    let event = |event: &Happened| {
        format!("{} at position {}\n{}\n{}", event.kind, format::count(event.position), event.id, event.fields)
    };
    let by = match found.events.as_slice() {
        [] => "time alone: no event just then".to_owned(),
        events => events.iter().map(event).collect::<Vec<_>>().join("\n"),
    };
    let facts = [
        ("customer", customer.to_owned()),
        ("first time", format!("{until}, since {}", format::local(Some(&at)))),
        ("by", by),
        ("before", before),
        ("then", words(&found.after)),
    ];
    let why = match until.view() {
        View::Churn => "churn explain",
        View::Segmentation => "segment explain",
        View::Satisfaction => "satisfaction explain",
    };
    let exactly = format::rfc3339(Some(&at)).unwrap_or_default();
    let (pairs, basis) = (screen.pairs(facts), basis.map(Basis::line).unwrap_or_default());
    format!("{pairs}\n{basis}\nwhy: lifefold {why} {customer} --as-of {exactly}\n")
}
