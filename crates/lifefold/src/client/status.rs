//! `status`: how the three projectors do, side by side.

use api::v1;
use comfy_table::{Cell, Color};
use serde_json::{Value, json};

use super::asking::Call;
use super::failure::{Failure, Outcome};
use super::link::{Link, VIEWS};
use super::output::{self, Format, Screen};
use super::{format, json, words};
use crate::cli::View;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  lifefold status
  lifefold status -o ndjson | jq -r '[.view, .serving.digest] | @tsv'

digest: equal for the same log. content digest: equal for the same events in any order. Exit code 1 if a projector is \
not reached or does not serve.";

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    call: Call,
}

/// What a projector said, or why it said nothing.
type Said = Result<v1::GetStatusResponse, Failure>;

/// Runs `status`.
pub(crate) async fn run(args: Args, settings: &Settings) -> Result<Outcome, Failure> {
    let link = args.call.link(settings);
    let (one, two, three) = tokio::join!(ask(&link, VIEWS[0]), ask(&link, VIEWS[1]), ask(&link, VIEWS[2]));
    let all = [one, two, three];
    match args.call.output.output {
        Format::Table => {
            output::print(&render(Screen::of_stdout(), &all))?;
            for failure in all.iter().filter_map(|said| said.as_ref().err()) {
                output::note(&failure.report());
            }
        }
        Format::Json => output::print_json(&Value::Array(values(&all)?))?,
        Format::Ndjson => values(&all)?.iter().try_for_each(|value| output::print(&format!("{value}\n")))?,
    }
    Ok(if all.iter().all(serves) { Outcome::Done } else { Outcome::Failed })
}

/// The status of a view's projector.
pub(crate) async fn ask(link: &Link, view: View) -> Said {
    let mut projector = link.projector(view).await?;
    Ok(projector.get_status(link.request(v1::GetStatusRequest {})).await?.into_inner())
}

fn serves(said: &Said) -> bool {
    said.as_ref().is_ok_and(|status| matches!(status.state(), v1::ProjectorState::Serving | v1::ProjectorState::Paused))
}

fn values(all: &[Said; 3]) -> Result<Vec<Value>, Failure> {
    let value = |(view, said): (View, &Said)| match said {
        Ok(status) => json::value(status),
        Err(failure) => Ok(json!({"view": view.process().name(), "error": failure.to_string()})),
    };
    VIEWS.into_iter().zip(all).map(value).collect()
}

