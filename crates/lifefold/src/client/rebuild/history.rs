//! `rebuild history`: the rebuilds that a projector remembers.

use api::v1;

use super::super::asking::Call;
use super::super::failure::{Failure, Outcome};
use super::super::format;
use super::super::link::Link;
use super::super::output::{self, Screen};
use super::super::pages::Limit;
use crate::cli::View;

/// Runs `rebuild history`.
pub(super) async fn run(call: &Call, link: &Link, view: View, limit: &Limit) -> Result<Outcome, Failure> {
    let mut rebuilds = link.rebuilds(view).await?;
    let all = limit.collect(async |page_size, page_token| {
        let request = link.request(v1::ListRebuildsRequest { page_size, page_token });
        Ok(rebuilds.list_rebuilds(request).await?.into_inner())
    });
    let all: v1::ListRebuildsResponse = all.await?;
    call.output.list(&all, |screen| table(screen, view, &all.rebuilds))?;
    Ok(Outcome::Done)
}

fn table(screen: Screen, view: View, rebuilds: &[v1::PastRebuild]) -> String {
    if rebuilds.is_empty() {
        return format!("{} was not rebuilt yet\n", view.name());
    }
    let mut table = screen.table(&["Begun (Shanghai)", ">Took", ">Generation", ">Differed", "Outcome"]);
    for it in rebuilds {
        table.add_row([
            format::clock(it.begin_time.as_ref()),
            took(it),
            format!("{} → {}", it.replaced_generation, it.generation),
            differed(it),
            outcome(it),
        ]);
    }
    output::text(&table)
}

fn took(it: &v1::PastRebuild) -> String {
    let (Some(begun), Some(ended)) = (it.begin_time, it.end_time) else { return format::NOTHING.to_owned() };
    format::span(&prost_types::Duration { seconds: ended.seconds - begun.seconds, nanos: 0 })
}

/// Who goes back, gives up or has not got so far compares nobody.
fn differed(it: &v1::PastRebuild) -> String {
    match it.customers_compared {
        0 => format::NOTHING.to_owned(),
        compared => format!("{} of {}", format::count(it.customers_different), format::count(compared)),
    }
}

fn outcome(it: &v1::PastRebuild) -> String {
    let ended = match it.outcome() {
        v1::RebuildPhase::Switched if it.origin() == v1::RebuildOrigin::Previous => "rolled back".to_owned(),
        v1::RebuildPhase::Switched if it.customers_different > 0 => "switched, accepted".to_owned(),
        v1::RebuildPhase::Switched => "switched".to_owned(),
        v1::RebuildPhase::GivenUp => format!("given up: {}", it.message),
        _ => "under way".to_owned(),
    };
    match it.resumed {
        0 => ended,
        1 => format!("{ended} (went on after a restart)"),
        times => format!("{ended} (went on after {times} restarts)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_each_rebuild_is_said_in_words() {
        let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let switched = v1::PastRebuild {
            generation: 3,
            replaced_generation: 2,
            outcome: v1::RebuildPhase::Switched.into(),
            begin_time: at(1_743_442_200),
            end_time: at(1_743_442_275),
            resumed: 1,
            customers_compared: 10_000,
            ..Default::default()
        };
        let given_up = v1::PastRebuild {
            outcome: v1::RebuildPhase::GivenUp.into(),
            message: "it was cancelled".to_owned(),
            ..Default::default()
        };
        let rebuilds = [v1::PastRebuild::default(), switched, given_up];
        let text = table(Screen::plain(), View::Churn, &rebuilds);
        for part in [
            "1 min 15 s",
            "2 → 3",
            "0 of 10,000",
            "switched (went on after a restart)",
            "–  given up: it was cancelled",
            "–  under way",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert_eq!(table(Screen::plain(), View::Churn, &[]), "churn was not rebuilt yet\n");
    }
}
