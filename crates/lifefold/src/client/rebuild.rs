//! `rebuild`: fold the whole log again for one view, wait, and compare the digests.

use std::time::Duration;

use api::v1;
use serde_json::json;

use super::asking::Call;
use super::failure::{Failure, Outcome};
use super::link::Link;
use super::output::{self, Format, Screen};
use super::progress::Progress;
use super::{format, status};
use crate::cli::View;
use crate::settings::Settings;

/// How often the projector is asked how far it is.
/// A status is summed up from every record, which is not free.
const POLL: Duration = Duration::from_millis(500);

const EXAMPLES: &str = "\
Examples:
  lifefold rebuild churn
  lifefold rebuild segmentation -o json

The serving generation goes on meanwhile. Exit code 3: the new generation is at the same position and its digest \
differs, so that the old one was wrong. Where the log grew meanwhile, digests are of different positions and cannot be \
compared: that is said, and is no failure.";

/// Arguments of `rebuild`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The view
    view: View,
    #[command(flatten)]
    call: Call,
}

/// Runs `rebuild`.
pub(crate) async fn run(args: Args, settings: &Settings) -> Result<Outcome, Failure> {
    let link = args.call.link(settings);
    let before = status::ask(&link, args.view).await?;
    let mut projector = link.projector(args.view).await?;
    let begun = projector.rebuild(link.request(v1::RebuildRequest {})).await?.into_inner();
    let after = wait(&link, args.view, &begun).await?;
    let verdict = Verdict::of(&before, &after);
    match args.call.output.output {
        Format::Table => output::print(&render(Screen::of_stdout(), &before, &after, verdict))?,
        Format::Json => output::print_json(&value(&before, &after, verdict))?,
        Format::Ndjson => output::print(&format!("{}\n", value(&before, &after, verdict)))?,
    }
    Ok(if verdict == Verdict::Differs { Outcome::Differs } else { Outcome::Done })
}

/// Until the new generation serves.
async fn wait(link: &Link, view: View, begun: &v1::RebuildResponse) -> Result<v1::GetStatusResponse, Failure> {
    let mut progress = Progress::new(Some(begun.head));
    loop {
        let now = status::ask(link, view).await?;
        if status::serving(&now).generation >= begun.generation {
            progress.finish();
            return Ok(now);
        }
        let Some(building) = now.building else {
            progress.finish();
            let why = if now.message.is_empty() { "its log says more" } else { now.message.as_str() };
            return Err(Failure::Other(format!("the projector gave the rebuild up: {why}")));
        };
        let rate = progress.rate(building.position);
        progress.at(building.position, || {
            let (done, all) = (format::count(building.position), format::count(building.head));
            format!("{done} of {all} events, {}/s", format::count(rate))
        });
        tokio::time::sleep(POLL).await;
    }
}

/// How the two generations compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// The same position, the same digest.
    Same,
    /// The same position, another digest.
    Differs,
    /// Another position: nothing can be said.
    Moved,
    /// The one before was not of this log, or of another fold, where nothing can be the same.
    Renewed,
}

impl Verdict {
    fn of(before: &v1::GetStatusResponse, after: &v1::GetStatusResponse) -> Self {
        use v1::ProjectorState::{Broken, Gap, Recreated, RolledBack};
        let broken = matches!(before.state(), Broken | Gap | Recreated | RolledBack);
        let (old, new) = (status::serving(before), status::serving(after));
        if broken || before.fold_version != after.fold_version {
            Self::Renewed
        } else if old.digest_position != new.digest_position {
            Self::Moved
        } else if old.digest == new.digest {
            Self::Same
        } else {
            Self::Differs
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Same => "the same: the view is what the log says",
            Self::Differs => "DIFFERS at the same position: the generation before was wrong, the new one serves",
            Self::Moved => "not compared: the log moved on meanwhile",
            Self::Renewed => "not compared: the log or the fold of the generation before was another one",
        }
    }

    const fn code(self) -> &'static str {
        match self {
            Self::Same => "SAME",
            Self::Differs => "DIFFERS",
            Self::Moved => "MOVED",
            Self::Renewed => "RENEWED",
        }
    }
}

fn render(screen: Screen, before: &v1::GetStatusResponse, after: &v1::GetStatusResponse, verdict: Verdict) -> String {
    let mut table = screen.table(&[&after.view, ">Generation", ">Position", "Digest"]);
    for (name, it) in [("before", before), ("after", after)] {
        let it = status::serving(it);
        let (generation, position) = (it.generation.to_string(), format::count(it.digest_position));
        table.add_row([name, &generation, &position, &it.digest]);
    }
    format!("{}\n{}\n", output::text(&table), verdict.words())
}

fn value(before: &v1::GetStatusResponse, after: &v1::GetStatusResponse, verdict: Verdict) -> serde_json::Value {
    let one = |it: &v1::GetStatusResponse| {
        let it = status::serving(it);
        let (position, digest, content) = (it.digest_position, &it.digest, &it.content_digest);
        json!({"generation": it.generation, "position": position, "digest": digest, "content_digest": content})
    };
    json!({"view": after.view, "before": one(before), "after": one(after), "verdict": verdict.code()})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(generation: u64, digest_position: u64, digest: &str) -> v1::GetStatusResponse {
        let (view, digest) = ("churn".to_owned(), digest.to_owned());
        let serving = Some(v1::Generation { generation, digest_position, digest, ..Default::default() });
        v1::GetStatusResponse { view, serving, ..Default::default() }
    }

    #[test]
    fn only_another_digest_at_the_same_position_differs() {
        let of = |before: (u64, &str), after: (u64, &str)| {
            Verdict::of(&status(1, before.0, before.1), &status(2, after.0, after.1))
        };
        assert_eq!(of((7, "a"), (7, "a")), Verdict::Same);
        assert_eq!(of((7, "a"), (7, "b")), Verdict::Differs);
        assert_eq!(of((7, "a"), (8, "b")), Verdict::Moved);
        let state = v1::ProjectorState::Recreated.into();
        let other_log = v1::GetStatusResponse { state, ..status(1, 7, "a") };
        assert_eq!(Verdict::of(&other_log, &status(2, 7, "b")), Verdict::Renewed);
    }

    #[test]
    fn both_digests_are_printed() {
        let (before, after) = (status(1, 83_214, "00112233"), status(2, 83_214, "00112233"));
        let expect = "\
churn   Generation  Position  Digest
──────────────────────────────────────
before           1    83,214  00112233
after            2    83,214  00112233

the same: the view is what the log says
";
        assert_eq!(render(Screen::plain(), &before, &after, Verdict::Same), expect);
        assert_eq!(value(&before, &after, Verdict::Same)["verdict"], "SAME");
    }
}