/// How a property of the serving generation reads.
type Property = (&'static str, fn(&v1::Generation) -> String);

/// Properties that are counted once the log's head is reached, and are zeros before.
const COUNTED_LATE: [&str; 2] = ["customers", "timers"];

const PROPERTIES: [Property; 10] = [
    ("position", |it| format::count(it.position)),
    ("head of the log", |it| format::count(it.head)),
    ("lag", |it| format!("{}, {} s", format::events(it.lag_events), it.lag_seconds)),
    ("durable up to", |it| format::count(it.committed_position)),
    ("customers", |it| format::count(it.customers)),
    ("erased", |it| format::count(it.erased)),
    ("parked", parked),
    ("conflicts", |it| format::count(it.conflicts)),
    ("timers", |it| format::count(it.timers)),
    ("records", |it| format::bytes(it.records_bytes)),
];

fn parked(it: &v1::Generation) -> String {
    match &it.last_parked {
        Some(last) => format!("{}: {} at {}", format::count(it.parked), last.reason, format::count(last.position)),
        None => format::count(it.parked),
    }
}

/// How a property of the whole projector reads.
type Whole = (&'static str, fn(&v1::GetStatusResponse) -> String);

const WHOLE: [Whole; 9] = [
    ("store", |it| format::bytes(it.store_bytes)),
    ("process", |it| if it.process_bytes == 0 { format::NOTHING.to_owned() } else { format::bytes(it.process_bytes) }),
    ("rules", |it| it.rules_version.clone()),
    ("in force from", |it| match it.rules_position {
        0 => "(not in the log)".to_owned(),
        position => format::count(position),
    }),
    ("generation", |it| format!("{} (fold {})", serving(it).generation, it.fold_version)),
    ("rebuild", |it| {
        it.building.as_ref().map_or_else(
            || format::NOTHING.to_owned(),
            |building| format!("at {} of {}", format::count(building.position), format::count(building.head)),
        )
    }),
    ("scrub", |it| {
        scrub(it, |scrub| {
            let covered = format::percent(Some(scrub.covered_bp));
            match scrub.waiting.as_str() {
                "" => format!("{covered} of round {}", scrub.round),
                waiting => format!("{covered}, waits: {waiting}"),
            }
        })
    }),
    ("last round", |it| scrub(it, |scrub| format::clock(scrub.last_round.as_ref()))),
    ("differed", |it| {
        scrub(it, |scrub| format!("{} of {}", format::count(scrub.different), format::count(scrub.checked)))
    }),
];

fn scrub(status: &v1::GetStatusResponse, show: impl FnOnce(&v1::Scrub) -> String) -> String {
    status.scrub.as_ref().map_or_else(|| "off".to_owned(), show)
}

/// What an operator should know beside the table.
fn notes(status: &v1::GetStatusResponse) -> Vec<String> {
    let said = [&status.message, &status.rules_notice].into_iter().filter(|text| !text.is_empty()).cloned();
    let found = status.scrub.as_ref().and_then(|scrub| scrub.last_found.as_ref()).map(|found| {
        let at = format::clock(found.at.as_ref());
        format!("the record of {} differed from the log and was put right, {at}: {}", found.customer_id, found.what)
    });
    said.chain(found).collect()
}

/// The serving generation; an empty one where the projector has none yet.
pub(crate) fn serving(status: &v1::GetStatusResponse) -> v1::Generation {
    status.serving.clone().unwrap_or_default()
}

fn render(screen: Screen, all: &[Said; 3]) -> String {
    let names: Vec<_> = VIEWS.into_iter().map(|view| view.process().name()).collect();
    let mut table = screen.table(&["", names[0], names[1], names[2]]);
    let states = all.iter().map(|said| match said {
        Ok(status) => screen.paint(words::state(status.state), colour(status.state())),
        Err(_) => screen.paint("NOT REACHED", Some(Color::Red)),
    });
    table.add_row(std::iter::once(screen.dim("state")).chain(states));
    for (name, show) in PROPERTIES {
        let show = |status: &v1::GetStatusResponse| match status.state() {
            v1::ProjectorState::CatchingUp if COUNTED_LATE.contains(&name) => format::NOTHING.to_owned(),
            _ => show(&serving(status)),
        };
        table.add_row(row(screen, name, all, show));
    }
    for (name, show) in WHOLE {
        table.add_row(row(screen, name, all, show));
    }
    let mut text = output::text(&table);
    let mut digests = screen.table(&["", ">At", "Digest", "Content digest"]);
    for status in all.iter().flatten() {
        let serving = serving(status);
        digests.add_row([
            &status.view,
            &format::count(serving.digest_position),
            &serving.digest,
            &serving.content_digest,
        ]);
    }
    if !digests.is_empty() {
        text = format!("{text}\n{}", output::text(&digests));
    }
    for status in all.iter().flatten() {
        notes(status).iter().for_each(|note| text += &format!("\n{}: {note}\n", status.view));
    }
    text
}

fn row(screen: Screen, name: &str, all: &[Said; 3], show: impl Fn(&v1::GetStatusResponse) -> String) -> Vec<Cell> {
    let cells = all.iter().map(|said| Cell::new(said.as_ref().map_or_else(|_| String::new(), &show)));
    std::iter::once(screen.dim(name)).chain(cells).collect()
}

const fn colour(state: v1::ProjectorState) -> Option<Color> {
    match state {
        v1::ProjectorState::Serving => Some(Color::Green),
        v1::ProjectorState::CatchingUp | v1::ProjectorState::Draining | v1::ProjectorState::Paused => {
            Some(Color::DarkYellow)
        }
        _ => Some(Color::Red),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(view: &str) -> v1::GetStatusResponse {
        let serving = v1::Generation {
            generation: 1,
            position: 83_214,
            head: 83_216,
            lag_events: 2,
            lag_seconds: 1,
            digest: "00112233445566778899aabbccddeeff".to_owned(),
            content_digest: "ffeeddccbbaa99887766554433221100".to_owned(),
            digest_position: 83_214,
            customers: 10_000,
            records_bytes: 6_291_456,
            ..Default::default()
        };
        v1::GetStatusResponse {
            view: view.to_owned(),
            state: v1::ProjectorState::Serving.into(),
            serving: Some(serving),
            rules_version: "0123456789abcdef".to_owned(),
            fold_version: 3,
            ..Default::default()
        }
    }

    fn lost() -> Failure {
        Failure::Unreachable {
            service: "churn view",
            url: String::new(),
            cause: "refused".to_owned(),
            setting: "--churn",
        }
    }

    #[test]
    fn three_views_stand_side_by_side() {
        let sick = v1::GetStatusResponse {
            state: v1::ProjectorState::RolledBack.into(),
            message: "the log lost its tail: rebuild".to_owned(),
            ..status("satisfaction")
        };
        let all = [Ok(status("segmentation")), Ok(sick), Err(lost())];
        let text = render(Screen::plain(), &all);
        let has = |line: &str| text.lines().any(|have| have == line);
        assert!(has("                 segmentation      satisfaction      churn"), "{text}");
        assert!(has("state            SERVING           ROLLED_BACK       NOT REACHED"), "{text}");
        assert!(has("lag              2 events, 1 s     2 events, 1 s"), "{text}");
        assert!(has("records          6.0 MiB           6.0 MiB"), "{text}");
        assert!(
            text.contains("segmentation  83,214  00112233445566778899aabbccddeeff  ffeeddccbbaa99887766554433221100"),
            "{text}"
        );
        assert!(text.ends_with("\nsatisfaction: the log lost its tail: rebuild\n"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        assert_eq!(all.each_ref().map(serves), [true, false, false]);
    }

    #[test]
    fn what_the_scrub_found_is_told() {
        let found = v1::ScrubFinding {
            customer_id: "c1".to_owned(),
            what: "EXTRA VisitRecorded".to_owned(),
            ..Default::default()
        };
        let scrub = v1::Scrub {
            rate: 20,
            round: 3,
            covered_bp: 4_250,
            checked: 1_234,
            different: 1,
            last_found: Some(found),
            ..Default::default()
        };
        let waits = v1::Scrub { waiting: "REBUILD".to_owned(), ..scrub.clone() };
        let all = [
            Ok(v1::GetStatusResponse { scrub: Some(scrub), ..status("segmentation") }),
            Ok(v1::GetStatusResponse { scrub: Some(waits), ..status("satisfaction") }),
            Ok(status("churn")),
        ];
        let text = render(Screen::plain(), &all);
        let has = |line: &str| text.lines().any(|have| have == line);
        assert!(has("scrub            42.50% of round 3  42.50%, waits: REBUILD  off"), "{text}");
        assert!(has("differed         1 of 1,234         1 of 1,234              off"), "{text}");
        assert!(
            text.contains(
                "segmentation: the record of c1 differed from the log and was put right, –: EXTRA VisitRecorded"
            ),
            "{text}"
        );
    }

    #[test]
    fn what_is_not_counted_yet_is_not_shown_as_zero() {
        let state = v1::ProjectorState::CatchingUp.into();
        let serving = Some(v1::Generation { erased: 2, position: 100, ..Default::default() });
        let catching_up = v1::GetStatusResponse { state, serving, ..status("segmentation") };
        let text = render(Screen::plain(), &[Ok(catching_up), Ok(status("satisfaction")), Err(lost())]);
        let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap().split_whitespace().skip(1);
        assert_eq!(line("customers").collect::<Vec<_>>(), ["–", "10,000"]);
        assert_eq!(line("timers").collect::<Vec<_>>(), ["–", "0"]);
        assert_eq!(line("erased").collect::<Vec<_>>(), ["2", "0"]);
    }

    #[test]
    fn a_projector_that_is_not_reached_is_in_the_json_too() {
        let values = values(&[Ok(status("segmentation")), Ok(status("satisfaction")), Err(lost())]).unwrap();
        assert_eq!(values[0]["serving"]["digest"], "00112233445566778899aabbccddeeff");
        assert_eq!(values[2]["view"], "churn");
        assert!(values[2]["error"].as_str().unwrap().starts_with("cannot reach the churn view"));
    }
}
